"""Whether node accepts a loaded addon: ABI, Node-API level, entry point (node's src/node_binding.cc)."""

from lambdapack.binary.facts import (
    NODE_API_EXPERIMENTAL,
    NODE_API_STRUCT_ABI,
    BinaryRole,
    Registration,
    RegistrationKind,
)
from lambdapack.model import Severity
from lambdapack.rules.binary.loader import Process
from lambdapack.rules.binary.node_records import ELECTRON_ABI, NODE_ABI, NODE_API_LEVEL, NOT_AN_ADDON
from lambdapack.rules.binary.symbols import PROVE_BY_LOADING
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.versions import describe_abi, electron_majors

PLAIN_LIBRARY_MESSAGE = (
    "Module did not self-register: nothing in the package needs this library, so only node itself or a program's own "
    "dlopen could open it (a SQLite extension, a plug-in); node would find no addon in it"
)


def check_registration(process: Process) -> Defect | None:
    """Return why node refuses the loaded file as an addon, None when it takes it.

    What could not be read for certain is unknown, unless a symbol for this very runtime saves it all the same.
    """
    elf = process.first.elf
    registration = elf.registration if elf else Registration()
    called = registration.kind is RegistrationKind.NODE_API and registration.struct_abi == NODE_API_STRUCT_ABI
    if called or process.runtime.abi in registration.abis:
        return None
    if registration.uncertain:
        return _unread_defect(registration, process.runtime)
    if registration.struct_abi is not None:
        return _struct_defect(registration, process.runtime)
    return _entry_symbol_defect(registration, process)


def _unread_defect(registration: Registration, runtime: Runtime) -> Defect:
    """An unread Node-API level matters as well: one that is too high kills the process."""
    if registration.kind is RegistrationKind.NODE_API:
        message = (
            f"its Node-API version is computed at run time and could not be read; {_describe_runtime_level(runtime)}"
        )
        return Defect(NODE_API_LEVEL, message, "", Outcome.UNKNOWN, Severity.WARNING, PROVE_BY_LOADING)
    number = registration.struct_abi
    likely = (
        f"; the likeliest is {describe_abi(number)} (NODE_MODULE_VERSION {number})" if number and number > 0 else ""
    )
    message = f"it registers itself at run time, and the ABI that it was compiled for could not be read{likely}"
    evidence = (("likely", number), ("wanted", runtime.abi))
    return Defect(NODE_ABI, message, "", Outcome.UNKNOWN, Severity.WARNING, PROVE_BY_LOADING, evidence)


def _struct_defect(registration: Registration, runtime: Runtime) -> Defect | None:
    """A constructor has registered, with the number that its struct has."""
    number = registration.struct_abi
    if number is None or number in {NODE_API_STRUCT_ABI, runtime.abi}:
        return None
    return _abi_defect((number,), runtime, registered=True)


def _entry_symbol_defect(registration: Registration, process: Process) -> Defect | None:
    if registration.kind in {RegistrationKind.NODE_API, RegistrationKind.BOTH}:
        return _node_api_defect(registration, process.runtime)
    if registration.abis:
        return _abi_defect(registration.abis, process.runtime, registered=False)
    if process.first.role is BinaryRole.LIBRARY:
        return Defect(NOT_AN_ADDON, PLAIN_LIBRARY_MESSAGE, severity=Severity.NOTE)
    return Defect(NOT_AN_ADDON, "Module did not self-register")


def _node_api_defect(registration: Registration, runtime: Runtime) -> Defect | None:
    declared = registration.node_api
    if declared is None or declared <= runtime.node_api or declared == NODE_API_EXPERIMENTAL:
        return None
    level = _describe_runtime_level(runtime)
    message = f"requires Node-API version {declared}, {level}: the process dies with a segmentation fault"
    return Defect(NODE_API_LEVEL, message, evidence=(("node_api", declared), ("provided", runtime.node_api)))


def _describe_runtime_level(runtime: Runtime) -> str:
    return f"{runtime.target.runtime} has version {runtime.node_api}"


def _abi_defect(found: tuple[int, ...], runtime: Runtime, *, registered: bool) -> Defect:
    number = found[-1]
    rule = ELECTRON_ABI if electron_majors(number) else NODE_ABI
    message = (
        f"was compiled against {describe_abi(number)} (NODE_MODULE_VERSION {number}), "
        f"{runtime.target.runtime} requires NODE_MODULE_VERSION {runtime.abi}"
    )
    said = "" if registered else "; node says: Module did not self-register"
    evidence = (("abi", number), ("wanted", runtime.abi), ("abis", list(found)))
    return Defect(rule, message + said, evidence=evidence)
