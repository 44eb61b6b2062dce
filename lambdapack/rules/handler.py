"""Whether Lambda would find the handler's file. Never looks into the file: what it exports only loading proves."""

import posixpath
from collections.abc import Container, Iterator

from lambdapack.model import TASK_ROOT, Finding, Rule, Severity
from lambdapack.rules.facts import Facts, Policy
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import Space
from lambdapack.runtimes.runtime import Runtime

HANDLER_MISSING = Rule(
    "LP301",
    "handler-missing",
    "the handler's file is not in the package",
    "Lambda says: Runtime.ImportModuleError: Cannot find module, or Runtime.MalformedHandlerName.",
    "Set the handler to FILE.EXPORT, with FILE as it is called from the package's root: `--handler src/app.handler`.",
    Severity.ERROR,
)
HANDLER_SHADOWED = Rule(
    "LP309",
    "handler-shadowed",
    "a directory has the handler's name and hides its file",
    "The runtime's client tries the bare name first and node says: ERR_UNSUPPORTED_DIR_IMPORT or MODULE_NOT_FOUND.",
    "Rename the file or the directory, and set the handler to the new name.",
    Severity.WARNING,
)

EXTENSIONS = ("", ".js", ".mjs", ".cjs")
"""In the order in which the runtime interface client tries them (aws-lambda-ric 3.x UserFunction.js, 4.0.2)."""

FILE_ENDINGS = frozenset(("js", "mjs", "cjs", "ts", "mts", "cts"))
"""Written after the dot these are a slip: Lambda would look for an export of that name."""

DIRECTORY_FILES = ("index.js", "index.mjs", "index.cjs", "index.json", "package.json")
"""What makes a directory requirable, the client's last try."""

IMPORTS_SINCE = 24
"""From nodejs24.x the client imports every file and a directory of the same name always hides it (ric 4)."""


REQUIRED_AS = ("", ".js", ".json", ".node", "/package.json", "/index.js", "/index.json", "/index.node")
"""What require() makes of a bare name in a directory (Node.js: "Modules: CommonJS modules", all together)."""


def handler_findings(
    facts: Facts, space: Space, installed: Installed, runtime: Runtime, policy: Policy
) -> Iterator[Finding]:
    """Yield what is wrong with the handler; an absolute one (a wrapper in a layer) only where it can be seen."""
    handler = facts.handler
    if handler is None:
        return
    severity = None if policy.handler_required else policy.handler_severity
    malformed = _malformed(handler)
    if malformed:
        yield Finding(HANDLER_MISSING, "", malformed, severity=severity, evidence=(("handler", handler),))
        return
    module = posixpath.join(TASK_ROOT, _module(handler))
    found = next((each for each in EXTENSIONS if space.is_file(module + each)), None)
    if found is None and not _required(space, installed, module):
        yield from _missing(facts, space, module, severity)
    elif found and space.is_directory(module) and (found == ".mjs" or runtime.node_major >= IMPORTS_SINCE):
        name = posixpath.relpath(module, TASK_ROOT)
        message = f"{name}/ lies beside {name}{found}, so the handler {handler} is not found"
        yield Finding(HANDLER_SHADOWED, f"{name}{found}", message, evidence=(("handler", handler),))


def file_of(handler: str, paths: Container[str]) -> tuple[str, str] | None:
    """Return a handler's file and the name of its export, None when it is none of the absolute paths."""
    if _malformed(handler):
        return None
    module = posixpath.join(TASK_ROOT, _module(handler))
    name = posixpath.basename(handler).split(".", 1)[1]
    found = next((module + each for each in EXTENSIONS if module + each in paths), None)
    return (found, name) if found else None


def _malformed(handler: str) -> str:
    if ".." in handler:
        return f"{handler!r} is not a valid handler name: it has '..'"
    if "." not in posixpath.basename(handler):
        return f"{handler!r} is not a valid handler name: it has no '.' between file and export"
    export = posixpath.basename(handler).split(".", 1)[1]
    if export.split(".")[0] in FILE_ENDINGS:
        meant = posixpath.join(posixpath.dirname(handler), posixpath.basename(handler).split(".")[0])
        return f"{handler!r} is not a valid handler name: after the dot comes the export, as in {meant}.handler"
    return ""


def _module(handler: str) -> str:
    """The basename is split at its first dot, so a file name with a dot can never be a handler."""
    directory, name = posixpath.split(handler)
    return posixpath.join(directory, name.split(".", 1)[0])


def _required(space: Space, installed: Installed, module: str) -> bool:
    """The client's last try is require.resolve() of the bare name: a package of the function's or of a layer's."""
    directory, name = posixpath.split(module)
    places = (*installed.searched(directory), *installed.searched(TASK_ROOT))
    return any(space.is_file(posixpath.join(each, name) + ending) for each in places for ending in REQUIRED_AS)


def _missing(facts: Facts, space: Space, module: str, severity: Severity | None) -> Iterator[Finding]:
    if any(space.is_file(f"{module}/{each}") for each in DIRECTORY_FILES):
        return
    if not module.startswith(f"{TASK_ROOT}/") and not facts.layers:
        return
    name = posixpath.relpath(module, TASK_ROOT)
    tried = ", ".join(f"{name}{each}" for each in EXTENSIONS[1:])
    hint, file = _near(facts, space, module)
    message = f"the handler {facts.handler} wants one of {tried}{hint}"
    evidence = (("handler", facts.handler),)
    fix = _fix(facts.handler or "", file)
    yield Finding(HANDLER_MISSING, f"{name}.js", message, fix=fix, severity=severity, evidence=evidence)


def _fix(handler: str, file: str) -> str:
    """A file name with a dot can never be a handler."""
    stem, extension = posixpath.splitext(file)
    if extension not in EXTENSIONS[1:] or "." in posixpath.basename(stem):
        return ""
    return (
        f"Set the handler to the file that is there: `--handler {stem}.{handler.rpartition('/')[2].split('.', 1)[1]}`."
    )


def _near(facts: Facts, space: Space, module: str) -> tuple[str, str]:
    """Return what is said of a file that may be meant, and the file when the handler could name it."""
    main = _main(facts)
    for extension in (".ts", ".mts", ".cts"):
        if space.is_file(module + extension):
            return f"; {posixpath.basename(module)}{extension} is there and must be compiled first", main
    wanted = {posixpath.relpath(module + each, TASK_ROOT).lower() for each in EXTENSIONS[1:]}
    near = next((path for path in facts.entries if path.lower() in wanted), None)
    if near:
        return f"; {near} is there, but Lambda's file system tells upper from lower case", near
    names = {f"{posixpath.basename(module)}{each}" for each in EXTENSIONS[1:]}
    own = (path for path in facts.entries if "node_modules/" not in path)
    found = next((path for path in own if posixpath.basename(path) in names), "")
    if found or not main:
        return f"; {found} is there" if found else "", found
    return f"; package.json names {main} as its main file", main


def _main(facts: Facts) -> str:
    """Return the file that package.json calls the main one, "" when it is not there: compilers write it elsewhere."""
    manifest = facts.manifests.get("")
    main = posixpath.normpath(manifest.main) if manifest and manifest.main else ""
    return next((main + each for each in EXTENSIONS if main and main + each in facts.entries), "")
