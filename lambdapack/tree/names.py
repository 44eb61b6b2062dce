"""Which paths and link targets a tree may have, its index, and a tree with its symlinks followed. Reads no bytes."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import HOSTILE_ARCHIVE, UNRESOLVABLE_LINK
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.tree.entry import Entry, EntryKind, Tree

DRIVE_LETTER = re.compile(r"[A-Za-z]:")

ORDINARY_PATH = re.compile(r"(?:[A-Za-z0-9_@+~-][A-Za-z0-9_@+~.-]{0,99}(?:/(?=.)|\Z)){1,20}")
"""Nearly every name there is, admitted at once: the tests beyond it cost as much as the rest of a walk."""

NAME_MAX = 255
"""Bytes of one part of a path that Linux can create: NAME_MAX of linux/limits.h. Longer is ENAMETOOLONG on Lambda."""

PATH_MAX = 4096
"""Bytes of a path or of a link's target, the closing zero included: PATH_MAX of linux/limits.h."""

LAMBDA_ROOTS = (LAYER_ROOT, TASK_ROOT)
"""What points there points into a package."""

MAX_SYMLINKS = 40
"""MAXSYMLINKS of Linux: a longer chain is ELOOP."""


def canonical_path(name: str) -> str:
    """Return an archive's name without "./", doubled and closing slashes; a leading slash and ".." stay."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/" * name.startswith("/") + "/".join(parts)


def path_objection(path: str) -> str | None:
    """Return why a canonical path must not be in a tree, None when it may."""
    if ORDINARY_PATH.fullmatch(path):
        return None
    if not path:
        return "it has no name"
    if path.startswith("/") or DRIVE_LETTER.match(path):
        return "it is an absolute path"
    if "\\" in path:
        return "it has a backslash, which is a separator on one system and a letter on another"
    if "\0" in path:
        return "it has a zero byte"
    parts = path.split("/")
    if ".." in parts:
        return "it leaves the archive"
    if not {"", "."}.isdisjoint(parts):
        return "it has an empty part"
    return _length_objection(path, parts)


def _length_objection(path: str, parts: list[str]) -> str | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if size >= PATH_MAX or (size > NAME_MAX and any(len(part.encode()) > NAME_MAX for part in parts)):
        return "it is longer than Linux allows"
    return None


def target_objection(target: str) -> str | None:
    """Return why a text cannot be a link's target, None when it can; where it leads is another question."""
    try:
        size = len(target.encode())
    except UnicodeEncodeError:
        return "it is a link to a name that is not valid UTF-8"
    if not 0 < size < PATH_MAX or "\0" in target:
        return "it is a link to nothing that can be a name"
    return None


def hostile_entry_error(where: object, path: str, reason: str, *, hint: str | None = None) -> LambdapackError:
    """Return LP008 for an entry; the name is quoted, so that control characters in it do nothing."""
    return LambdapackError(HOSTILE_ARCHIVE, f"{where}: {path!r}: {reason}", hint=hint)


def admit_path(name: str, where: object) -> str:
    """Return the canonical path of an archive's entry, "" for its root; LP008 when it must not be unpacked."""
    path = canonical_path(name)
    reason = path_objection(path) if path else None
    if reason is not None:
        raise hostile_entry_error(where, name, reason)
    return path


def is_escaping_target(path: str, target: str) -> bool:
    """Tell whether a symlink at `path` names a place outside the tree, read letter by letter.

    Absolute targets below /opt and /var/task stay: that is where Lambda puts layers and functions.
    """
    if target.startswith("/"):
        real = "/" + posixpath.normpath(target).lstrip("/")
        return not any(real == root or real.startswith(f"{root}/") for root in LAMBDA_ROOTS)
    real = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return real == ".." or real.startswith("../")


def is_escaping_link(entries: Mapping[str, Entry], path: str) -> bool:
    """Tell whether the symlink at `path` leads out of the tree when the links on its way are followed too."""
    done, pending, link = path.split("/")[:-1], list[str](), entries[path]
    for _ in range(MAX_SYMLINKS):
        if link.target.startswith("/"):
            return is_escaping_target(link.path, "/".join((link.target, *pending)))
        pending[:0] = [part for part in link.target.split("/") if part not in ("", ".")]
        following = _walk_to_link(entries, done, pending)
        if following is None:
            return pending == [".."]
        link = following
    return False


def _walk_to_link(entries: Mapping[str, Entry], done: list[str], pending: list[str]) -> Entry | None:
    """Walk to the next link; None at the end, with [".."] left in `pending` when the walk left the tree."""
    while pending:
        step = pending.pop(0)
        if step == "..":
            if not done:
                pending[:] = [".."]
                return None
            done.pop()
            continue
        done.append(step)
        entry = entries.get("/".join(done))
        if entry is not None and entry.kind is EntryKind.SYMLINK:
            done.pop()
            return entry
    return None


