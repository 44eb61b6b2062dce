"""What a project that npm installs gives to the dependency key. Never a secret."""

import json
from collections.abc import Mapping
from typing import Any

from lambdapack.managers.lock import DependencySource
from lambdapack.project.document import parse_object
from lambdapack.tree.entry import EntryKind, Tree, read_file

MANIFEST_PARTS = (
    "dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
    "bundleDependencies", "bundledDependencies", "overrides", "allowScripts", "workspaces", "engines", "os", "cpu",
    "libc", "gypfile", "binary", "config", "prisma",
)  # fmt: skip
"""What npm, node-gyp and the tools of install scripts read in the root's package.json."""


def project_parts(source: DependencySource, inputs: Tree, npm_settings: str) -> Mapping[str, bytes]:
    """Return the parts that the project itself gives: manifest, lockfile, each input and .npmrc without secrets."""
    lock = source.lock.path.name if source.lock else ""
    parts = {"package.json": _canonical_json(_manifest_part(source)), ".npmrc": npm_settings.encode()}
    for path, entry in inputs.entries.items():
        if path == lock and source.lock:
            parts[path] = _canonical_json(_lockfile_part(source, read_file(inputs, path)))
        elif entry.kind is EntryKind.FILE and path != "package.json":
            parts[f"file {path}"] = b"%o " % (entry.mode & 0o111) + read_file(inputs, path)
        elif entry.kind is EntryKind.SYMLINK:
            parts[f"link {path}"] = entry.target.encode("utf-8", "surrogateescape")
    return parts


def _manifest_part(source: DependencySource) -> Mapping[str, Any]:
    kept = {name: source.manifest.document[name] for name in MANIFEST_PARTS if name in source.manifest.document}
    return {**kept, "scripts": dict(source.manifest.install_scripts())}


def _lockfile_part(source: DependencySource, text: bytes) -> Mapping[str, Any]:
    """Leave out the project's own name and version: `npm version patch` changes no dependency."""
    path = source.lock.path if source.lock else source.repository.root
    document = parse_object(text.decode("utf-8-sig"), path)
    kept = {name: value for name, value in document.items() if name not in {"name", "version"}}
    packages = document.get("packages")
    if isinstance(packages, dict) and isinstance(packages.get(""), dict):
        root = {name: value for name, value in packages[""].items() if name not in {"name", "version"}}
        kept["packages"] = {**packages, "": root}
    return kept


def _canonical_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
