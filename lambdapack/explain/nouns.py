"""What a message is made of, and what is made of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from lambdapack.model import Architecture

Slots = Mapping[str, str]
"""The named places of one message: file, package, library, needs, has ... Absent ones are not there."""


class Certainty(Enum):
    """How sure a diagnosis is. The order is the order of the members, the surest first."""

    CERTAIN = "certain"  # the message can mean nothing else
    LIKELY = "likely"  # it nearly always does
    POSSIBLE = "possible"  # one of several reasons for these words

    @property
    def rank(self) -> int:
        """0 for certain, 1 for likely, 2 for possible."""
        return list(Certainty).index(self)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message means."""

    cause: str  # a name of causes.CAUSES
    certainty: Certainty
    says: str  # one sentence; may use the slots: "{file} is ..."
    also: tuple["Reading", ...] = ()  # what else it may mean
    fix: tuple[str, ...] = ()  # commands in place of the cause's, where those would not end it
    record: str = ""  # name of the record that says more than the cause's own


Decide = Callable[[Slots], Reading | None]
"""Reads the slots of a message; None: it has nothing to do with packaging."""


class Rank(Enum):
    """How near a message is to the root of the trouble; a nearer one hides the others around it."""

    ROOT = 0  # names the reason itself
    PLAIN = 1
    SYMPTOM = 2  # what follows from a reason that may stand beside it


@dataclass(frozen=True, slots=True)
class Sign:
    """One message of one program: who prints it, how it is built, what it means."""

    speaker: str  # the program that prints it
    example: str  # the message as it is printed; the pattern must find it, the sieve must let it through
    pattern: re.Pattern[str]
    meaning: Reading | Decide
    rank: Rank = Rank.PLAIN
    package: str = ""  # whose message it is, when that is one npm package


@dataclass(frozen=True, slots=True)
class World:
    """What the text itself says about the place it is from."""

    on_lambda: bool = False
    system: str = ""  # "darwin", "win32", "alpine", "": not said
    architecture: Architecture | None = None  # of the place where the code runs
    node_major: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What happened, in which file of which package, and what ends it."""

    cause: str
    code: str | None  # of the record about it
    file: str | None  # as far as the text names it
    package: str | None
    certainty: Certainty
    says: str  # one sentence for people
    quote: str  # the message in the text
    evidence: tuple[str, ...] = ()  # why we think so; the quote is the first
    fix: tuple[str, ...] = ()  # commands, ours first
    prevent: str = ""
    found: str = ""  # what a look at the files showed, "yes: ..." when they bear it out
    book: str = ""  # what the book says of the package, when it changes what to do
    count: int = 1  # how often the text has it
    slots: Slots = field(default_factory=dict)  # not printed; what a look at the files may use
    rank: Rank = Rank.PLAIN


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to a text: diagnoses, best first; nearest known message when there is none."""

    diagnoses: tuple[Diagnosis, ...]
    nearest: str = ""
    left_out: int = 0  # passages of an enormous log that were not looked at
