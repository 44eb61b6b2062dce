"""The classes of an inspection, and the category of a file by its name and directory."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lambdapack.rules.model.report import Judgement, Report


class FileCategory(Enum):
    """What a file is for. The value is the inspection's word."""

    NATIVE = "native"
    JS = "js"
    MAPS = "maps"
    TYPES = "types"
    DOCS = "docs"
    TESTS = "tests"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class InspectedFile:
    """One file, at the path that a report has for it."""

    path: str
    size: int  # bytes
    sort: FileCategory


@dataclass(frozen=True, slots=True)
class FileTotals:
    """Files counted together."""

    files: int = 0
    size: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class DependentStep:
    """One package on the way from the function to another."""

    name: str
    version: str  # "" when its package.json does not say


@dataclass(frozen=True, slots=True)
class Loading:
    """Who loads a package or a file, as far as its reached files show."""

    way: tuple[str, ...]  # files from where node begins to the file itself; () when nothing is seen to load it
    certain: bool = False  # it is loaded when the function starts; else only if a call, a branch or a try is entered


@dataclass(frozen=True, slots=True)
class PackageWeight:
    """An npm package as it lies in the tree, without the packages inside it; "" is the function's own code."""

    path: str  # its directory
    name: str
    version: str
    files: tuple[InspectedFile, ...]  # the largest first
    chain: tuple[DependentStep, ...] | None  # from the function's own dependency to it; None: nothing asks for it
    dev: bool = False  # only a devDependency leads to it
    loading: "Loading | None" = None  # None: nothing says where the function begins

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(inspected_file.size for inspected_file in self.files)


@dataclass(frozen=True, slots=True)
class InspectedBinary:
    """A judged binary, and what it is linked with."""

    judgement: Judgement
    libc: str | None  # "glibc 2.28", "musl"; None: it asks for none, or is no ELF file
    owner: PackageWeight
    loading: Loading | None = None  # as a package's


@dataclass(frozen=True, slots=True)
class DuplicatePackage:
    """One name and version that lies in several places."""

    name: str
    version: str
    paths: tuple[str, ...]
    spare: int  # bytes of all but the largest


@dataclass(frozen=True, slots=True)
class DuplicateFiles:
    """Files that are equal byte for byte."""

    sha256: str  # hex
    size: int  # bytes of one
    paths: tuple[str, ...]

    @property
    def spare(self) -> int:
        """Bytes of all but one."""
        return self.size * (len(self.paths) - 1)


@dataclass(frozen=True, slots=True)
class PrunableFile:
    """A file that a build would not pack."""

    path: str
    size: int  # bytes
    reason: str  # "other-system": a binary that this target never loads; "leftover": of an install or a compiler


@dataclass(frozen=True, slots=True)
class Inspection:
    """A package, looked at from all sides."""

    report: Report
    sorts: Mapping[FileCategory, FileTotals]  # the heaviest first; those that are there
    packages: tuple[PackageWeight, ...]  # the heaviest first
    natives: tuple[InspectedBinary, ...]  # the heaviest first
    same_packages: tuple[DuplicatePackage, ...] = field(default=())  # what wastes most first
    same_bytes: tuple[DuplicateFiles, ...] = field(default=())  # likewise
    spares: tuple[PrunableFile, ...] = field(default=())  # the heaviest first

    @property
    def whole(self) -> FileTotals:
        """All files together."""
        totals = self.sorts.values()
        return FileTotals(sum(total.files for total in totals), sum(total.size for total in totals))

    @property
    def saving(self) -> int:
        """Bytes that pruning would save."""
        return sum(prunable_file.size for prunable_file in self.spares)


TYPE_DECLARATION_SUFFIXES: Final = (".d.ts", ".d.mts", ".d.cts", ".flow", ".tsbuildinfo")
TYPESCRIPT_SUFFIXES: Final = (".ts", ".mts", ".cts", ".tsx")
"""TypeScript: node runs the function's own (nodejs22.x and newer), and refuses to below node_modules."""

JAVASCRIPT_SUFFIXES: Final = (".js", ".mjs", ".cjs", ".jsx")
TEST_STEM_SUFFIXES: Final = (".test", ".spec")
TEST_DIRECTORIES: Final = frozenset(("test", "tests", "__tests__", "__mocks__", "__snapshots__", "spec", "specs"))
DOC_SUFFIXES: Final = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".1")
DOC_DIRECTORIES: Final = frozenset(("doc", "docs", "example", "examples", "man"))
DOC_FILE_STEMS: Final = frozenset(
    ("license", "licence", "readme", "changelog", "changes", "history", "authors", "contributors", "notice", "copying")
)


def categorize_file(path: str, *, native: bool, dependency: bool) -> FileCategory:
    """Return what a file is for; `path` is below its package, or below the tree when it is the function's own."""
    *above, name = path.lower().split("/")
    places = frozenset(above)
    stem, extension = posixpath.splitext(name)
    if native:
        return FileCategory.NATIVE
    if places & TEST_DIRECTORIES or (
        extension in (*JAVASCRIPT_SUFFIXES, *TYPESCRIPT_SUFFIXES) and stem.endswith(TEST_STEM_SUFFIXES)
    ):
        return FileCategory.TESTS
    if extension == ".map":
        return FileCategory.MAPS
    if name.endswith(TYPE_DECLARATION_SUFFIXES) or (dependency and extension in TYPESCRIPT_SUFFIXES):
        return FileCategory.TYPES
    if extension in DOC_SUFFIXES or places & DOC_DIRECTORIES:
        return FileCategory.DOCS
    if extension in (*JAVASCRIPT_SUFFIXES, *TYPESCRIPT_SUFFIXES):
        return FileCategory.JS
    return FileCategory.DOCS if re.split(r"[.-]", name)[0] in DOC_FILE_STEMS else FileCategory.OTHER
