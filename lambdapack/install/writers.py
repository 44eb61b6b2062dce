"""Which script may write where: its own package's directory, what is known, and what the user allows. Reads nothing."""

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from lambdapack.managers.interface import InstallCommand, ScriptedPackage
    from lambdapack.managers.lock import Lock
    from lambdapack.tree.entry import Tree

MODULES_DIRECTORY = "node_modules"


@dataclass(frozen=True, slots=True)
class AllowedWrite:
    """Files outside its own directory that the scripts of a package may make or change."""

    package: str  # npm name
    pattern: str  # gitignore pattern, from the directory of package.json
    reason: str  # for a known one: where its authors say so


MAX_WRITE_WILDCARDS = 8
"""Asterisks of a pattern; matching one against a path takes longer with each."""


def parse_allowed_write(key: str, reason: str) -> AllowedWrite:
    """Return what "PACKAGE:path" and a reason allow; ValueError, in words for people, for anything else."""
    package, _colon, pattern = (part.strip() for part in key.partition(":"))
    if not package or not pattern or pattern.startswith(("!", "#")):
        raise ValueError(f"{key!r} is not PACKAGE:PATH: one such as @prisma/client:node_modules/.prisma/** is expected")
    if pattern.count("*") > MAX_WRITE_WILDCARDS:
        raise ValueError(f"{key!r} has more than {MAX_WRITE_WILDCARDS} wildcards")
    if not reason:
        raise ValueError(f"{key} has no reason: a sentence that says why is expected")
    return AllowedWrite(package, pattern, reason)


KNOWN_WRITERS: tuple[AllowedWrite, ...] = (
    AllowedWrite(
        "@prisma/client",
        "**/node_modules/.prisma/**",
        "its postinstall script generates the client there: scripts/postinstall.js of 6.19.3, read 2026-11",
    ),
)
"""Packages whose scripts write beside their own directory by design. They need no setting."""

SCRATCH_PATTERN = "**/node_modules/.cache/**"
"""Where find-cache-dir puts the caches of all tools. Nothing of it ships (pack/cleanup.py)."""


@dataclass(frozen=True, slots=True)
class ScriptWriter:
    """Somebody whose scripts run."""

    label: str  # "bcrypt@6.0.0"; "postinstall script of this project"
    package: str = ""  # npm name; "" the project itself, which may write wherever it likes
    directory: str = ""  # of its files, below the root


class WriteRules:
    """Knows whose directory a path lies in, and who else may write there."""

    def __init__(self, places: Collection[str], allowed: Sequence[AllowedWrite] = ()) -> None:
        """`places` are the directories of the packages; `allowed` is the user's list."""
        self._places = frozenset(places)
        patterns: dict[str, list[str]] = {}
        for write in (*KNOWN_WRITERS, *allowed):
            patterns.setdefault(write.package, [SCRATCH_PATTERN]).append(write.pattern)
        self._patterns = patterns
        self._specs: dict[str, GitIgnoreSpec] = {}

    def owner(self, path: str) -> str:
        """Return the directory of the innermost package that a path lies in, "" for none."""
        while path and path not in self._places:
            path = posixpath.dirname(path)
        return path

    def admits(self, writer: ScriptWriter, path: str) -> bool:
        """Tell whether the scripts of a writer may make or change a file."""
        if not writer.package or self.owner(path) == writer.directory:
            return True
        return self._spec(writer.package).match_file(path)

    def _spec(self, package: str) -> "GitIgnoreSpec":
        if package not in self._specs:
            from pathspec import GitIgnoreSpec  # noqa: PLC0415  # few scripts write outside their package

            self._specs[package] = GitIgnoreSpec.from_lines(self._patterns.get(package, [SCRATCH_PATTERN]))
        return self._specs[package]


def find_writer(step: "InstallCommand") -> ScriptWriter:
    """Return whose scripts a command runs: a package's, or the project's own."""
    package = step.package
    if package is None:
        return ScriptWriter(f"{step.script} script of this project")
    return package_writer(package)


def package_writer(package: "ScriptedPackage") -> ScriptWriter:
    """Return a package's scripts."""
    name, mark, _version = package.name.rpartition("@")
    return ScriptWriter(package.name, name if mark and name else package.name, package.directory)


def package_directories(tree: "Tree", lock: "Lock | None") -> frozenset[str]:
    """Return the directories of all packages of an installed tree; what a tarball bundles belongs to its bundler."""
    bundled = {package.path for package in lock.packages.values() if package.in_bundle} if lock else set()
    linked = {package.local for package in lock.production if package.link and package.local} if lock else set()
    return frozenset(linked | (set(_package_directories(tree)) - bundled))


def _package_directories(tree: "Tree") -> Iterator[str]:
    for path in tree.entries:
        directory, _, name = path.rpartition("/")
        if name == "package.json" and _is_package_place(directory):
            yield directory


def _is_package_place(directory: str) -> bool:
    parent, _, name = directory.rpartition("/")
    scope, _, scope_name = parent.rpartition("/")[2].partition("@")
    if not scope and scope_name:
        parent = posixpath.dirname(parent)
    return posixpath.basename(parent) == MODULES_DIRECTORY and not name.startswith("@")


def describe_changes(changes: Mapping[str, str], most: int = 5) -> str:
    """Return "changed a, made b and 3 more" for paths and what happened to them."""
    named = [f"{what} {path}" for path, what in sorted(changes.items())]
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more
