"""Whether Lambda finds the handler's file and its export, and whether node loads it and the files that it requires.

Node 20 and 22 start on Lambda without module detection or require(esm) (docs/facts.md#3-loader); tried with node
20.20.2 and 22.23.3, 2026-11: with these flags a file without "type" is CommonJS whatever its syntax is.
"""

import posixpath
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import replace

from lambdapack.model import TASK_ROOT, Finding, Rule, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.modules import HANDLER_EXTENSIONS
from lambdapack.rules.function.records import (
    HANDLER_MISSING,
    HANDLER_SHADOWED,
    MODULE_AS_COMMONJS,
    NOT_EXPORTED,
)
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.model.installed import InstalledPackages
from lambdapack.rules.model.package import PackageFacts
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.parse import Script

SCRIPT_EXTENSIONS = frozenset(("js", "mjs", "cjs", "ts", "mts", "cts"))
"""After the dot these are a mistake: Lambda would look for an export of that name."""

TYPESCRIPT_EXTENSIONS = (".ts", ".mts", ".cts")

DIRECTORY_ENTRY_FILES = ("index.js", "index.mjs", "index.cjs", "index.json", "package.json")
"""What makes a directory requirable, the client's last try."""

REQUIRE_SUFFIXES = ("", ".js", ".json", ".node", "/package.json", "/index.js", "/index.json", "/index.node")
"""What require() makes of a bare name in a directory (Node.js: "Modules: CommonJS modules", all together)."""


