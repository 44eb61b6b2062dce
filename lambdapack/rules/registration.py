"""Whether node accepts what the loader has loaded: ABI, Node-API level, an entry at all (src/node_binding.cc)."""

from lambdapack.binary.facts import Registration, RegistrationKind, Role
from lambdapack.binary.registration import NODE_API_STRUCT
from lambdapack.model import Rule, Severity
from lambdapack.rules.defect import Defect
from lambdapack.rules.process import Process
from lambdapack.rules.verdict import Outcome
from lambdapack.runtimes.abi import EXPERIMENTAL, describe, electron_majors
from lambdapack.runtimes.runtime import Runtime

NODE_ABI = Rule(
    "LP210",
    "node-abi",
    "an addon is compiled for another Node.js",
    "node says: was compiled against a different Node.js version using NODE_MODULE_VERSION N, "
    "or: Module did not self-register.",
    "Compile or download it for this runtime: `lambdapack build --runtime RUNTIME`.",
    Severity.ERROR,
)
ELECTRON_ABI = Rule(
    "LP211",
    "electron-abi",
    "an addon is compiled for Electron",
    "node says: was compiled against a different Node.js version using NODE_MODULE_VERSION N. "
    "electron-rebuild leaves such files in node_modules.",
    "Install without electron-rebuild: `lambdapack build`.",
    Severity.ERROR,
)
NODE_API_LEVEL = Rule(
    "LP212",
    "node-api-level",
    "an addon declares a newer Node-API than the runtime has",
    "node does not refuse it: the process dies with a segmentation fault and Lambda says Runtime.ExitError "
    "(nodejs/node#57233).",
    "Choose a newer runtime (`--runtime`), or a version of the package made for an older Node-API.",
    Severity.ERROR,
)
NOT_AN_ADDON = Rule(
    "LP214",
    "not-an-addon",
    "a file that Node.js would be handed registers nothing",
    "node says: Module did not self-register.",
    "Load it with what it is made for, or install the package again: `lambdapack build`.",
    Severity.ERROR,
)

LIBRARY = (
    "Module did not self-register: nothing in the package needs this library, so only node itself or a program's own "
    "dlopen could open it (a SQLite extension, a plug-in); node would find no addon in it"
)

PROVE = "Open it in the runtime image: `lambdapack verify --load`."
"""What proves a file whose facts do not."""


def rejected(process: Process) -> Defect | None:
    """Return why node refuses the loaded file as an addon, None when it takes it.

    What could not be read for certain is unknown, unless a symbol for this very runtime saves it all the same.
    """
    elf = process.first.elf
    registration = elf.registration if elf else Registration()
    called = registration.kind is RegistrationKind.NODE_API and registration.struct_abi == NODE_API_STRUCT
    if called or process.runtime.abi in registration.abis:
        return None
    if registration.uncertain:
        return _unread(registration, process.runtime)
    if registration.struct_abi is not None:
        return _by_struct(registration, process.runtime)
    return _by_symbol(registration, process)


def _unread(registration: Registration, runtime: Runtime) -> Defect:
    """An unread Node-API level matters as well: one that is too high kills the process."""
    if registration.kind is RegistrationKind.NODE_API:
        message = f"its Node-API version is computed at run time and could not be read; {_has(runtime)}"
        return Defect(NODE_API_LEVEL, message, "", Outcome.UNKNOWN, Severity.WARNING, PROVE)
    number = registration.struct_abi
    likely = f"; the likeliest is {describe(number)} (NODE_MODULE_VERSION {number})" if number and number > 0 else ""
    message = f"it registers itself at run time, and the ABI that it was compiled for could not be read{likely}"
    evidence = (("likely", number), ("wanted", runtime.abi))
    return Defect(NODE_ABI, message, "", Outcome.UNKNOWN, Severity.WARNING, PROVE, evidence)


def _by_struct(registration: Registration, runtime: Runtime) -> Defect | None:
    """A constructor has registered, with the number that its struct has."""
    number = registration.struct_abi
    if number is None or number in {NODE_API_STRUCT, runtime.abi}:
        return None
    return _other_abi((number,), runtime, registered=True)


def _by_symbol(registration: Registration, process: Process) -> Defect | None:
    if registration.kind in {RegistrationKind.NODE_API, RegistrationKind.BOTH}:
        return _level(registration, process.runtime)
    if registration.abis:
        return _other_abi(registration.abis, process.runtime, registered=False)
    if process.first.role is Role.LIBRARY:
        return Defect(NOT_AN_ADDON, LIBRARY, severity=Severity.NOTE)
    return Defect(NOT_AN_ADDON, "Module did not self-register")


def _level(registration: Registration, runtime: Runtime) -> Defect | None:
    declared = registration.node_api
    if declared is None or declared <= runtime.node_api or declared == EXPERIMENTAL:
        return None
    message = f"requires Node-API version {declared}, {_has(runtime)}: the process dies with a segmentation fault"
    return Defect(NODE_API_LEVEL, message, evidence=(("node_api", declared), ("provided", runtime.node_api)))


def _has(runtime: Runtime) -> str:
    return f"{runtime.target.runtime} has version {runtime.node_api}"


def _other_abi(found: tuple[int, ...], runtime: Runtime, *, registered: bool) -> Defect:
    number = found[-1]
    rule = ELECTRON_ABI if electron_majors(number) else NODE_ABI
    message = (
        f"was compiled against {describe(number)} (NODE_MODULE_VERSION {number}), "
        f"{runtime.target.runtime} requires NODE_MODULE_VERSION {runtime.abi}"
    )
    said = "" if registered else "; node says: Module did not self-register"
    evidence = (("abi", number), ("wanted", runtime.abi), ("abis", list(found)))
    return Defect(rule, message + said, evidence=evidence)
