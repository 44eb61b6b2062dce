"""What is wrong with one binary, before it is known whether anybody loads the file."""

from dataclasses import dataclass
from typing import Any

from lambdapack.model import Rule, Severity
from lambdapack.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Defect:
    """The first thing that the loader, node or the kernel stumbles over."""

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
