"""Whether node accepts what the loader has loaded: ABI, Node-API level, an entry at all (src/node_binding.cc)."""

from lambdapack.binary.facts import Registration, RegistrationKind
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
    "a .node file registers nothing",
    "node says: Module did not self-register.",
    "Load it with what it is made for, or install the package again: `lambdapack build`.",
    Severity.ERROR,
)


def rejected(process: Process) -> Defect | None:
    """Return why node refuses the loaded file as an addon, None when it takes it."""
    elf = process.first.elf
    registration = elf.registration if elf else Registration()
    if registration.struct_abi is not None:
        return _by_struct(registration, process.runtime)
    return _by_symbol(registration, process.runtime)


def _by_struct(registration: Registration, runtime: Runtime) -> Defect | None:
    """A constructor has registered; -1 is Node-API's. node_register_module_v<ABI> still saves another ABI."""
    number = registration.struct_abi
    if number is None or number in {-1, runtime.abi} or runtime.abi in registration.abis:
        return None
    return _other_abi((number,), runtime, registered=True)


def _by_symbol(registration: Registration, runtime: Runtime) -> Defect | None:
    if runtime.abi in registration.abis:
        return None
    if registration.kind in {RegistrationKind.NODE_API, RegistrationKind.BOTH}:
        return _level(registration, runtime)
    if registration.uncertain:
        message = "it registers with node_module_register, but the ABI it was compiled for could not be read"
        return Defect(NODE_ABI, message, "", Outcome.UNKNOWN, Severity.WARNING)
    if registration.abis:
        return _other_abi(registration.abis, runtime, registered=False)
    return Defect(NOT_AN_ADDON, "Module did not self-register")


def _level(registration: Registration, runtime: Runtime) -> Defect | None:
    declared = registration.node_api
    if declared is None or declared <= runtime.node_api or declared == EXPERIMENTAL:
        return None
    message = (
        f"requires Node-API version {declared}, {runtime.target.runtime} has version {runtime.node_api}: "
        "the process dies with a segmentation fault"
    )
    return Defect(NODE_API_LEVEL, message, evidence=(("node_api", declared), ("provided", runtime.node_api)))


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
