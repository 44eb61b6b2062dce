"""Selects the files of a project that ship and sets their modes from content. Never reads the host's node_modules."""

import os
import re
import stat
import struct
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.model import NODE_MODULES
from lambdapack.pack.output import MANIFEST_SUFFIX, PROVENANCE_SUFFIX, TEMPORARY_SUFFIX
from lambdapack.project.exclusions import (
    CREDENTIAL_FILES,
    ENVIRONMENT_FILE_PREFIX,
    TOOL_DIRECTORIES,
    VERSION_CONTROL_DIRECTORIES,
)
from lambdapack.tree.compose import FilteredTree, TransformedTree
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import PATH_MAX, Entry, EntryKind, Tree

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_ET_EXEC, _ET_DYN = 2, 3  # elf.h: e_type
_PT_INTERP = 3  # elf.h: p_type
ELF_CLASS_64, ELF_LITTLE_ENDIAN = 2, 1  # elf.h: EI_CLASS, EI_DATA
MAX_PROGRAM_HEADERS = 512
"""Program headers that are read; linkers write about a dozen."""


def is_executable(data: memoryview) -> bool:
    """Tell whether the kernel would start a file: "#!", or an ELF program and not a library or an object."""
    if bytes(data[:2]) == b"#!":
        return True
    if bytes(data[:4]) != b"\x7fELF" or len(data) < 52:
        return False
    try:
        return _is_program(data)
    except struct.error:
        return False


