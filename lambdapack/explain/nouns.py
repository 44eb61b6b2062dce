"""Message patterns, what they mean, and diagnoses."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lambdapack.errors.record import Failure
from lambdapack.explain.facts.nouns import FactKind, Slots, TextFacts
from lambdapack.messages import Certainty, Rank, find_pattern
from lambdapack.model import Architecture, Rule


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means."""

    record: Rule | Failure
    certainty: Certainty
    says: str  # one sentence; may use the slots: "{file} is ..."
    also: tuple["Meaning", ...] = ()  # what else it may mean
    fix: tuple[str, ...] = ()  # commands in place of the remedy's, where those would not end it
    package: str | None = None  # whose trouble it is; "" for nobody's, None: to be found in the text
    rank: Rank | None = None  # in place of the pattern's
    prevent: str = ""  # in place of the remedy's


Decide = Callable[[Slots], Meaning | None]
"""Reads the slots of a message; None: it has nothing to do with packaging."""

Conclusion = Callable[[Slots, TextFacts], Meaning | None]
"""Reads a statement with the facts around it; None: it has nothing to do with packaging."""


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """One message of one program: who prints it, how it is built, what it means."""

    speaker: str  # the program that prints it
    example: str  # the message as it is printed
    pattern: str  # regular expression for it (messages.compile_pattern); its groups are the slots
    words: tuple[str, ...]  # every match has one of them
    meaning: Meaning | Decide | FactKind  # a kind: its conclusion decides, over the facts of the text
    rank: Rank = Rank.PLAIN
    package: str = ""  # whose message it is, when that is one npm package

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Return the matches in a text."""
        return find_pattern(self.pattern, self.words, text)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What happened, in which file of which package, and what ends it."""

    cause: str
    record: Rule | Failure  # about it
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
    runtime: str = ""  # of Lambda: the text's own, else the one that was chosen
    architecture: Architecture | None = None  # of the place where it failed, as far as anybody said so

    @property
    def code(self) -> str:
        """The code of the record."""
        return self.record.code


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to a text: diagnoses, best first; nearest known message when there is none."""

    diagnoses: tuple[Diagnosis, ...]
    nearest: str = ""
    facts: tuple[str, ...] = ()  # what was read of a text without a diagnosis
    question: str = ""  # the one that decides it
    left_out: int = 0  # passages of an enormous log that were not looked at
