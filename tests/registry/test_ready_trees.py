"""Trees that pnpm and Yarn make: what of them is packed without an install, what is refused, and what works instead."""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.command import lambdapack
from tests.npm_trees import manager, npm, run

pytestmark = [
    pytest.mark.registry,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the trees of this test: install Node.js"),
]

PNPM, YARN = "pnpm@10.34.9", "@yarnpkg/cli-dist@4.9.2"
TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")
THUMB = "src/handlers/thumb.handler"

Report = Mapping[str, Any]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tools")


@pytest.fixture(scope="module")
def pnpm(tools: Path) -> str:
    return manager(tools, PNPM)


@pytest.fixture(scope="module")
def yarn(tools: Path) -> str:
    npm(tools, "install", "--prefix", ".", "--no-save", YARN)
    return str(tools / "node_modules" / ".bin" / "yarn")


def build(directory: Path, *options: str) -> Report:
    done = lambdapack("build", directory, "--format", "json", *TARGET, *options)
    assert done.stdout, done.stderr
    report: Report = json.loads(done.stdout)
    return report


def codes(report: Report, severity: str = "error") -> list[str]:
    return [found["code"] for found in report["findings"] if found["severity"] == severity]


def unpack(report: Report, directory: Path) -> Path:
    """Unpack as Lambda does: links are links."""
    with zipfile.ZipFile(report["subject"]["archive"]) as archive:
        for member in archive.infolist():
            place = directory / member.filename
            place.parent.mkdir(parents=True, exist_ok=True)
            if member.external_attr >> 28 == 0o12:
                place.symlink_to(archive.read(member).decode())
            elif not member.is_dir():
                place.write_bytes(archive.read(member))
    return directory


def loads(directory: Path, file: str) -> bool:
    node = shutil.which("node")
    assert node is not None
    command = [node, "-e", f"require({json.dumps(str(directory / file))})"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def write(directory: Path, manifest: Mapping[str, object], **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "package.json").write_text(json.dumps(manifest))
    for name, text in files.items():
        place = directory / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return directory


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with two members; the function needs the other one and a package with dependencies of its own."""
    root = write(tmp_path / "shop", {"name": "shop", "private": True, "workspaces": ["packages/*"]})
    write(
        root / "packages" / "shared", {"name": "@shop/shared", "version": "1.0.0"}, **{"index.js": "exports.a = 1;\n"}
    )
    code = "require('@shop/shared'); require('debug');\nexports.handler = async () => 1;\n"
    dependencies = {"@shop/shared": "workspace:*", "debug": "4.3.4"}
    thumb = {"name": "@shop/thumb", "version": "1.0.0", "main": "src/handlers/thumb.js", "dependencies": dependencies}
    write(root / "packages" / "thumb", thumb, **{"src__handlers__thumb.js": code})
    return root


@pytest.fixture
def pnpm_shop(shop: Path, pnpm: str) -> Path:
    (shop / "pnpm-workspace.yaml").write_text("packages:\n  - packages/*\n")
    run([pnpm, "install"], shop)
    return shop


def test_pnpm_deploy_is_packed_without_its_link_to_itself(pnpm_shop: Path, pnpm: str, tmp_path: Path) -> None:
    run([pnpm, "--filter", "@shop/thumb", "deploy", "--prod", "--legacy", "OUT"], pnpm_shop)
    own = pnpm_shop / "OUT" / "node_modules" / ".pnpm" / "node_modules" / "@shop" / "thumb"
    assert own.is_symlink()
    report = build(pnpm_shop / "OUT", "--no-install", "--handler", THUMB)
    assert codes(report) == []
    place = unpack(report, tmp_path / "unpacked")
    assert not (place / own.relative_to(pnpm_shop / "OUT")).is_symlink()
    assert loads(place, "src/handlers/thumb.js")


def test_a_member_of_pnpm_alone_is_refused_and_the_advice_works(pnpm_shop: Path, pnpm: str, tmp_path: Path) -> None:
    report = build(pnpm_shop / "packages" / "thumb", "--no-install", "--handler", THUMB)
    assert "LP304" in codes(report)
    (fix, *_) = {found["fix"] for found in report["findings"] if found["code"] == "LP304"}
    assert "cp -RL" not in fix
    advised = re.search(r"`pnpm (--filter [^`]+ OUT)`", fix)
    assert advised is not None
    run([pnpm, *advised[1].split()], pnpm_shop)
    place = unpack(build(pnpm_shop / "OUT", "--no-install", "--handler", THUMB), tmp_path / "unpacked")
    assert loads(place, "src/handlers/thumb.js")


def test_a_workspace_of_pnpm_is_packed_from_its_root(pnpm_shop: Path, tmp_path: Path) -> None:
    report = build(pnpm_shop, "--no-install", "--handler", f"packages/thumb/{THUMB}")
    assert codes(report) == []
    assert loads(unpack(report, tmp_path / "unpacked"), "packages/thumb/src/handlers/thumb.js")


def test_a_lock_that_npm_makes_beside_pnpms_is_refused(pnpm_shop: Path) -> None:
    shutil.rmtree(pnpm_shop / "node_modules")
    (pnpm_shop / "package.json").write_text('{"name": "shop", "private": true}')
    npm(pnpm_shop, "install", "--package-lock-only")
    assert codes(build(pnpm_shop, "--handler", f"packages/thumb/{THUMB}")) == ["LP171"]


def test_plug_n_play_is_refused_and_its_cure_works(shop: Path, yarn: str, tmp_path: Path) -> None:
    (shop / "yarn.lock").write_text("")
    (shop / ".yarnrc.yml").write_text("enableTelemetry: false\n")
    run([yarn, "install", "--no-immutable"], shop)
    assert (shop / ".pnp.cjs").is_file()
    handler = f"packages/thumb/{THUMB}"
    assert codes(build(shop, "--no-install", "--handler", handler)) == ["LP168"]
    (shop / ".yarnrc.yml").write_text("enableTelemetry: false\nnodeLinker: node-modules\n")
    run([yarn, "install", "--no-immutable"], shop)
    report = build(shop, "--no-install", "--handler", handler)
    assert codes(report) == []
    assert loads(unpack(report, tmp_path / "unpacked"), "packages/thumb/src/handlers/thumb.js")


def test_the_install_of_a_function_below_the_root_ships(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"name": "root", "version": "1.0.0"})
    code = {"index.js": "require('debug');\nexports.handler = async () => 1;\n"}
    resize = write(root / "functions" / "resize", {"name": "resize", "dependencies": {"debug": "4.3.4"}}, **code)
    npm(resize, "install")
    report = build(root, "--no-install", "--handler", "functions/resize/index.handler")
    assert codes(report) == []
    assert loads(unpack(report, tmp_path / "unpacked"), "functions/resize/index.js")
