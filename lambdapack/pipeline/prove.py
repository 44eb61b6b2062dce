"""Loads a package's addons and handler in the bare runtime image, and adds the results to its report."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambdapack.engine.emulation import get_runnable_image
from lambdapack.engine.interface import Engine
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.pipeline.open import overlay_layers
from lambdapack.prove.load import LoadRequest, load_in_image
from lambdapack.rules.check import apply_policy
from lambdapack.rules.function.handler import find_handler_file
from lambdapack.rules.function.loading import handler_import_finding, load_findings, loadable_addons
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.file_system import path_in_report
from lambdapack.rules.model.report import Report
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What is loaded, and where."""

    engine: Engine
    image: str  # reference of the bare image
    code: Tree
    handler: str | None
    layers: Sequence[Tree] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # the function's own


def _container_paths(code: Tree, opt: Tree) -> frozenset[str]:
    here = (posixpath.join(TASK_ROOT, entry) for entry in code.entries)
    return frozenset(here) | {posixpath.join(LAYER_ROOT, entry) for entry in opt.entries}


def prove_package(report: Report, proof: ProofRequest, policy: Policy, observer: Observer) -> Report:
    """Return the report with what loading adds to it. LP104 when the target's CPU cannot be run here."""
    architecture = report.runtime.target.architecture
    image = get_runnable_image(proof.engine, proof.image, architecture, observer)
    layer = report.subject.kind == "layer"
    code, layers = (MemoryTree({}), (*proof.layers, proof.code)) if layer else (proof.code, proof.layers)
    opt = overlay_layers(layers)
    root = LAYER_ROOT if layer else TASK_ROOT
    addons = {posixpath.join(root, judgement.binary.path): judgement for judgement in loadable_addons(report)}
    handler = find_handler_file(proof.handler, _container_paths(code, opt)) if proof.handler and not layer else None
    trial = LoadRequest(tuple(addons), handler, report.runtime.behaviour, proof.variables)
    what = f"{len(addons)} addon{'' if len(addons) == 1 else 's'}{' and the handler' if handler else ''}"
    with observer.task(f"Loading {what} on {report.runtime.target}"):
        happened = load_in_image(
            proof.engine, (proof.image, architecture), code, [opt] if layers else [], trial, observer
        )
    errors = {load_result.path: load_result.error for load_result in happened}
    tried = {judgement.binary.path: (judgement, errors[path]) for path, judgement in addons.items()}
    findings = [*report.findings, *load_findings(tried, image.digest)]
    if handler and errors[handler[0]]:
        findings.append(handler_import_finding(path_in_report(TASK_ROOT, handler[0]), errors[handler[0]], image.digest))
    return replace(report, findings=apply_policy(findings, policy))
