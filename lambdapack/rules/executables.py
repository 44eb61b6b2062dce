"""Whether the kernel starts a program of the package. libuv falls back to /bin/sh, which only hides the reason."""

from lambdapack.binary.facts import Binary
from lambdapack.model import Rule, Severity
from lambdapack.rules.defect import Defect
from lambdapack.rules.loader import MUSL
from lambdapack.runtimes.runtime import Runtime

NO_EXEC_BIT = Rule(
    "LP217",
    "no-exec-bit",
    "a program has no execute bit",
    "child_process says: spawn EACCES. /var/task is read-only, so nothing can set the bit there.",
    "Run `chmod +x FILE` before packing.",
    Severity.ERROR,
)
MISSING_INTERPRETER = Rule(
    "LP218",
    "missing-interpreter",
    "a program asks for a loader that the runtime does not have",
    "child_process says: spawn ENOENT, although the file is there.",
    "Use a statically linked build, or one for glibc.",
    Severity.ERROR,
)


def unrunnable(binary: Binary) -> Defect | None:
    """Return the missing execute bit, which the kernel looks at first."""
    if binary.mode & 0o111:
        return None
    fix = f"Run `chmod +x {binary.path}` before packing."
    return Defect(NO_EXEC_BIT, f"its mode is {binary.mode:04o}: spawn EACCES", fix=fix)


def without_loader(binary: Binary, runtime: Runtime) -> Defect | None:
    """Return the interpreter that the runtime lacks; a static program has none."""
    interpreter = binary.elf.interpreter if binary.elf else None
    if interpreter is None or interpreter in runtime.interpreters:
        return None
    rule = MUSL if "ld-musl-" in interpreter else MISSING_INTERPRETER
    message = f"its interpreter {interpreter} is not in the runtime: spawn ENOENT"
    return Defect(rule, message, evidence=(("interpreter", interpreter),))
