"""Finds build leftovers that an install leaves behind and no function opens. Never removes what a loader could pick.

Build logs and makefiles hold absolute paths and times, so they also make equal packages differ (aws/aws-cli#3131).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lambdapack.tree.compose import prune_tree
from lambdapack.tree.entry import Entry, Tree

GYP_MARKER_FILES: Final = frozenset(("config.gypi", "binding.Makefile", "gyp-mac-tool"))
"""Files by which a directory named build is node-gyp's (`node-gyp configure` writes them)."""

CMAKE_MARKER_FILE: Final = "CMakeCache.txt"

GYP_LEFTOVERS: Final = re.compile(
    r"(?:Makefile|config\.gypi|gyp-mac-tool|node_gyp_bins(?:/.*)?"
    r"|\.deps(?:/.*)?|(?:Release|Debug)/(?:\.deps|obj|obj\.target|obj\.host)(?:/.*)?|(?:Release|Debug)/linker\.lock"
    r"|(?:.*/)?[^/]+\.(?:o|d|a|stamp|mk|Makefile))",
    re.DOTALL,
)
"""Paths below a gyp build directory; the finished addon build/Release/NAME.node and files copied beside it stay.

node_gyp_bins holds a link to the image's own python3, which leaves the tree."""

CMAKE_LEFTOVERS: Final = re.compile(
    r"(?:(?:.*/)?(?:CMakeFiles(?:/.*)?|Makefile|cmake_install\.cmake|CMakeCache\.txt|[^/]+\.(?:o|d|a)))"
    r"|compile_commands\.json|\.ninja_(?:log|deps)|build\.ninja",
    re.DOTALL,
)

BOOKKEEPING_FILES: Final = re.compile(
    r"(?:.*/)?node_modules/(?:\.package-lock\.json|\.yarn-integrity|\.yarn-state\.yml|\.modules\.yaml|\.cache(?:/.*)?)"
    r"|(?:.*/)?node_modules/(?:.*/)?(?:build-tmp-napi-v\d+|__pycache__)(?:/.*)?"
    r"|(?:.*/)?node_modules/(?:.*/)?(?:\._[^/]+|\.DS_Store)",
    re.DOTALL,
)
"""Records of npm, yarn and pnpm, caches, node-pre-gyp's scratch files, gyp's compiled Python and what macOS leaves
beside files that it copies (._NAME), anywhere in a package.

node_modules/.bin stays: there are programs that start their tools by that path."""


@dataclass(frozen=True, slots=True)
class CleanedTree:
    """A tree without build leftovers."""

    tree: Tree
    removed: tuple[Entry, ...]

    @property
    def bytes_saved(self) -> int:
        """Bytes of the removed entries."""
        return sum(entry.size for entry in self.removed)


def clean_tree(tree: Tree) -> CleanedTree:
    """Return a dependency tree without build leftovers, and the removed entries."""
    dropped = frozenset(find_leftovers(tree.entries))
    return CleanedTree(
        prune_tree(tree, dropped), tuple(entry for path, entry in tree.entries.items() if path in dropped)
    )


def find_leftovers(entries: Mapping[str, Entry]) -> Iterator[str]:
    """Yield the paths of all build leftovers, in order."""
    builds = dict(_build_directories(entries))
    for path in entries:
        if BOOKKEEPING_FILES.fullmatch(path) or _is_leftover(path, builds):
            yield path


def _build_directories(entries: Mapping[str, Entry]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for path in entries:
        directory, _, name = path.rpartition("/")
        if directory.rpartition("/")[2] != "build":
            continue
        if name in GYP_MARKER_FILES:
            yield directory, GYP_LEFTOVERS
        elif name == CMAKE_MARKER_FILE:
            yield directory, CMAKE_LEFTOVERS


def _is_leftover(path: str, builds: Mapping[str, re.Pattern[str]]) -> bool:
    return any(
        directory in builds and builds[directory].fullmatch(path[len(directory) + 1 :])
        for directory in _parent_directories(path)
    )


def _parent_directories(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
