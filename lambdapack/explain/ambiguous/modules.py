"""Ambiguous messages about modules that are not found and files that are not readable."""

import posixpath
import re

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.messages import NAME, QUOTED, Certainty, Rank
from lambdapack.model import package_of_specifier
from lambdapack.rules.binary.node_records import NO_EXEC_BIT
from lambdapack.rules.function.records import HANDLER_MISSING, REQUIRED_FILE_MISSING
from lambdapack.rules.package.records import DEPENDENCY_MISSING, NOT_READABLE
from lambdapack.rules.selection.tokens import parse_platform_tags

PACKAGE_OR_FILE_NAME = f"(?i){NAME}"
"""Also the name of a handler's file; an alias of a bundler such as @/x is neither."""

HANDLER_MODULE = (
    r"(?:(?:src|dist|build|out|functions?|handlers?|lambdas?)/[\w./-]+|index|app|main|handler|server|lambda_?function)"
    r"(?:\.[cm]?js)?"
)
"""What people call a handler's file, and nobody means as a package: messages are often quoted without their stack."""

_DEPLOYED_PATHS = ("/var/task", "/opt/", "node_modules/", "LAMBDA_TASK_ROOT")


def missing_module(slots: Slots) -> Meaning | None:
    """A package, a file, or the handler itself: the first line of the require stack tells them apart."""
    module, stack = slots["module"].replace("\\", "/"), slots.get("stack", "")
    if module.endswith(".node") or parse_platform_tags(posixpath.basename(module)).names_platform:
        return None  # another pattern's
    if module.startswith((".", "/")):
        return _missing_file(module, stack)
    if not re.match(PACKAGE_OR_FILE_NAME, module):
        return None
    if not stack and re.fullmatch(HANDLER_MODULE, module):
        return Meaning(HANDLER_MISSING, Certainty.LIKELY, f"the handler's file {module} is not at the top of the zip")
    if not _is_from_package(stack) and "/var/runtime" in stack and "/var/task" not in stack and "/opt/" not in stack:
        handler = Meaning(DEPENDENCY_MISSING, Certainty.POSSIBLE, f"the package {module} is not in the zip")
        return Meaning(
            HANDLER_MISSING, Certainty.CERTAIN, f"the handler's file {module} is not at the top of the zip", (handler,)
        )
    return Meaning(
        DEPENDENCY_MISSING, Certainty.CERTAIN, f"the package {package_of_specifier(module)} is not in what runs"
    )


def _missing_file(module: str, stack: str) -> Meaning | None:
    if "/var/runtime" in stack and "/var/task" not in stack:
        return Meaning(HANDLER_MISSING, Certainty.CERTAIN, f"the handler's file {module} is not in the zip")
    if stack and not any(path in stack.replace("\\", "/") for path in _DEPLOYED_PATHS):
        return None  # somebody's own file on their own machine
    says = f"the file {module} is not in the zip, or is below another directory"
    return Meaning(REQUIRED_FILE_MISSING, Certainty.LIKELY, says)


def _is_from_package(stack: str) -> bool:
    return "/node_modules/" in stack


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
        return Meaning(NO_EXEC_BIT, Certainty.CERTAIN, f"{name} has no execute bit")
    return Meaning(NOT_READABLE, Certainty.CERTAIN, f"{name} is not readable for the user that runs the function")


PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "node",
        "Cannot find module 'x'\nRequire stack:\n- /var/task/index.js",
        r"Cannot find module ['\"`](?P<module>[^'\"`\n]+)['\"`](?! or its corresponding)"
        r"(?:[^\n]*\n?\s*,?\"?\s*Require stack:(?P<stack>(?:\s*[\",]*\s*- [^\n]+){1,40}))?",
        ("Cannot",),
        missing_module,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "node",
        "Cannot find package 'x' imported from /var/task/index.mjs",
        rf"Cannot find (?:package|module) {QUOTED.format('module')} imported from (?P<by>[^\s\"']+)",
        ("imported",),
        missing_import,
    ),
    MessagePattern(
        "node",
        "EACCES: permission denied, open '/var/task/index.js'",
        r"EACCES(?:: permission denied|, permission denied|: )[,:]? ?(?:(?P<call>\w+) )?['\"](?P<file>[^'\"\n]+)"
        r"|(?P<call2>spawn) (?P<file2>[^\s'\"]+) EACCES",
        ("EACCES",),
        lambda slots: unreadable_file({**slots, **({"call": "spawn"} if "call2" in slots else {})}),
    ),
    MessagePattern(
        "sh",
        "sh: /app/node_modules/.bin/a: Permission denied",
        r"(?P<file>[^\s:'\"]*(?:node_modules/\.bin|/var/task|/opt)/[^\s:'\"]+): [Pp]ermission denied",
        ("ermission",),
        lambda slots: unreadable_file({**slots, "call": "spawn"}),
    ),
)
