"""All rules over one subject: facts in, report out. Pure: the day, the runtime and the facts are the caller's."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from lambdapack.model import Finding
from lambdapack.rules.advice import advice_findings
from lambdapack.rules.binaries import counted, judge_all
from lambdapack.rules.builder import tied_to_builder
from lambdapack.rules.contents import link_findings, mode_findings, secret_findings, size_findings
from lambdapack.rules.dependencies import dependency_findings
from lambdapack.rules.dev_packages import dev_findings, dev_packages
from lambdapack.rules.facts import Facts, Policy
from lambdapack.rules.handler import handler_findings
from lambdapack.rules.handler_code import handler_code_findings
from lambdapack.rules.layers import import_findings, layer_findings
from lambdapack.rules.lifecycle import lifecycle_findings
from lambdapack.rules.platforms import Installed
from lambdapack.rules.reach import reach
from lambdapack.rules.shadows import library_findings, package_findings
from lambdapack.rules.space import lay_out
from lambdapack.rules.stale import stale_findings
from lambdapack.rules.verdict import Report, Subject
from lambdapack.runtimes.runtime import Runtime


def check(subject: Subject, facts: Facts, runtime: Runtime, policy: Policy) -> Report:
    """Return the report on a function or layer for one target: every binary judged, findings worst first."""
    space = lay_out(facts)
    installed = Installed(space, runtime)
    found = reach(space, installed, runtime)
    judged = judge_all(facts, space, installed, found.dead, runtime)
    judgements = tuple(tied_to_builder(each, facts, runtime) for each in judged.judgements)
    for_development = dev_packages(facts, space, installed)
    findings = (
        *counted(judgements, everything=policy.all_binaries),
        *judged.missing,
        *handler_findings(facts, space, installed, runtime, policy),
        *handler_code_findings(facts, runtime, policy),
        *dependency_findings(facts, space, installed, policy),
        *dev_findings(facts, space, for_development),
        *stale_findings(subject, facts),
        *advice_findings(facts, space, runtime, for_development),
        *package_findings(facts, space, found),
        *library_findings(facts, space, runtime),
        *layer_findings(facts, space, runtime),
        *import_findings(facts, space, installed, runtime),
        *size_findings(subject, facts),
        *link_findings(facts),
        *mode_findings(subject, facts),
        *secret_findings(facts),
        *lifecycle_findings(runtime, policy.today),
    )
    return Report(runtime, subject, judgements, arrange(findings, policy))


def arrange(findings: Iterable[Finding], policy: Policy) -> tuple[Finding, ...]:
    """Return findings with the user's severities and reasons, one for a rule and path, worst first."""
    once: dict[tuple[str, str, int | None], Finding] = {}
    for each in findings:
        once.setdefault((each.rule.code, each.path, each.line), _decided(each, policy))
    return tuple(sorted(once.values(), key=_worst_first))


def _decided(finding: Finding, policy: Policy) -> Finding:
    rule = finding.rule
    severity = policy.severities.get(rule.code, policy.severities.get(rule.name))
    reason = next((each.reason for each in policy.ignores if _matches(each.code, each.path, finding)), None)
    return replace(finding, severity=severity or finding.severity, ignored=reason)


def _matches(code: str, path: str, finding: Finding) -> bool:
    named = code in {finding.rule.code, finding.rule.name}
    return named and (path in {"*", finding.path, finding.package} or fnmatchcase(finding.path, path))


def _worst_first(finding: Finding) -> tuple[bool, int, str, bytes]:
    path = finding.path.encode("utf-8", "surrogateescape")
    return (finding.ignored is not None, -finding.weight.rank, finding.rule.code, path)
