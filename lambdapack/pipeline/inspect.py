"""Inspects a directory or zip with its layers."""

from collections.abc import Sequence
from hashlib import sha256

from lambdapack.events import SILENT, Observer
from lambdapack.inspection.dependents import HashFile
from lambdapack.inspection.inspect import build_inspection
from lambdapack.inspection.model import Inspection
from lambdapack.model import LAYER_ROOT
from lambdapack.pipeline.open import overlay_layers
from lambdapack.pipeline.verify import VerificationTarget, open_verification
from lambdapack.rules.model.case import Policy
from lambdapack.runtimes.runtime import Runtime
from lambdapack.store.records import Store
from lambdapack.tree.entry import Tree


def inspect_package(
    target: VerificationTarget,
    runtime: Runtime,
    policy: Policy,
    observer: Observer = SILENT,
    store: Store | None = None,
) -> Inspection:
    """Return what is in a directory or zip with its layers, judged as `verify` judges; LP007 when nothing is in it."""
    with open_verification(target, runtime, policy, observer, store) as verification, observer.task("Comparing files"):
        return build_inspection(
            verification.report, verification.facts, _make_digest(verification.tree, verification.layers)
        )


def _make_digest(tree: Tree, layers: Sequence[Tree]) -> HashFile:
    opt = overlay_layers(layers)

    def digest(path: str) -> str:
        inside = path.removeprefix(f"{LAYER_ROOT}/")
        with tree.view(path) if inside == path else opt.view(inside) as data:
            return sha256(data).hexdigest()

    return digest
