"""The package manager's own package: which version a repository names, and how it comes into the sandbox.

It is installed there from the npm registry, with the integrity that the repository or this table names.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdapack.model import TASK_ROOT

TOOL_DIRECTORY = "package-manager"
"""Below /var/task while all is fetched, beside the repository."""

TOOL_HOME = "/tmp/lambdapack-package-manager"  # noqa: S108  # inside the container

INSTALL_TOOL_SCRIPT = f"""
set -e
rm -rf {TOOL_HOME} && mkdir -p {TOOL_HOME}
cp {TASK_ROOT}/{TOOL_DIRECTORY}/*.json {TOOL_HOME}/
cd {TOOL_HOME}
if [ -f package-lock.json ]; then npm ci --ignore-scripts --no-audit --no-fund --prefer-offline
else npm install --ignore-scripts --no-audit --no-fund --no-package-lock --prefer-offline; fi
"""

SRI_ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")
"""Digests that npm checks; corepack's sha224 is none of them."""


@dataclass(frozen=True, slots=True)
class ManagerPackage:
    """The npm package that a package manager is."""

    name: str  # "pnpm", "@yarnpkg/cli-dist"
    version: str
    integrity: str = ""  # "sha512-..."; "" when nobody pins it: the registry's own then counts

    @property
    def files(self) -> Mapping[str, tuple[bytes, int]]:
        """The package.json, and the lock where there is an integrity, that npm installs it from."""
        manifest = {"name": "package-manager", "private": True, "dependencies": {self.name: self.version}}
        files = {f"{TOOL_DIRECTORY}/package.json": (_json(manifest), 0o644)}
        if self.integrity:
            entry = {"version": self.version, "integrity": self.integrity}
            packages = {"": manifest, f"node_modules/{self.name}": entry}
            lock = {"name": "package-manager", "lockfileVersion": 3, "requires": True, "packages": packages}
            files[f"{TOOL_DIRECTORY}/package-lock.json"] = (_json(lock), 0o644)
        return files


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


@dataclass(frozen=True, slots=True)
class NamedManager:
    """What `packageManager` or `devEngines` of a package.json names."""

    name: str
    version: str
    digest: str = ""  # "sha512.0123abcd"

    @property
    def integrity(self) -> str:
        """The digest as npm writes it, "" for one that npm cannot check."""
        algorithm, _, digits = self.digest.partition(".")
        if algorithm not in SRI_ALGORITHMS:
            return ""
        try:
            return f"{algorithm}-{base64.b64encode(bytes.fromhex(digits)).decode()}"
        except (ValueError, binascii.Error):
            return ""


_NAMED = re.compile(r"(?P<name>[a-z]+)@(?P<version>\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\+(?P<digest>\w+\.[0-9a-f]+))?")


def named_manager(manifest: Mapping[str, Any]) -> NamedManager | None:
    """Return the package manager that a package.json names with an exact version, None when it names none."""
    written = manifest.get("packageManager")
    if not isinstance(written, str):
        engines = manifest.get("devEngines")
        engine = engines.get("packageManager") if isinstance(engines, dict) else None
        written = f"{engine.get('name')}@{engine.get('version')}" if isinstance(engine, dict) else ""
    match = _NAMED.fullmatch(written.strip())
    return NamedManager(match["name"], match["version"], match["digest"] or "") if match else None
