"""The findings of a load test in the runtime image, compared with the judgements. Never runs the test."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from lambdapack.binary.facts import BinaryRole
from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.binary.linking_records import UNDEFINED_SYMBOL
from lambdapack.rules.model.report import Judgement, Outcome, Report

VERDICT_DISAGREES = Rule(
    "LP223",
    "verdict-disagrees",
    "the static verdict and the real loader disagree",
    "One of them is wrong, and it is ours: this is a defect of lambdapack.",
    "Report it with this finding's evidence (`--format json`); until then trust the loader.",
    Severity.ERROR,
)
LOAD_FAILED = Rule(
    "LP224",
    "load-failed",
    "an addon does not load in the runtime image",
    "What the image's own node says when it opens the file is what Lambda would say.",
    "Install it for the runtime: `lambdapack build`, or choose another version of the package.",
    Severity.ERROR,
)
HANDLER_FAILS = Rule(
    "LP310",
    "handler-fails",
    "the handler cannot be imported in the runtime image",
    "Lambda fails in the same way when it starts the function.",
    "Correct what node names above; `lambdapack invoke` shows the whole log.",
    Severity.ERROR,
)

LOAD_RULES: tuple[Rule, ...] = (VERDICT_DISAGREES, LOAD_FAILED, HANDLER_FAILS)


def loadable_addons(report: Report) -> tuple[Judgement, ...]:
    """Return the addons that a loader of their package would open; programs and plain libraries are not for dlopen."""
    return tuple(
        judgement for judgement in report.judgements if judgement.selected and judgement.binary.role is BinaryRole.ADDON
    )


def load_findings(tried: Mapping[str, tuple[Judgement, str]], image: str) -> Iterator[Finding]:
    """Yield the findings of a load test; `tried` is path to (judgement, the loader's error or "")."""
    for path, (judgement, error) in tried.items():
        outcome = judgement.outcome
        evidence = (
            ("static", outcome.value),
            ("cause", judgement.cause),
            ("loader", error or "it loaded"),
            ("image", image),
            ("sha256", judgement.binary.sha256),
        )
        if outcome is Outcome.UNKNOWN and error:
            yield Finding(LOAD_FAILED, path, error, package=judgement.package, evidence=evidence)
        elif outcome is not Outcome.UNKNOWN and (outcome is Outcome.FAILS) != bool(error):
            message = f"lambdapack predicts {outcome.value}, the loader prints: {error or 'nothing, the file loaded'}"
            yield Finding(VERDICT_DISAGREES, path, message, package=judgement.package, evidence=evidence)


def drop_proved_doubts(report: Report, bound: Collection[str]) -> Report:
    """Return the report without the doubts about symbols of addons whose every symbol was found (paths)."""

    def is_proved(judgement: Judgement) -> bool:
        doubt = judgement.outcome is Outcome.UNKNOWN and judgement.cause == UNDEFINED_SYMBOL.name
        return doubt and judgement.binary.path in bound

    gone = {judgement.binary.path for judgement in report.judgements if is_proved(judgement)}
    return replace(
        report,
        judgements=tuple(
            replace(judgement, outcome=Outcome.LOADS, cause=None, finding=None) if is_proved(judgement) else judgement
            for judgement in report.judgements
        ),
        findings=tuple(
            finding for finding in report.findings if finding.rule is not UNDEFINED_SYMBOL or finding.path not in gone
        ),
    )


def handler_import_finding(path: str, error: str, image: str) -> Finding:
    """Return the finding about a handler that node could not import."""
    return Finding(HANDLER_FAILS, path, error, evidence=(("image", image), ("node", error)))
