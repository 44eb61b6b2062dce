"""The Failure record, the exit codes and LambdapackError, the exception that carries a failure."""

from dataclasses import dataclass, field
from enum import IntEnum

from lambdapack.credentials import mask_credentials
from lambdapack.messages import Message, Remedy


class ExitCode(IntEnum):
    """Exit codes by category; scripts branch on these, people read the LP codes."""

    FINE = 0
    JUDGEMENT = 1
    USAGE = 2
    ENVIRONMENT = 3
    BUILD = 4
    CLOUD = 5
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Failure:
    """One record per failure code; the text a person reads derives from it."""

    code: str  # "LP" + stage digit + two digits; never reused
    name: str  # kebab-case
    title: str  # one clause, lower case, no full stop
    why: str  # the consequence, or what we needed it for; between backticks stands what a program prints
    fix: str  # one imperative sentence with the command
    exit: ExitCode
    messages: tuple[Message, ...] = field(default=(), compare=False, repr=False)  # what programs print about it
    cause: str = field(default="", compare=False)  # the name of what it is about in a diagnosis; "" for `name`
    remedy: Remedy | None = field(default=None, compare=False, repr=False)  # None: `explain` has no answer about it


DEFECT = Failure(
    "LP999",
    "defect",
    "internal error in lambdapack",
    "This is a bug in lambdapack; your project may not be at fault.",
    "Run it again with LAMBDAPACK_DEBUG=1 and report the traceback.",
    ExitCode.BUG,
)
"""Of whatever escapes that is no LambdapackError. It stands in no table: nobody can act on it."""


class LambdapackError(Exception):
    """A failure the user can act on. Anything else that escapes is our bug (exit 70)."""

    def __init__(self, failure: Failure, detail: str, *, hint: str | None = None) -> None:
        """Say what happened (`detail`: file, cause); `hint` replaces the record's fix when it is sharper."""
        detail = mask_credentials(detail)  # whoever says it: a parser's message quotes the text that it refused
        super().__init__(f"{failure.code}: {failure.title}: {detail}")
        self.failure = failure
        self.detail = detail
        self.hint = mask_credentials(hint) if hint else failure.fix
