"""Entries of an archive, put in order and held against each other. Never reads a byte of theirs."""

from collections.abc import Iterable, Iterator, Mapping

from lambdapack.tree.entry import Entry, Kind
from lambdapack.tree.names import refused


def index(entries: Iterable[Entry], where: object, *, hint: str | None = None) -> Mapping[str, Entry]:
    """Return path to entry in byte order; LP008 for a repeated name and for one below a file or a link.

    An entry below a link would be written wherever the link points when somebody unpacks the archive.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in found:
            raise refused(where, entry.path, "it is there twice", hint=hint)
        found[entry.path] = entry
    checked: set[str] = set()
    for path in found:
        for parent in ancestors(path, checked):
            above = found.get(parent)
            if above is not None and above.kind is not Kind.DIRECTORY:
                raise refused(where, path, f"it lies below {parent!r}, which is a {above.kind.value}", hint=hint)
    return in_order(found)


def in_order(entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """Return the same entries sorted: the order of code points is the byte order of UTF-8."""
    return dict(sorted(entries.items()))


def ancestors(path: str, seen: set[str]) -> Iterator[str]:
    """Give the directories above a path, innermost first, up to one that is in `seen`; they are added to it."""
    while (path := path.rpartition("/")[0]) and path not in seen:
        seen.add(path)
        yield path


def file_entry(entries: Mapping[str, Entry], path: str) -> Entry:
    """Return the entry of a regular file; KeyError for anything else."""
    entry = entries[path]
    if entry.kind is not Kind.FILE:
        raise KeyError(path)
    return entry
