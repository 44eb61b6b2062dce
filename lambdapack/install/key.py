"""The dependency key: one digest over everything that decides an install's result. Never over a secret."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdapack.project.document import parse_object
from lambdapack.project.project import Project
from lambdapack.project.reader import root_scripts
from lambdapack.tree.entry import EntryKind, Tree, read_file

MANIFEST_PARTS = (
    "dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
    "bundleDependencies", "bundledDependencies", "overrides", "allowScripts", "workspaces", "engines", "os", "cpu",
    "libc", "gypfile", "binary", "config", "prisma",
)  # fmt: skip
"""What npm, node-gyp and the tools of install scripts read in the root's package.json."""


@dataclass(frozen=True, slots=True)
class DependencyKey:
    """The key and what it is made of, so that two of them can be compared part by part."""

    digest: str  # "sha256:..."
    parts: Mapping[str, str]  # name -> "sha256:..." of that part


def dependency_key(parts: Mapping[str, bytes]) -> DependencyKey:
    """Return the key over named parts. The order does not count; names and lengths do."""
    digests = {name: _digest(parts[name]) for name in sorted(parts)}
    whole = json.dumps(digests, sort_keys=True, ensure_ascii=True).encode()
    return DependencyKey(_digest(whole), digests)


def differing_parts(parts: Mapping[str, bytes], remembered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of parts whose content is not what a key remembers, or that it does not know, in order."""
    return tuple(name for name in sorted(parts) if remembered.get(name) != _digest(parts[name]))


def project_parts(project: Project, inputs: Tree, npm_settings: str) -> Mapping[str, bytes]:
    """Return the parts that the project itself gives: manifest, lockfile, each input and .npmrc without secrets."""
    lock = project.lockfile.path.name if project.lockfile else ""
    parts = {"package.json": _canonical_json(_manifest_part(project)), ".npmrc": npm_settings.encode()}
    for path, entry in inputs.entries.items():
        if path == lock and project.lockfile:
            parts[path] = _canonical_json(_lockfile_part(project, read_file(inputs, path)))
        elif entry.kind is EntryKind.FILE and path != "package.json":
            parts[f"file {path}"] = b"%o " % (entry.mode & 0o111) + read_file(inputs, path)
        elif entry.kind is EntryKind.SYMLINK:
            parts[f"link {path}"] = entry.target.encode("utf-8", "surrogateescape")
    return parts


def _manifest_part(project: Project) -> Mapping[str, Any]:
    kept = {name: project.manifest[name] for name in MANIFEST_PARTS if name in project.manifest}
    return {**kept, "scripts": dict(root_scripts(project))}


def _lockfile_part(project: Project, text: bytes) -> Mapping[str, Any]:
    """Leave out the project's own name and version: `npm version patch` changes no dependency."""
    path = project.lockfile.path if project.lockfile else project.root
    document = parse_object(text.decode("utf-8-sig"), path)
    kept = {name: value for name, value in document.items() if name not in {"name", "version"}}
    packages = document.get("packages")
    if isinstance(packages, dict) and isinstance(packages.get(""), dict):
        root = {name: value for name, value in packages[""].items() if name not in {"name", "version"}}
        kept["packages"] = {**packages, "": root}
    return kept


def _canonical_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
