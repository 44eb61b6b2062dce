"""The result of a check: defects, judgements, verdict and report."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from lambdapack.binary.facts import Binary
from lambdapack.model import Finding, Rule, Severity
from lambdapack.runtimes.runtime import Runtime


class Outcome(Enum):
    """What happens when node or the kernel opens a native file on Lambda."""

    LOADS = "loads"
    DIES_LATER = "dies-later"  # opens, and the process ends at the first call of a missing function
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One binary against one runtime."""

    binary: Binary
    package: str  # npm name of the owner, "" outside node_modules
    version: str  # of that package, "" when unknown
    selected: bool  # a loader of its package would pick it for this target
    outcome: Outcome
    cause: str | None  # the name of the rule, None when it loads
    finding: Finding | None  # why, whether selected or not
    spare: bool = False  # weight: what its loader opens instead is packed as well


@dataclass(frozen=True, slots=True)
class PrunedFile:
    """A file that nothing opens on the target."""

    path: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class BinaryJudgements:
    """The judgements of one package's native files, and the packages that lack one."""

    judgements: tuple[Judgement, ...] = ()
    missing: tuple[Finding, ...] = ()
    fallbacks: tuple[PrunedFile, ...] = ()  # WebAssembly builds of addons that load


@dataclass(frozen=True, slots=True)
class ReportLayer:
    """One of the layers that a function was checked with."""

    path: str
    code_digest: str | None  # None for a directory
    unzipped_bytes: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about. Sizes in bytes; digests None when there is no archive."""

    kind: str  # "directory", "zip", "layer", "function"
    path: str
    archive: str | None = None
    code_digest: str | None = None
    content_digest: str | None = None
    zip_bytes: int | None = None
    unzipped_bytes: int | None = None  # its own, without the layers'
    layers: tuple[ReportLayer, ...] = ()  # in the function's order
    function: str | None = None  # its name, where a repository has several


class Verdict(Enum):
    """The result for the whole package."""

    PASS = "pass"  # noqa: S105  # not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of all checks of a package for one target."""

    runtime: Runtime
    subject: Subject
    judgements: tuple[Judgement, ...]
    findings: tuple[Finding, ...]  # all that count and all that are ignored, worst first
    fallbacks: tuple[PrunedFile, ...] = ()  # WebAssembly builds of addons that load

    @property
    def verdict(self) -> Verdict:
        """FAIL with any error that is not ignored, WARN with any warning, else PASS."""
        worst = max((finding.weight.rank for finding in self.findings if finding.ignored is None), default=0)
        return {0: Verdict.PASS, Severity.WARNING.rank: Verdict.WARN, Severity.ERROR.rank: Verdict.FAIL}[worst]

    def fails(self, fail_on: Severity) -> bool:
        """Tell whether a finding that is not ignored reaches `fail_on`."""
        return any(finding.weight.rank >= fail_on.rank for finding in self.findings if finding.ignored is None)


@dataclass(frozen=True, slots=True)
class Defect:
    """The first reason for which the loader, node or the kernel refuses a file."""

    rule: Rule
    message: str  # in the loader's words where it has some
    cause: str = ""  # the report's word when it is not the rule's name
    outcome: Outcome = Outcome.FAILS
    severity: Severity | None = None
    fix: str = ""
    evidence: tuple[tuple[str, Any], ...] = ()

    @property
    def word(self) -> str:
        """The report's word for the cause."""
        return self.cause or self.rule.name
