"""Loads a package's addons and handler in the bare runtime image, and adds the results to its report."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambdapack.engine.emulation import get_runnable_image
from lambdapack.engine.interface import Engine, Image
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Finding, Severity
from lambdapack.pack.digest import content_digest
from lambdapack.pipeline.open import overlay_layers
from lambdapack.prove.load import LoadRequest, LoadResult, load_in_image
from lambdapack.prove.records import ProofRecords
from lambdapack.rules.check import apply_policy
from lambdapack.rules.function.handler import find_handler_file
from lambdapack.rules.function.loading import (
    LoadError,
    drop_proved_doubts,
    handler_import_finding,
    load_findings,
    loadable_addons,
)
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.file_system import path_in_report
from lambdapack.rules.model.report import Judgement, Report
from lambdapack.store.records import Store
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import EntryKind, Tree, read_file


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What is loaded, and where."""

    engine: Engine
    image: str  # reference of the bare image
    code: Tree
    handler: str | None
    layers: Sequence[Tree] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # the function's own
    store: Store | None = None  # what remembers results; None: everything is loaded
    install: str = ""  # digest of the dependency key, which decides what the addons are; "" the content does


def _container_paths(code: Tree, opt: Tree) -> frozenset[str]:
    here = (posixpath.join(TASK_ROOT, entry) for entry in code.entries)
    return frozenset(here) | {posixpath.join(LAYER_ROOT, entry) for entry in opt.entries}


@dataclass(frozen=True, slots=True)
class _Trial:
    """A package as it is loaded."""

    request: ProofRequest
    report: Report
    image: Image
    code: Tree
    opt: Tree
    addons: Mapping[str, Judgement]  # by absolute path
    handler: tuple[str, str] | None

    @property
    def import_parts(self) -> list[object]:
        """Everything that can change what the import of the handler gives."""
        behaviour = self.report.runtime.behaviour
        node = [behaviour.flags, behaviour.node_path, behaviour.import_searches_node_path]
        trees = [content_digest(self.code), content_digest(self.opt)]
        return ["import", self.image.digest, trees, self.handler, node, sorted(self.request.variables.items())]

    @property
    def addon_parts(self) -> list[object]:
        """Everything that can change how the addons load: they come with the libraries beside them."""
        files = sorted((path, judgement.binary.sha256) for path, judgement in self.addons.items())
        where = self.request.install or content_digest(self.code)
        return ["addons", self.image.digest, where, content_digest(self.opt), files]

    def load(self, observer: Observer) -> tuple[LoadResult, ...]:
        """Return the results, those that are remembered without loading anything."""
        records = ProofRecords(self.request.store)
        parts = {"addons": self.addon_parts if self.addons else [], "import": self.import_parts if self.handler else []}
        known = {kind: records.get(words) if words else () for kind, words in parts.items()}
        addons = tuple(self.addons) if known["addons"] is None else ()
        handler = self.handler if known["import"] is None else None
        if not (addons or handler):
            return (*(known["addons"] or ()), *(known["import"] or ()))
        happened = self._load_now(addons, handler, observer)
        by_kind = {
            "addons": tuple(result for result in happened if not handler or result.path != handler[0]),
            "import": tuple(result for result in happened if handler and result.path == handler[0]),
        }
        for kind, results in by_kind.items():
            if known[kind] is None:
                records.put(parts[kind], results)
        return tuple(result for kind in by_kind for result in (known[kind] or by_kind[kind]))

    def _load_now(
        self, addons: tuple[str, ...], handler: tuple[str, str] | None, observer: Observer
    ) -> tuple[LoadResult, ...]:
        files = f"{len(addons)} addon{'' if len(addons) == 1 else 's'}" if addons else ""
        what = " and ".join(word for word in (files, "the handler" if handler else "") if word)
        target = self.report.runtime.target
        trial = LoadRequest(addons, handler, self.report.runtime.behaviour, self.request.variables)
        with observer.task(f"Loading {what} on {target}"):
            layers = [self.opt] if self.opt.entries else []
            where = (self.request.image, target.architecture)
            return load_in_image(self.request.engine, where, self.code, layers, trial, observer)


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
    trial = _Trial(proof, report, image, code, opt, addons, handler)
    results = trial.load(observer)
    errors = {result.path: result.error for result in results}
    tried = {judgement.binary.path: (judgement, errors[path]) for path, judgement in addons.items()}
    bound = {addons[result.path].binary.path for result in results if result.bound and result.path in addons}
    report = drop_proved_doubts(report, bound)
    findings = [*report.findings, *load_findings(tried, image.digest)]
    if handler and (error := errors[handler[0]]):
        findings.append(_handler_finding(trial, handler[0], error))
    return replace(report, findings=apply_policy(findings, policy))


def _handler_finding(trial: _Trial, path: str, error: LoadError) -> Finding:
    finding = handler_import_finding(
        path_in_report(TASK_ROOT, path), error, trial.image.digest, asked_literally=_is_asked_literally(trial, error)
    )
    package = error.missing[0] if error.missing else ""
    if package and trial.report.runtime.behaviour.provides(package):
        # A stand-in of the image may lack what every managed runtime has.
        return replace(finding, severity=Severity.NOTE)
    return finding


def _is_asked_literally(trial: _Trial, error: LoadError) -> bool:
    """Tell whether the file that node names writes the missing specifier as a literal."""
    specifier, asking = error.missing or ("", "")
    for root, tree in ((TASK_ROOT, trial.code), (LAYER_ROOT, trial.opt)):
        entry = tree.entries.get(asking.removeprefix(f"{root}/")) if asking.startswith(f"{root}/") else None
        if entry is not None and entry.kind is EntryKind.FILE:
            from lambdapack.script.specifiers import read_specifiers  # noqa: PLC0415  # only after a failure

            module = asking.endswith((".mjs", ".mts"))
            found = read_specifiers(read_file(tree, entry.path), module=module).specifiers
            return any(_is_same(text.text, specifier, posixpath.dirname(asking)) for text in found if text.text)
    return False


def _is_same(written: str, missing: str, directory: str) -> bool:
    """Compare a specifier with node's words, which name the package alone, or the path that it leads to."""
    if written.startswith("."):
        return missing in {written, posixpath.normpath(posixpath.join(directory, written))}
    return written == missing or written.startswith(f"{missing}/") or missing.endswith(f"/node_modules/{written}")
