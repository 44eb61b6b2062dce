"""What an alias's description remembers: which version was live when, who moved it, and which versions failed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambdapack.deploy.nouns import Alias

MAX_DESCRIPTION_CHARS = 256
"""Characters of an alias's description (AWS Lambda API reference, "UpdateAlias", read 2026-11-20)."""

MAX_FAILED_VERSIONS = 5
"""Versions that failed their test and are remembered: the newest ones."""

MAX_LIVE_ENTRIES = 5
"""Versions that were live and are remembered, the present one among them."""

_ENTRY = r"(\d+)(?: (\d{4}-\d\d-\d\dT\d\d:\d\dZ))?(?: ([\w.@+=,/-]+))?"
_MEMORY = re.compile(r"\[?lambdapack: (live \d[^\]]*|version \d[^\]]*)\]?")
_OLD_FORM = re.compile(r"version (\d+)(?:, before it (\d+))?\s*\Z")
"""The form of 0.1.0, which is still read."""


@dataclass(frozen=True, slots=True)
class LiveEntry:
    """One version that the alias pointed at."""

    version: str
    since: str = ""  # UTC, "2026-11-30T23:02Z"; "" when somebody else moved the alias
    by: str = ""  # who moved it: the last part of the caller's ARN

    def __str__(self) -> str:
        return " ".join(part for part in (self.version, self.since, self.by) if part)


@dataclass(frozen=True, slots=True)
class AliasMemory:
    """What lambdapack remembers of an alias."""

    entries: tuple[LiveEntry, ...] = ()  # newest first: the first is what lambdapack made live last
    returned_from: str = ""  # the version that the last rollback left; "" after a deployment
    failed: tuple[str, ...] = ()  # versions that failed their test, newest first
    canary: str = ""  # the version that gets a part of the traffic

    @property
    def current(self) -> str:
        """The version that lambdapack made live last; "" without a memory."""
        return self.entries[0].version if self.entries else ""

    @property
    def previous(self) -> str:
        """The version that was live before and did not fail its test; "" when none is remembered."""
        usable = (entry.version for entry in self.entries[1:] if entry.version not in self.failed)
        return next((version for version in usable if version != self.current), "")

    def follows(self, alias: Alias) -> bool:
        """Tell whether nobody else moved the alias since."""
        return self.current == alias.version


def read_memory(alias: Alias | None) -> AliasMemory:
    """Return what the description of an alias remembers; an empty memory when it has none."""
    match = _MEMORY.search(alias.description) if alias else None
    if match is None:
        return AliasMemory()
    old = _OLD_FORM.match(match[1])
    if old:
        return AliasMemory(tuple(LiveEntry(version) for version in old.groups() if version))
    live, *clauses = match[1].split("; ")
    entries = tuple(_read_entries(live.removeprefix("live ")))
    words = {clause.partition(" ")[0]: clause.split()[1:] for clause in clauses if clause}
    returned = words.get("left", [])
    failed = tuple(version for version in words.get("failed", []) if version.isdigit())
    canary = words.get("canary", [])
    return AliasMemory(entries, _first_number(returned), failed, _first_number(canary))


def _first_number(words: list[str]) -> str:
    return words[0] if words and words[0].isdigit() else ""


def _read_entries(text: str) -> Iterator[LiveEntry]:
    for part in text.split(" < "):
        match = re.fullmatch(_ENTRY, part.strip())
        if match is None:
            return
        yield LiveEntry(match[1], match[2] or "", match[3] or "")


def describe_alias(description: str, memory: AliasMemory) -> str:
    """Return the description with the memory in it; other text is kept, and the memory shortened until it fits."""
    other = _MEMORY.sub("", description).strip()
    for shorter in _shorten(memory):
        text = f"{other} [{_render(shorter)}]".strip()
        if len(text) <= MAX_DESCRIPTION_CHARS:
            return text
    return other[:MAX_DESCRIPTION_CHARS]


def _shorten(memory: AliasMemory) -> Iterator[AliasMemory]:
    """Yield the memory, then with less and less of it: names and times of old entries first, the present one last."""
    if not memory.entries:
        return
    yield memory
    bare = tuple(LiveEntry(entry.version) for entry in memory.entries)
    for kept in range(len(bare), 1, -1):
        yield replace(memory, entries=(memory.entries[0], *bare[1:kept]))
    for kept in range(min(len(bare), 3), 0, -1):
        yield AliasMemory(bare[:kept], memory.returned_from, memory.failed[:1], memory.canary)
    yield AliasMemory(bare[:2], memory.returned_from)
    yield AliasMemory(bare[:1], memory.returned_from)


def _render(memory: AliasMemory) -> str:
    text = "lambdapack: live " + " < ".join(map(str, memory.entries))
    text += f"; canary {memory.canary}" if memory.canary else ""
    text += f"; left {memory.returned_from}" if memory.returned_from else ""
    return text + (f"; failed {' '.join(memory.failed)}" if memory.failed else "")


def record_move(alias: Alias | None, entry: LiveEntry) -> AliasMemory:
    """Return the memory after a deployment made a version live."""
    memory = _catch_up(alias)
    failed = tuple(version for version in memory.failed if version != entry.version)
    return AliasMemory(_put_first(entry, memory.entries), "", failed)


def record_rollback(alias: Alias, entry: LiveEntry) -> AliasMemory:
    """Return the memory after a rollback to a version, which is the present one when only a canary ended."""
    memory = _catch_up(alias)
    left = alias.weights[0][0] if alias.weights and alias.version == entry.version else alias.version
    if alias.version == entry.version:
        return replace(memory, returned_from=left, canary="")
    return replace(memory, entries=_put_first(entry, memory.entries), returned_from=left, canary="")


def record_canary(alias: Alias, version: str) -> AliasMemory:
    """Return the memory while a new version gets a part of the traffic."""
    return replace(_catch_up(alias), returned_from="", canary=version)


def record_failure(alias: Alias, version: str) -> AliasMemory:
    """Return the memory after a version failed its test."""
    memory = _catch_up(alias)
    failed = (version, *(other for other in memory.failed if other != version))
    return replace(memory, failed=failed[:MAX_FAILED_VERSIONS])


def _catch_up(alias: Alias | None) -> AliasMemory:
    """Return the memory with what somebody else pointed the alias at."""
    memory = read_memory(alias)
    if alias is None or not alias.version.isdigit() or memory.follows(alias):
        return memory
    return replace(memory, entries=_put_first(LiveEntry(alias.version), memory.entries), returned_from="")


def _put_first(entry: LiveEntry, entries: tuple[LiveEntry, ...]) -> tuple[LiveEntry, ...]:
    others = (other for other in entries if other.version != entry.version)
    return (entry, *others)[:MAX_LIVE_ENTRIES]
