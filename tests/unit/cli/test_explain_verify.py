"""`explain` in a project never contradicts `verify` in the same directory, whatever lies there or is pasted."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests import elf

RUNTIME = ("--runtime", "nodejs22.x", "--arch", "x86_64")
ADDON = "node_modules/canvas/build/Release/canvas.node"
MACH_O = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x08\0\0\0" + bytes(64)
"""The header of an arm64 bundle (mach-o/loader.h)."""
E_MACHINE, AARCH64 = 18, 183
"""Offset of the CPU in an ELF header, and arm64's number (ELF specification, "ELF Header")."""

FILES = ("good", "mach-o", "arm64", "empty", "lfs", "absent")
TEXTS = (
    f"Error: /var/task/{ADDON}: invalid ELF header",
    f"Error: /var/task/{ADDON}: cannot open shared object file: No such file or directory",
    f"Error: /var/task/{ADDON}: file too short",
    "Error: invalid ELF header",
    (
        "Error: Cannot find module '../build/Release/canvas.node'\nRequire stack:\n"
        "- /var/task/node_modules/canvas/lib/bindings.js"
    ),
    f"Error: /var/task/{ADDON.replace('canvas.node', 'other.node')}: invalid ELF header",
)


def content(name: str, directory: Path) -> bytes | None:
    """What lies where the package looks for its addon."""
    good = elf.link(directory, "canvas.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    foreign = bytearray(good)
    foreign[E_MACHINE] = AARCH64
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    return {"good": good, "mach-o": MACH_O, "arm64": bytes(foreign), "empty": b"", "lfs": lfs, "absent": None}[name]


def make_project(directory: Path, addon: bytes | None) -> Path:
    package = directory / "node_modules" / "canvas"
    (directory / ADDON).parent.mkdir(parents=True)
    if addon is not None:
        (directory / ADDON).write_bytes(addon)
    (package / "package.json").write_text('{"name": "canvas", "version": "2.11.2", "main": "index.js"}')
    (package / "index.js").write_text("module.exports = require('./build/Release/canvas.node')\n")
    (directory / "package.json").write_text('{"name": "fn", "dependencies": {"canvas": "2.11.2"}}')
    (directory / "index.js").write_text("exports.handler = async () => require('canvas')\n")
    return directory


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    run_command([*arguments, *RUNTIME, "--format", "json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize(("name", "text"), list(product(FILES, TEXTS)), ids=lambda value: value[:12] + value[-18:])
def test_an_answer_agrees_with_verify(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "fn", content(name, tmp_path))
    monkeypatch.chdir(project)
    report = run_json(capsys, "verify", ".")
    errors = [finding for finding in report["findings"] if finding["severity"] == "error"]
    outcomes = {binary["path"]: binary["outcome"] for binary in report["binaries"]}
    for diagnosis in run_json(capsys, "explain", text)["diagnoses"]:
        found = diagnosis["found"] or ""
        named = (diagnosis["file"] or "").endswith("canvas.node")
        if found.startswith("no: "):
            assert named
            assert outcomes[ADDON] == "loads"
            assert not [finding for finding in errors if finding["path"] == ADDON]
        if found.startswith("yes"):
            assert errors
