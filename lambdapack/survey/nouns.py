"""What `inspect` finds. Facts with their sums, in the order in which they are told; judged by rules/ alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lambdapack.rules.verdict import Judgement, Report


class Sort(Enum):
    """What a file is for. The value is the inspection's word."""

    NATIVE = "native"
    JS = "js"
    MAPS = "maps"
    TYPES = "types"
    DOCS = "docs"
    TESTS = "tests"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class File:
    """One file, at the path that a report has for it."""

    path: str
    size: int  # bytes
    sort: Sort


@dataclass(frozen=True, slots=True)
class Weight:
    """Files counted together."""

    files: int = 0
    size: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One package on the way from the function to another."""

    name: str
    version: str  # "" when its package.json does not say


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package as it lies in the tree, without the packages inside it; "" is the function's own code."""

    path: str  # its directory
    name: str
    version: str
    files: tuple[File, ...]  # the largest first
    chain: tuple[Step, ...] | None  # from the function's own dependency to it; None: nothing asks for it
    dev: bool = False  # only a devDependency leads to it

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.size for each in self.files)


@dataclass(frozen=True, slots=True)
class Native:
    """A judged binary, and what it is linked with."""

    judgement: Judgement
    libc: str | None  # "glibc 2.28", "musl"; None: it asks for none, or is no ELF file
    owner: Package


@dataclass(frozen=True, slots=True)
class SamePackage:
    """One name and version that lies in several places."""

    name: str
    version: str
    paths: tuple[str, ...]
    spare: int  # bytes of all but the largest


@dataclass(frozen=True, slots=True)
class SameBytes:
    """Files that are equal byte for byte."""

    sha256: str  # hex
    size: int  # bytes of one
    paths: tuple[str, ...]

    @property
    def spare(self) -> int:
        """Bytes of all but one."""
        return self.size * (len(self.paths) - 1)


@dataclass(frozen=True, slots=True)
class Spare:
    """A file that a build would not pack."""

    path: str
    size: int  # bytes
    reason: str  # "other-system": a binary that this target never loads; "leftover": of an install or a compiler


@dataclass(frozen=True, slots=True)
class Inspection:
    """A package, looked at from all sides."""

    report: Report
    sorts: Mapping[Sort, Weight]  # the heaviest first; those that are there
    packages: tuple[Package, ...]  # the heaviest first
    natives: tuple[Native, ...]  # the heaviest first
    same_packages: tuple[SamePackage, ...] = field(default=())  # what wastes most first
    same_bytes: tuple[SameBytes, ...] = field(default=())  # likewise
    spares: tuple[Spare, ...] = field(default=())  # the heaviest first

    @property
    def whole(self) -> Weight:
        """All files together."""
        each = self.sorts.values()
        return Weight(sum(one.files for one in each), sum(one.size for one in each))

    @property
    def saving(self) -> int:
        """Bytes that pruning would save."""
        return sum(each.size for each in self.spares)
