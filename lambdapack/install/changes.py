"""What differs between a tree before and after scripts. Compares names, links and bytes; never modes or times."""

from collections.abc import Iterator

from lambdapack.tree.entry import Entry, EntryKind, Tree

COMPARED_BYTES = 1024 * 1024
"""Bytes that are copied at a time to compare two files."""

MADE, CHANGED, REMOVED = "made", "changed", "removed"


def find_changes(before: Tree, after: Tree) -> Iterator[tuple[str, str]]:
    """Yield the path of each file or link that differs, and how: MADE, CHANGED or REMOVED.

    Directories count only where something else was, or is now, in their place.
    """
    for path, now in after.entries.items():
        was = before.entries.get(path)
        if was is None:
            if now.kind is not EntryKind.DIRECTORY:
                yield path, MADE
        elif is_different(before, was, after, now):
            yield path, CHANGED
    for path, was in before.entries.items():
        if was.kind is not EntryKind.DIRECTORY and path not in after.entries:
            yield path, REMOVED


def is_different(before: Tree, was: Entry, after: Tree, now: Entry) -> bool:
    """Tell whether what lies at a path is something else than before."""
    if (was.kind, was.size, was.target) != (now.kind, now.size, now.target):
        return True
    if now.kind is not EntryKind.FILE:
        return False
    with after.view(now.path) as new, before.view(was.path) as old:
        return any(
            bytes(new[start : start + COMPARED_BYTES]) != bytes(old[start : start + COMPARED_BYTES])
            for start in range(0, len(new), COMPARED_BYTES)
        )
