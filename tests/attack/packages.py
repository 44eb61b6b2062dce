"""Hostile packages: tarballs, and projects whose lockfile asks for them. Each runs in the engine and never here."""

import base64
import hashlib
import io
import ipaddress
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WRITTEN_PROJECTS: list[Path] = []
"""Every project of this run, for who cleans up."""

HANDLER = 'exports.handler = async () => "the project\'s own"\n'


@dataclass(frozen=True)
class HostilePackage:
    """A package and the JavaScript that its install scripts run."""

    name: str
    scripts: Mapping[str, str] = field(default_factory=dict)  # event -> JavaScript
    files: Mapping[str, str] = field(default_factory=lambda: {"index.js": "module.exports = 1\n"})
    fields: Mapping[str, Any] = field(default_factory=dict)  # of its package.json

    @property
    def tarball(self) -> bytes:
        """The package as npm packs it."""
        commands = {event: f"node {event}.js" for event in self.scripts}
        manifest = {"name": self.name, "version": "1.0.0", "scripts": commands, **self.fields}
        files = {"package.json": json.dumps(manifest), **self.files}
        files |= {f"{event}.js": code for event, code in self.scripts.items()}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(f"package/{name}")
                member.size, member.mode = len(text.encode()), 0o644
                tar.addfile(member, io.BytesIO(text.encode()))
        return buffer.getvalue()

    def entry(self, resolved: str, tarball: bytes) -> dict[str, Any]:
        """Its entry of a lockfile."""
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}"
        scripts = {"hasInstallScript": True} if self.scripts else {}
        chosen = {name: self.fields[name] for name in ("dependencies", "optional", "bin") if name in self.fields}
        return {"version": "1.0.0", "resolved": resolved, "integrity": integrity, **scripts, **chosen}


def write_project(
    root: Path, *packages: HostilePackage, files: Mapping[str, str] | None = None, **manifest: Any
) -> Path:
    """Write a function that depends on packages, which lie beside it as tarballs: nothing is fetched."""
    WRITTEN_PROJECTS.append(root)
    wanted, entries = {}, {}
    texts = {"index.js": HANDLER, **(files or {})}
    root.mkdir(parents=True, exist_ok=True)
    for package in packages:
        name, tarball = f"{package.name.replace('/', '-').lstrip('@')}-1.0.0.tgz", package.tarball
        (root / "tarballs").mkdir(exist_ok=True)
        (root / "tarballs" / name).write_bytes(tarball)
        wanted[package.name] = f"file:tarballs/{name}"
        entries[f"node_modules/{package.name}"] = package.entry(f"file:tarballs/{name}", tarball)
    own = {"name": "shop", "version": "1.0.0", "engines": {"node": "22.x"}, "dependencies": wanted, **manifest}
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": own, **entries}}
    texts |= {
        "package.json": json.dumps(own),
        "package-lock.json": json.dumps(lock),
        ".lambdapackignore": "tarballs/\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def bridge_gateway() -> str:
    """Return the address of this machine in the engine's own network; engines need not tell the default one."""
    words = ["docker", "network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"]
    told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return str(told.get("Gateway") or next(ipaddress.ip_network(told["Subnet"]).hosts()))
