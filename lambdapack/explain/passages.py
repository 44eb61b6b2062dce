"""Finds the passages of a log of any size that hold known messages, and explains each kind once."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

    from lambdapack.explain.log import LogSource

RARE_STEMS: tuple[bytes, ...] = (
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
    b"CPU ISA",
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
    b"Directory import",
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
    b'" not found',
    b"xited with status 12",
    b"xited with code 12",
    b"\nLP",
    b'"LP',
    b"(publickey",
    b": command",
    b": not found",
    b"[LP",
    b"Browser was",
    b"Code uncompressed",
    b"CommonJS module",
    b"Couldn't find",
    b"Dynamic require",
    b"E401",
    b"E403",
    b"E404",
    b"ENEEDAUTH",
    b"ENOENT",
    b"EPERM",
    b"EROFS",
    b"ES module",
    b"ESM graph",
    b"Executable doesn",
    b"Forbidden - ",
    b"Host key",
    b"Incorrect or",
    b"InvalidZip",
    b"Module not found",
    b"Not found",
    b"Not Found - ",
    b"OSError",
    b"Please install",
    b"Plug'n'Play",
    b"quire()",
    b"Repository not",
    b"Request failed",
    b"Required package",
    b"Response Code",
    b"sh -c ",
    b"This project",
    b"Unauthorized",
    b"UNDECLARED",
    b"Username for",
    b"Your application",
)
"""What nearly every known message has one of. Each begins with a sign that logs hardly have (no hexadecimal digit, no
letter of INFO or of a time), so that one alternation over all of them stops at three signs in a hundred: that is for
hosts without the automaton, which does not mind."""

COMMON_STEMS = (
    b"symbol",
    b"spawn",
    b"prebuil",
    b"native bind",
    b"No such file",
    b"ls-remote",
    b"to resolve",
    b"tried to access",
    b"code 12",
    b"code 137",
    b"with layers",
    b"compatible architectures",
    b"requested module",
)
"""The rest, each looked for by itself: words of frequent letters would stop the alternation at every other sign."""


@cache
def rare_stem_pattern() -> re.Pattern[bytes]:
    """One branch for each beginning: the engine tries them in turn wherever one of them stands."""
    branches: dict[bytes, list[bytes]] = {}
    for stem in RARE_STEMS:
        branches.setdefault(stem[:1], []).append(re.escape(stem[1:]))
    return re.compile(b"|".join(re.escape(first) + b"(?:" + b"|".join(rest) + b")" for first, rest in branches.items()))


LOG_CHUNK_BYTES = 4 << 20
LINES_BEFORE, LINES_AFTER = 15, 35  # lines of a passage around what was found
MAX_BYTES_BEFORE, MAX_BYTES_AFTER = 4 << 10, 16 << 10  # bytes of the same, where a line has no end
MAX_PASSAGE_BYTES = 48 << 10  # bytes of one passage


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a log around something that was found."""

    text: str
    key: tuple[str, ...]  # the lines that were found, without what changes from time to time
    hits: int


def read_passages(source: "LogSource", head: bytes = b"") -> Iterator[Passage]:
    """Give the passages in their order; `head` was read before. Keeps one chunk and what a passage may need of it."""
    buffer, at, ended = head, 0, False
    while not ended:
        more = source.read(LOG_CHUNK_BYTES)
        ended = not more
        buffer += more
        limit = len(buffer) if ended else max(at, len(buffer) - MAX_PASSAGE_BYTES - MAX_BYTES_AFTER)
        hits = find_stems(buffer, at)
        index = 0
        while index < len(hits) and hits[index] < limit:
            start, end, after = _find_passage_bounds(buffer, at, hits, index)
            yield _build_passage(buffer, start, end, hits[index:after])
            at, index = end, bisect_left(hits, end, after)
        at = max(at, limit)
        keep = max(0, at - MAX_BYTES_BEFORE)
        buffer, at = buffer[keep:], at - keep


def find_stems(buffer: bytes, start: int = 0) -> list[int]:
    """Return where a known message may be, in order."""
    automaton = _automaton()
    if automaton is None:
        return search_stems(buffer, start)
    return [start + begin for _stem, begin, _end in automaton.find_matches_as_indexes(memoryview(buffer)[start:])]


@cache
def _automaton() -> "BytesAhoCorasick | None":
    """All stems at once, four times as fast; None on a host without a wheel of it (Windows on ARM, 2026-11)."""
    try:
        from ahocorasick_rs import BytesAhoCorasick, Implementation  # noqa: PLC0415
    except ImportError:
        return None
    return BytesAhoCorasick([*RARE_STEMS, *COMMON_STEMS], implementation=Implementation.DFA)