MAX_DEREFERENCED_ENTRIES = 200_000
"""Entries; links to directories that hold links multiply, and no function of 250 MB has as many files."""


class DereferencedTree:
    """The same files with copies in place of links: for tools that follow or refuse symbolic links."""

    def __init__(self, tree: Tree, root: str) -> None:
        """Follow every link; LP012 for one that dangles, leaves the tree, or goes round in a circle.

        `root` is where Lambda puts the tree, /var/task or /opt: an absolute link below it stays in the tree.
        """
        self._tree = tree
        self._root = root
        self._below = _child_names(tree.entries)
        self._origin: dict[str, str] = {}
        found: dict[str, Entry] = {}
        for path, origin in self._walk("", "", ("",)):
            if len(found) >= MAX_DEREFERENCED_ENTRIES:
                raise _link_error(path, f"following links gives more than {MAX_DEREFERENCED_ENTRIES} files")
            entry = tree.entries.get(origin) or Entry(origin, EntryKind.DIRECTORY, 0o755, 0)
            found[path] = replace(entry, path=path)
            self._origin[path] = origin
        self.entries: Mapping[str, Entry] = sort_entries(found)

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Lend a file's bytes; KeyError when there is no such file."""
        return self._tree.view(self._origin[path])

    def _walk(self, path: str, origin: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Give (path here, path in the tree) of everything below a directory."""
        for name in self._below[origin]:
            here, there = _join_path(path, name), self._real(_join_path(origin, name))
            if there in above:
                raise _link_error(here, "it points to a directory that it is in itself")
            yield here, there
            if there in self._below:
                yield from self._walk(here, there, (*above, there))

    def _real(self, path: str) -> str:
        """Return the file or directory that a path names once every link on the way is followed."""
        pending, done, followed = path.split("/")[::-1], "", 0
        while pending:
            part = pending.pop()
            done = self._above(path, done) if part == ".." else _join_path(done, part)
            entry = self._tree.entries.get(done)
            if done not in self._below and entry is None:
                raise _link_error(path, f"it points to {done!r}, which is not there")
            if entry is not None and entry.kind is EntryKind.SYMLINK:
                followed += 1
                if followed > MAX_SYMLINKS:
                    raise _link_error(path, "its links go round in a circle")
                start, more = self._pointed(path, entry)
                done, pending = start, pending + more
        return done

    def _pointed(self, path: str, link: Entry) -> tuple[str, list[str]]:
        """Return the directory to go on from, and the parts still to go, last first."""
        start, target = link.path.rpartition("/")[0], link.target
        if target.startswith("/"):
            start, target = "", target.removeprefix(self._root)
            if target == link.target or target[:1] not in ("", "/"):
                raise _link_error(path, f"it points out of the package, to {link.target!r}")
        return start, [part for part in target.split("/") if part not in ("", ".")][::-1]

    def _above(self, path: str, directory: str) -> str:
        if not directory:
            raise _link_error(path, "it points out of the package")
        return directory.rpartition("/")[0]


def _link_error(path: str, reason: str) -> LambdapackError:
    return LambdapackError(UNRESOLVABLE_LINK, f"{path}: {reason}")


def _child_names(entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """Return the names in each directory, also in those that have no entry of their own."""
    found: dict[str, dict[str, None]] = {"": {}}
    for entry in entries.values():
        if entry.kind is EntryKind.DIRECTORY:
            found.setdefault(entry.path, {})
        path = entry.path
        while path:
            path, _slash, name = path.rpartition("/")
            found.setdefault(path, {})[name] = None
    return {parent: list(names) for parent, names in found.items()}


def _join_path(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def index_entries(entries: Iterable[Entry], where: object, *, hint: str | None = None) -> Mapping[str, Entry]:
    """Return path to entry in byte order; LP008 for a repeated name and for one below a file or a link.

    An entry below a link would be written wherever the link points when somebody unpacks the archive.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in found:
            raise hostile_entry_error(where, entry.path, "it is there twice", hint=hint)
        found[entry.path] = entry
    checked: set[str] = set()
    for path in found:
        for parent in ancestors(path, checked):
            above = found.get(parent)
            if above is not None and above.kind is not EntryKind.DIRECTORY:
                raise hostile_entry_error(
                    where, path, f"it lies below {parent!r}, which is a {above.kind.value}", hint=hint
                )
    return sort_entries(found)


def sort_entries(entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
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
    if entry.kind is not EntryKind.FILE:
        raise KeyError(path)
    return entry
