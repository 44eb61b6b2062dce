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


MISSING = "Error: Cannot find module '{}'\nRequire stack:\n- /var/task/index.js"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("left-pad", "package.json does not declare left-pad"),
        ("canvas", "package.json has canvas in dependencies"),
        ("typescript", "devDependencies, which are not installed for Lambda"),
        ("@acme/shared", "@acme/shared is a member of the workspace"),
    ],
)
def test_a_missing_package_is_looked_up_in_the_project(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "fn", MACH_O)
    manifest = {"name": "fn", "dependencies": {"canvas": "2.11.2"}, "devDependencies": {"typescript": "5.0.0"}}
    (project / "package.json").write_text(json.dumps(manifest))
    (project / "packages" / "shared").mkdir(parents=True)
    (project / "node_modules" / "@acme").mkdir()
    (project / "node_modules" / "@acme" / "shared").symlink_to("../../packages/shared")
    monkeypatch.chdir(project)
    found = run_json(capsys, "explain", MISSING.format(name))["diagnoses"][0]
    assert found["cause"] == "missing-package"
    assert said in found["found"]
    assert not any(f"install {name}" in command or f"add {name}" in command for command in found["fix"])


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (("pnpm-lock.yaml",), "pnpm install --frozen-lockfile --os=linux --cpu=x64 --libc=glibc"),
        (("yarn.lock",), "docker run"),
        (("bun.lock",), "bun install --frozen-lockfile --os=linux --cpu=x64"),
        (("package-lock.json",), "npm ci --os=linux --cpu=x64 --libc=glibc"),
        (("yarn.lock", ".yarnrc.yml"), "yarn config set supportedArchitectures"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_commands_are_those_of_the_projects_own_manager(
    files: tuple[str, ...],
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "package.json").write_text('{"name": "fn"}')
    for name in files:
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    fix = run_json(capsys, "explain", TEXTS[0])["diagnoses"][0]["fix"]
    assert fix[0] == "lambdapack build --runtime nodejs22.x --arch x86_64"
    assert fix[1].startswith(command)
