"""The modules that the function loads and that are missing, refused or not known. Reads the graph alone."""

import posixpath
from collections.abc import Iterator

from lambdapack.model import LAYER_ROOT, TASK_ROOT, Finding, Severity
from lambdapack.packages.graph import BINDINGS_NOT_FOUND, MODULE_SYNTAX, ModuleEdge, Presence, package_directory
from lambdapack.packages.linking import EXPORT_MISSING
from lambdapack.packages.manifests import name_from_directory
from lambdapack.packages.modules import ResolvedModules, is_installed_path
from lambdapack.packages.resolution import ResolutionError
from lambdapack.packages.resolver import package_name
from lambdapack.rules.function.records import REQUIRED_FILE_MISSING
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import has_node_modules, path_in_report
from lambdapack.rules.modules.files import FileFault, file_fault, is_beside
from lambdapack.rules.modules.records import (
    EXPORT_NOT_FOUND,
    GRAPH_INCOMPLETE,
    IMPORT_WITHOUT_EXTENSION,
    MODULE_MISSING,
    MODULE_SYNTAX_REFUSED,
    OPTIONAL_MODULE_MISSING,
    REFUSED_MANIFEST,
    REQUIRES_MODULE,
    SDK_V2_MISSING,
    SUBPATH_NOT_EXPORTED,
    WRONG_LETTER_CASE,
)
from lambdapack.script.specifier import ImportCertainty

MAX_NAMED_MODULES = 5

SDK_V2 = "aws-sdk"

_REFUSED_SUBPATHS = frozenset(
    (
        "ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_PACKAGE_IMPORT_NOT_DEFINED", "ERR_INVALID_PACKAGE_TARGET",
        "ERR_INVALID_MODULE_SPECIFIER",
    )
)  # fmt: skip


def check_modules(case: Case) -> Iterator[Finding]:
    """Yield what the function surely loads and cannot; for a call or a branch alone at most a warning."""
    modules = case.modules
    if modules is None:
        return
    yield from _start_findings(case, modules)
    seen: set[tuple[object, ...]] = set()
    later: dict[str, ModuleEdge] = {}
    first: dict[tuple[object, ...], ModuleEdge] = {}  # the first line of a file that asks for it stands for all
    for edge in modules.graph.missing_edges():
        first.setdefault((edge.asking, edge.specifier.text, edge.certainty), edge)
    for edge in first.values():
        if not edge.asking or _is_anothers_matter(case, edge):
            continue
        if not _counts(modules, edge) and not _is_declared_use(case, edge):
            if not is_installed_path(edge.asking):  # a package's own guarded wishes are no news
                later.setdefault(edge.specifier.text or "", edge)
            continue
        finding = _module_finding(case, modules, edge)
        key = (finding.rule.code, finding.message.partition(", ")[2] or finding.path)
        if key not in seen:
            seen.add(key)
            yield finding
    yield from _later_findings(case, later)
    yield from _bound_findings(case, modules)


def _start_findings(case: Case, modules: ResolvedModules) -> Iterator[Finding]:
    """Yield what a variable of the function has node load first, and that is not there."""
    for edge in modules.graph.missing_edges():
        text = edge.specifier.text or ""
        variable = "" if edge.asking else modules.variable_of(text)
        if not variable:
            continue
        unseen = text.startswith(f"{LAYER_ROOT}/") and not case.facts.layers
        message = f"the function's {variable} loads {text!r}, which is not there"
        fix = f"Ship it, or correct {variable}."
        if unseen or case.facts.possible_layers:
            message = f"the function's {variable} loads {text!r}, which only a layer can have"
            fix = "Name the layer: `lambdapack verify --layer ZIP`, `lambdapack build --with-layer ZIP`."
        severity = Severity.WARNING if unseen or case.facts.possible_layers else None
        evidence = (("module", text), ("reason", "variable"), ("variable", variable))
        yield Finding(MODULE_MISSING, "", message, fix=fix, severity=severity, evidence=evidence)


def check_own_files(case: Case) -> Iterator[Finding]:
    """Yield only what is about the function's own files: nothing is installed yet."""
    modules = case.modules
    if modules is None:
        return
    for edge in modules.graph.missing_edges():
        if edge.asking and _counts(modules, edge) and is_beside(edge) and not is_installed_path(edge.asking):
            finding = _module_finding(case, modules, edge)
            if NODE_MODULES_SIGN not in finding.message:
                yield finding


NODE_MODULES_SIGN = "node_modules/"
"""In the path of a file that an install brings."""


def _counts(modules: ResolvedModules, edge: ModuleEdge) -> bool:
    """Tell whether a missing module is more than a note: surely loaded, or by a function of the project's own.

    In a file that is not understood whole, what a function is cannot be told from what runs nowhere.
    """
    if edge.presence is Presence.MISSING:
        return True
    reached = modules.graph.files.get(edge.asking)
    whole = reached is not None and not reached.incomplete
    return whole and edge.certainty is ImportCertainty.IN_FUNCTION and not is_installed_path(edge.asking)


