"""Writes a tree to a directory, for tools that make the zip themselves. Whole or not at all."""

import os
import secrets
import shutil
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT
from lambdapack.events import SILENT, Observer
from lambdapack.pack.atomic import TEMPORARY_SUFFIX, unwritable_error
from lambdapack.pack.digest import zip_members
from lambdapack.tree.entry import EntryKind, Tree


def write_directory(tree: Tree, path: Path, *, observer: Observer = SILENT) -> int:
    """Write a tree without links to a new or empty directory, whole or not at all; return how many bytes it holds.

    LP009 when something is in it, and when it cannot be written.
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
    """LP009 when something is in a directory that is to be written, or stands in its place."""
    hint = "Name a directory that is empty or not there yet."
    if path.is_dir() and any(path.iterdir()):
        raise LambdapackError(OUTPUT, f"{path}: it holds files already", hint=hint)
    if not path.is_dir() and os.path.lexists(path):
        raise LambdapackError(OUTPUT, f"{path}: it is no directory", hint=hint)


def _write_member(tree: Tree, name: str, base: Path, mode: int) -> None:
    target = base / name
    if name.endswith("/"):
        target.mkdir(parents=True)
        return
    if tree.entries[name].kind is not EntryKind.FILE:
        raise LambdapackError(OUTPUT, f"{name}: it is a link, and links are to be followed before")
    target.parent.mkdir(parents=True, exist_ok=True)
    # "x": on a file system that takes Index.js for index.js, the second of two is refused, not lost.
    with target.open("xb") as file, tree.view(name) as data:
        file.write(data)
    target.chmod(mode)
