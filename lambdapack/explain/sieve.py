"""Finds in a log of any size the passages that are worth a look. Reads forward once, and keeps little."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

RARE: tuple[bytes, ...] = (
    b"#error",
    b"'arm64",
    b"'x86_64",
    b"+ ENOENT",
    b"ELIFECYCLE",
    b"LS block",
    b"Use absolute",
    b'x" is ',
    b"k/exec ",
    b"ke ENOENT",
    b"xcrun",
    b"xit status",
    b"zsh: ",
    b"'linux",
    b"(linux/",
    b"(mach-o",
    b"(required",
    b"++: ",
    b".Import",
    b".Invalid",
    b".Malformed",
    b".OutOf",
    b".UserCode",
    b".cc:",
    b".cpp:",
    b".h:",
    b".node",
    b".so.",
    b".so:",
    b".tar.gz",
    b"=node",
    b"API version",
    b"An update is in",
    b"Bad handler",
    b"Bindings not",
    b"Blocked ",
    b"Bus error",
    b"CMAKE",
    b"CMake",
    b"Cannot find",
    b"Cannot load",
    b"Cannot use",
    b"Code storage",
    b"CodeStorage",
    b"Conflict",
    b"Could not ",
    b"CreateFunction",
    b"DLL",
    b"EACCES",
    b"EALLOWSCRIPTS",
    b"EBADPLATFORM",
    b"ELF",
    b"ENOEXEC",
    b"ENOMEM",
    b"ERR_",
    b"ES Module",
    b"ESTRICTALLOW",
    b"EntityToo",
    b"Error loading ",
    b"Error relocating",
    b"GLIBC",
    b"Handler '",
    b"HandlerNot",
    b"JavaScript heap",
    b"Killed",
    b"Layers consume",
    b"Library not",
    b"Permission denied",
    b"Pre-built",
    b"Prebuil",
    b"Precondition",
    b"PublishLayer",
    b"Python",
    b"Query ",
    b"SIGILL",
    b"SWC",
    b"Sass ",
    b"Something went",
    b"Unable to ",
    b"Unsupported ",
    b"Unzipped",
    b"UpdateFunctionC",
    b"Win32",
    b"Xcode",
    b"YN00",
    b"You installed",
    b"Your lock",
    b"_MODULE_VERSION",
    b"g binding",
    b"g manifest",
    b"gal instr",
    b"ght target",
    b"gister",
    b"gnored build",
    b"gument",
    b"gyp",
    b"ject f",
    b"ject: ",
    b"js version",
    b"k file",
    b"k to ",
    b'kage "',
    b"kage '",
    b"kage-lock",
    b"ke: ",
    b"kfile",
    b"kg-config",
    b"wScripts",
    b"wrong arch",
    b"x_spawn",
    b"xceeds the max",
    b"xec format",
    b"xecut",
    b"ximum ",
    b"xit code: 137",
    b"xited with error",
    b"xpected 4",
    b"xported",
    b"xt-aware",
    b"ze must be",
    b"zed as an internal",
)
"""What nearly every known message has one of. Each begins with a sign that logs hardly have (no hexadecimal digit, no
letter of INFO or of a time), so that one alternation over all of them stops at three signs in a hundred: that is for
hosts without the automaton, which does not mind."""

COMMON = (b"symbol", b"prebuil", b"native bind", b"No such file")
"""The rest, each looked for by itself: words of frequent letters would stop the alternation at every other sign."""


def _tree(stems: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """One branch for each beginning: the engine tries them in turn wherever one of them stands."""
    branches: dict[bytes, list[bytes]] = {}
    for each in stems:
        branches.setdefault(each[:1], []).append(re.escape(each[1:]))
    return re.compile(b"|".join(re.escape(first) + b"(?:" + b"|".join(rest) + b")" for first, rest in branches.items()))


LITERALS = _tree(RARE)

CHUNK = 4 << 20
BEFORE, AFTER = 15, 35  # lines of a passage around what was found
REACH_BACK, REACH_ON = 4 << 10, 16 << 10  # bytes of the same, where a line has no end
LARGEST = 48 << 10  # bytes of one passage


class Source(Protocol):
    """Where the bytes come from: a file, standard input, a log group."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a log around something that was found."""

    text: str
    key: tuple[str, ...]  # the lines that were found, without what changes from time to time
    hits: int


