"""The sentences that programs print about a cause, and what ends the cause: data of the records, light to import."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Certainty(Enum):
    """How sure it is what a message means. The order is the order of the members, the surest first."""

    CERTAIN = "certain"  # the message can mean nothing else
    LIKELY = "likely"  # it nearly always does
    POSSIBLE = "possible"  # one of several reasons for these words

    @property
    def rank(self) -> int:
        """0 for certain, 1 for likely, 2 for possible."""
        return list(Certainty).index(self)


class Rank(Enum):
    """How near a message is to the root of the trouble; a nearer one hides the others around it."""

    ROOT = 0  # names the reason itself
    PLAIN = 1
    SYMPTOM = 2  # what follows from a reason that may stand beside it


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence of one program that means the record it stands in."""

    speaker: str  # the program that prints it
    example: str  # the sentence as it is printed
    pattern: str  # regular expression for it: see compile_pattern; its groups are the slots
    words: tuple[str, ...]  # every match has one of them, so that a text without them needs no search
    says: str  # what it means, as one sentence; may use the slots: "{file} is ..."
    certainty: Certainty = Certainty.CERTAIN
    rank: Rank = Rank.PLAIN
    package: str = ""  # whose message it is, when that is one npm package
    fix: tuple[str, ...] = ()  # commands in place of the remedy's, where those would not end it
    hint: str = ""  # what ends a build that prints it, as one sentence with slots; "" for the record's own fix

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Return the matches in a text."""
        return find_pattern(self.pattern, self.words, text)


@dataclass(frozen=True, slots=True)
class Remedy:
    """What ends a cause, and what keeps it from coming back.

    The commands have slots: {build}, {npm_ci}, {docker} ... (explain/cures.py fills them). A command whose slot is not
    known is left out.
    """

    commands: tuple[str, ...]  # in the order to try them
    prevent: str  # one sentence
    local: tuple[str, ...] = ()  # in place of `commands` on somebody's own macOS or Windows; {build} follows
    alpine: tuple[str, ...] = ()  # in place of `commands` where Alpine is the system; {build} follows
    replaceable: bool = False  # another package in its place would end it as well
    reinstall: bool = False  # another install ends it: the package has a file for the target somewhere
    rebuild: bool = False  # an install or a compilation in the target's image ends it


CLEAN_INSTALL = "rm -rf node_modules && npm ci"
BUILD_FROM_SOURCE = "npm rebuild {package} --build-from-source"

NEVER_COPY = (
    "Never zip, copy or commit a node_modules of another machine (.gitignore, .dockerignore): `lambdapack build` "
    "installs in the Lambda image, and `lambdapack verify` in CI refuses a package that would not load."
)
PIN_NODE = (
    "Pin the Node.js major everywhere (.nvmrc, CI, runtime) and put it into the key of every CI cache of "
    "node_modules; `lambdapack build` compiles for the runtime itself."
)

_START = r"(?<![^\s:='\"`(){}<>,|;\[\]])"  # of a word: a search never begins inside one
_PATH = r"(?:\\\\[?.]\\)?(?:[A-Za-z]:)?[^\s:'\"`(){}<>,|;\[\]]{1,1024}"
_LIKE_A_PATH = r"(?=(?:[A-Za-z]:)?[^\s:'\"`(){}<>,|;\[\]]{0,1024}?[./\\])"
FILE = rf"{_START}{_LIKE_A_PATH}(?P<file>{_PATH})"
"""A path as programs print it: no blanks, a drive letter perhaps, and no mere word such as Error."""

ADDON = rf"{_START}(?P<file>{_PATH}\.node)"
"""The path of an addon."""

QUOTED = r"['\"`\u2018\u201c](?P<{}>[^'\"`\u2019\u201d\n]+)['\"`\u2019\u201d]"
"""A slot between any quotes."""

DYLD_OPENING = r"(?:dlopen\((?P<file>[^,\n]+), [^)\n]*\)[\s\S]{0,1200}?)?"
"""What dyld prints before its reason: the file that it was to open."""

WINDOWS_ADDON = r"(?P<{}>(?:\\\\\?\\)?[A-Za-z]:[^\n:*?\"<>|]+?\.node)"
"""A slot for the path of an addon on Windows, which may well have blanks."""

NAME = r"(?:@[a-z0-9~._-]+/)?[a-z0-9~._][a-z0-9~._-]*"
"""An npm package."""


@cache
def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile; where the pattern has a blank, the text may have any blanks and one line end."""
    return re.compile(text.replace(" ", "(?:[ \\t]*\\n?[ \\t]+|[ \\t]*\\n)"), re.MULTILINE)


def find_pattern(pattern: str, words: Sequence[str], text: str) -> Iterator[re.Match[str]]:
    """Return the matches in a text; the pattern is compiled for the first text that has one of the words."""
    if any(word in text for word in words):
        return compile_pattern(pattern).finditer(text)
    return iter(())


def slots_of(match: re.Match[str]) -> Mapping[str, str]:
    """Return what stands in the places of a message; "file2" is another place for a file."""
    return {name.rstrip("0123456789"): text for name, text in match.groupdict().items() if text}
