"""Whether the kernel starts a script: its "#!" line, the interpreter and the execute bit for Lambda's user."""

import posixpath
from collections.abc import Iterator
from enum import Enum

from lambdapack.model import NODE_MODULES, Finding, Rule, Severity
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.node import runtime_node
from lambdapack.packages.programs.scripts import ScriptProgram
from lambdapack.packages.programs.shebang import Shebang
from lambdapack.packages.programs.uses import ScriptUse, ScriptUses
from lambdapack.rules.binary.executables import OTHERS_EXECUTE
from lambdapack.rules.binary.node_records import MISSING_INTERPRETER, NO_EXEC_BIT
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import path_in_report
from lambdapack.script.specifier import ImportCertainty


class Availability(Enum):
    """Where an interpreter is."""

    PRESENT = "present"
    DOUBTFUL = "doubtful"  # in an image, but not proved for the managed runtime
    ABSENT = "absent"


def check_scripts(case: Case) -> Iterator[Finding]:
    """Yield the scripts that reached JavaScript starts, or names, and that the kernel refuses."""
    script_uses = _find_uses(case)
    if script_uses is None:
        return
    for program in case.facts.script_programs:
        found = script_uses.find(posixpath.join(case.facts.root, program.path))
        uses = [use for use in found if use.starts or not _is_javascript(program.shebang)]
        if not uses:
            continue
        use = min(uses, key=lambda use: -_use_severity(use, program, case).rank)
        if not program.mode & OTHERS_EXECUTE and use.starts:
            yield _bit_finding(program, use, case)
            continue
        availability = _interpreter_availability(program.shebang, case)
        if availability is not Availability.PRESENT:
            yield _interpreter_finding(program, use, availability, case)


def _find_uses(case: Case) -> ScriptUses | None:
    modules = case.facts.modules
    if modules is None:
        return None
    node = runtime_node(case.runtime, modules.environment)
    whole = modules.resolve(node, case.runtime.target.architecture.node, whole=True)
    return ScriptUses(whole, case.facts.root, case.file_system.manifests)


def _is_javascript(shebang: Shebang) -> bool:
    """Tell whether node runs a script: such files are mostly required, or started as `node FILE`."""
    return shebang.name.split()[:1] == ["node"]


def _use_severity(use: ScriptUse, program: ScriptProgram, case: Case) -> Severity:
    """Weigh who names a script: the function's own code and a package's program surely; a part of a package less."""
    if use.certainty is ImportCertainty.IN_TRY:
        return Severity.WARNING
    own = NODE_MODULES not in use.path.split("/")
    at_once = use.line > 0 and use.certainty <= ImportCertainty.IN_BRANCH
    owner = _owner(program, case)
    fetched = owner is not None and owner.script.fetches
    return Severity.ERROR if own or at_once or fetched or use.starts else Severity.WARNING


def _owner(program: ScriptProgram, case: Case) -> PackageManifest | None:
    directory = posixpath.dirname(posixpath.join(case.facts.root, program.path))
    while directory not in {"", "/"}:
        manifest = case.file_system.manifests.get(directory)
        if manifest is not None and name_from_directory(directory):
            return manifest
        directory = posixpath.dirname(directory)
    return None


def _interpreter_availability(shebang: Shebang, case: Case) -> Availability:
    """Find the interpreter, and env's program in PATH; a relative path depends on the working directory."""
    if case.runtime.programs is None or not shebang.interpreter.startswith("/"):
        return Availability.PRESENT
    direct = _availability(shebang.interpreter, case)
    if direct is not Availability.PRESENT or not shebang.program:
        return direct
    if "/" in shebang.program:
        return _availability(shebang.program, case) if shebang.program.startswith("/") else Availability.PRESENT
    found = {_availability(posixpath.join(place, shebang.program), case) for place in case.runtime.program_path}
    return next((availability for availability in Availability if availability in found), Availability.ABSENT)


def _availability(path: str, case: Case) -> Availability:
    entry = case.file_system.entries.get(case.file_system.real(path))
    if entry is not None:
        return Availability.PRESENT if not entry.mode or entry.mode & OTHERS_EXECUTE else Availability.ABSENT
    certain = (case.runtime.programs or {}).get(posixpath.normpath(path))
    if certain is None:
        return Availability.ABSENT
    return Availability.PRESENT if certain else Availability.DOUBTFUL


def _bit_finding(program: ScriptProgram, use: ScriptUse, case: Case) -> Finding:
    message = f"its mode is {program.mode:04o}, and {_describe_use(use, case)} starts it: spawn EACCES"
    fix = f"Run `chmod 755 {program.path}` before packing."
    return _finding(NO_EXEC_BIT, program, case, message, fix, Severity.ERROR)


def _interpreter_finding(program: ScriptProgram, use: ScriptUse, availability: Availability, case: Case) -> Finding:
    shebang = program.shebang
    severity = _use_severity(use, program, case)
    where = "is not proved to be in the runtime" if availability is Availability.DOUBTFUL else "is not in the runtime"
    name = shebang.program or shebang.interpreter
    message = f'its first line is "#!{_printable(shebang.line)}", and {_printable(name)} {where}'
    if availability is Availability.DOUBTFUL and severity is Severity.ERROR:
        severity = Severity.WARNING
    message += f"; {_describe_use(use, case)} names it"
    return _finding(MISSING_INTERPRETER, program, case, message, _interpreter_fix(program), severity)


def _interpreter_fix(program: ScriptProgram) -> str:
    shebang = program.shebang
    if "\r" in shebang.line:
        return f"Save {program.path} with LF line ends: the kernel takes the CR for a part of the name."
    if " " in shebang.program or "\t" in shebang.program:
        return f"Write `#!{shebang.interpreter} -S {shebang.program}`: without -S, env takes the words for one name."
    name = shebang.name
    return f"Bring {name} along in a layer, as /opt/bin/{name}, and name the layer; or use a package without {name}."


def _describe_use(use: ScriptUse, case: Case) -> str:
    place = path_in_report(case.facts.root, use.path)
    return f"{place}:{use.line}" if use.line else place


def _printable(text: str) -> str:
    return text.replace("\r", "\\r")


def _finding(rule: Rule, program: ScriptProgram, case: Case, message: str, fix: str, severity: Severity) -> Finding:
    owner = _owner(program, case)
    evidence = (("interpreter", program.shebang.interpreter), ("program", program.shebang.program))
    return Finding(
        rule,
        program.path,
        message,
        package=owner.name if owner else "",
        fix=fix,
        severity=severity,
        evidence=evidence,
    )
