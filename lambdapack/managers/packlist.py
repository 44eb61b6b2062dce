"""Which files of a local package a copy of it has: those that `npm pack` would put into its tarball."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.model import NODE_MODULES
from lambdapack.project.document import parse_object, read_text, string_entries
from lambdapack.project.exclusions import CREDENTIAL_FILES, ENVIRONMENT_FILE_PREFIX, EXCLUDED_DIRECTORIES
from lambdapack.tree.directory import DirectoryTree, PathFilter
from lambdapack.tree.entry import Tree

ALWAYS_PACKED = re.compile(r"(?:package\.json|(?:readme|licen[cs]e|copying)(?:\.[^/]*)?|binding\.gyp)", re.IGNORECASE)
"""At the root of a package, whatever its `files` and ignore files say (npm-packlist 10.0.3, read 2026-11).

binding.gyp is not among npm's: without it an addon of the repository would not be compiled.
"""

NEVER_PACKED = (
    ".npmignore", ".gitignore", ".DS_Store", "._*", "*.orig", ".*.swp", ".lock-wscript", "npm-debug.log",
    "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lockb", "archived-packages", "/build/config.gypi",
)  # fmt: skip
"""What npm leaves out of every tarball (npm-packlist 10.0.3, read 2026-11)."""

ENTRY_FIELDS = ("main", "module", "browser", "types")
MAX_ENTRY_DEPTH = 8
"""Levels of an `exports` map that are looked at."""


def packed_files(directory: Path) -> Tree:
    """Return the files of a package's directory that a copy of it has. LP003 for a package.json that cannot be read."""
    path = directory / "package.json"
    manifest = parse_object(read_text(path), path) if path.is_file() else {}
    return DirectoryTree(directory, keep=_pack_filter(directory, manifest))


def _pack_filter(directory: Path, manifest: Mapping[str, Any]) -> PathFilter:
    import pathspec  # noqa: PLC0415  # 30 ms that most builds need not pay

    never = pathspec.GitIgnoreSpec.from_lines(NEVER_PACKED).match_file
    entries = frozenset(_entry_files(manifest))
    listed = _listed_files(manifest)
    matches = _file_matcher(listed) if listed is not None else _ignore_matcher(directory, entries)

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the signature of DirectoryTree
        name = posixpath.basename(path)
        if name in EXCLUDED_DIRECTORIES or name in CREDENTIAL_FILES or name.startswith(ENVIRONMENT_FILE_PREFIX):
            return False
        if is_directory:
            compiled = path == "build" and (directory / "binding.gyp").is_file()
            return not compiled and (listed is not None or matches(f"{path}/") or _has_entry(path, entries))
        if ALWAYS_PACKED.fullmatch(path) or path in entries:
            return True
        return not never(path) and matches(path)

    return keep


def _has_entry(directory: str, entries: frozenset[str]) -> bool:
    return any(entry.startswith(f"{directory}/") for entry in entries)


def _listed_files(manifest: Mapping[str, Any]) -> list[str] | None:
    files = manifest.get("files")
    return [file for file in files if isinstance(file, str)] if isinstance(files, list) else None


def _file_matcher(listed: list[str]) -> Callable[[str], bool]:
    """Return a test for `files`: gitignore patterns that include, each anchored at the package's root."""
    import pathspec  # noqa: PLC0415

    patterns = []
    for file in listed:
        negated = "!" if file.startswith("!") else ""
        bare = posixpath.normpath(file.lstrip("!").replace("\\", "/")).lstrip("/")
        patterns.append(f"{negated}/{'**' if bare == '.' else bare}")
    return pathspec.GitIgnoreSpec.from_lines(patterns).match_file


def _ignore_matcher(directory: Path, entries: frozenset[str]) -> Callable[[str], bool]:
    """Return a test for .npmignore, or .gitignore without one.

    A .gitignore that leaves out the directory of the package's own entry (`dist/`) is for git alone: in its repository
    the package works with these files.
    """
    import pathspec  # noqa: PLC0415

    lines = _read_lines(directory / ".npmignore")
    if lines is not None:
        ignored = pathspec.GitIgnoreSpec.from_lines(lines).match_file
        return lambda path: not ignored(path)
    ignored = pathspec.GitIgnoreSpec.from_lines(_read_lines(directory / ".gitignore") or []).match_file
    built = tuple({entry.partition("/")[0] + "/" for entry in entries if "/" in entry and ignored(entry)})
    return lambda path: not ignored(path) or path.startswith(built)


def _read_lines(path: Path) -> list[str] | None:
    try:
        return read_text(path).splitlines() if path.is_file() else None
    except LambdapackError:
        return []


def _entry_files(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that package.json itself names."""
    named = [manifest.get(field) for field in ENTRY_FIELDS]
    programs = manifest.get("bin")
    named += [programs] if isinstance(programs, str) else list(string_entries(programs).values())
    named += list(_export_targets(manifest.get("exports"), MAX_ENTRY_DEPTH))
    for name in named:
        if isinstance(name, str) and name and "*" not in name:
            path = posixpath.normpath(name)
            if not path.startswith(("..", "/")) and NODE_MODULES not in path.split("/"):
                yield path


def _export_targets(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict) and depth:
        for part in value.values() if isinstance(value, dict) else value:
            yield from _export_targets(part, depth - 1)