def _is_program(data: memoryview) -> bool:
    wide, order = data[4] == ELF_CLASS_64, "<" if data[5] == ELF_LITTLE_ENDIAN else ">"
    (kind,) = struct.unpack_from(f"{order}H", data, 16)
    if kind != _ET_DYN:
        return bool(kind == _ET_EXEC)
    (table,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", data, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
    offsets = (table + size * number for number in range(min(count, MAX_PROGRAM_HEADERS)))
    return any(struct.unpack_from(f"{order}I", data, offset) == (_PT_INTERP,) for offset in offsets)


MAX_WILDCARDS: Final = 5
"""Wildcards of one name in a pattern. Of the patterns of github/gitignore none has more than three."""

YOUNG_SECONDS: Final = 60
"""Age below which a file that changed is looked at again; a clock that is off only makes more files young."""

IGNORE_FILE: Final = ".lambdapackignore"

HOST_MODULES_REASON: Final = "dependencies are installed in the runtime image, not copied from this host"
VERSION_CONTROL_REASON: Final = "version control"
TOOL_OUTPUT_REASON: Final = "tool output"
LITTER_REASON: Final = "operating system files"
SECRET_REASON: Final = "may hold secrets"  # noqa: S105  # a reason
GROWING_REASON: Final = "it grows while it is read"
OWN_FILE_REASON: Final = "lambdapack's own"
WRITTEN_STREAM_REASON: Final = "this command writes its output there"

NEVER_SHIPPED: Final = {
    NODE_MODULES: HOST_MODULES_REASON,
    **dict.fromkeys(VERSION_CONTROL_DIRECTORIES, VERSION_CONTROL_REASON),
    IGNORE_FILE: OWN_FILE_REASON,
}
"""Names, at any depth, that no `!pattern` brings back."""

BUILT_IN_PATTERNS: Final = {
    TOOL_OUTPUT_REASON: (*(f"{name}/" for name in TOOL_DIRECTORIES), "/coverage/"),
    LITTER_REASON: (".DS_Store", "._*"),
    SECRET_REASON: (f"{ENVIRONMENT_FILE_PREFIX}*", *CREDENTIAL_FILES, "*.tfstate*", "*.tfvars", "samconfig.toml"),
    OWN_FILE_REASON: (f"*{MANIFEST_SUFFIX}", f"*.zip{PROVENANCE_SUFFIX}", f"*{TEMPORARY_SUFFIX}"),
}
"""gitignore patterns by reason. Only a coverage/ at the root is a report: deeper, it may be code."""


class IgnoreRules:
    """The built-in exclusions and a project's .lambdapackignore; the last matching line decides."""

    def __init__(self, lines: Sequence[str] = (), *, name: str = IGNORE_FILE) -> None:
        """Compile the lines of an ignore file; LP006 for a pattern that git rejects too."""
        built_in = [(pattern, reason) for reason, patterns in BUILT_IN_PATTERNS.items() for pattern in patterns]
        numbered = [(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
        self._reasons = [reason for _pattern, reason in built_in]
        self._reasons += [f"{IGNORE_FILE} line {number}" for _line, number in numbered]
        places = [(line, f"{name}:{number}") for line, number in numbered]
        self._spec = compile_patterns([*((pattern, "built-in") for pattern, _reason in built_in), *places])

    def reason(self, path: str, *, is_directory: bool) -> str | None:
        """Return why a path does not ship, None when it does. Callers do not descend into excluded directories."""
        never = NEVER_SHIPPED.get(path.rpartition("/")[2])
        if never is not None:
            return never
        match = self._spec.check_file(f"{path}/" if is_directory else path)
        return self._reasons[match.index] if match.include and match.index is not None else None


def read_ignore_rules(directory: Path) -> IgnoreRules:
    """Return the exclusions of a project; LP006 when its .lambdapackignore cannot be read."""
    path = directory / IGNORE_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return IgnoreRules()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LambdapackError(BAD_CONFIG, f"{path}: {cause}") from error
    return IgnoreRules(text.splitlines(), name=str(path))


def compile_patterns(patterns: Sequence[tuple[str, str]]) -> "GitIgnoreSpec":
    """Return compiled gitignore patterns; each comes with its origin, which LP006 names when the pattern is invalid."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # only when a project is packed

    bounded = [bound_pattern(pattern, place) for pattern, place in patterns]
    for pattern, (written, place) in zip(bounded, patterns, strict=True):
        try:
            with warnings.catch_warnings(action="ignore"):  # of `re`, about what "[[" may mean one day
                GitIgnoreSpec.from_lines([pattern])
        except (ValueError, RecursionError, OverflowError, re.error) as error:
            raise LambdapackError(BAD_CONFIG, f"{place}: {written!r} is not a gitignore pattern") from error
    return GitIgnoreSpec.from_lines(bounded)


def bound_pattern(pattern: str, place: str) -> str:
    """Return a pattern with one `*` where several mean the same; LP006 for one that no file system's names need.

    Each further wildcard of a name multiplies what matching it costs by the length of the name.
    """
    bare = re.sub(r"\*{3,}", "*", pattern) if "***" in pattern else pattern
    crowded = max((part.count("*") for part in bare.split("/")), default=0)
    if crowded > MAX_WILDCARDS or bare.count("**") > MAX_WILDCARDS or len(bare) > PATH_MAX:
        shown = f"{bare[:60]!r}..." if len(bare) > 60 else repr(bare)
        hint = f"Write shorter patterns, with at most {MAX_WILDCARDS} wildcards in a name."
        raise LambdapackError(BAD_CONFIG, f"{place}: {shown} is longer or has more wildcards than any path", hint=hint)
    return bare


ExcludedPath = tuple[str, str]
"""Path and reason; a directory stands for everything in it."""


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """The files of a project that ship, and the excluded paths."""

    tree: Tree
    excluded: tuple[ExcludedPath, ...]  # in byte order of the paths


def read_project_source(directory: Path, *, executable: Sequence[str] = ()) -> ProjectSource:
    """Return the source of a function; `executable` are gitignore patterns of files that get mode 755.

    Modes come from content, so every host gives the same. LP006, LP007 and LP008 for what cannot be read or shipped.
    """
    ignore, streams = read_ignore_rules(directory), _written_streams()
    left_out: list[ExcludedPath] = []

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the form that DirectoryTree asks in
        reason = ignore.reason(path, is_directory=is_directory)
        if reason is None and streams and not is_directory and _device_and_inode(directory / path) in streams:
            reason = WRITTEN_STREAM_REASON
        if reason is not None:
            left_out.append((path, reason))
        return reason is None

    tree = DirectoryTree(directory, keep=keep)
    archives = {path.removesuffix(MANIFEST_SUFFIX) for path, _reason in left_out if path.endswith(MANIFEST_SUFFIX)}
    left_out += [(path, OWN_FILE_REASON) for path in tree.entries if path in archives]
    # Directories are implied by their files; an empty one is not in a clone, so it must not make another zip.
    growing = growing_files(directory, tree)
    left_out += [(path, GROWING_REASON) for path in growing]
    unshipped = archives | growing
    shipped = FilteredTree(tree, lambda entry: entry.path not in unshipped and entry.kind is not EntryKind.DIRECTORY)
    return ProjectSource(_set_modes(shipped, executable), tuple(sorted(left_out)))


def growing_files(directory: Path, tree: Tree) -> frozenset[str]:
    """Return the files that have become longer since they were indexed, as logs of other programs do."""
    young = time.time() - YOUNG_SECONDS
    growing = set()
    for path, entry in tree.entries.items():
        if entry.kind is EntryKind.FILE:
            with suppress(OSError):
                status = (directory / path).stat(follow_symlinks=False)
                if status.st_mtime > young and status.st_size > entry.size:
                    growing.add(path)
    return frozenset(growing)


def _written_streams() -> frozenset[tuple[int, int]]:
    """Return the files that stdout and stderr are written to (`build 2> build.log`): they change as they are read."""
    identities = set()
    for descriptor in (1, 2):
        with suppress(OSError):  # it is closed
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                identities.add((status.st_dev, status.st_ino))
    return frozenset(identities)


def _device_and_inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _set_modes(tree: Tree, executable: Sequence[str]) -> Tree:
    executables = compile_patterns([(pattern, "executable") for pattern in executable if pattern.strip()])

    def change(entry: Entry) -> Entry:
        if entry.kind is not EntryKind.FILE:
            return entry
        return replace(
            entry, mode=0o755 if executables.match_file(entry.path) or _is_executable_entry(tree, entry) else 0o644
        )

    return TransformedTree(tree, change)


def _is_executable_entry(tree: Tree, entry: Entry) -> bool:
    with tree.view(entry.path) as data:
        return is_executable(data)
