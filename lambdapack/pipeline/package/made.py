"""Keeps what install scripts made in its bounds: the source is never replaced, and its exclusions hold for them too."""

from collections.abc import Mapping

from lambdapack.install.changes import is_different
from lambdapack.model import is_in_node_modules
from lambdapack.pack.source import HOST_MODULES_REASON, ExcludedPath, IgnoreRules
from lambdapack.pipeline.package.request import BoundedTree
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Entry, Tree, ancestors


def bound_tree(
    tree: Tree, authors: Mapping[str, str], owned: tuple[str, ...], source: Tree | None, ignore: IgnoreRules
) -> BoundedTree:
    """Return an installed tree without what would replace a file of the source, or what never ships.

    `authors` says whose script made a file. Directories that are `owned` by the install are no longer the source's.
    """
    own = source.entries if source else {}
    directories = {parent for path in own for parent in ancestors(path, set())}
    excluded: list[ExcludedPath] = []
    kept: list[tuple[str, str]] = []
    dropped: set[str] = set()
    for path, entry in tree.entries.items():
        if is_in_node_modules(path) or path not in authors:
            continue
        directory = next((place for place in owned if path.startswith(f"{place}/")), "")
        if not directory and (path in directories or path in own or any(up in own for up in ancestors(path, set()))):
            dropped.add(path)
            if source and _differs(source, path, tree, entry):
                kept.append((path, authors[path]))
        elif reason := _find_reason(ignore, path[len(directory) :].lstrip("/")):
            dropped.add(path)
            excluded.append((path, f"{reason}; the {authors[path]} made it"))
    if not dropped:
        return BoundedTree(tree)
    return BoundedTree(FilteredTree(tree, lambda entry: entry.path not in dropped), tuple(excluded), tuple(kept))


def _differs(source: Tree, path: str, tree: Tree, entry: Entry) -> bool:
    was = source.entries.get(path)
    return was is None or is_different(source, was, tree, entry)


def _find_reason(ignore: IgnoreRules, path: str) -> str | None:
    """Return why a made file does not ship: its own reason, or that of a directory above it."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        reason = ignore.reason("/".join(parts[:count]), is_directory=count < len(parts))
        if reason is not None and reason != HOST_MODULES_REASON:
            return reason
    return None
