"""Message patterns, diagnoses and where a text comes from: system, CPU and Node.js as the text names them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from lambdapack.errors.record import Failure
from lambdapack.messages import Certainty, Rank, find_pattern
from lambdapack.model import Architecture, Rule
from lambdapack.runtimes.versions import node_major_of_abi

Slots = Mapping[str, str]
"""The named places of one message: file, package, library, needs, has ... Absent ones are not there."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means."""

    record: Rule | Failure
    certainty: Certainty
    says: str  # one sentence; may use the slots: "{file} is ..."
    also: tuple["Meaning", ...] = ()  # what else it may mean
    fix: tuple[str, ...] = ()  # commands in place of the remedy's, where those would not end it


Decide = Callable[[Slots], Meaning | None]
"""Reads the slots of a message; None: it has nothing to do with packaging."""


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """One message of one program: who prints it, how it is built, what it means."""

    speaker: str  # the program that prints it
    example: str  # the message as it is printed
    pattern: str  # regular expression for it (messages.compile_pattern); its groups are the slots
    words: tuple[str, ...]  # every match has one of them
    meaning: Meaning | Decide
    rank: Rank = Rank.PLAIN
    package: str = ""  # whose message it is, when that is one npm package

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Return the matches in a text."""
        return find_pattern(self.pattern, self.words, text)


@dataclass(frozen=True, slots=True)
class TextOrigin:
    """What the text itself says about the place it is from."""

    on_lambda: bool = False
    system: str = ""  # "darwin", "win32", "alpine", "": not said
    architecture: Architecture | None = None  # of the place where the code runs
    node_major: int | None = None


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

    @property
    def code(self) -> str:
        """The code of the record."""
        return self.record.code


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to a text: diagnoses, best first; nearest known message when there is none."""

    diagnoses: tuple[Diagnosis, ...]
    nearest: str = ""
    left_out: int = 0  # passages of an enormous log that were not looked at


_LAMBDA_MENTION = r"/var/task|/var/runtime|/opt/nodejs|\bRequestId:|\bRuntime\.[A-Z]\w+|LAMBDA_|AWS::Lambda"
_SYSTEM_PATTERNS = (
    ("win32", r"\b[A-Z]:\\|Win32 application|win32-x64|Windows_NT"),
    ("darwin", r"/Users/|\bdlopen\([/~]|mach-o|\bDarwin \d|/opt/homebrew"),
    ("alpine", r"[Aa]lpine|\bapk add\b|Error (?:loading shared library|relocating)"),
)
_NODE_VERSION_PATTERNS = (
    r"\bnodejs(\d{2})\.x\b",
    r"\bNode\.js v(\d{1,2})\.\d+\.\d+",
    r"\bnode(?:@| -v v|=| v|/v)(\d{1,2})\.\d+\.\d+",
    r"\bnode v(\d{1,2})\.\d+",
)
_CPU_MENTION = (
    r"\barch=(arm64|x64)\b|\blinux[-/ ](arm64|x64|amd64|aarch64)\b|--(?:cpu|arch)[= ](arm64|x64|x86_64)\b"
    r"|Architectures?\W{1,6}(arm64|x86_64)"
)
_BINARY_PATH = r"[^\s'\"`()]*(?:node_modules[/\\]|\.node\b)[^\s'\"`()]*"
"""A path to a binary: the CPU in it is what the file was made for, not the one that it met."""
_ARCHITECTURE_BY_NAME = {"arm64": Architecture.ARM64, "aarch64": Architecture.ARM64}


def read_text_origin(text: str) -> TextOrigin:
    """Return what a text tells about its place; nothing is guessed."""
    on_lambda = re.search(_LAMBDA_MENTION, text) is not None
    system = "" if on_lambda else next((name for name, pattern in _SYSTEM_PATTERNS if re.search(pattern, text)), "")
    named = re.search(_CPU_MENTION, re.sub(_BINARY_PATH, "", text))
    cpu = named[named.lastindex] if named and named.lastindex else ""
    return TextOrigin(
        on_lambda, system, _ARCHITECTURE_BY_NAME.get(cpu, Architecture.X86_64) if cpu else None, _node_major(text)
    )


def _node_major(text: str) -> int | None:
    wanted = re.search(r"requires\s+NODE_MODULE_VERSION\s+(\d+)", text)
    if wanted and (major := node_major_of_abi(int(wanted[1]))):
        return major
    return next((int(found[1]) for pattern in _NODE_VERSION_PATTERNS if (found := re.search(pattern, text))), None)
