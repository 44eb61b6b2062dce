"""Projects on disk for tests: a package.json, a lockfile, and what else a test wants there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNIT = Path(__file__).parent / "unit"
LOCKS = UNIT / "rules" / "lockfile" / "locks"
NPM_LOGS = UNIT / "managers" / "npm" / "logs"


def real_lock(name: str) -> dict[str, Any]:
    """A lockfile that npm 11.19.1 made, to be changed at will."""
    found: dict[str, Any] = json.loads((LOCKS / f"{name}.json").read_text())
    return found


INTEGRITY = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
"""Of nothing: what npm writes beside every package of a registry."""


def lock_of(packages: Mapping[str, Mapping[str, Any]], root: Mapping[str, Any] | None = None) -> dict[str, Any]:
    entries = {
        path: package if package.get("link") or "node_modules/" not in path else {"integrity": INTEGRITY, **package}
        for path, package in packages.items()
    }
    return {"name": "fn", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": dict(root or {}), **entries}}


def write_project(
    directory: Path,
    manifest: Mapping[str, Any] | None = None,
    lock: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    written = {"package.json": json.dumps({"name": "fn", "version": "1.0.0", **(manifest or {})}, indent=2)}
    if lock is not None:
        written["package-lock.json"] = json.dumps(lock, indent=2)
    for name, text in {**written, **(files or {})}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
