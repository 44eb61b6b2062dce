"""Which programs of a package its own JavaScript never names, though it names others beside them. Only reads."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from lambdapack.project.installed import PackageManifest
from lambdapack.project.sources import LARGEST, MOST_BYTES, MOST_FILES
from lambdapack.tree.entry import Kind, Tree, read

SOURCES = (".js", ".cjs", ".mjs", "/package.json")


def unnamed_programs(tree: Tree, manifests: Mapping[str, PackageManifest], programs: Iterable[str]) -> frozenset[str]:
    """Return those of the programs (paths) that nothing in their package seems to start.

    A name counts wherever it stands, in a comment too; of a package too big to read nothing is concluded.
    """
    owned: dict[str, list[str]] = {}
    for path in programs:
        owner = next((each for each in _above(path) if each in manifests), "")
        if "node_modules/" in owner:
            owned.setdefault(owner, []).append(path)
    several = {owner: paths for owner, paths in owned.items() if len(paths) > 1}
    return frozenset(path for owner, paths in several.items() for path in _unnamed(tree, owner, paths))


def _above(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _unnamed(tree: Tree, owner: str, programs: list[str]) -> Iterator[str]:
    texts = _sources(tree, owner)
    named = {each for each in programs if any(_names(text, posixpath.basename(each)) for text in texts)}
    places = {posixpath.dirname(each) for each in named}
    yield from (each for each in programs if each not in named and posixpath.dirname(each) in places)


def _names(text: str, program: str) -> bool:
    """Tell whether a text has a program's name as a word of its own: dwebp is none of cwebp's."""
    return re.search(rf"(?<![\w-]){re.escape(program)}(?![\w-])", text) is not None


def _sources(tree: Tree, owner: str) -> list[str]:
    start = f"{owner}/"
    inside = (each for each in tree.entries.values() if each.path.startswith(start) and each.kind is Kind.FILE)
    own = [each for each in inside if each.path.endswith(SOURCES) and "node_modules/" not in each.path[len(start) :]]
    if len(own) > MOST_FILES or sum(each.size for each in own) > MOST_BYTES or any(each.size > LARGEST for each in own):
        return []
    return [read(tree, each.path).decode("utf-8", "replace") for each in own]
