"""Runs all rules over one case and returns the report. Pure: the caller gives the date, runtime and facts."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from lambdapack.model import Finding
from lambdapack.rules.binary.cpu_level import apply_cpu_flags
from lambdapack.rules.binary.file_system import merge_layers
from lambdapack.rules.binary.judgements import counted_findings, judge_binaries
from lambdapack.rules.function.handler import handler_findings
from lambdapack.rules.function.lifecycle import lifecycle_findings
from lambdapack.rules.function.module_system import handler_code_findings
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.model.report import Report, Subject
from lambdapack.rules.package.advice import advice_findings
from lambdapack.rules.package.contents import link_findings, mode_findings, secret_findings, size_findings
from lambdapack.rules.package.dependencies import dependency_findings, dev_package_findings, find_dev_packages
from lambdapack.rules.package.layers import layer_findings, layer_import_findings
from lambdapack.rules.package.shadows import shadowed_library_findings, shadowed_package_findings
from lambdapack.rules.package.stale import stale_findings
from lambdapack.rules.selection.platforms import ModuleResolver
from lambdapack.rules.selection.reach import find_reach
from lambdapack.runtimes.runtime import Runtime


def check_package(subject: Subject, facts: Case, runtime: Runtime, policy: Policy) -> Report:
    """Return the report on a function or layer for one target: every binary judged, findings worst first."""
    space = merge_layers(facts)
    installed = ModuleResolver(space, runtime)
    found = find_reach(space, installed, runtime)
    judged = judge_binaries(facts, space, installed, found.dead, runtime)
    judgements = tuple(apply_cpu_flags(judgement, facts, runtime) for judgement in judged.judgements)
    for_development = find_dev_packages(facts, space, installed)
    findings = (
        *counted_findings(judgements, everything=policy.all_binaries),
        *judged.missing,
        *handler_findings(facts, space, installed, runtime, policy),
        *handler_code_findings(facts, runtime, policy),
        *dependency_findings(facts, space, installed, policy),
        *dev_package_findings(facts, space, for_development),
        *stale_findings(subject, facts),
        *advice_findings(facts, space, runtime, for_development),
        *shadowed_package_findings(facts, space, found),
        *shadowed_library_findings(facts, space, runtime),
        *layer_findings(facts, space, runtime),
        *layer_import_findings(facts, space, installed, runtime),
        *size_findings(subject, facts),
        *link_findings(facts),
        *mode_findings(subject, facts),
        *secret_findings(facts),
        *lifecycle_findings(runtime, policy.today),
    )
    return Report(runtime, subject, judgements, apply_policy(findings, policy))


def apply_policy(findings: Iterable[Finding], policy: Policy) -> tuple[Finding, ...]:
    """Return findings with the user's severities and reasons, one for a rule and path, worst first."""
    once: dict[tuple[str, str, int | None], Finding] = {}
    for finding in findings:
        once.setdefault((finding.rule.code, finding.path, finding.line), _apply_policy_to(finding, policy))
    return tuple(sorted(once.values(), key=_severity_key))


def _apply_policy_to(finding: Finding, policy: Policy) -> Finding:
    rule = finding.rule
    severity = policy.severities.get(rule.code, policy.severities.get(rule.name))
    reason = next(
        (
            ignored_finding.reason
            for ignored_finding in policy.ignores
            if _matches_ignore(ignored_finding.code, ignored_finding.path, finding)
        ),
        None,
    )
    return replace(finding, severity=severity or finding.severity, ignored=reason)


def _matches_ignore(code: str, path: str, finding: Finding) -> bool:
    named = code in {finding.rule.code, finding.rule.name}
    return named and (path in {"*", finding.path, finding.package} or fnmatchcase(finding.path, path))


def _severity_key(finding: Finding) -> tuple[bool, int, str, bytes]:
    path = finding.path.encode("utf-8", "surrogateescape")
    return (finding.ignored is not None, -finding.weight.rank, finding.rule.code, path)
