"""Finds files of packages that no runtime needs: types, source maps, tests, documentation. Never what is in use.

What the module graph reaches stays, and so does a directory of which any file of its package speaks.
"""

import json
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from lambdapack.model import is_in_node_modules
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file

PRUNE_KINDS: Final = ("types", "maps", "tests", "docs")

TYPE_FILES: Final = re.compile(r".*\.(?:d\.[cm]?ts(?:\.map)?|tsbuildinfo|flow|[cm]?tsx?)", re.DOTALL | re.IGNORECASE)
"""Declarations and sources of TypeScript and Flow. Lambda's node strips types in no package of node_modules
(ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING, Node.js documentation, "Modules: TypeScript")."""

MAP_FILES: Final = re.compile(r".*\.(?:[cm]?js|css)\.map", re.DOTALL | re.IGNORECASE)

TEST_FILES: Final = re.compile(r"(?:.*/)?[^/]+[.-](?:test|tests|spec)\.[cm]?jsx?", re.DOTALL | re.IGNORECASE)
TEST_DIRECTORIES: Final = frozenset(("test", "tests", "__tests__", "__mocks__", "spec", "specs"))

DOC_FILES: Final = re.compile(
    r"(?:.*/)?(?:(?:readme|changelog|changes|history|contributing|code_of_conduct|security|upgrading|migration)"
    r"(?:[.-][^/]*)?|[^/]+\.(?:md|mkd|markdown|rst|adoc))",
    re.DOTALL | re.IGNORECASE,
)
LEGAL_FILES: Final = re.compile(
    r"(?:.*/)?(?:licen[cs]e|copying|notice|patents|unlicense)[^/]*", re.DOTALL | re.IGNORECASE
)
DOC_DIRECTORIES: Final = frozenset(("doc", "docs", "example", "examples"))

CODE_FILES: Final = re.compile(r".*\.(?:[cm]?js|json|node|wasm)", re.DOTALL)
RUNTIME_FIELDS: Final = ("main", "exports", "bin", "module")
PACKAGE_DIRECTORY: Final = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@.][^/]*(?=/)")
MAX_READ_BYTES: Final = 4 * 1024**2
"""Bytes of a file that is searched for the names of its package's directories; a longer one keeps them all."""


@dataclass(frozen=True, slots=True)
class UnneededFile:
    """A file that no runtime needs, and which kind of them it is."""

    path: str
    size: int
    kind: str


def find_unneeded_files(tree: Tree, kinds: AbstractSet[str], reached: AbstractSet[str]) -> Iterator[UnneededFile]:
    """Yield the files of packages that are of the given kinds; `reached` are paths that are loaded, which stay."""
    for directory, entries in _files_by_package(tree.entries).items():
        package = _Package(tree, directory, entries)
        if "types" in kinds and not any(entry.path in reached for entry in entries) and package.has_no_runtime():
            yield from (UnneededFile(entry.path, entry.size, "types") for entry in entries)
            continue
        for entry in entries:
            kind = package.find_kind(entry.path[len(directory) + 1 :], kinds)
            if kind and entry.path not in reached and not entry.mode & 0o111:
                yield UnneededFile(entry.path, entry.size, kind)


def _files_by_package(entries: Mapping[str, Entry]) -> Mapping[str, list[Entry]]:
    packages: dict[str, list[Entry]] = {}
    for path, entry in entries.items():
        if entry.kind is not EntryKind.FILE or not is_in_node_modules(path):
            continue
        match = PACKAGE_DIRECTORY.match(path)
        if match is not None:
            packages.setdefault(match[0], []).append(entry)
    return packages


@dataclass(slots=True)
class _Package:
    tree: Tree
    directory: str
    entries: list[Entry]
    _spoken: frozenset[str] | None = None

    def find_kind(self, path: str, kinds: AbstractSet[str]) -> str:
        """Return which kind of unneeded file a path below the package is, "" for none that is asked for."""
        if path == "package.json" or LEGAL_FILES.fullmatch(path):
            return ""
        if "types" in kinds and TYPE_FILES.fullmatch(path):
            return "types"
        if "maps" in kinds and MAP_FILES.fullmatch(path):
            return "maps"
        if "tests" in kinds and (TEST_FILES.fullmatch(path) or self._lies_in(path, TEST_DIRECTORIES)):
            return "" if path.endswith(".node") or self._is_spoken_of(path) else "tests"
        if "docs" in kinds and DOC_FILES.fullmatch(path) and not CODE_FILES.fullmatch(path):
            return "docs"
        if "docs" in kinds and self._lies_in(path, DOC_DIRECTORIES) and not path.endswith((".node", ".wasm")):
            return "" if self._is_spoken_of(path) else "docs"
        return ""

    def has_no_runtime(self) -> bool:
        """Tell whether nothing of the package could be loaded: its package.json names no file, and no code is there."""
        path = f"{self.directory}/package.json"
        if path not in self.tree.entries:
            return False
        code = (entry.path for entry in self.entries if CODE_FILES.fullmatch(entry.path))
        if any(found != path for found in code):
            return False
        try:
            document = json.loads(read_file(self.tree, path))
        except (ValueError, RecursionError):
            return False
        return isinstance(document, dict) and not any(document.get(field) for field in RUNTIME_FIELDS)

    @staticmethod
    def _lies_in(path: str, names: AbstractSet[str]) -> bool:
        return not names.isdisjoint(path.lower().split("/")[:-1])

    def _is_spoken_of(self, path: str) -> bool:
        """Tell whether a file of the package names the test or example directory, or the file, that a path is in."""
        if self._spoken is None:
            self._spoken = frozenset(self._names_in_code())
        places = {part for part in path.lower().split("/")[:-1] if part in TEST_DIRECTORIES | DOC_DIRECTORIES}
        name = path.lower().rpartition("/")[2]
        return not self._spoken.isdisjoint({*places, name, name.rpartition(".")[0]})

    def _names_in_code(self) -> Iterator[str]:
        """Yield the parts of relative paths in the strings of code that is itself no test and no example."""
        for entry in self.entries:
            path = entry.path[len(self.directory) + 1 :]
            aside = self._lies_in(path, TEST_DIRECTORIES | DOC_DIRECTORIES) or TEST_FILES.fullmatch(path)
            if aside or not path.endswith((".js", ".cjs", ".mjs", "package.json")):
                continue
            if entry.size > MAX_READ_BYTES:
                yield from TEST_DIRECTORIES | DOC_DIRECTORIES
                continue
            for match in RELATIVE_PATH.finditer(read_file(self.tree, entry.path)):
                yield from match[1].decode("utf-8", "replace").lower().split("/")


RELATIVE_PATH: Final = re.compile(rb"""["'`](?:\.{0,2}/)+([^"'`\s$]{1,200})["'`]""")
"""A string that is a relative or rooted path: what require() and exports take, and what is joined to __dirname."""
