"""node_modules that real package managers made, in a project of small packages without binaries."""

import json
import os
import shutil
import subprocess
from pathlib import Path

MANIFEST = {
    "name": "fn",
    "version": "1.0.0",
    "dependencies": {"debug": "4.3.4", "ms": "2.1.2"},
    "devDependencies": {"chalk": "4.1.2", "color-name": "1.1.4"},
}
"""chalk brings ansi-styles, color-convert and color-name; debug brings ms, which package.json wants as well."""

DEV_OF_MANIFEST = {"ansi-styles", "chalk", "color-convert", "color-name", "has-flag", "supports-color"}


def project(directory: Path, **fields: object) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "package.json").write_text(json.dumps({**MANIFEST, **fields}))
    (directory / "index.js").write_text("exports.handler = async () => 1;\n")
    return directory


def npm(directory: Path, *arguments: str) -> None:
    run(["npm", *arguments, "--ignore-scripts", "--no-audit", "--no-fund"], directory)


def manager(tools: Path, spec: str) -> str:
    """Return the program of pnpm or yarn, fetched by npm."""
    npm(tools, "install", "--prefix", ".", "--no-save", spec)
    return str(tools / "node_modules" / ".bin" / spec.partition("@")[0])


def run(command: list[str], directory: Path) -> None:
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=directory,
        env={**os.environ, "CI": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is not on PATH: `make test` puts the lab's there"
    return found


def zipped(directory: Path, archive: Path) -> Path:
    """Return a zip as people make it by hand: everything, hidden files too, links followed."""
    return Path(shutil.make_archive(str(archive.with_suffix("")), "zip", directory))
