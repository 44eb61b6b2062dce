"""Checks the diagnoses of a message against the files of a project or zip."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Binary, Format
from lambdapack.events import Observer
from lambdapack.explain.causes import CAUSE_CODES
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.explain.words import ExplainTarget
from lambdapack.messages import Certainty
from lambdapack.model import Architecture, Finding, Target
from lambdapack.pipeline.verify import VerificationTarget, verify_package
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

ABSENCE_CAUSES = frozenset(("prebuild-missing", "platform-package-missing", "scripts-skipped", "missing-package"))
"""Causes that are borne out by a file that is not there."""


@dataclass(frozen=True, slots=True)
class InspectionTarget:
    """What is looked at, and how."""

    path: Path  # a directory or a zip
    handler: str
    policy: Policy
    store: Store | None


LIBRARY_CAUSES = frozenset(("missing-library", "musl"))
"""Causes whose message names a library that is not there, and not the file that asks for it."""


def check_against_package(
    explanation: Explanation, target: InspectionTarget, aim: ExplainTarget, observer: Observer
) -> Explanation:
    """Return the diagnoses with what the files show, those that they bear out first. LP007 when there is nothing."""
    runtime = shipped_runtime(Target(aim.runtime, aim.architecture or Architecture.X86_64))
    report = verify_package(
        VerificationTarget(target.path, target.handler), runtime, target.policy, observer, None, target.store
    )
    checked = [
        _check_diagnosis(diagnosis, report, guessed=aim.architecture is None) for diagnosis in explanation.diagnoses
    ]
    return replace(
        explanation, diagnoses=tuple(sorted(checked, key=lambda diagnosis: not diagnosis.found.startswith("yes")))
    )


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
    named = [
        judgement
        for judgement in judgements
        if diagnosis.file and f"/{judgement.binary.path}".endswith(f"/{diagnosis.file}")
    ]
    if named or (diagnosis.file and diagnosis.cause not in LIBRARY_CAUSES):
        return next(iter(named), None)
    library = posixpath.basename(diagnosis.file or "")
    failing = [
        judgement for judgement in judgements if judgement.finding is not None and judgement.cause == diagnosis.cause
    ]
    failing = [judgement for judgement in failing if judgement.finding and library in judgement.finding.message]
    own = [judgement for judgement in failing if diagnosis.package in {None, judgement.package}]
    return next(iter(sorted(own, key=lambda judgement: not judgement.selected)), None)


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
    finding = _find_finding(diagnosis, report.findings)
    if finding is not None:
        return f"yes: {finding.path + ': ' if finding.path else ''}{finding.message}"
    name = diagnosis.file or (f"node_modules/{diagnosis.package}" if diagnosis.package else "")
    if not name:
        return f"nothing of the kind in {report.subject.path} for {report.runtime.target}"
    if diagnosis.cause in ABSENCE_CAUSES and diagnosis.file:
        return f"yes: no {posixpath.basename(diagnosis.file)} is in {report.subject.path}"
    return f"no native file {name} is in {report.subject.path}: what failed is another copy, an old zip or a layer"


def _find_finding(diagnosis: Diagnosis, findings: Sequence[Finding]) -> Finding | None:
    alike = [finding for finding in findings if finding.rule.code in {diagnosis.code, CAUSE_CODES[diagnosis.cause]}]
    return next(
        (
            finding
            for finding in alike
            if diagnosis.package in {None, "", finding.package} or diagnosis.package in finding.message
        ),
        None,
    )
