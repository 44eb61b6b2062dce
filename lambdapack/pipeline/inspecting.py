"""From a path or zip to what is in it."""

from collections.abc import Sequence
from hashlib import sha256

from lambdapack.events import SILENT, Observer
from lambdapack.memory.store import Store
from lambdapack.model import LAYER_ROOT
from lambdapack.pipeline.judging import Given, judged
from lambdapack.pipeline.layers import merged
from lambdapack.rules.facts import Policy
from lambdapack.runtimes.runtime import Runtime
from lambdapack.survey.copies import Digest
from lambdapack.survey.nouns import Inspection
from lambdapack.survey.survey import survey
from lambdapack.tree.entry import Tree


def inspect(
    given: Given, runtime: Runtime, policy: Policy, observer: Observer = SILENT, store: Store | None = None
) -> Inspection:
    """Return what is in a directory or zip with its layers, judged as `verify` judges; LP007 when nothing is in it."""
    with judged(given, runtime, policy, observer, store) as found, observer.task("Comparing files"):
        return survey(found.report, found.facts, _digest_of(found.tree, found.layers))


def _digest_of(tree: Tree, layers: Sequence[Tree]) -> Digest:
    opt = merged(layers)

    def digest(path: str) -> str:
        inside = path.removeprefix(f"{LAYER_ROOT}/")
        with tree.view(path) if inside == path else opt.view(inside) as data:
            return sha256(data).hexdigest()

    return digest
