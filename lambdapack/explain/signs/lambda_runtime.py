"""What Lambda's runtime prints while it looks for the handler: its file, its imports, its permissions."""

import posixpath
import re

from lambdapack.explain.nouns import Reading, Sign, Slots
from lambdapack.explain.signs.words import CERTAIN, LIKELY, NAME, POSSIBLE, QUOTED, SYMPTOM, pattern, sign
from lambdapack.rules.tokens import tags

RUNTIME = "Lambda's runtime"

PACKAGE = re.compile(NAME, re.IGNORECASE)
"""Also the name of a handler's file; an alias of a bundler such as @/x is neither."""

OF_A_HANDLER = re.compile(
    r"(?:(?:src|dist|build|out|functions?|handlers?|lambdas?)/[\w./-]+|index|app|main|handler|server|lambda_?function)"
    r"(?:\.[cm]?js)?"
)
"""What people call a handler's file, and nobody means as a package: messages are often quoted without their stack."""

_OWN = ("/var/task", "/opt/", "node_modules/", "LAMBDA_TASK_ROOT")


def missing_module(slots: Slots) -> Reading | None:
    """A package, a file, or the handler itself: the first line of the require stack tells them apart."""
    module, stack = slots["module"].replace("\\", "/"), slots.get("stack", "")
    if module.endswith(".node") or tags(posixpath.basename(module)).names_platform:
        return None  # another sign's
    if module.startswith((".", "/")):
        return _missing_file(module, stack)
    if not PACKAGE.match(module):
        return None
    if not stack and OF_A_HANDLER.fullmatch(module):
        return Reading("handler", LIKELY, f"the handler's file {module} is not at the top of the zip")
    if not _from_package(stack) and "/var/runtime" in stack and "/var/task" not in stack and "/opt/" not in stack:
        handler = Reading("missing-package", POSSIBLE, f"the package {module} is not in the zip")
        return Reading("handler", CERTAIN, f"the handler's file {module} is not at the top of the zip", (handler,))
    return Reading("missing-package", CERTAIN, f"the package {_package(module)} is not in what runs")


def _missing_file(module: str, stack: str) -> Reading | None:
    if "/var/runtime" in stack and "/var/task" not in stack:
        return Reading("handler", CERTAIN, f"the handler's file {module} is not in the zip")
    if stack and not any(each in stack.replace("\\", "/") for each in _OWN):
        return None  # somebody's own file on their own machine
    return Reading("missing-package", LIKELY, f"the file {module} is not in the zip, or is below another directory")


def _from_package(stack: str) -> bool:
    return "/node_modules/" in stack


def _package(module: str) -> str:
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])


def missing_import(slots: Slots) -> Reading | None:
    """The same from `import`."""
    return missing_module({"module": slots["module"], "stack": f"- {slots.get('by', '')}"})


def denied(slots: Slots) -> Reading | None:
    """Only a file that was deployed or installed is ours; a user's directory is not."""
    file = slots.get("file") or slots.get("file2", "")
    call = slots.get("call", "")
    if not any(each in file for each in _OWN):
        return None
    if call in {"mkdir", "unlink", "rename", "rmdir", "symlink", "utime", "chown", "copyfile", "write"}:
        return None
    name = posixpath.basename(file)
    if call == "spawn":
        return Reading("no-exec-bit", CERTAIN, f"{name} has no execute bit")
    return Reading("permissions", CERTAIN, f"{name} is not readable for the user that runs the function")


_EXPORTED = ("lambdapack verify . --handler {handler}", "{build}")
_TYPED = ("npm pkg set type=module", "{build}")


def _not_exported(says: str) -> Reading:
    return Reading("handler", CERTAIN, says, fix=_EXPORTED, record="handler-not-exported")


def _not_a_module(says: str) -> Reading:
    return Reading("handler", LIKELY, says, fix=_TYPED, record="module-as-commonjs")


