"""Trees made of other trees or of bytes in memory: overlay, filter, prefix, changed modes. None closes its parts."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNRESOLVABLE_LINK
from lambdapack.tree.entry import (
    MAX_SYMLINKS,
    Entry,
    EntryKind,
    Tree,
    file_entry,
    hostile_entry_error,
    index_entries,
    lend,
    path_objection,
    portable_mode,
    sort_entries,
    target_objection,
)


class MemoryTree:
    """Files and links given as bytes in memory; a plain bytes value is a file of mode 644."""

    def __init__(
        self,
        files: Mapping[str, bytes | tuple[bytes, int]],
        *,
        links: Mapping[str, str] | None = None,
        directories: Iterable[str] = (),
    ) -> None:
        """Index the files; LP008 for a path that no archive may have."""
        pairs = {path: (value, 0o644) if isinstance(value, bytes) else value for path, value in files.items()}
        self._data = {path: data for path, (data, _mode) in pairs.items()}
        entries = [Entry(path, EntryKind.FILE, mode, len(data)) for path, (data, mode) in pairs.items()]
        entries += [Entry(path, EntryKind.SYMLINK, 0o777, 0, target) for path, target in (links or {}).items()]
        entries += [Entry(path, EntryKind.DIRECTORY, 0o755, 0) for path in directories]
        for entry in entries:
            reason = path_objection(entry.path)
            if entry.kind is EntryKind.SYMLINK:
                reason = reason or target_objection(entry.target)
            if reason is not None:
                raise hostile_entry_error("memory", entry.path, reason)
        self.entries = index_entries(entries, "memory")

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes."""
        file_entry(self.entries, path)
        with lend(self._data[path]) as data:
            yield data


class OverlayTree:
    """Trees laid over each other: a file or link of a later one replaces an earlier one's, directories merge."""

    def __init__(self, *trees: Tree, where: str = "overlay", hint: str | None = None) -> None:
        """Merge the entries; LP008, naming `where`, when a path is a directory in one tree and none in another."""
        hint = hint or RENAME_HINT
        self._owners: dict[str, Tree] = {}
        entries: dict[str, Entry] = {}
        for tree in trees:
            for path, entry in tree.entries.items():
                below = entries.get(path, entry)
                if below.kind is not entry.kind and EntryKind.DIRECTORY in (below.kind, entry.kind):
                    raise hostile_entry_error(
                        where,
                        path,
                        f"it is a {below.kind.value} in one tree and a {entry.kind.value} in another",
                        hint=hint,
                    )
                entries[path] = entry
                self._owners[path] = tree
        self.entries = index_entries(entries.values(), where, hint=hint)

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes from the last tree that has it."""
        return self._owners[path].view(path)


RENAME_HINT = "Rename the file or the directory, or name one of them in .lambdapackignore."


class FilteredTree:
    """The entries of a tree that a filter keeps."""

    def __init__(self, tree: Tree, keep: Callable[[Entry], bool]) -> None:
        """Call `keep` once for every entry."""
        self._tree = tree
        self.entries: Mapping[str, Entry] = {path: entry for path, entry in tree.entries.items() if keep(entry)}

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes; KeyError for an entry that was filtered out."""
        return self._tree.view(self.entries[path].path)


class TransformedTree:
    """A tree with changed entries, mostly modes; paths, kinds and bytes stay the same."""

    def __init__(self, tree: Tree, change: Callable[[Entry], Entry]) -> None:
        """Call `change` once for every entry."""
        self._tree = tree
        self.entries: Mapping[str, Entry] = {path: change(entry) for path, entry in tree.entries.items()}

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes."""
        return self._tree.view(path)


def make_readable(tree: Tree) -> TransformedTree:
    """Return a tree that every user may read: 755 for directories and executables, 644 for other files."""

    def change(entry: Entry) -> Entry:
        mode = portable_mode(entry)
        return entry if entry.kind is EntryKind.SYMLINK or mode == entry.mode else replace(entry, mode=mode)

    return TransformedTree(tree, change)


class PrefixedTree:
    """A tree below a directory: what a layer does with node_modules."""

    def __init__(self, tree: Tree, prefix: str) -> None:
        """Put every entry below `prefix`; LP008 when that is no valid entry path."""
        reason = path_objection(prefix)
        if reason is not None:
            raise hostile_entry_error("prefix", prefix, reason)
        self._tree = tree
        self._cut = len(prefix) + 1
        moved = (_move_entry(entry, f"{prefix}/{entry.path}") for entry in tree.entries.values())
        self.entries: Mapping[str, Entry] = {entry.path: entry for entry in moved}

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes; KeyError for a path outside the prefix."""
        return self._tree.view(self.entries[path].path[self._cut :])