def check_handler(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the handler; an absolute one (a wrapper in a layer) only where its tree is known."""
    facts, file_system, policy = case.facts, case.file_system, case.policy
    handler = facts.handler
    if handler is None:
        return
    severity = None if policy.handler_required else policy.handler_severity
    malformed = _malformed_reason(handler)
    if malformed:
        yield Finding(HANDLER_MISSING, "", malformed, severity=severity, evidence=(("handler", handler),))
        return
    module = posixpath.join(TASK_ROOT, _handler_module(handler))
    found = next((extension for extension in HANDLER_EXTENSIONS if file_system.is_file(module + extension)), None)
    if found is None and not _is_requirable(file_system, case.installed, module):
        yield from _missing_handler_findings(facts, file_system, module, severity)
    elif found and file_system.is_directory(module) and (found == ".mjs" or case.runtime.behaviour.imports_handler):
        name = posixpath.relpath(module, TASK_ROOT)
        message = f"the directory {name}/ beside {name}{found} hides the file of the handler {handler}"
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


def _is_requirable(file_system: LambdaFileSystem, installed: InstalledPackages, module: str) -> bool:
    """The client's last try is require.resolve() of the bare name: a package of the function's or of a layer's."""
    directory, name = posixpath.split(module)
    places = (*installed.search_path(directory), *installed.search_path(TASK_ROOT))
    return any(
        file_system.is_file(posixpath.join(place, name) + ending) for place in places for ending in REQUIRE_SUFFIXES
    )


def _missing_handler_findings(
    facts: PackageFacts, file_system: LambdaFileSystem, module: str, severity: Severity | None
) -> Iterator[Finding]:
    if any(file_system.is_file(f"{module}/{name}") for name in DIRECTORY_ENTRY_FILES):
        return
    if not module.startswith(f"{TASK_ROOT}/") and not facts.layers:
        return
    name = posixpath.relpath(module, TASK_ROOT)
    tried = ", ".join(f"{name}{extension}" for extension in HANDLER_EXTENSIONS[1:])
    hint, file = _near_file(facts, file_system, module)
    message = f"the handler {facts.handler} needs one of {tried}{hint}"
    evidence = (("handler", facts.handler),)
    fix = _compile_fix(facts, file) or _handler_fix(facts.handler or "", file)
    yield Finding(HANDLER_MISSING, f"{name}.js", message, fix=fix, severity=severity, evidence=evidence)


def _handler_fix(handler: str, file: str) -> str:
    """A file name with a dot can never be a handler."""
    stem, extension = posixpath.splitext(file)
    if extension not in HANDLER_EXTENSIONS[1:] or "." in posixpath.basename(stem):
        return ""
    return (
        f"Set the handler to the file that is there: `--handler {stem}.{handler.rpartition('/')[2].split('.', 1)[1]}`."
    )


def _compile_fix(facts: PackageFacts, file: str) -> str:
    """Compile into the form of package.json's "type", under an extension that says which form it is."""
    if not file.endswith(TYPESCRIPT_EXTENSIONS):
        return ""
    manifest = facts.manifests.get(_owner_directory(posixpath.dirname(file), facts))
    is_module = file.endswith(".mts") or (
        not file.endswith(".cts") and manifest is not None and manifest.module_type == "module"
    )
    form, extension = ("esm", ".mjs") if is_module else ("cjs", ".cjs")
    stem = f"dist/{posixpath.splitext(posixpath.basename(file))[0]}"
    export = posixpath.basename(facts.handler or "").split(".", 1)[1]
    return (
        f"Compile it: `npx esbuild {file} --bundle --packages=external --platform=node --format={form} "
        f"--outfile={stem}{extension}`, and set the handler to the output: `--handler {stem}.{export}`."
    )


def _near_file(facts: PackageFacts, file_system: LambdaFileSystem, module: str) -> tuple[str, str]:
    """Return a hint at a file that may be meant, and that file when the handler can name it."""
    main = _main_file(facts, posixpath.relpath(posixpath.dirname(module), TASK_ROOT))
    for extension in TYPESCRIPT_EXTENSIONS:
        if file_system.is_file(module + extension):
            source = posixpath.relpath(module + extension, TASK_ROOT)
            return f"; {source} is there and must be compiled first", main or source
    wanted = {posixpath.relpath(module + extension, TASK_ROOT).lower() for extension in HANDLER_EXTENSIONS[1:]}
    near = next((path for path in facts.entries if path.lower() in wanted), None)
    if near:
        return f"; {near} is there, but Lambda's file system is case-sensitive", near
    found = _nearest_file(_own_files(facts, module, HANDLER_EXTENSIONS[1:]), module, facts)
    if found:
        return f"; {found} is there", found
    if main:
        return f"; package.json names {main} as its main file", main
    source = _nearest_file(_own_files(facts, module, TYPESCRIPT_EXTENSIONS), module, facts)
    return (f"; {source} is there and must be compiled first", source) if source else ("", "")


def _own_files(facts: PackageFacts, module: str, extensions: Collection[str]) -> list[str]:
    """Return the function's own files that have the module's base name and one of the extensions."""
    names = {f"{posixpath.basename(module)}{extension}" for extension in extensions}
    return [path for path in facts.entries if "node_modules/" not in path and posixpath.basename(path) in names]


def _nearest_file(paths: list[str], module: str, facts: PackageFacts) -> str:
    """Return the file of that name that may be meant: below the handler's directory, or the only one there is.

    Another package's file is another function's, whatever it is called.
    """
    directory = posixpath.relpath(posixpath.dirname(module), TASK_ROOT)
    below = [path for path in paths if directory == "." or path.startswith(f"{directory}/")]
    if below or directory == ".":
        paths = below
    owner = _owner_directory(directory, facts)
    paths = [path for path in paths if _owner_directory(posixpath.dirname(path), facts) == owner] or (
        paths if len(paths) == 1 and not owner else []
    )
    return paths[0] if paths else ""


def _owner_directory(directory: str, facts: PackageFacts) -> str:
    """Return the nearest directory with a package.json, "" for the root."""
    directory = "" if directory == "." else directory
    while directory and directory not in facts.manifests:
        directory = posixpath.dirname(directory)
    return directory


def _main_file(facts: PackageFacts, directory: str) -> str:
    """Return the file that the nearest package.json calls the main one, "" when it is not there: compilers do that."""
    owner = _owner_directory(directory, facts)
    manifest = facts.manifests.get(owner)
    main = posixpath.normpath(posixpath.join(owner, manifest.main)) if manifest and manifest.main else ""
    return next(
        (main + extension for extension in HANDLER_EXTENSIONS if main and main + extension in facts.entries), ""
    )


COMMONJS_AS_MODULE = Rule(
    "LP325",
    "commonjs-as-module",
    "the handler is CommonJS that node loads as an ES module",
    "require, module and __dirname do not exist in an ES module, so importing the handler fails.",
    "Rename the file to .cjs, or run `npm pkg set type=commonjs`, or write it with import and export.",
    Severity.ERROR,
)


def check_handler_code(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the code of the handler's file: notes in a bare directory, which may be no function."""
    facts = case.facts
    script, handler = facts.script, facts.handler
    if script is None or handler is None:
        return
    place = find_handler_file(handler, {posixpath.join(TASK_ROOT, script.path)})
    if place is None:
        return
    lenient = case.policy.may_be_no_function
    for finding in _code_findings(script, place[1], _module_system(script, facts.manifests, case.runtime)):
        yield replace(finding, severity=Severity.NOTE) if lenient else finding


def _module_system(script: Script, manifests: Mapping[str, PackageManifest], runtime: Runtime) -> str:
    """Return "module" or "commonjs": by the ending, by the nearest package.json, by the syntax, in this order."""
    ending = posixpath.splitext(script.path)[1]
    if ending in {".mjs", ".cjs"}:
        return "module" if ending == ".mjs" else "commonjs"
    declared = _declared_type(script.path, manifests)
    if declared in {"module", "commonjs"}:
        return declared
    return "module" if script.module and runtime.behaviour.detects_module_syntax else "commonjs"


def _declared_type(path: str, manifests: Mapping[str, PackageManifest]) -> str:
    directory = posixpath.dirname(path)
    while directory and directory not in manifests:
        directory = posixpath.dirname(directory)
    nearest = manifests.get(directory)
    return nearest.module_type if nearest else ""


def _code_findings(script: Script, export: str, system: str) -> Iterator[Finding]:
    if system == "commonjs" and script.module:
        message = f"node says: {script.module.words}"
        yield Finding(MODULE_AS_COMMONJS, script.path, message, line=script.module.line)
    elif system == "module" and script.commonjs:
        message = f"node says: {script.commonjs.words}"
        yield Finding(COMMONJS_AS_MODULE, script.path, message, line=script.commonjs.line)
    elif script.complete and export.split(".", maxsplit=1)[0] not in script.exports:
        names = sorted(script.exports - {"__esModule"})
        exports = f"the file exports {', '.join(names)}" if names else "the file exports nothing"
        evidence = (("exports", names), ("wanted", export))
        yield Finding(
            NOT_EXPORTED, script.path, f"the handler needs the export {export}, and {exports}", evidence=evidence
        )
