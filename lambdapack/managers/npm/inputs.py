"""Which files and scripts of the project `npm ci` needs. Never the whole source."""

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, BROKEN_MANIFEST
from lambdapack.managers.interface import InstallScripts
from lambdapack.managers.layout import SandboxLayout, local_packages, sandbox_layout
from lambdapack.managers.lock import DependencySource, LockedPackage, packages_with_install_scripts
from lambdapack.managers.npm.lockfile import find_lockfile
from lambdapack.managers.packlist import packed_files
from lambdapack.model import Architecture
from lambdapack.project.document import parse_object, read_text
from lambdapack.project.exclusions import CREDENTIAL_FILES, ENVIRONMENT_FILE_PREFIX, EXCLUDED_DIRECTORIES
from lambdapack.tree.compose import MemoryTree, OverlayTree, PrefixedTree, TransformedTree
from lambdapack.tree.directory import DirectoryTree, PathFilter
from lambdapack.tree.entry import Entry, EntryKind, Tree

ALWAYS_COPIED = ("patches", "prisma", "prisma.config.ts", "prisma.config.js", "prisma.config.mjs", "schema.prisma")
"""patch-package reads patches/; `prisma generate` reads the rest (prisma.io/docs, "Schema location", read 2026-11)."""

AUTHOR_SCRIPTS = ("prepublish", "preprepare", "prepare", "postprepare")
"""What `npm ci` runs for the root besides its install scripts (npm lib/commands/ci.js, 11.19.1).

They build or set up a checkout with devDependencies, which are not there.
"""


def install_inputs(source: DependencySource, globs: Sequence[str] = ()) -> Tree:
    """Return package.json, the lockfile, `file:` targets, patches, prisma and what the globs name.

    LP003 for a `file:` target that is not there, is the project itself or lies outside the root.
    """
    if source.lock is None:
        raise LambdapackError(BROKEN_MANIFEST, f"{source.repository.root}: there is no lockfile to install from")
    if sandbox_layout(source).is_moved:
        return repository_inputs(source, globs)
    places = (*file_targets(source), *_extra_inputs(source.repository.root), *_script_files(source))
    keep = _input_filter(source.repository.root, tuple(dict.fromkeys(places)), globs)
    lock = source.lock.path
    files = DirectoryTree(source.repository.root, keep=keep)
    manifest = sandbox_manifest(source, has_gyp="binding.gyp" in files.entries)
    own = MemoryTree({"package.json": (manifest, 0o644), lock.name: (lock.read_bytes(), 0o644)})
    return OverlayTree(TransformedTree(files, _make_portable), own)


def repository_inputs(source: DependencySource, globs: Sequence[str] = ()) -> Tree:
    """Return what an install for one package of a repository needs, as it lies in the sandbox.

    The lock, every package.json that it covers, of local packages the files that a copy of them has, and of the package
    itself what its own scripts read.
    """
    layout, root = sandbox_layout(source), source.repository.root
    lock = source.lock.path if source.lock else root
    manifests = {}
    for importer in dict.fromkeys((".", *(source.lock.importers if source.lock else ()))):
        path = root / importer / "package.json"
        if path.is_file() and not is_outside(importer):
            manifests[posixpath.join(layout.place(importer), "package.json")] = (quiet_manifest(path), 0o644)
    trees: list[Tree] = [MemoryTree(manifests)]
    trees += [_local_files(root, package, layout) for package in local_packages(source)]
    for directory in layout.own_locks:
        path = find_lockfile(root / posixpath.relpath(directory, layout.root or "."))
        if path is not None:
            trees.append(MemoryTree({posixpath.join(directory, path.name): (path.read_bytes(), 0o644)}))
    own = source.manifest.path.parent
    keep = _input_filter(own, (*_extra_inputs(own), *_script_files(source)), globs)
    files = DirectoryTree(own, keep=keep)
    manifest = sandbox_manifest(source, has_gyp="binding.gyp" in files.entries)
    trees += [_placed(files, layout.member), MemoryTree({f"{layout.member}/package.json": (manifest, 0o644)})]
    trees.append(MemoryTree({posixpath.join(layout.root, lock.name): (lock.read_bytes(), 0o644)}))
    return TransformedTree(OverlayTree(*trees), _make_portable)


def quiet_manifest(path: Path) -> bytes:
    """Return a package.json without its scripts: it is there for the package manager to compare with the lock."""
    manifest = {key: value for key, value in parse_object(read_text(path), path).items() if key != "scripts"}
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def is_outside(path: str) -> bool:
    """Tell whether a path relative to the root leads out of it."""
    return path == ".." or path.startswith(("../", "/"))


def _placed(tree: Tree, directory: str) -> Tree:
    return PrefixedTree(tree, directory) if directory else tree


