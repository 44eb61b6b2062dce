"""Checks the diagnoses of a message against the files of a project or zip."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Binary, Format
from lambdapack.events import Observer
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.explain.words import ExplainTarget
from lambdapack.messages import Certainty
from lambdapack.model import NODE_MODULES, Architecture, Finding, Severity, Target
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.project.document import string_entries
from lambdapack.project.repository import DEPENDENCY_SECTIONS, read_manifest
from lambdapack.project.workspaces import find_workspace_root
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Judgement, Outcome, Report
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.runtimes.versions import describe_abi
from lambdapack.store.records import Store

FORMAT_NAMES = {
    Format.ELF: "ELF",
    Format.MACH_O: "Mach-O",
    Format.PE: "a Windows binary",
    Format.TEXT: "text",
    Format.EMPTY: "empty",
    Format.LFS_POINTER: "a git-lfs pointer",
    Format.HTML: "an HTML page",
}


@dataclass(frozen=True, slots=True)
class InspectionTarget:
    """What is looked at, and how."""

    path: Path  # a directory or a zip
    handler: str
    policy: Policy
    store: Store | None


LIBRARY_CAUSES = frozenset(("missing-library", "musl"))
"""Causes whose message names a library that is not there, and not the file that asks for it."""


MAX_NAMED_FINDINGS = 3
"""Findings of verify that an answer names where none is about the text."""


def check_against_package(
    explanation: Explanation, target: InspectionTarget, aim: ExplainTarget, observer: Observer
) -> Explanation:
    """Return the diagnoses with what verify says of the files, those that it bears out first. LP007 without any.

    Each is judged for the runtime and the CPU that its text names, else for the chosen ones.
    """
    reports: dict[Target, Report] = {}
    checked: list[Diagnosis] = []
    for diagnosis in explanation.diagnoses:
        place = Target(diagnosis.runtime or aim.runtime, diagnosis.architecture or Architecture.X86_64)
        if place not in reports:
            reports[place] = _verify(target, place, observer)
        looked = _check_diagnosis(diagnosis, reports[place], guessed=diagnosis.architecture is None)
        declared = _describe_declaration(diagnosis, target.path)
        checked.append(replace(looked, found="; ".join(part for part in (looked.found, declared) if part)))
    return replace(
        explanation, diagnoses=tuple(sorted(checked, key=lambda diagnosis: not diagnosis.found.startswith("yes")))
    )


def _describe_declaration(diagnosis: Diagnosis, directory: Path) -> str:
    """What the project says of a package that is missing: declared, a workspace's member, or unknown to it."""
    if diagnosis.cause != "missing-package" or not diagnosis.package or not directory.is_dir():
        return ""
    name, home = diagnosis.package, directory.resolve()
    manifest = read_manifest(home, required=False)
    for root in (home, find_workspace_root(home)):
        link = root / NODE_MODULES / name if root else None
        if link is not None and link.is_symlink() and ".pnpm" not in link.resolve().parts:
            return f"{name} is a member of the workspace: build from its root, so that it is packed as well"
    sections = [section for section in DEPENDENCY_SECTIONS if name in string_entries(manifest.document.get(section))]
    if not sections:
        return f"package.json does not declare {name}: declare it, from the registry that it belongs to"
    return f"package.json has {name} in {sections[0]}" + (
        ", which are not installed for Lambda: move it to dependencies" if sections == ["devDependencies"] else ""
    )


def _verify(target: InspectionTarget, place: Target, observer: Observer) -> Report:
    verified = VerificationTarget(target.path, target.handler)
    return verify_package(verified, shipped_runtime(place), target.policy, observer, None, target.store)


def _check_diagnosis(diagnosis: Diagnosis, report: Report, *, guessed: bool) -> Diagnosis:
    judgement = _find_judgement(diagnosis, report.judgements)
    answer = (
        _compare_file(diagnosis, judgement, report, guessed=guessed)
        if judgement
        else _compare_without_file(diagnosis, report)
    )
    if not answer.startswith("yes"):
        return replace(diagnosis, found=answer)
    file = judgement.binary.path if judgement and not diagnosis.file else diagnosis.file
    package = diagnosis.package or (judgement.package if judgement else None) or None
    return replace(diagnosis, found=answer, certainty=Certainty.CERTAIN, file=file, package=package)


def _find_judgement(diagnosis: Diagnosis, judgements: Sequence[Judgement]) -> Judgement | None:
    """The file that a message names; else one of its package, or of anybody, that fails in this way."""
    named = [judgement for judgement in judgements if diagnosis.file and is_same_file(diagnosis.file, judgement)]
    if named or (diagnosis.file and diagnosis.cause not in LIBRARY_CAUSES):
        return next(iter(sorted(named, key=lambda judgement: judgement.outcome is Outcome.LOADS)), None)
    library = posixpath.basename(diagnosis.file or "")
    failing = [
        judgement for judgement in judgements if judgement.finding is not None and judgement.cause == diagnosis.cause
    ]
    failing = [judgement for judgement in failing if judgement.finding and library in judgement.finding.message]
    own = [judgement for judgement in failing if diagnosis.package in {None, judgement.package}]
    return next(iter(sorted(own, key=lambda judgement: not judgement.selected)), None)


