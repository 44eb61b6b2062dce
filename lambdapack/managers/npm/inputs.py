"""Which files of the project `npm ci` needs. Never the whole source, never anything outside the root."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, BROKEN_MANIFEST
from lambdapack.managers.npm.lockfile import link_target
from lambdapack.project.project import LockedPackage, Project
from lambdapack.project.reader import root_scripts, sandbox_manifest
from lambdapack.tree.compose import MemoryTree, OverlayTree, TransformedTree
from lambdapack.tree.directory import DirectoryTree, PathFilter
from lambdapack.tree.entry import Entry, EntryKind, Tree

ALWAYS_COPIED = ("patches", "prisma", "prisma.config.ts", "prisma.config.js", "prisma.config.mjs", "schema.prisma")
"""patch-package reads patches/; `prisma generate` reads the rest (prisma.io/docs, "Schema location", read 2026-11)."""

NEVER_COPIED = frozenset({
    "node_modules", ".git", ".hg", ".svn", ".lambdapack", ".aws-sam", ".serverless", "cdk.out", ".terraform",
})  # fmt: skip

SECRET_FILE_NAMES = (".npmrc", ".yarnrc.yml", ".netrc")


def install_inputs(project: Project, globs: Sequence[str] = ()) -> Tree:
    """Return package.json, the lockfile, `file:` targets, patches, prisma and what the globs name.

    LP003 for a `file:` target that is not there, is the project itself or lies outside the root.
    """
    if project.lockfile is None:
        raise LambdapackError(BROKEN_MANIFEST, f"{project.root}: there is no lockfile to install from")
    wanted = (*file_targets(project), *_extra_inputs(project.root), *_script_files(project))
    keep = _input_filter(project.root, tuple(dict.fromkeys(wanted)), globs)
    lock = project.lockfile.path
    own = MemoryTree(
        {
            "package.json": (sandbox_manifest(project), 0o644),
            lock.name: (lock.read_bytes(), 0o644),
        }
    )
    return OverlayTree(TransformedTree(DirectoryTree(project.root, keep=keep), _make_portable), own)


def _make_portable(entry: Entry) -> Entry:
    """Return an entry with the mode that any umask and host gives it."""
    plain = 0o755 if entry.kind is EntryKind.DIRECTORY or entry.mode & 0o111 else 0o644
    return replace(entry, mode=0o777 if entry.kind is EntryKind.SYMLINK else plain)


def file_targets(project: Project) -> tuple[str, ...]:
    """Return the directories and tarballs inside the root that production packages are installed from, sorted."""
    packages = project.lockfile.packages.values() if project.lockfile else ()
    found = {_target_path(project, package) for package in packages if not package.dev and _is_file_target(package)}
    # A target that is itself a symlink comes along with what it points at.
    real = {(project.root / each).resolve().relative_to(project.root.resolve()).as_posix() for each in found}
    return tuple(sorted(found | real))


def _is_file_target(package: LockedPackage) -> bool:
    return package.link or package.resolved.startswith("file:")


def _target_path(project: Project, package: LockedPackage) -> str:
    path = link_target(package)
    label = f'{_lock_name(project)}:{package.line}: "{package.path}"'
    if not path:
        raise LambdapackError(BROKEN_MANIFEST, f"{label} is the project itself", hint="Take that dependency out.")
    full = project.root / path
    if path == ".." or path.startswith(("../", "/")) or not _is_inside(full, project.root):
        hint = "Move it below the directory of package.json, or publish it to a registry."
        raise LambdapackError(BROKEN_MANIFEST, f"{label} leads out of the project: {path}", hint=hint)
    if not full.exists():
        hint = f"Restore {path}, or run `npm uninstall {package.name}`."
        raise LambdapackError(BROKEN_MANIFEST, f"{label} needs {full}, which is not there", hint=hint)
    return path


def _is_inside(path: Path, root: Path) -> bool:
    """Follow symlinks: a directory that only looks as if it were inside is outside."""
    return path.resolve().is_relative_to(root.resolve())


def _lock_name(project: Project) -> str:
    return project.lockfile.path.name if project.lockfile else "package-lock.json"


def _extra_inputs(root: Path) -> Iterator[str]:
    return (name for name in ALWAYS_COPIED if (root / name).exists())


def _script_files(project: Project) -> Iterator[str]:
    """Yield the files that the root's install scripts name: `node scripts/setup.js` needs its script."""
    for command in root_scripts(project).values():
        for word in re.split(r"[\s;&|'\"()]+", command):
            path = os.path.normpath(word).replace(os.sep, "/") if word else ""
            if path and path != "." and not path.startswith(("..", "/")) and (project.root / path).is_file():
                yield path


def _input_filter(root: Path, wanted: Sequence[str], globs: Sequence[str]) -> PathFilter:
    matches = _glob_matcher(globs)

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the signature of DirectoryTree
        name = path.rpartition("/")[2]
        if name in NEVER_COPIED or name in SECRET_FILE_NAMES or name.startswith(".env"):
            return False
        if any(path == each or path.startswith(f"{each}/") for each in wanted):
            return not (is_directory and name == "build" and _is_compiled(root / path))
        if any(each.startswith(f"{path}/") for each in wanted):
            return True
        return bool(globs) if is_directory else matches(path)

    return keep


def _is_compiled(build: Path) -> bool:
    """Tell whether node-gyp made a build directory: the host's objects must not meet the sandbox's compiler."""
    return (build.parent / "binding.gyp").is_file()


def _glob_matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    if not globs:
        return lambda _path: False
    import pathspec  # noqa: PLC0415  # 30 ms that most builds need not pay

    try:
        return pathspec.GitIgnoreSpec.from_lines(globs).match_file
    except ValueError as error:
        raise LambdapackError(BAD_CONFIG, f"install-inputs: {error}") from error
