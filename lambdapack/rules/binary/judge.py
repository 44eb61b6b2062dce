"""Judges one binary against one runtime, in the order in which loader, node and kernel check it. Runs nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lambdapack.binary.facts import Binary, BinaryRole, RegistrationKind
from lambdapack.binary.format import has_addon_name
from lambdapack.model import NODE_MODULES
from lambdapack.rules.binary.executables import check_execute_bit, check_i386_program, check_interpreter
from lambdapack.rules.binary.load_time import (
    check_cpu_level,
    check_executable_stack,
    check_relocations,
    check_static_tls,
)
from lambdapack.rules.binary.loader import LinkMap, NotLoadableError, Process
from lambdapack.rules.binary.opening import check_library, check_program_format
from lambdapack.rules.binary.registration import check_registration
from lambdapack.rules.binary.symbols import check_symbols
from lambdapack.rules.binary.versions import check_doubtful_libraries, check_versions
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.runtimes.runtime import Runtime

DefectCheck = Callable[[Process], Defect | None]

LIBRARY_CHECKS: tuple[DefectCheck, ...] = (
    check_versions,
    check_doubtful_libraries,
    check_relocations,
    check_cpu_level,
    check_symbols,
    check_static_tls,
    check_executable_stack,
)
"""After everything needed was found, in the loader's order; a doubt yields to any later certainty."""

ADDON_CHECKS: tuple[DefectCheck, ...] = (*LIBRARY_CHECKS, check_registration)

PROGRAM_CHECKS: tuple[DefectCheck, ...] = (
    check_versions,
    check_doubtful_libraries,
    check_relocations,
    check_cpu_level,
    check_symbols,
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


def judge_binary(path: str, binary: Binary, file_system: LambdaFileSystem, runtime: Runtime) -> Conclusion:
    """Return what becomes of the file at an absolute path when it is required, needed or started."""
    if binary.role is BinaryRole.EXECUTABLE and not is_addon(binary):
        return _judge_program(path, binary, file_system, runtime)
    defect = check_library(binary, runtime.target.architecture)
    if defect is not None:
        return Conclusion(defect)
    checks = ADDON_CHECKS if _is_for_node(path, binary, file_system) else LIBRARY_CHECKS
    return _judge_loaded(path, binary, LinkMap(runtime, file_system), checks)


def _is_for_node(path: str, binary: Binary, file_system: LambdaFileSystem) -> bool:
    """Tell whether it is node that the file is handed to, and not a loader that only wants its symbols.

    A library that nothing in the function needs, in a package that its author did not write, is asked what
    process.dlopen would ask. A program's own dlopen may still open it, which no file tells.
    """
    if has_addon_name(binary.path):
        return True
    if path in file_system.needed:
        return False
    registers = binary.elf is not None and binary.elf.registration.kind is not RegistrationKind.NONE
    return registers or NODE_MODULES in path.split("/")


def _judge_program(path: str, binary: Binary, file_system: LambdaFileSystem, runtime: Runtime) -> Conclusion:
    defect = (
        check_execute_bit(binary)
        or check_i386_program(binary, runtime)
        or check_program_format(binary, runtime.target.architecture)
    )
    defect = defect or check_interpreter(binary, runtime)
    if defect is not None or binary.elf is None or binary.elf.interpreter is None:
        return Conclusion(defect)
    return _judge_loaded(path, binary, LinkMap(runtime, file_system, inside_node=False), PROGRAM_CHECKS)


def _judge_loaded(path: str, binary: Binary, link_map: LinkMap, checks: tuple[DefectCheck, ...]) -> Conclusion:
    try:
        new = link_map.load(path, binary)
    except NotLoadableError as error:
        return Conclusion(error.defect)
    brings = frozenset(loaded_object.path for loaded_object in new if loaded_object.binary is not None)
    process = Process(link_map.runtime, link_map, new)
    return Conclusion(_pick_defect(process, checks), brings)


def _pick_defect(process: Process, checks: tuple[DefectCheck, ...]) -> Defect | None:
    """What surely fails wins over what is in doubt; dying later wins over doubt as well."""
    defects = [defect for check in checks if (defect := check(process)) is not None]
    return next((defect for defect in defects if defect.outcome is Outcome.FAILS), None) or min(
        defects, key=lambda defect: _OUTCOME_RANKS[defect.outcome], default=None
    )


_OUTCOME_RANKS = {Outcome.FAILS: 0, Outcome.DIES_LATER: 1, Outcome.UNKNOWN: 2, Outcome.LOADS: 3}