def _is_declared_use(case: Case, edge: ModuleEdge) -> bool:
    """Tell whether a call inside a package asks for what the package depends on: nobody leaves that out on purpose."""
    owner = case.file_system.manifests.get(package_directory(edge.asking))
    name = package_name(edge.specifier.text or "")
    declared = owner is not None and name in owner.dependencies - owner.optional_dependencies - owner.peer_dependencies
    return declared and edge.certainty < ImportCertainty.IN_TRY


def _is_anothers_matter(case: Case, edge: ModuleEdge) -> bool:
    """Tell whether another rule speaks of it: LP311 about declarations, LP221 of an addon, LP317, LP324."""
    text, error = edge.specifier.text or "", edge.resolution
    if isinstance(error, ResolutionError) and error.code == MODULE_SYNTAX and _is_judged_handler(case, edge.asking):
        return True
    owner = package_directory(edge.asking)
    native = text.endswith(".node") or (isinstance(error, ResolutionError) and error.code == BINDINGS_NOT_FOUND)
    if owner and native:
        return True
    name = package_name(text)
    if name is not None and edge.specifier.form.is_esm and not owner and _is_in_layer(case, name):
        return True
    manifest = case.facts.manifests.get("")
    declared = manifest is not None and name in manifest.dependencies - manifest.optional_dependencies
    absent = isinstance(error, ResolutionError) and not error.path
    installed = name is not None and f"{TASK_ROOT}/node_modules/{name}" in case.file_system.links
    return (
        not owner
        and absent
        and (declared or installed)
        and not case.file_system.is_directory(f"{TASK_ROOT}/node_modules/{name}")
    )


def _is_judged_handler(case: Case, path: str) -> bool:
    """Tell whether a file is the handler's, and its own rule more than a note."""
    script = case.facts.script
    is_handler = script is not None and path_in_report(case.facts.root, path) == script.path
    return is_handler and not case.policy.may_be_no_function


def _is_in_layer(case: Case, name: str) -> bool:
    """Tell whether a layer has a package where only require() looks: LP317 speaks of its import."""
    places = case.runtime.behaviour.layer_modules
    return any(case.file_system.is_directory(posixpath.join(place, name)) for place in places)


def _module_finding(case: Case, modules: ResolvedModules, edge: ModuleEdge) -> Finding:
    error = edge.resolution
    assert isinstance(error, ResolutionError)  # noqa: S101  # missing() yields no other
    fault = _fault(case, modules, edge, error)
    severity = _severity(case, edge, fault)
    path = path_in_report(case.facts.root, edge.asking)
    message = _message(edge, fault)
    way = [path_in_report(case.facts.root, place) for place in modules.graph.way_to(edge.asking)]
    evidence = (
        ("module", edge.specifier.text),
        ("reason", fault.reason),
        ("node", error.code),
        ("certainty", edge.certainty.name.lower().replace("_", "-")),
        ("loaded_by", way),
    )
    owner = name_from_directory(package_directory(edge.asking).lstrip("/"))
    reason = case.policy.provided.get(package_name(edge.specifier.text or "") or "")
    return Finding(
        fault.rule,
        path,
        message,
        owner,
        edge.specifier.line,
        fix=fault.fix,
        severity=severity,
        evidence=evidence,
        ignored=reason,
    )


def _message(edge: ModuleEdge, fault: FileFault) -> str:
    if fault.rule is MODULE_SYNTAX_REFUSED:
        place = f", at line {edge.specifier.line}" if edge.specifier.line else ""
        return f"node takes it for CommonJS, where `import` and `export` are syntax errors{place}"
    verb = "imports from" if fault.rule is EXPORT_NOT_FOUND else "loads"
    return f"line {edge.specifier.line} {verb} {edge.specifier.text!r}, {fault.words}"


def _severity(case: Case, edge: ModuleEdge, fault: FileFault) -> Severity | None:
    """An error where it is certain; in a directory where nothing is installed yet, what an install brings may come."""
    if edge.presence is not Presence.MISSING or fault.reason == "layer":
        return Severity.WARNING
    beside = {WRONG_LETTER_CASE, IMPORT_WITHOUT_EXTENSION, EXPORT_NOT_FOUND}
    syntax = fault.rule is MODULE_SYNTAX_REFUSED and not is_installed_path(edge.asking)
    if (fault.rule in beside and is_beside(edge)) or syntax:
        return None  # no install changes that
    unbuilt = (
        case.subject.kind == "directory" and not case.policy.handler_required and not has_node_modules(case.file_system)
    )
    return Severity.WARNING if unbuilt else None


