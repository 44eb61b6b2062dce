"""The file system of an image as the loader walks it: symbolic links resolve inside its root."""

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property

from lambdapack.tree.entry import MAX_SYMLINKS, Entry, EntryKind, Tree, read_file

MULTIARCH_TRIPLETS = {62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu"}
"""Debian's multiarch directory by e_machine; Amazon Linux has /lib64."""


VOLATILE_DIRECTORIES = frozenset({"dev", "proc", "sys", "run", "tmp", "var/tmp", "var/run", "var/cache"})
"""Where a root file system has devices, pipes and sockets, but neither libraries nor node."""


def is_worth_indexing(path: str, _is_directory: bool) -> bool:  # noqa: FBT001  # the form of a tree's `keep`
    """Tell whether an entry of a root file system is worth a look: `keep` for whoever opens a directory."""
    return path not in VOLATILE_DIRECTORIES and not path.startswith(
        tuple(f"{directory}/" for directory in VOLATILE_DIRECTORIES)
    )


class RootFs:
    """Looks names up under the root of an image. Paths are absolute, entries of the tree are not."""

    def __init__(self, tree: Tree) -> None:
        """Keep the tree; nothing is read before it is asked for."""
        self._tree = tree
        self._entries: Mapping[str, Entry] = tree.entries

    @cached_property
    def _children(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for path in self._entries:
            while path:
                parent, _, name = path.rpartition("/")
                siblings = found.setdefault(parent, set())
                if name in siblings:
                    break
                siblings.add(name)
                path = parent  # noqa: PLW2901  # up to the root: parents may have no entry of their own
        return {parent: tuple(sorted(names)) for parent, names in found.items()}

    def real(self, path: str) -> str | None:
        """Return the path of the entry that an absolute path leads to, None when it leads nowhere."""
        pending = _split_path(path)
        done = ""
        for _ in range(MAX_SYMLINKS):
            link = None
            while pending and link is None:
                done = posixpath.join(done, pending.pop(0))
                entry = self._entries.get(done)
                link = entry if entry is not None and entry.kind is EntryKind.SYMLINK else None
            if link is None:
                return done if done in self._entries or done in self._children or done == "" else None
            pending = _split_path(posixpath.join("/", posixpath.dirname(done), link.target)) + pending
            done = ""
        return None

    def listing(self, directory: str) -> tuple[str, ...]:
        """Return the names in a directory, none when it is not there."""
        real = self.real(directory)
        return () if real is None else self._children.get(real, ())

    def file(self, path: str) -> str | None:
        """Return the tree's own path of a regular file, None when there is none."""
        real = self.real(path)
        entry = self._entries.get(real) if real else None
        return real if entry is not None and entry.kind is EntryKind.FILE else None

    def files_named(self, name: str) -> tuple[str, ...]:
        """Return the tree's paths of the regular files of that name."""
        named = (entry for path, entry in self._entries.items() if path.rpartition("/")[2] == name)
        return tuple(entry.path for entry in named if entry.kind is EntryKind.FILE)

    def text(self, path: str) -> str:
        """Return a small text file, "" when it is not there."""
        real = self.file(path)
        return read_file(self._tree, real).decode("utf-8", "replace") if real else ""

    def search_path(self, machine: int) -> tuple[str, ...]:
        """Return the directories of ld.so.conf and of the loader itself, in order, those that exist."""
        triplet = MULTIARCH_TRIPLETS.get(machine, "")
        debian = [f"/lib/{triplet}", f"/usr/lib/{triplet}"]
        built_in = ["/lib64", "/usr/lib64"]
        if triplet and self.real(debian[1]):
            built_in = [*debian, *built_in, "/lib", "/usr/lib"]
        found = dict.fromkeys([*self._configured("/etc/ld.so.conf", depth=0), *built_in])
        return tuple(directory for directory in found if self.listing(directory))

    def _configured(self, path: str, depth: int) -> Iterator[str]:
        for raw in self.text(path).splitlines() if depth < 4 else ():
            line = raw.split("#", 1)[0].strip()
            if line.startswith("/"):
                yield line.rstrip("/")
            elif line.startswith("include "):
                for file in self._included(line.split(None, 1)[1]):
                    yield from self._configured(file, depth + 1)

    def _included(self, pattern: str) -> Iterator[str]:
        """Only the form that distributions write: ld.so.conf.d/*.conf."""
        directory, _, name = posixpath.join("/etc", pattern).rpartition("/")
        suffix = name.removeprefix("*")
        yield from (f"{directory}/{name}" for name in self.listing(directory) if name.endswith(suffix))


def _split_path(path: str) -> list[str]:
    return [part for part in posixpath.normpath("/" + path).split("/") if part]
