"""Real node_modules for the benches, installed once from the registry and kept in .lab."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / ".lab" / "bench"
LINUX = ("--os=linux", "--cpu=x64", "--libc=glibc")


def installed(name: str, packages: Mapping[str, str]) -> Path:
    """Return a directory with these packages for Linux on x64, without having run their scripts."""
    place = BENCH / name
    manifest = json.dumps({"name": "bench", "version": "1.0.0", "private": True, "dependencies": dict(packages)})
    known = place / "package.json"
    done = place / "node_modules" / ".package-lock.json"
    if not done.exists() or known.read_text(encoding="utf-8") != manifest:
        place.mkdir(parents=True, exist_ok=True)
        known.write_text(manifest, encoding="utf-8")
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--force", *LINUX]
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return place