def _refusal(case: Case, edge: ModuleEdge, error: ResolutionError) -> FileFault | None:
    """Return why node refuses what it found, None where it found nothing."""
    if error.code == "ERR_INVALID_PACKAGE_CONFIG":
        place = path_in_report(case.facts.root, error.path)
        return FileFault(REFUSED_MANIFEST, "refused-manifest", f"but node refuses {place}", "")
    if error.code == "ERR_REQUIRE_ESM":
        place = path_in_report(case.facts.root, error.path)
        return FileFault(REQUIRES_MODULE, "es-module", f"which is the ES module {place}", "")
    if error.code in _REFUSED_SUBPATHS:
        return FileFault(SUBPATH_NOT_EXPORTED, "not-exported", f"but {_relative(case, error.message)}", "")
    if error.code == MODULE_SYNTAX:
        fix = "" if is_installed_path(edge.asking) else 'Rename it to .mjs, or set `"type": "module"` in package.json.'
        return FileFault(MODULE_SYNTAX_REFUSED, "module-syntax", "", fix)
    if error.code == EXPORT_MISSING:
        return FileFault(EXPORT_NOT_FOUND, "export-missing", f"but {error.message}", "")
    if error.code == BINDINGS_NOT_FOUND:
        return FileFault(REQUIRED_FILE_MISSING, "bindings", f"but {_relative(case, error.message)}", "")
    return None


def _fault(case: Case, modules: ResolvedModules, edge: ModuleEdge, error: ResolutionError) -> FileFault:
    text = edge.specifier.text or ""
    refused = _refusal(case, edge, error)
    if refused is not None:
        return refused
    if is_beside(edge) or error.path:
        return file_fault(case, modules, edge, error)
    name = package_name(text)
    if name is None:
        return FileFault(MODULE_MISSING, "not-found", f"but {_relative(case, error.message)}", "")
    if name == SDK_V2 and not is_installed_path(edge.asking):
        runtime = case.runtime.target.runtime
        return FileFault(SDK_V2_MISSING, "aws-sdk-v2", f"but neither the package nor {runtime} has aws-sdk v2", "")
    twin = _package_twin(modules, name, edge.asking)
    if twin:
        return FileFault(
            WRONG_LETTER_CASE,
            "letter-case",
            f"but the package is called {twin}",
            f"Write {twin!r} in place of {name!r}.",
        )
    from lambdapack.rules.modules.reasons import absence_reason  # noqa: PLC0415  # few packages lack anything

    reason = absence_reason(case, modules, edge)
    return FileFault(MODULE_MISSING, reason.name, f"but {reason.words}", reason.fix)


def _relative(case: Case, message: str) -> str:
    return message.replace(f"{case.facts.root}/", "")


def _package_twin(modules: ResolvedModules, name: str, asking: str) -> str:
    """Return the package in a node_modules above whose name differs in letter case only, "" without one."""
    directory = posixpath.dirname(asking)
    scope, _, plain = name.rpartition("/")
    while directory:
        place = posixpath.join(directory, "node_modules", scope)
        names = modules.files.names(place)
        twin = next((found for found in names if found.lower() == plain.lower() and plain not in names), "")
        if twin:
            return posixpath.join(scope, twin)
        directory = "" if directory == "/" else posixpath.dirname(directory)
    return ""


def _later_findings(case: Case, later: dict[str, ModuleEdge]) -> Iterator[Finding]:
    """Yield one note for all that is missing and is asked for in a try, in a branch or in a call inside a package."""
    if not later:
        return
    names = sorted(later)
    more = f" and {len(names) - MAX_NAMED_MODULES} more" if len(names) > MAX_NAMED_MODULES else ""
    verb = "are not there and are" if len(names) > 1 else "is not there and is"
    message = f"{', '.join(names[:MAX_NAMED_MODULES])}{more} {verb} loaded only in some cases"
    places = {name: path_in_report(case.facts.root, edge.asking) for name, edge in sorted(later.items())}
    yield Finding(OPTIONAL_MODULE_MISSING, "", message, evidence=(("modules", places),))


def _bound_findings(case: Case, modules: ResolvedModules) -> Iterator[Finding]:
    """Yield a warning for each bound that was met, and a note for each file that does not parse."""
    for bound in modules.graph.bounds:
        yield Finding(GRAPH_INCOMPLETE, "", bound, evidence=(("bound", bound),))
    for reached in modules.graph.files.values():
        if not reached.incomplete or reached.incomplete.startswith(UNREAD):
            continue
        syntax = "not JavaScript" in reached.incomplete
        severity = Severity.NOTE if syntax or is_installed_path(reached.path) else None
        path = path_in_report(case.facts.root, reached.path)
        yield Finding(GRAPH_INCOMPLETE, path, reached.incomplete, severity=severity)


UNREAD = "it was not read"
"""How the graph says of a file that a bound of the whole graph left it out."""
