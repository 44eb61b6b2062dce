"""Programs of a package that none of its JavaScript names although others beside them are named. Only reads."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.native_use import MAX_SOURCE_BYTES, MAX_SOURCE_FILE_BYTES, MAX_SOURCE_FILES
from lambdapack.tree.entry import EntryKind, Tree, read_file

PROGRAM_SOURCE_ENDINGS = (".js", ".cjs", ".mjs", "/package.json")


def find_unnamed_programs(
    tree: Tree, manifests: Mapping[str, PackageManifest], programs: Iterable[str]
) -> frozenset[str]:
    """Return those of the programs (paths) that nothing in their package seems to start.

    A name counts wherever it stands, in a comment too; of a package too big to read nothing is concluded.
    """
    owned: dict[str, list[str]] = {}
    for path in programs:
        owner = next((directory for directory in _parent_directories(path) if directory in manifests), "")
        if "node_modules/" in owner:
            owned.setdefault(owner, []).append(path)
    several = {owner: paths for owner, paths in owned.items() if len(paths) > 1}
    return frozenset(path for owner, paths in several.items() for path in _find_unnamed(tree, owner, paths))


def _parent_directories(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _find_unnamed(tree: Tree, owner: str, programs: list[str]) -> Iterator[str]:
    texts = _read_sources(tree, owner)
    named = {
        program for program in programs if any(_has_program_name(text, posixpath.basename(program)) for text in texts)
    }
    directories = {posixpath.dirname(program) for program in named}
    yield from (program for program in programs if program not in named and posixpath.dirname(program) in directories)


def _has_program_name(text: str, program: str) -> bool:
    """Tell whether a text has a program's name as a word of its own: dwebp is none of cwebp's."""
    return re.search(rf"(?<![\w-]){re.escape(program)}(?![\w-])", text) is not None


def _read_sources(tree: Tree, owner: str) -> list[str]:
    start = f"{owner}/"
    inside = (entry for entry in tree.entries.values() if entry.path.startswith(start) and entry.kind is EntryKind.FILE)
    own = [
        entry
        for entry in inside
        if entry.path.endswith(PROGRAM_SOURCE_ENDINGS) and "node_modules/" not in entry.path[len(start) :]
    ]
    if (
        len(own) > MAX_SOURCE_FILES
        or sum(entry.size for entry in own) > MAX_SOURCE_BYTES
        or any(entry.size > MAX_SOURCE_FILE_BYTES for entry in own)
    ):
        return []
    return [read_file(tree, entry.path).decode("utf-8", "replace") for entry in own]
