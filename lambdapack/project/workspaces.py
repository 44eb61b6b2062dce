"""Finds the workspace root that a package belongs to, as npm looks for it. Never opens a lockfile."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.project.document import parse_object, read_text
from lambdapack.project.exclusions import EXCLUDED_DIRECTORIES

PNPM_WORKSPACE = "pnpm-workspace.yaml"


def find_workspace_root(directory: Path) -> Path | None:
    """Return the nearest directory above whose workspaces include this one, None when there is none."""
    return next((path for path in directory.parents if _includes(path, directory)), None)


def _includes(root: Path, directory: Path) -> bool:
    if (root / PNPM_WORKSPACE).is_file():
        return True
    if not (root / "package.json").is_file():
        return False
    try:
        manifest = parse_object(read_text(root / "package.json"), root / "package.json")
    except LambdapackError:  # a broken file above the project is not ours to complain about; npm passes over it too
        return False
    return is_workspace_member(workspace_globs(manifest), directory.relative_to(root).as_posix())


MAX_MEMBER_DEPTH = 6
"""Directories between a root and its members that are looked into."""


def find_members(root: Path) -> tuple[str, ...]:
    """Return the directories below a root that its package.json names as workspaces, sorted."""
    manifest = root / "package.json"
    globs = workspace_globs(parse_object(read_text(manifest), manifest)) if manifest.is_file() else ()
    if not globs:
        return ()
    found = []
    for directory, names, files in os.walk(root):
        below = Path(directory).relative_to(root)
        deep = len(below.parts) >= MAX_MEMBER_DEPTH
        names[:] = [] if deep else sorted(name for name in names if name not in EXCLUDED_DIRECTORIES)
        path = below.as_posix()
        if path != "." and "package.json" in files and is_workspace_member(globs, path):
            found.append(path)
    return tuple(sorted(found))


def workspace_globs(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the globs under "workspaces", which is an array or an object with "packages"."""
    declared = manifest.get("workspaces")
    if isinstance(declared, dict):
        declared = declared.get("packages")
    return tuple(glob for glob in declared if isinstance(glob, str)) if isinstance(declared, list) else ()


def is_workspace_member(globs: Sequence[str], path: str) -> bool:
    """Tell whether the globs take in a path relative to the root; a later one overrules an earlier one."""
    if "node_modules" in PurePosixPath(path).parts:
        return False
    included = False
    for glob in globs:
        bare = glob.lstrip("!")
        negated = (len(glob) - len(bare)) % 2 == 1
        if not _is_crowded(bare) and _glob_expression(bare).fullmatch(path):
            included = not negated
    return included


MAX_WILDCARDS = 5
"""Wildcards of one name in a glob, and in a row of directories: more match no name that anybody gives."""


def _is_crowded(glob: str) -> bool:
    """Tell whether matching a glob could take longer than reading all names: each `*` multiplies it."""
    bare = re.sub(r"\*{3,}", "*", glob)
    return bare.count("**") > MAX_WILDCARDS or any(
        part.count("*") > MAX_WILDCARDS for part in re.split(r"[/,{}]", bare)
    )


MAX_GLOB_CHARACTERS = 256
"""Characters of a glob that are looked at: a directory's name has no more."""

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|.", re.DOTALL)
_SIMPLE = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _glob_expression(glob: str) -> re.Pattern[str]:
    glob = re.sub(r"\*{3,}", "*", re.sub(r"(?:\*\*/+)+", "**/", glob))[:MAX_GLOB_CHARACTERS]
    body = re.sub(r"^\.?/+", "", glob.replace("\\", "/")).rstrip("/")
    return re.compile("".join(_translate_token(token) for token in _TOKEN.findall(body)), re.DOTALL)


def _translate_token(token: str) -> str:
    if token.startswith("{") and len(token) > 1:
        return "(?:" + "|".join(_glob_expression(part).pattern for part in token[1:-1].split(",")) + ")"
    return _SIMPLE.get(token) or re.escape(token)