def search_stems(buffer: bytes, start: int = 0) -> list[int]:
    """Return the same by the standard library alone."""
    hits = [match.start() for match in rare_stem_pattern().finditer(buffer, start)]
    rare = len(hits)
    for stem in COMMON_STEMS:
        at = buffer.find(stem, start)
        while at >= 0:
            hits.append(at)
            at = buffer.find(stem, at + len(stem))
    return hits if len(hits) == rare else sorted(hits)


def _find_passage_bounds(buffer: bytes, floor: int, hits: list[int], index: int) -> tuple[int, int, int]:
    """Return begin and end of the passage of one hit, and the number of the first hit that is not in it."""
    hit = hits[index]
    start = _find_passage_start(buffer, max(floor, hit - MAX_BYTES_BEFORE), hit)
    end = _find_passage_end(buffer, hit)
    index += 1
    while index < len(hits) and hits[index] < end and end - start < MAX_PASSAGE_BYTES:
        end = max(end, _find_passage_end(buffer, hits[index]))
        index += 1
    return start, end, index


def _find_passage_start(buffer: bytes, floor: int, at: int) -> int:
    for _ in range(LINES_BEFORE + 1):
        found = buffer.rfind(b"\n", floor, at)
        if found < 0:
            return floor
        at = found
    return at + 1


def _find_passage_end(buffer: bytes, at: int) -> int:
    ceiling = min(len(buffer), at + MAX_BYTES_AFTER)
    for _ in range(LINES_AFTER + 1):
        found = buffer.find(b"\n", at, ceiling)
        if found < 0:
            return ceiling
        at = found + 1
    return at


def _build_passage(buffer: bytes, start: int, end: int, hits: list[int]) -> Passage:
    lines = dict.fromkeys(_normalize_line(buffer, hit) for hit in hits)
    return Passage(buffer[start:end].decode("utf-8", "replace"), tuple(lines), len(hits))


_VARIABLE_PARTS = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4,12})+|[0-9a-f]{12,}|[0-9]+"


def _normalize_line(buffer: bytes, at: int) -> str:
    """A line without numbers, ids and times: the same trouble reads the same each time."""
    start = buffer.rfind(b"\n", max(0, at - 512), at) + 1 or max(0, at - 512)
    end = buffer.find(b"\n", at, at + 512)
    line = buffer[start : end if end >= 0 else at + 512]
    return re.sub(_VARIABLE_PARTS, b"#", line).decode("utf-8", "replace")


MAX_PASSAGES = 300
"""Passages that all read differently, of one log; more are counted and named as left out."""


@dataclass(slots=True)
class _CountedPassage:
    diagnoses: tuple[Diagnosis, ...]
    hits: int
    times: float = 1.0


def explain_passages(source: "LogSource", head: bytes, aim: ExplainTarget) -> Explanation:
    """Return what the passages of a log say is wrong; `head` was read before."""
    known: dict[tuple[str, ...], _CountedPassage] = {}
    left_out = 0
    for passage in read_passages(source, head):
        before = known.get(passage.key)
        if before is not None:
            before.times += passage.hits / before.hits
        elif len(known) < MAX_PASSAGES:
            known[passage.key] = _diagnose_passage(passage, aim)
        else:
            left_out += 1
    found = _merge_passages(tuple(known.values()))
    return Explanation(found, left_out=left_out)


def _diagnose_passage(passage: Passage, aim: ExplainTarget) -> _CountedPassage:
    return _CountedPassage(diagnose(strip_log_markup(passage.text), aim, passage.text), passage.hits)


def _merge_passages(known: tuple[_CountedPassage, ...]) -> tuple[Diagnosis, ...]:
    """Merge what several passages say alike; the most certain first, then the most frequent."""
    found: dict[tuple[str, str | None, str | None], Diagnosis] = {}
    for one in known:
        for diagnosis in one.diagnoses:
            key = (diagnosis.cause, diagnosis.file, diagnosis.package)
            count = max(1, round(diagnosis.count * one.times))
            if key in found:
                found[key] = replace(found[key], count=found[key].count + count)
            else:
                found[key] = replace(diagnosis, count=count)
    return tuple(
        sorted(found.values(), key=lambda diagnosis: (diagnosis.rank.value, diagnosis.certainty.rank, -diagnosis.count))
    )
