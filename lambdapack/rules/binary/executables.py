"""Whether the kernel starts a program: execute bit, interpreter, 32-bit x86."""

from lambdapack.binary.facts import Binary
from lambdapack.model import Architecture, Severity
from lambdapack.rules.binary.linking_records import MUSL
from lambdapack.rules.binary.loader_records import WRONG_CLASS
from lambdapack.rules.binary.node_records import MISSING_INTERPRETER, NO_EXEC_BIT
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.runtimes.runtime import Runtime

EM_386 = 3
"""e_machine of 32-bit x86."""


OTHERS_EXECUTE = 0o001
"""The execute bit that counts: files are root's, and Lambda's user is uid 1051, gid 990 (run in the image)."""


def check_execute_bit(binary: Binary) -> Defect | None:
    """Return the missing execute bit for Lambda's user, which the kernel looks at first."""
    if binary.mode & OTHERS_EXECUTE:
        return None
    fix = f"Run `chmod 755 {binary.path}` before packing."
    return Defect(NO_EXEC_BIT, f"its mode is {binary.mode:04o}: spawn EACCES", fix=fix)


def check_i386_program(binary: Binary, runtime: Runtime) -> Defect | None:
    """Return a warning about a static i386 program where a measured runtime stands for a machine of one's own.

    Every distribution's x86-64 kernel runs one (CONFIG_IA32_EMULATION; measured with Debian 12's). That Lambda's
    does is nowhere said, so for Lambda's own data the program is of a wrong class like any other.
    """
    elf = binary.elf
    static = elf is not None and elf.machine == EM_386 and elf.little_endian and elf.interpreter is None
    if not static or runtime.source != "file" or runtime.target.architecture is not Architecture.X86_64:
        return None
    message = "a static i386 program: it starts only where the kernel has IA32 emulation, which Lambda does not promise"
    return Defect(WRONG_CLASS, message, outcome=Outcome.LOADS, severity=Severity.WARNING)


def check_interpreter(binary: Binary, runtime: Runtime) -> Defect | None:
    """Return the interpreter that the runtime lacks; a static program has none."""
    interpreter = binary.elf.interpreter if binary.elf else None
    if interpreter is None or interpreter in runtime.interpreters:
        return None
    rule = MUSL if "ld-musl-" in interpreter else MISSING_INTERPRETER
    message = f"its interpreter {interpreter} is not in the runtime: spawn ENOENT"
    return Defect(rule, message, evidence=(("interpreter", interpreter),))