def _local_files(root: Path, package: LockedPackage, layout: SandboxLayout) -> Tree:
    """Return the files of a local package: a directory's as `npm pack` takes them, or a tarball. LP003."""
    path, place = root / (package.local or ""), layout.place(package.local or "")
    if not path.exists():
        detail = f'{package.line}: "{package.path}" needs {path}, which is not there'
        raise LambdapackError(BROKEN_MANIFEST, detail, hint=f"Restore {path}, or take {package.name} out.")
    if path.is_file():
        return MemoryTree({place: (path.read_bytes(), 0o644)})
    return _placed(packed_files(path), place)


def sandbox_manifest(source: DependencySource, *, has_gyp: bool = False) -> bytes:
    """Return package.json without the author's scripts; what npm would run for a binding.gyp is written out."""
    manifest = dict(source.manifest.document)
    scripts = dict(manifest["scripts"]) if isinstance(manifest.get("scripts"), dict) else {}
    for name in AUTHOR_SCRIPTS:
        scripts.pop(name, None)
    if implied := source.manifest.install_scripts(has_gyp=has_gyp).get("install"):
        scripts["install"] = implied
    if "scripts" in manifest or scripts:
        manifest["scripts"] = scripts
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def find_install_scripts(
    source: DependencySource, inputs: Tree, architecture: Architecture, *, ignore_scripts: bool = False
) -> InstallScripts:
    """Return what has to run for a CPU, as far as the lockfile tells; `ignore_scripts` is the user's npm setting.

    scripts.py reads the rest from the fetched tree.
    """
    if source.lock is None:
        return InstallScripts()
    git = tuple(package.name for package in source.lock.production if package.from_git)
    if ignore_scripts:
        return InstallScripts(git=git)
    packages = tuple(
        f"{package.name}@{package.version}" for package in packages_with_install_scripts(source.lock, architecture)
    )
    scripts = source.manifest.install_scripts(has_gyp="binding.gyp" in inputs.entries)
    return InstallScripts(packages, tuple(scripts), git)


def _make_portable(entry: Entry) -> Entry:
    """Return an entry with the mode that any umask and host gives it."""
    plain = 0o755 if entry.kind is EntryKind.DIRECTORY or entry.mode & 0o111 else 0o644
    return replace(entry, mode=0o777 if entry.kind is EntryKind.SYMLINK else plain)


def file_targets(source: DependencySource) -> tuple[str, ...]:
    """Return the directories and tarballs inside the root that production packages are installed from, sorted."""
    root = source.repository.root
    packages = source.lock.packages.values() if source.lock else ()
    targets = {_target_path(source, package) for package in packages if not package.dev and package.local is not None}
    # A target that is itself a symlink comes along with what it points at.
    real = {(root / path).resolve().relative_to(root.resolve()).as_posix() for path in targets}
    return tuple(sorted(targets | real))


def _target_path(source: DependencySource, package: LockedPackage) -> str:
    path = package.local or ""
    label = f'{_lock_name(source)}:{package.line}: "{package.path}"'
    if not path:
        raise LambdapackError(BROKEN_MANIFEST, f"{label} is the project itself", hint="Take that dependency out.")
    full = source.repository.root / path
    if path == ".." or path.startswith(("../", "/")) or not _is_inside(full, source.repository.root):
        hint = "Move it below the directory of package.json, or publish it to a registry."
        raise LambdapackError(BROKEN_MANIFEST, f"{label} leads out of the project: {path}", hint=hint)
    if not full.exists():
        hint = f"Restore {path}, or run `npm uninstall {package.name}`."
        raise LambdapackError(BROKEN_MANIFEST, f"{label} needs {full}, which is not there", hint=hint)
    return path


def _is_inside(path: Path, root: Path) -> bool:
    """Follow symlinks: a directory that only looks as if it were inside is outside."""
    return path.resolve().is_relative_to(root.resolve())


def _lock_name(source: DependencySource) -> str:
    return source.lock.path.name if source.lock else "package-lock.json"


def _extra_inputs(root: Path) -> Iterator[str]:
    return (name for name in ALWAYS_COPIED if (root / name).exists())


def _script_files(source: DependencySource) -> Iterator[str]:
    """Yield the files that the root's install scripts name: `node scripts/setup.js` needs its script."""
    for command in source.manifest.install_scripts().values():
        for word in re.split(r"[\s;&|'\"()]+", command):
            path = os.path.normpath(word).replace(os.sep, "/") if word else ""
            if path and path != "." and not path.startswith(("..", "/")) and (source.repository.root / path).is_file():
                yield path


def _input_filter(root: Path, places: Sequence[str], globs: Sequence[str]) -> PathFilter:
    matches = _glob_matcher(globs)

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the signature of DirectoryTree
        name = path.rpartition("/")[2]
        if name in EXCLUDED_DIRECTORIES or name in CREDENTIAL_FILES or name.startswith(ENVIRONMENT_FILE_PREFIX):
            return False
        if any(path == place or path.startswith(f"{place}/") for place in places):
            return not (is_directory and name == "build" and _is_compiled(root / path))
        if any(place.startswith(f"{path}/") for place in places):
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
