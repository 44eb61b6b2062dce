"""Whether Lambda finds the handler's file, and whether the files that it requires are in the package."""

import posixpath
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from lambdapack.model import TASK_ROOT, Finding, Severity
from lambdapack.rules.binary.file_system import LambdaFileSystem
from lambdapack.rules.function.records import HANDLER_MISSING, HANDLER_SHADOWED, REQUIRED_FILE_MISSING
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.selection.platforms import ModuleResolver
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.parse import RequiredFile
from lambdapack.tree.entry import Entry, EntryKind

HANDLER_EXTENSIONS = ("", ".js", ".mjs", ".cjs")
"""In the order in which the runtime interface client tries them (aws-lambda-ric 3.x UserFunction.js, 4.0.2)."""

SCRIPT_EXTENSIONS = frozenset(("js", "mjs", "cjs", "ts", "mts", "cts"))
"""Written after the dot these are a slip: Lambda would look for an export of that name."""

DIRECTORY_ENTRY_FILES = ("index.js", "index.mjs", "index.cjs", "index.json", "package.json")
"""What makes a directory requirable, the client's last try."""

IMPORTS_HANDLER_SINCE = 24
"""From nodejs24.x the client imports every file and a directory of the same name always hides it (ric 4)."""


REQUIRE_SUFFIXES = ("", ".js", ".json", ".node", "/package.json", "/index.js", "/index.json", "/index.node")
"""What require() makes of a bare name in a directory (Node.js: "Modules: CommonJS modules", all together)."""


def handler_findings(
    facts: Case, space: LambdaFileSystem, installed: ModuleResolver, runtime: Runtime, policy: Policy
) -> Iterator[Finding]:
    """Yield what is wrong with the handler; an absolute one (a wrapper in a layer) only where it can be seen."""
    handler = facts.handler
    if handler is None:
        return
    severity = None if policy.handler_required else policy.handler_severity
    malformed = _malformed_reason(handler)
    if malformed:
        yield Finding(HANDLER_MISSING, "", malformed, severity=severity, evidence=(("handler", handler),))
        return
    module = posixpath.join(TASK_ROOT, _handler_module(handler))
    found = next((extension for extension in HANDLER_EXTENSIONS if space.is_file(module + extension)), None)
    if found is None and not _is_requirable(space, installed, module):
        yield from _missing_handler_findings(facts, space, module, severity)
    elif found and space.is_directory(module) and (found == ".mjs" or runtime.node_major >= IMPORTS_HANDLER_SINCE):
        name = posixpath.relpath(module, TASK_ROOT)
        message = f"{name}/ lies beside {name}{found}, so the handler {handler} is not found"
        yield Finding(HANDLER_SHADOWED, f"{name}{found}", message, evidence=(("handler", handler),))


def find_handler_file(handler: str, paths: Container[str]) -> tuple[str, str] | None:
    """Return a handler's file and the name of its export, None when it is none of the absolute paths."""
    if _malformed_reason(handler):
        return None
    module = posixpath.join(TASK_ROOT, _handler_module(handler))
    name = posixpath.basename(handler).split(".", 1)[1]
    found = next((module + extension for extension in HANDLER_EXTENSIONS if module + extension in paths), None)
    return (found, name) if found else None


def _malformed_reason(handler: str) -> str:
    if ".." in handler:
        return f"{handler!r} is not a valid handler name: it has '..'"
    if "." not in posixpath.basename(handler):
        return f"{handler!r} is not a valid handler name: it has no '.' between file and export"
    export = posixpath.basename(handler).split(".", 1)[1]
    if export.split(".")[0] in SCRIPT_EXTENSIONS:
        meant = posixpath.join(posixpath.dirname(handler), posixpath.basename(handler).split(".")[0])
        return f"{handler!r} is not a valid handler name: after the dot comes the export, as in {meant}.handler"
    return ""


def _handler_module(handler: str) -> str:
    """The basename is split at its first dot, so a file name with a dot can never be a handler."""
    directory, name = posixpath.split(handler)
    return posixpath.join(directory, name.split(".", 1)[0])


def _is_requirable(space: LambdaFileSystem, installed: ModuleResolver, module: str) -> bool:
    """The client's last try is require.resolve() of the bare name: a package of the function's or of a layer's."""
    directory, name = posixpath.split(module)
    places = (*installed.searched(directory), *installed.searched(TASK_ROOT))
    return any(space.is_file(posixpath.join(place, name) + ending) for place in places for ending in REQUIRE_SUFFIXES)


