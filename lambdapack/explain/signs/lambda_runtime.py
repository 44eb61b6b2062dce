"""Messages of the Lambda runtime about the handler: its file, its imports and its permissions."""

import posixpath
import re

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    CERTAIN,
    LIKELY,
    NAME,
    POSSIBLE,
    QUOTED,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)
from lambdapack.rules.selection.tokens import parse_platform_tags

LAMBDA_RUNTIME = "Lambda's runtime"

PACKAGE_OR_FILE_NAME = re.compile(NAME, re.IGNORECASE)
"""Also the name of a handler's file; an alias of a bundler such as @/x is neither."""

HANDLER_MODULE = re.compile(
    r"(?:(?:src|dist|build|out|functions?|handlers?|lambdas?)/[\w./-]+|index|app|main|handler|server|lambda_?function)"
    r"(?:\.[cm]?js)?"
)
"""What people call a handler's file, and nobody means as a package: messages are often quoted without their stack."""

_DEPLOYED_PATHS = ("/var/task", "/opt/", "node_modules/", "LAMBDA_TASK_ROOT")


def missing_module(slots: Slots) -> Meaning | None:
    """A package, a file, or the handler itself: the first line of the require stack tells them apart."""
    module, stack = slots["module"].replace("\\", "/"), slots.get("stack", "")
    if module.endswith(".node") or parse_platform_tags(posixpath.basename(module)).names_platform:
        return None  # another sign's
    if module.startswith((".", "/")):
        return _missing_file(module, stack)
    if not PACKAGE_OR_FILE_NAME.match(module):
        return None
    if not stack and HANDLER_MODULE.fullmatch(module):
        return Meaning("handler", LIKELY, f"the handler's file {module} is not at the top of the zip")
    if not _is_from_package(stack) and "/var/runtime" in stack and "/var/task" not in stack and "/opt/" not in stack:
        handler = Meaning("missing-package", POSSIBLE, f"the package {module} is not in the zip")
        return Meaning("handler", CERTAIN, f"the handler's file {module} is not at the top of the zip", (handler,))
    return Meaning("missing-package", CERTAIN, f"the package {_package_of_module(module)} is not in what runs")


def _missing_file(module: str, stack: str) -> Meaning | None:
    if "/var/runtime" in stack and "/var/task" not in stack:
        return Meaning("handler", CERTAIN, f"the handler's file {module} is not in the zip")
    if stack and not any(path in stack.replace("\\", "/") for path in _DEPLOYED_PATHS):
        return None  # somebody's own file on their own machine
    return Meaning("missing-package", LIKELY, f"the file {module} is not in the zip, or is below another directory")


def _is_from_package(stack: str) -> bool:
    return "/node_modules/" in stack


def _package_of_module(module: str) -> str:
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])


def missing_import(slots: Slots) -> Meaning | None:
    """The same from `import`."""
    return missing_module({"module": slots["module"], "stack": f"- {slots.get('by', '')}"})


def unreadable_file(slots: Slots) -> Meaning | None:
    """Only a file that was deployed or installed is ours; a user's directory is not."""
    file = slots.get("file") or slots.get("file2", "")
    call = slots.get("call", "")
    if not any(path in file for path in _DEPLOYED_PATHS):
        return None
    if call in {"mkdir", "unlink", "rename", "rmdir", "symlink", "utime", "chown", "copyfile", "write"}:
        return None
    name = posixpath.basename(file)
    if call == "spawn":
        return Meaning("no-exec-bit", CERTAIN, f"{name} has no execute bit")
    return Meaning("permissions", CERTAIN, f"{name} is not readable for the user that runs the function")


_EXPORT_FIX = ("lambdapack verify . --handler {handler}", "{build}")
_MODULE_TYPE_FIX = ("npm pkg set type=module", "{build}")


def _missing_export(says: str) -> Meaning:
    return Meaning("handler", CERTAIN, says, fix=_EXPORT_FIX, record="handler-not-exported")


def _missing_module_type(says: str) -> Meaning:
    return Meaning("handler", LIKELY, says, fix=_MODULE_TYPE_FIX, record="module-as-commonjs")


SIGNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        LAMBDA_RUNTIME,
        "Runtime.HandlerNotFound: index.handler is undefined or not exported",
        compile_pattern(
            r"(?P<handler>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)"
            r"(?=[\s\S]{0,400}HandlerNotFound)"
            r"|HandlerNotFound\W+(?P<handler2>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)"
        ),
        _missing_export("the file is there, and does not export what {handler} names"),
    ),
    MessagePattern(
        LAMBDA_RUNTIME,
        "index.handler is undefined or not exported",
        compile_pattern(r"(?P<handler>[\w./-]+\.\w+) is undefined or not exported"),
        _missing_export("the file is there, and does not export what {handler} names"),
    ),
    MessagePattern(
        LAMBDA_RUNTIME,
        "Handler 'handler' missing on module 'index'",
        compile_pattern(
            r"Handler '(?P<handler>[^'\n]+)' missing on module '(?P<module>[^'\n]+)'|\bRuntime\.HandlerNotFound\b"
        ),
        _missing_export("the module does not export {handler}"),
    ),
    message_pattern(
        LAMBDA_RUNTIME,
        "Runtime.MalformedHandlerName: Bad handler",
        r"Runtime\.MalformedHandlerName|^\W*(?:Error: )?Bad handler\b|is not a valid handler name",
        "handler",
        CERTAIN,
        "the handler's name is not FILE.EXPORT",
    ),
    message_pattern(
        LAMBDA_RUNTIME,
        "entrypoint requires the handler name to be the first argument",
        r"entrypoint requires the handler name to be the first argument",
        "handler",
        CERTAIN,
        "the image was started without the handler's name",
    ),
    MessagePattern(
        LAMBDA_RUNTIME,
        '"errorType": "Runtime.UserCodeSyntaxError", "errorMessage": "SyntaxError: Unexpected token export"',
        compile_pattern(
            r"Runtime\.UserCodeSyntaxError(?=[\s\S]{0,200}(?P<said>Cannot use import statement outside a module|"
            r"Unexpected token '?(?:export|import)'?|await is only valid[^\n\"]*))?"
        ),
        _missing_module_type("node could not read the handler's file as a module: {said}"),
    ),
    MessagePattern(
        LAMBDA_RUNTIME,
        "require() of ES Module /var/task/index.js from /var/runtime/UserFunction.js not supported.",
        compile_pattern(
            r"(?:require\(\) of ES Module|Must use import to load ES Module:) (?P<file>/var/(?:task|runtime)/\S+)"
            r"(?=[\s\S]{0,300}/var/runtime)"
        ),
        _missing_module_type("the handler is an ES module, and the runtime loads it as CommonJS"),
    ),
    MessagePattern(
        "node",
        "Cannot find module 'x'\nRequire stack:\n- /var/task/index.js",
        compile_pattern(
            r"Cannot find module ['\"`](?P<module>[^'\"`\n]+)['\"`](?! or its corresponding)"
            r"(?:[^\n]*\n?\s*,?\"?\s*Require stack:(?P<stack>(?:\s*[\",]*\s*- [^\n]+){1,40}))?"
        ),
        missing_module,
        SYMPTOM,
    ),
    MessagePattern(
        "node",
        "Cannot find package 'x' imported from /var/task/index.mjs",
        compile_pattern(rf"Cannot find (?:package|module) {QUOTED.format('module')} imported from (?P<by>[^\s\"']+)"),
        missing_import,
    ),
    message_pattern(
        LAMBDA_RUNTIME,
        "Unable to import module 'index'",
        r"Unable to import module '(?P<module>[^'\n]+)'",
        "handler",
        LIKELY,
        "the handler's file {module} could not be imported",
        SYMPTOM,
    ),
    message_pattern(
        LAMBDA_RUNTIME,
        "Runtime.ImportModuleError",
        r"\bRuntime\.ImportModuleError\b",
        "missing-package",
        POSSIBLE,
        "something that the handler imports is not in the package; the message behind it names what",
        SYMPTOM,
    ),
    MessagePattern(
        "node",
        "EACCES: permission denied, open '/var/task/index.js'",
        compile_pattern(
            r"EACCES(?:: permission denied|, permission denied|: )[,:]? ?(?:(?P<call>\w+) )?['\"](?P<file>[^'\"\n]+)"
            r"|(?P<call2>spawn) (?P<file2>[^\s'\"]+) EACCES"
        ),
        lambda slots: unreadable_file({**slots, **({"call": "spawn"} if "call2" in slots else {})}),
    ),
    message_pattern(
        "node",
        "Error: spawn EACCES",
        r"\bspawn EACCES\b|posix_spawnp? failed|fork/exec (?P<file>/[^\s:]+): permission denied",
        "no-exec-bit",
        LIKELY,
        "a program that the function starts has no execute bit",
    ),
    MessagePattern(
        "sh",
        "sh: /app/node_modules/.bin/a: Permission denied",
        compile_pattern(r"(?P<file>[^\s:'\"]*(?:node_modules/\.bin|/var/task|/opt)/[^\s:'\"]+): [Pp]ermission denied"),
        lambda slots: unreadable_file({**slots, "call": "spawn"}),
    ),
)
