"""From a judged package to a proved one: its addons and its handler, loaded in the bare image."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lambdapack.build.emulation import runnable
from lambdapack.build.engine import Engine
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.pipeline.layers import merged
from lambdapack.prove.load import Trial, load
from lambdapack.rules.check import arrange
from lambdapack.rules.facts import Policy
from lambdapack.rules.handler import file_of
from lambdapack.rules.loading import compared, handler_fails, triable
from lambdapack.rules.space import seen_from
from lambdapack.rules.verdict import Report
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class Proof:
    """What is loaded, and where."""

    engine: Engine
    image: str  # reference of the bare image
    code: Tree
    handler: str | None
    layers: Sequence[Tree] = ()


def _paths(code: Tree, opt: Tree) -> frozenset[str]:
    here = (posixpath.join(TASK_ROOT, each) for each in code.entries)
    return frozenset(here) | {posixpath.join(LAYER_ROOT, each) for each in opt.entries}


def proved(report: Report, proof: Proof, policy: Policy, observer: Observer) -> Report:
    """Return the report with what loading adds to it. LP104 when the target's CPU cannot be run here."""
    architecture = report.runtime.target.architecture
    image = runnable(proof.engine, proof.image, architecture, observer)
    layer = report.subject.kind == "layer"
    code, layers = (MemoryTree({}), (*proof.layers, proof.code)) if layer else (proof.code, proof.layers)
    opt = merged(layers)
    root = LAYER_ROOT if layer else TASK_ROOT
    addons = {posixpath.join(root, each.binary.path): each for each in triable(report)}
    handler = file_of(proof.handler, _paths(code, opt)) if proof.handler and not layer else None
    trial = Trial(tuple(addons), handler, report.runtime.node_major)
    what = f"{len(addons)} addon{'' if len(addons) == 1 else 's'}{' and the handler' if handler else ''}"
    with observer.task(f"Loading {what} on {report.runtime.target}"):
        happened = load(proof.engine, (proof.image, architecture), code, [opt] if layers else [], trial, observer)
    errors = {each.path: each.error for each in happened}
    tried = {each.binary.path: (each, errors[path]) for path, each in addons.items()}
    findings = [*report.findings, *compared(tried, image.digest)]
    if handler and errors[handler[0]]:
        findings.append(handler_fails(seen_from(TASK_ROOT, handler[0]), errors[handler[0]], image.digest))
    return replace(report, findings=arrange(findings, policy))
