"""One binary against one runtime, in the order in which loader, node and kernel stumble. Nothing is executed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lambdapack.binary.facts import Binary, RegistrationKind, Role
from lambdapack.binary.magic import promises_addon
from lambdapack.rules.defect import Defect
from lambdapack.rules.executables import emulated, unrunnable, without_loader
from lambdapack.rules.loader import LinkMap, NotLoadableError
from lambdapack.rules.memory import executable_stack, too_much_static_tls, too_new_cpu, unapplied_relocations
from lambdapack.rules.opening import foreign_format, refused
from lambdapack.rules.process import Process
from lambdapack.rules.registration import rejected
from lambdapack.rules.space import Space
from lambdapack.rules.symbols import undefined_symbol
from lambdapack.rules.verdict import Outcome
from lambdapack.rules.versions import doubtful_library, missing_version
from lambdapack.runtimes.runtime import Runtime

MODULES = "node_modules"
"""Outside of it the function's author put a library where it is, for a purpose of their own."""

Check = Callable[[Process], Defect | None]

LIBRARY_CHECKS: tuple[Check, ...] = (
    missing_version,
    doubtful_library,
    unapplied_relocations,
    too_new_cpu,
    undefined_symbol,
    too_much_static_tls,
    executable_stack,
)
"""After everything needed was found, in the loader's order; a doubt yields to any later certainty."""

ADDON_CHECKS: tuple[Check, ...] = (*LIBRARY_CHECKS, rejected)

PROGRAM_CHECKS: tuple[Check, ...] = (
    missing_version,
    doubtful_library,
    unapplied_relocations,
    too_new_cpu,
    undefined_symbol,
)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What happens with one file, and which files of the package it brings along."""

    defect: Defect | None = None
    brings: frozenset[str] = field(default=frozenset())  # absolute paths

    @property
    def outcome(self) -> Outcome:
        """LOADS without a defect."""
        return self.defect.outcome if self.defect else Outcome.LOADS


def is_addon(binary: Binary) -> bool:
    """Tell whether require() would hand the file to process.dlopen: it goes by the extension."""
    return binary.path.endswith(".node")


def judge(path: str, binary: Binary, space: Space, runtime: Runtime) -> Conclusion:
    """Return what becomes of the file at an absolute path when it is required, needed or started."""
    if binary.role is Role.EXECUTABLE and not is_addon(binary):
        return _program(path, binary, space, runtime)
    defect = refused(binary, runtime.target.architecture)
    if defect is not None:
        return Conclusion(defect)
    checks = ADDON_CHECKS if _is_for_node(path, binary, space) else LIBRARY_CHECKS
    return _loaded(path, binary, LinkMap(runtime, space), checks)


def _is_for_node(path: str, binary: Binary, space: Space) -> bool:
    """Tell whether it is node that the file is handed to, and not a loader that only wants its symbols.

    A library that nothing in the function needs, in a package that its author did not write, is asked what
    process.dlopen would ask. A program's own dlopen may still open it, which no file tells.
    """
    if promises_addon(binary.path):
        return True
    if path in space.needed:
        return False
    registers = binary.elf is not None and binary.elf.registration.kind is not RegistrationKind.NONE
    return registers or MODULES in path.split("/")


def _program(path: str, binary: Binary, space: Space, runtime: Runtime) -> Conclusion:
    defect = unrunnable(binary) or emulated(binary, runtime) or foreign_format(binary, runtime.target.architecture)
    defect = defect or without_loader(binary, runtime)
    if defect is not None or binary.elf is None or binary.elf.interpreter is None:
        return Conclusion(defect)
    return _loaded(path, binary, LinkMap(runtime, space, inside_node=False), PROGRAM_CHECKS)


def _loaded(path: str, binary: Binary, link_map: LinkMap, checks: tuple[Check, ...]) -> Conclusion:
    try:
        new = link_map.load(path, binary)
    except NotLoadableError as error:
        return Conclusion(error.defect)
    brings = frozenset(each.path for each in new if each.binary is not None)
    process = Process(link_map.runtime, link_map, new)
    return Conclusion(_first_certain(process, checks), brings)


def _first_certain(process: Process, checks: tuple[Check, ...]) -> Defect | None:
    """What surely fails wins over what is in doubt; dying later wins over doubt as well."""
    found = [defect for check in checks if (defect := check(process)) is not None]
    return next((each for each in found if each.outcome is Outcome.FAILS), None) or min(
        found, key=lambda each: _GRAVITY[each.outcome], default=None
    )


_GRAVITY = {Outcome.FAILS: 0, Outcome.DIES_LATER: 1, Outcome.UNKNOWN: 2, Outcome.LOADS: 3}
