"""Runs the registry's checks over one case. Pure: the caller gives the date, the runtime and the facts."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lambdapack.credentials import mask_credentials
from lambdapack.model import DEFAULT_HANDLER, Finding, Target
from lambdapack.rules.function.loading import NOT_PROVED
from lambdapack.rules.model.case import Case, LockCase, Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Report, Subject
from lambdapack.rules.registry import CHECKS, LOCK_CHECKS
from lambdapack.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from lambdapack.managers.interface import ManagerSettings
    from lambdapack.managers.lock import DependencySource
    from lambdapack.project.site import FunctionSite


def check_package(subject: Subject, facts: PackageFacts, runtime: Runtime, policy: Policy) -> Report:
    """Return the report on a function or layer for one target: every binary judged, findings worst first."""
    case = Case(subject, facts, runtime, policy)
    findings = (finding for check in CHECKS for finding in check.findings(case))
    counted = apply_policy(findings, policy)
    return Report(runtime, subject, case.binaries.judgements, counted, case.binaries.fallbacks)


def check_lockfile(
    project: "DependencySource",
    target: Target,
    npm_version: str | None,
    settings: "ManagerSettings",
    handler: str = DEFAULT_HANDLER,
    site: "FunctionSite | None" = None,
) -> tuple[Finding, ...]:
    """Return what npm of that version would refuse, or would leave out without an error; worst first.

    Without a lockfile that npm can use, that is the only finding. None for `npm_version`: not known yet.
    """
    case = LockCase(project, target.architecture, npm_version, settings, handler, site, target.runtime)
    usability, *checks = LOCK_CHECKS
    blocking = tuple(usability.run(case))
    if blocking:
        return blocking
    findings = (finding for check in checks for finding in check.findings(case))
    return tuple(sorted(findings, key=lambda finding: -finding.weight.rank))


def apply_policy(findings: Iterable[Finding], policy: Policy) -> tuple[Finding, ...]:
    """Return findings with the user's severities and reasons, one for a rule and path, worst first."""
    unique: dict[tuple[str, str, int | None], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.rule.code, finding.path, finding.line), _apply_policy_to(finding, policy))
    return tuple(sorted(unique.values(), key=_severity_key))


def note_unproved(report: Report, reason: str, policy: Policy, fix: str = "") -> Report:
    """Return the report with the note that nothing was loaded, and why."""
    return replace(report, findings=apply_policy((*report.findings, Finding(NOT_PROVED, "", reason, fix=fix)), policy))


def _apply_policy_to(finding: Finding, policy: Policy) -> Finding:
    rule = finding.rule
    severity = policy.severities.get(rule.code, policy.severities.get(rule.name))
    reasons = (ignore.reason for ignore in policy.ignores if _matches_ignore(ignore.code, ignore.path, finding))
    return replace(
        finding,
        message=mask_credentials(finding.message),
        fix=mask_credentials(finding.fix),
        evidence=tuple((name, _mask_evidence(value)) for name, value in finding.evidence),
        severity=severity or finding.severity,
        ignored=next(reasons, finding.ignored),
    )


def _mask_evidence(value: Any) -> Any:
    if isinstance(value, str):
        return mask_credentials(value)
    return [_mask_evidence(part) for part in value] if isinstance(value, list | tuple) else value


def _matches_ignore(code: str, path: str, finding: Finding) -> bool:
    named = code in {finding.rule.code, finding.rule.name}
    return named and (path in {"*", finding.path, finding.package} or fnmatchcase(finding.path, path))


def _severity_key(finding: Finding) -> tuple[bool, int, str, bytes]:
    path = finding.path.encode("utf-8", "surrogateescape")
    return (finding.ignored is not None, -finding.weight.rank, finding.rule.code, path)