def _missing_handler_findings(
    facts: Case, space: LambdaFileSystem, module: str, severity: Severity | None
) -> Iterator[Finding]:
    if any(space.is_file(f"{module}/{each}") for each in DIRECTORY_ENTRY_FILES):
        return
    if not module.startswith(f"{TASK_ROOT}/") and not facts.layers:
        return
    name = posixpath.relpath(module, TASK_ROOT)
    tried = ", ".join(f"{name}{extension}" for extension in HANDLER_EXTENSIONS[1:])
    hint, file = _near_file(facts, space, module)
    message = f"the handler {facts.handler} wants one of {tried}{hint}"
    evidence = (("handler", facts.handler),)
    fix = _handler_fix(facts.handler or "", file)
    yield Finding(HANDLER_MISSING, f"{name}.js", message, fix=fix, severity=severity, evidence=evidence)


def _handler_fix(handler: str, file: str) -> str:
    """A file name with a dot can never be a handler."""
    stem, extension = posixpath.splitext(file)
    if extension not in HANDLER_EXTENSIONS[1:] or "." in posixpath.basename(stem):
        return ""
    return (
        f"Set the handler to the file that is there: `--handler {stem}.{handler.rpartition('/')[2].split('.', 1)[1]}`."
    )


def _near_file(facts: Case, space: LambdaFileSystem, module: str) -> tuple[str, str]:
    """Return what is said of a file that may be meant, and the file when the handler could name it."""
    main = _main_file(facts)
    for extension in (".ts", ".mts", ".cts"):
        if space.is_file(module + extension):
            return f"; {posixpath.basename(module)}{extension} is there and must be compiled first", main
    wanted = {posixpath.relpath(module + each, TASK_ROOT).lower() for each in HANDLER_EXTENSIONS[1:]}
    near = next((path for path in facts.entries if path.lower() in wanted), None)
    if near:
        return f"; {near} is there, but Lambda's file system tells upper from lower case", near
    names = {f"{posixpath.basename(module)}{each}" for each in HANDLER_EXTENSIONS[1:]}
    own = (path for path in facts.entries if "node_modules/" not in path)
    found = next((path for path in own if posixpath.basename(path) in names), "")
    if found or not main:
        return f"; {found} is there" if found else "", found
    return f"; package.json names {main} as its main file", main


def _main_file(facts: Case) -> str:
    """Return the file that package.json calls the main one, "" when it is not there: compilers write it elsewhere."""
    manifest = facts.manifests.get("")
    main = posixpath.normpath(manifest.main) if manifest and manifest.main else ""
    return next(
        (main + extension for extension in HANDLER_EXTENSIONS if main and main + extension in facts.entries), ""
    )


REQUIRE_EXTENSIONS = ("", ".js", ".json", ".node")
"""What node tries for require(), in this order (Node.js docs, "Modules: CommonJS modules", read 2026-11)."""


def handler_file_findings(facts: Case) -> Iterator[Finding]:
    """Yield what is missing; of what only a call would load, native files alone, as warnings."""
    if facts.script is None:
        return
    base = posixpath.dirname(facts.script.path)
    for required_file in facts.script.required:
        path = posixpath.normpath(posixpath.join(base, required_file.name))
        native = path.endswith(".node")
        if (
            not (required_file.at_once or native)
            or _is_outside_function(path, facts.entries)
            or _is_file_present(path, required_file, facts.entries)
        ):
            continue
        message = f"line {required_file.line} loads {required_file.name!r}, and {path} is not there"
        evidence = (("name", required_file.name), ("at_once", required_file.at_once))
        finding = Finding(REQUIRED_FILE_MISSING, facts.script.path, message, line=required_file.line, evidence=evidence)
        yield finding if required_file.at_once else replace(finding, severity=Severity.WARNING)


def _is_outside_function(path: str, entries: Mapping[str, Entry]) -> bool:
    """What lies outside, in node_modules, or behind a link is not looked for: others say what they think of it."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    linked = any(each in entries and entries[each].kind is EntryKind.SYMLINK for each in above)
    return linked or parts[0] == ".." or "node_modules" in parts


def _is_file_present(path: str, required: RequiredFile, entries: Mapping[str, Entry]) -> bool:
    if required.exact:
        return path in entries
    files = {f"{path}{ending}" for ending in REQUIRE_EXTENSIONS}
    return not files.isdisjoint(entries) or _is_requirable_directory(path, entries)


def _is_requirable_directory(path: str, entries: Mapping[str, Entry]) -> bool:
    """A directory may have an index or a package.json of its own; what that names is not followed."""
    start = "" if path == "." else f"{path}/"
    inside = {f"{start}package.json", *(f"{start}index{ending}" for ending in REQUIRE_EXTENSIONS[1:])}
    return not inside.isdisjoint(entries)