def passages(source: Source, head: bytes = b"") -> Iterator[Passage]:
    """Give the passages in their order; `head` was read before. Keeps one chunk and what a passage may need of it."""
    buffer, at, ended = head, 0, False
    while not ended:
        more = source.read(CHUNK)
        ended = not more
        buffer += more
        limit = len(buffer) if ended else max(at, len(buffer) - LARGEST - REACH_ON)
        hits = found_in(buffer, at)
        index = 0
        while index < len(hits) and hits[index] < limit:
            start, end, after = _around(buffer, at, hits, index)
            yield _passage(buffer, start, end, hits[index:after])
            at, index = end, bisect_left(hits, end, after)
        at = max(at, limit)
        keep = max(0, at - REACH_BACK)
        buffer, at = buffer[keep:], at - keep


def found_in(buffer: bytes, start: int = 0) -> list[int]:
    """Return where a known message may be, in order."""
    automaton = _automaton()
    if automaton is None:
        return searched(buffer, start)
    return [start + begin for _stem, begin, _end in automaton.find_matches_as_indexes(memoryview(buffer)[start:])]


@cache
def _automaton() -> "BytesAhoCorasick | None":
    """All stems at once, four times as fast; None on a host without a wheel of it (Windows on ARM, 2026-11)."""
    try:
        from ahocorasick_rs import BytesAhoCorasick, Implementation  # noqa: PLC0415
    except ImportError:
        return None
    return BytesAhoCorasick([*RARE, *COMMON], implementation=Implementation.DFA)


def searched(buffer: bytes, start: int = 0) -> list[int]:
    """Return the same by the standard library alone."""
    hits = [each.start() for each in LITERALS.finditer(buffer, start)]
    rare = len(hits)
    for stem in COMMON:
        at = buffer.find(stem, start)
        while at >= 0:
            hits.append(at)
            at = buffer.find(stem, at + len(stem))
    return hits if len(hits) == rare else sorted(hits)


def _around(buffer: bytes, floor: int, hits: list[int], index: int) -> tuple[int, int, int]:
    """Return begin and end of the passage of one hit, and the number of the first hit that is not in it."""
    hit = hits[index]
    start = _lines_back(buffer, max(floor, hit - REACH_BACK), hit)
    end = _lines_on(buffer, hit)
    index += 1
    while index < len(hits) and hits[index] < end and end - start < LARGEST:
        end = max(end, _lines_on(buffer, hits[index]))
        index += 1
    return start, end, index


def _lines_back(buffer: bytes, floor: int, at: int) -> int:
    for _ in range(BEFORE + 1):
        found = buffer.rfind(b"\n", floor, at)
        if found < 0:
            return floor
        at = found
    return at + 1


def _lines_on(buffer: bytes, at: int) -> int:
    ceiling = min(len(buffer), at + REACH_ON)
    for _ in range(AFTER + 1):
        found = buffer.find(b"\n", at, ceiling)
        if found < 0:
            return ceiling
        at = found + 1
    return at


def _passage(buffer: bytes, start: int, end: int, hits: list[int]) -> Passage:
    lines = dict.fromkeys(_settled(buffer, each) for each in hits)
    return Passage(buffer[start:end].decode("utf-8", "replace"), tuple(lines), len(hits))


_CHANGING = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4,12})+|[0-9a-f]{12,}|[0-9]+")


def _settled(buffer: bytes, at: int) -> str:
    """A line without numbers, ids and times: the same trouble reads the same each time."""
    start = buffer.rfind(b"\n", max(0, at - 512), at) + 1 or max(0, at - 512)
    end = buffer.find(b"\n", at, at + 512)
    line = buffer[start : end if end >= 0 else at + 512]
    return _CHANGING.sub(b"#", line).decode("utf-8", "replace")
