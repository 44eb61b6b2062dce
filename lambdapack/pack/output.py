"""Writes files, directories and the manifest beside a zip, each whole or not at all."""

import errno
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT
from lambdapack.events import SILENT, Observer
from lambdapack.pack.digest import zip_members
from lambdapack.tree.entry import EntryKind, Tree

TEMPORARY_SUFFIX = ".lambdapack-tmp"
"""Suffix of temporary files. One that is left after SIGKILL can be deleted."""

NO_SPACE_ERRNOS = frozenset(
    number for name in ("ENOSPC", "EDQUOT") if (number := getattr(errno, name, None)) is not None
)


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block succeeds; LP009 when it cannot be written."""
    path = _replaceable_path(path)
    missing = [parent for parent in path.absolute().parents if not os.path.lexists(parent)]
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException as error:
        _remove_leftovers(temporary, missing)
        if isinstance(error, OSError):
            raise unwritable_error(path, error) from error
        raise


def check_writable(path: Path) -> None:
    """Raise LP009 when a file cannot be written at `path`, before long work starts; creates nothing."""
    parent = next(directory for directory in _replaceable_path(path).absolute().parents if os.path.lexists(directory))
    if not parent.is_dir():
        raise LambdapackError(OUTPUT, f"{path}: {parent} is not a directory")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise LambdapackError(OUTPUT, f"{path}: {parent} is not writable")


def _replaceable_path(path: Path) -> Path:
    """Return the file to write, for a symlink its target; LP009 when that exists and is not a regular file."""
    try:
        target = path.resolve() if path.is_symlink() else path
        kind = target.lstat().st_mode if os.path.lexists(target) else stat.S_IFREG
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links (Python 3.11)
        raise LambdapackError(OUTPUT, f"{path}: {error}") from error
    if stat.S_ISDIR(kind):
        raise LambdapackError(OUTPUT, f"{path}: it is a directory")
    if not stat.S_ISREG(kind):
        raise LambdapackError(OUTPUT, f"{path}: it is a device, a pipe or a socket; only a regular file is replaced")
    return target


def unwritable_error(path: Path, error: OSError) -> LambdapackError:
    """Return LP009 that names the file and the cause."""
    if error.errno in NO_SPACE_ERRNOS:
        hint = "Free disk space, or choose a path on another disk with `--output` or `--html`."
        return LambdapackError(OUTPUT, f"{path}: no space left on the device", hint=hint)
    return LambdapackError(OUTPUT, f"{path}: {error.strerror or error}")


def _remove_leftovers(temporary: Path, directories: list[Path]) -> None:
    """Remove what can be removed; a directory that another process has filled meanwhile stays. Innermost first."""
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
    for directory in directories:
        with suppress(OSError):
            directory.rmdir()


def write_directory(tree: Tree, path: Path, *, observer: Observer = SILENT) -> int:
    """Write a tree without links to a new or empty directory, whole or not at all; return how many bytes it holds.

    LP009 when the directory is not empty or cannot be written.
    """
    check_empty_directory(path)
    path = path.absolute()
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    total = sum(entry.size for entry in tree.entries.values())
    try:
        with observer.task(f"Writing {path.name}", total, "B") as advance:
            temporary.mkdir(parents=True)
            for member in zip_members(tree):
                _write_member(tree, member.name, temporary, member.permissions)
                advance(member.entry.size)
        if path.is_dir():
            path.rmdir()  # Windows renames onto nothing that is there
        temporary.rename(path)
    except OSError as error:
        raise unwritable_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return total


def check_empty_directory(path: Path) -> None:
    """Raise LP009 when the directory to write is not empty, or when the path is not a directory."""
    hint = "Name an empty directory, or one that does not exist yet."
    if path.is_dir() and any(path.iterdir()):
        raise LambdapackError(OUTPUT, f"{path}: the directory is not empty", hint=hint)
    if not path.is_dir() and os.path.lexists(path):
        raise LambdapackError(OUTPUT, f"{path}: it is not a directory", hint=hint)


def _write_member(tree: Tree, name: str, base: Path, mode: int) -> None:
    target = base / name
    if name.endswith("/"):
        target.mkdir(parents=True)
        return
    if tree.entries[name].kind is not EntryKind.FILE:
        raise LambdapackError(OUTPUT, f"{name}: it is a symbolic link, which `--into` replaces by copies")
    target.parent.mkdir(parents=True, exist_ok=True)
    # "x": on a file system that takes Index.js for index.js, the second of two is refused, not lost.
    with target.open("xb") as file, tree.view(name) as data:
        file.write(data)
    target.chmod(mode)


MANIFEST_SCHEMA: Final = "lambdapack/manifest/1"
MANIFEST_SUFFIX = ".lambdapack.json"
PROVENANCE_SUFFIX = ".provenance.json"


def zip_manifest_path(archive: Path) -> Path:
    """Return the path of a zip's manifest."""
    return archive.with_name(archive.name + MANIFEST_SUFFIX)


def write_zip_manifest(archive: Path, document: Mapping[str, Any]) -> Path:
    """Write the manifest of a zip and return its path; LP009 when it cannot be written, ValueError for a secret."""
    return _write_beside(zip_manifest_path(archive), {**document, "schema": MANIFEST_SCHEMA})


def write_provenance(archive: Path, statement: Mapping[str, Any]) -> Path:
    """Write the provenance statement of a zip and return its path; LP009, and ValueError for a secret."""
    return _write_beside(archive.with_name(archive.name + PROVENANCE_SUFFIX), statement)


def _write_beside(path: Path, document: Mapping[str, Any]) -> Path:
    from lambdapack.pack.secrets import find_secret_kind  # noqa: PLC0415  # who only reads one need not pay for it

    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    data = text.encode("utf-8", "backslashreplace")
    secret = find_secret_kind(data)
    if secret is not None:
        raise ValueError(f"{path.name} would hold {secret}")
    with replace_file(path) as file:
        file.write(data)
    return path


def read_zip_manifest(archive: Path) -> Mapping[str, Any] | None:
    """Return the manifest of a zip, None when it is missing or not one of lambdapack's.

    The caller compares its "code_digest" with the zip's: a manifest of other bytes does not count.
    """
    try:
        document = json.loads(zip_manifest_path(archive).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == MANIFEST_SCHEMA else None


def written_files(archive: Path) -> tuple[Path, ...]:
    """Return a zip and what a build wrote beside it."""
    beside = (zip_manifest_path(archive), archive.with_name(archive.name + PROVENANCE_SUFFIX))
    return (archive, *(path for path in beside if path.exists()))


def sbom_path(path: Path, architecture: str, *, several: bool) -> Path:
    """Return where the document of one target goes; of several, each has its architecture in the name."""
    return path.with_name(f"{path.stem}-{architecture}{path.suffix}") if several else path