SIGNS: tuple[Sign, ...] = (
    Sign(
        RUNTIME,
        "Runtime.HandlerNotFound: index.handler is undefined or not exported",
        pattern(
            r"(?P<handler>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)"
            r"(?=[\s\S]{0,400}HandlerNotFound)"
            r"|HandlerNotFound\W+(?P<handler2>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)"
        ),
        _not_exported("the file is there, and does not export what {handler} names"),
    ),
    Sign(
        RUNTIME,
        "index.handler is undefined or not exported",
        pattern(r"(?P<handler>[\w./-]+\.\w+) is undefined or not exported"),
        _not_exported("the file is there, and does not export what {handler} names"),
    ),
    Sign(
        RUNTIME,
        "Handler 'handler' missing on module 'index'",
        pattern(r"Handler '(?P<handler>[^'\n]+)' missing on module '(?P<module>[^'\n]+)'|\bRuntime\.HandlerNotFound\b"),
        _not_exported("the module does not export {handler}"),
    ),
    sign(
        RUNTIME,
        "Runtime.MalformedHandlerName: Bad handler",
        r"Runtime\.MalformedHandlerName|^\W*(?:Error: )?Bad handler\b|is not a valid handler name",
        "handler",
        CERTAIN,
        "the handler's name is not FILE.EXPORT",
    ),
    sign(
        RUNTIME,
        "entrypoint requires the handler name to be the first argument",
        r"entrypoint requires the handler name to be the first argument",
        "handler",
        CERTAIN,
        "the image was started without the handler's name",
    ),
    Sign(
        RUNTIME,
        '"errorType": "Runtime.UserCodeSyntaxError", "errorMessage": "SyntaxError: Unexpected token export"',
        pattern(
            r"Runtime\.UserCodeSyntaxError(?=[\s\S]{0,200}(?P<said>Cannot use import statement outside a module|"
            r"Unexpected token '?(?:export|import)'?|await is only valid[^\n\"]*))?"
        ),
        _not_a_module("node could not read the handler's file as a module: {said}"),
    ),
    Sign(
        RUNTIME,
        "require() of ES Module /var/task/index.js from /var/runtime/UserFunction.js not supported.",
        pattern(
            r"(?:require\(\) of ES Module|Must use import to load ES Module:) (?P<file>/var/(?:task|runtime)/\S+)"
            r"(?=[\s\S]{0,300}/var/runtime)"
        ),
        _not_a_module("the handler is an ES module, and the runtime loads it as CommonJS"),
    ),
    Sign(
        "node",
        "Cannot find module 'x'\nRequire stack:\n- /var/task/index.js",
        pattern(
            r"Cannot find module ['\"`](?P<module>[^'\"`\n]+)['\"`](?! or its corresponding)"
            r"(?:[^\n]*\n?\s*,?\"?\s*Require stack:(?P<stack>(?:\s*[\",]*\s*- [^\n]+){1,40}))?"
        ),
        missing_module,
        SYMPTOM,
    ),
    Sign(
        "node",
        "Cannot find package 'x' imported from /var/task/index.mjs",
        pattern(rf"Cannot find (?:package|module) {QUOTED.format('module')} imported from (?P<by>[^\s\"']+)"),
        missing_import,
    ),
    sign(
        RUNTIME,
        "Unable to import module 'index'",
        r"Unable to import module '(?P<module>[^'\n]+)'",
        "handler",
        LIKELY,
        "the handler's file {module} could not be imported",
        SYMPTOM,
    ),
    sign(
        RUNTIME,
        "Runtime.ImportModuleError",
        r"\bRuntime\.ImportModuleError\b",
        "missing-package",
        POSSIBLE,
        "something that the handler imports is not in the package; the message behind it names what",
        SYMPTOM,
    ),
    Sign(
        "node",
        "EACCES: permission denied, open '/var/task/index.js'",
        pattern(
            r"EACCES(?:: permission denied|, permission denied|: )[,:]? ?(?:(?P<call>\w+) )?['\"](?P<file>[^'\"\n]+)"
            r"|(?P<call2>spawn) (?P<file2>[^\s'\"]+) EACCES"
        ),
        lambda slots: denied({**slots, **({"call": "spawn"} if "call2" in slots else {})}),
    ),
    sign(
        "node",
        "Error: spawn EACCES",
        r"\bspawn EACCES\b|posix_spawnp? failed|fork/exec (?P<file>/[^\s:]+): permission denied",
        "no-exec-bit",
        LIKELY,
        "a program that the function starts has no execute bit",
    ),
    Sign(
        "sh",
        "sh: /app/node_modules/.bin/a: Permission denied",
        pattern(r"(?P<file>[^\s:'\"]*(?:node_modules/\.bin|/var/task|/opt)/[^\s:'\"]+): [Pp]ermission denied"),
        lambda slots: denied({**slots, "call": "spawn"}),
    ),
)