def _move_entry(entry: Entry, path: str) -> Entry:
    return Entry(path, entry.kind, entry.mode, entry.size, entry.target, entry.identity)


MAX_DEREFERENCED_ENTRIES = 200_000
"""Entries of a dereferenced tree: links to directories multiply, and no 250 MB function has as many files."""


class DereferencedTree:
    """A tree with copies in place of its symbolic links, for tools that follow or refuse links."""

    def __init__(self, tree: Tree, root: str) -> None:
        """Follow every link; LP012 for one that dangles, leaves the tree or forms a loop.

        `root` is where Lambda puts the tree, /var/task or /opt: an absolute link below it stays in the tree.
        """
        self._tree = tree
        self._root = root
        self._below = _child_names(tree.entries)
        self._origin: dict[str, str] = {}
        entries: dict[str, Entry] = {}
        for path, origin in self._walk("", "", ("",)):
            if len(entries) >= MAX_DEREFERENCED_ENTRIES:
                raise _link_error(path, f"following links gives more than {MAX_DEREFERENCED_ENTRIES} files")
            entry = tree.entries.get(origin) or Entry(origin, EntryKind.DIRECTORY, 0o755, 0)
            entries[path] = replace(entry, path=path)
            self._origin[path] = origin
        self.entries: Mapping[str, Entry] = sort_entries(entries)

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes; KeyError when there is no such file."""
        return self._tree.view(self._origin[path])

    def _walk(self, path: str, origin: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield (path here, path in the source tree) of everything below a directory."""
        for name in self._below[origin]:
            here, target = _join_path(path, name), self._resolve(_join_path(origin, name))
            if target in above:
                raise _link_error(here, "it points to a directory that contains it")
            yield here, target
            if target in self._below:
                yield from self._walk(here, target, (*above, target))

    def _resolve(self, path: str) -> str:
        """Return the path of the file or directory that a path leads to when every link is followed."""
        pending, resolved, followed = path.split("/")[::-1], "", 0
        while pending:
            part = pending.pop()
            resolved = self._parent(path, resolved) if part == ".." else _join_path(resolved, part)
            entry = self._tree.entries.get(resolved)
            if resolved not in self._below and entry is None:
                raise _link_error(path, f"it points to {resolved!r}, which does not exist")
            if entry is not None and entry.kind is EntryKind.SYMLINK:
                followed += 1
                if followed > MAX_SYMLINKS:
                    raise _link_error(path, "its links form a loop")
                start, rest = self._target_parts(path, entry)
                resolved, pending = start, pending + rest
        return resolved

    def _target_parts(self, path: str, link: Entry) -> tuple[str, list[str]]:
        """Return the directory to continue from, and the remaining path segments, last first."""
        start, target = link.path.rpartition("/")[0], link.target
        if target.startswith("/"):
            start, target = "", target.removeprefix(self._root)
            if target == link.target or target[:1] not in ("", "/"):
                raise _link_error(path, f"it points outside the package, to {link.target!r}")
        return start, [part for part in target.split("/") if part not in ("", ".")][::-1]

    def _parent(self, path: str, directory: str) -> str:
        if not directory:
            raise _link_error(path, "it points outside the package")
        return directory.rpartition("/")[0]


def _link_error(path: str, reason: str) -> LambdapackError:
    return LambdapackError(UNRESOLVABLE_LINK, f"{path}: {reason}")


def _child_names(entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """Return the names in each directory, including directories without an entry of their own."""
    children: dict[str, dict[str, None]] = {"": {}}
    for entry in entries.values():
        if entry.kind is EntryKind.DIRECTORY:
            children.setdefault(entry.path, {})
        path = entry.path
        while path:
            path, _slash, name = path.rpartition("/")
            children.setdefault(path, {})[name] = None
    return {parent: list(names) for parent, names in children.items()}


def _join_path(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def prune_tree(tree: Tree, paths: Collection[str]) -> Tree:
    """Return a tree without the entries at `paths`; a directory is removed with everything below it."""
    gone = frozenset(paths)
    return FilteredTree(tree, lambda entry: not _is_below(entry.path, gone)) if gone else tree


def _is_below(path: str, gone: Collection[str]) -> bool:
    while path and path not in gone:
        path = path.rpartition("/")[0]
    return bool(path)