def is_same_file(file: str, judgement: Judgement) -> bool:
    """Tell whether a text names a file: by its path, or by its place in its package, wherever that is installed."""
    path = judgement.binary.path
    if f"/{path}".endswith(f"/{file}"):
        return True
    inside, own = file.rpartition("node_modules/"), path.rpartition("node_modules/")
    return bool(inside[1] and own[1]) and inside[2] == own[2]


def _compare_file(diagnosis: Diagnosis, judgement: Judgement, report: Report, *, guessed: bool) -> str:
    """`guessed`: nobody said which CPU the function has."""
    binary, target = judgement.binary, report.runtime.target
    known = f"{binary.path} is {describe_binary(binary)}"
    if judgement.outcome is Outcome.LOADS and guessed and diagnosis.cause == "wrong-cpu":
        return (
            f"{known}: it loads on {target.architecture} alone. If that is not the function's architecture, this is "
            "why; `aws lambda get-function-configuration --query Architectures --function-name NAME` says which it is."
        )
    if judgement.outcome is Outcome.LOADS:
        return (
            f"no: {known}, and loads on {target}. What failed is another copy: deploy this one anew, and look at the "
            "function's layers."
        )
    why = f"; {judgement.finding.message}" if judgement.finding else ""
    if judgement.cause == diagnosis.cause or _is_as_diagnosed(diagnosis, binary):
        return f"yes: {known}{why}"
    return f"{known}{why} ({judgement.cause}, on {target})"


def _is_as_diagnosed(diagnosis: Diagnosis, binary: Binary) -> bool:
    """Whether the file is what the message says, whatever becomes of it on Lambda."""
    abi = binary.elf.registration.abi if binary.elf else None
    return (
        (diagnosis.cause == "wrong-cpu" and diagnosis.slots.get("has", "-") in binary.machines)
        or (diagnosis.cause in {"not-elf", "truncated"} and binary.format is not Format.ELF)
        or (
            diagnosis.cause in {"node-abi", "electron-abi"}
            and abi is not None
            and diagnosis.slots.get("abi") == str(abi)
        )
    )


def describe_binary(binary: Binary) -> str:
    """Return what a file is, for people: "Mach-O arm64, made on a Mac"."""
    machines = "+".join(binary.machines)
    abi = binary.elf.registration.abi if binary.elf else None
    parts = [
        f"{FORMAT_NAMES.get(binary.format, 'no binary that is known')} {machines}".strip(),
        {Format.MACH_O: "made for macOS", Format.PE: "made for Windows"}.get(binary.format, ""),
        f"compiled for {describe_abi(abi)}" if abi else "",
    ]
    return ", ".join(part for part in parts if part)


def _compare_without_file(diagnosis: Diagnosis, report: Report) -> str:
    """What verify says where no file has the name of the text: never a denial."""
    finding = _find_finding(diagnosis, report.findings)
    if finding is not None:
        return f"yes: {_render_finding(finding)}"
    name = diagnosis.file or (f"node_modules/{diagnosis.package}" if diagnosis.package else "")
    about = f"{posixpath.basename(name)} is not in {report.subject.path} under this name" if name else ""
    errors = [finding for finding in report.findings if finding.weight is Severity.ERROR and finding.ignored is None]
    own = [finding for finding in errors if diagnosis.package and finding.package == diagnosis.package] or errors
    said = "; ".join(f"{finding.rule.code} {_render_finding(finding)}" for finding in own[:MAX_NAMED_FINDINGS])
    other = "no error: what failed is another copy, such as an old zip or a layer"
    verdict = f"`lambdapack verify` for {report.runtime.target} reports {said or (other if name else 'no error')}"
    return f"{about}; {verdict}" if about else verdict


def _render_finding(finding: Finding) -> str:
    return f"{finding.path + ': ' if finding.path else ''}{finding.message}"


def _find_finding(diagnosis: Diagnosis, findings: Sequence[Finding]) -> Finding | None:
    """The finding about what the text says: of its cause, and of its package where it names one."""
    alike = [
        finding
        for finding in findings
        if finding.ignored is None and diagnosis.cause in {finding.rule.cause, finding.rule.name}
    ]
    return next(
        (
            finding
            for finding in sorted(alike, key=lambda finding: finding.rule.code != diagnosis.code)
            if diagnosis.package in {None, "", finding.package} or diagnosis.package in finding.message
        ),
        None,
    )
