"""Reads the commit that is checked out from the files of git, without running git."""

import re
from collections.abc import Iterator
from pathlib import Path

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A commit's name, SHA-1 or SHA-256."""

MAX_LINKS = 5
"""Symbolic references that are followed: HEAD to a branch is one."""


def read_commit(directory: Path) -> str:
    """Return the commit that is checked out around a directory; "" without git, or when it cannot be read."""
    try:
        git = next(_git_directories(directory), None)
        return _resolve(git, "HEAD") if git else ""
    except (OSError, ValueError):
        return ""


def _git_directories(directory: Path) -> Iterator[Path]:
    home = directory.resolve()
    for place in (home, *home.parents):
        git = place / ".git"
        if git.is_dir():
            yield git
        elif git.is_file():  # a worktree or a submodule
            yield place / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _resolve(git: Path, reference: str) -> str:
    shared = git / "commondir"
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    for _link in range(MAX_LINKS):
        text = next((text for place in (git, common) if (text := _read(place / reference))), "")
        text = text or _packed(common, reference)
        if COMMIT.fullmatch(text):
            return text
        reference = text.removeprefix("ref:").strip()
        if not text.startswith("ref:") or ".." in reference:
            return ""
    return ""


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _packed(git: Path, reference: str) -> str:
    """Return the commit of a reference that git has packed away."""
    for line in _read(git / "packed-refs").splitlines():
        commit, _space, name = line.partition(" ")
        if name == reference:
            return commit
    return ""
