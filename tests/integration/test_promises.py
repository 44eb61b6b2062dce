"""What the package promises whatever the host is: same bytes, no secret anywhere, the four foreign trees refused."""

import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.command import EXAMPLES, lambdapack

pytestmark = [pytest.mark.engine, pytest.mark.registry]


def copy(name: str, target: Path) -> Path:
    shutil.copytree(EXAMPLES / name, target, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return target


@pytest.mark.parametrize("name", ["thumbnail", "addon"])
def test_two_builds_in_different_surroundings_give_the_same_bytes(
    name: str, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    archives = []
    for place, mask, zone in (("a", 0o022, "UTC"), ("elsewhere/deep b", 0o077, "Pacific/Auckland")):
        (tmp_path / place).mkdir(parents=True)
        before = os.umask(mask)
        try:
            project = copy(name, tmp_path / place / name)
            for path in project.rglob("*"):
                os.utime(path, (1_000_000_000, 1_000_000_000))
            env = {**lab_engine, "TZ": zone, "HOME": str(tmp_path / place)}
            done = lambdapack("build", project, env=env)
        finally:
            os.umask(before)
        assert done.returncode == 0, done.stderr
        archives.append(Path(done.stdout.strip()).read_bytes())
    assert archives[0] == archives[1]


def docker(*arguments: str) -> bytes:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True).stdout


def members(stream: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        return [
            (each.name, file.read())
            for each in archive
            if each.isfile() and each.size < 64 * 1024 * 1024 and (file := archive.extractfile(each))
        ]


def test_a_secret_is_found_nowhere(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    canary = f"canary{secrets.token_hex(16)}"
    needle = canary.encode()
    project = copy("plain", tmp_path / "plain")
    (project / ".npmrc").write_text(
        f"//registry.example.test/:_authToken=${{CANARY}}\n//other.test/:_password={canary}\n"
    )
    proxy = {"NO_PROXY": f"{canary}.test", "CANARY": canary}
    done = lambdapack("build", project, "--keep-container", "-v", env={**lab_engine, **proxy})
    kept = docker("ps", "-aq", "--filter", "label=dev.lambdapack.kept").decode().split()
    try:
        assert done.returncode == 0, done.stderr
        assert kept
        assert canary not in done.stdout + done.stderr
        assert [trace for container in kept for trace in traces(container, needle)] == []
        assert volumes_with(canary) == []
        archive = Path(done.stdout.strip())
        assert [path.name for path in archive.parent.iterdir() if needle in path.read_bytes()] == []
        with zipfile.ZipFile(archive) as opened:
            assert [name for name in opened.namelist() if needle in opened.read(name)] == []
    finally:
        if kept:
            docker("rm", "-f", *kept)


def traces(container: str, needle: bytes) -> list[str]:
    """Where a container, as it can be looked at from outside, has the needle."""
    told = [words for words in ("inspect", "diff", "logs") if needle in docker(words, container)]
    return told + [name for name, data in members(docker("export", container)) if needle in data]


def volumes_with(canary: str) -> list[str]:
    found = []
    for line in docker("volume", "ls", "--format", "{{.Name}} {{.Mountpoint}}").decode().splitlines():
        searched = subprocess.run(["grep", "-rlF", canary, line.split()[1]], capture_output=True, check=False)
        if searched.stdout:
            found.append(line)
    return found


def installed(tmp_path: Path, npm: str, *flags: str, packages: tuple[str, ...] = ("sharp@0.34.5",)) -> Path:
    (tmp_path / "package.json").write_text('{"name": "foreign", "version": "1.0.0", "private": true}')
    (tmp_path / "index.js").write_text("exports.handler = async () => 1\n")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", *flags, *packages]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "arch", "cause"),
    [
        (("--os=darwin", "--cpu=arm64"), "arm64", "not-elf"),
        (("--os=linux", "--cpu=x64", "--libc=musl"), "x86_64", "musl"),
        (("--os=linux", "--cpu=x64", "--libc=glibc"), "arm64", "wrong-cpu"),
    ],
    ids=["macos", "musl", "x86_64"],
)
def test_a_tree_for_another_system_is_refused_with_its_cause(
    tmp_path: Path, npm: str, flags: tuple[str, ...], arch: str, cause: str
) -> None:
    tree = installed(tmp_path, npm, *flags)
    done = lambdapack("verify", tree, "--runtime", "nodejs22.x", "--arch", arch, "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["verdict"] == "fail"
    assert cause in {each["name"] for each in report["findings"]}


LEGACY = {
    "package.json": '{"name": "legacy", "version": "1.0.0", "scripts": {"install": "node-gyp rebuild"}}',
    "binding.gyp": '{"targets": [{"target_name": "legacy", "sources": ["legacy.cc"]}]}',
    "index.js": "module.exports = require('./build/Release/legacy.node')",
    "legacy.cc": """#include <node.h>
static void Answer(const v8::FunctionCallbackInfo<v8::Value>& args) { args.GetReturnValue().Set(42); }
NODE_MODULE_INIT() { NODE_SET_METHOD(exports, "answer", Answer); }
""",
}
"""An addon on the V8 API, which is right for the Node.js it was compiled with and for no other."""


def test_a_tree_compiled_for_another_node_is_refused(tmp_path: Path, npm: str, lab_engine: dict[str, str]) -> None:
    (tmp_path / "lib/legacy").mkdir(parents=True)
    for name, text in LEGACY.items():
        (tmp_path / "lib/legacy" / name).write_text(text)
    (tmp_path / "index.js").write_text("exports.handler = async () => require('legacy').answer()\n")
    dependencies = {"legacy": "file:lib/legacy"}
    (tmp_path / "package.json").write_text(
        json.dumps({"name": "app", "version": "1.0.0", "dependencies": dependencies})
    )
    subprocess.run([npm, "install", "--package-lock-only"], cwd=tmp_path, check=True, capture_output=True)
    built = lambdapack("build", tmp_path, "--runtime", "nodejs22.x", env=lab_engine)
    assert built.returncode == 0, built.stderr
    archive = built.stdout.strip()
    assert lambdapack("invoke", archive, env=lab_engine).stdout == "42\n"
    judged = lambdapack("verify", archive, "--runtime", "nodejs24.x", "--format", "json")
    assert judged.returncode == 1
    (found,) = (each for each in json.loads(judged.stdout)["findings"] if each["severity"] == "error")
    assert found["name"] == "node-abi"
    assert "NODE_MODULE_VERSION 127" in found["message"] + found["why"]


def test_an_addon_for_this_very_cpu_is_warned_of_and_the_cure_ends_it(
    tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    project = copy("addon", tmp_path / "addon")
    gyp = project / "lib/checksum/binding.gyp"
    gyp.write_text(gyp.read_text().replace('"sources"', '"cflags": ["-march=native"], "sources"'))
    flags = {"CFLAGS": "-march=x86-64-v2", "CXXFLAGS": "-march=x86-64-v2"}
    warned, cured = (lambdapack("build", project, "-v", env={**lab_engine, **each}) for each in ({}, flags))
    assert "[LP219]" in warned.stderr
    assert " ".join(f"{name}={value}" for name, value in flags.items()) in warned.stderr
    assert (warned.returncode, cured.returncode) == (0, 0)
    assert "no findings" in cured.stderr


def test_a_workspaces_member_builds_and_runs(tmp_path: Path, npm: str, lab_engine: dict[str, str]) -> None:
    member, sibling = tmp_path / "functions" / "a", tmp_path / "shared"
    for directory, manifest in (
        (tmp_path, {"name": "all", "version": "1.0.0", "workspaces": ["functions/*", "shared"]}),
        (member, {"name": "a", "version": "1.0.0", "dependencies": {"shared-of-all": "1.0.0"}}),
        (sibling, {"name": "shared-of-all", "version": "1.0.0"}),
    ):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text(json.dumps(manifest))
    (sibling / "index.js").write_text("module.exports = 'of a sibling';\n")
    (member / "index.js").write_text(
        "const shared = require('shared-of-all');\nexports.handler = async () => shared;\n"
    )
    subprocess.run([npm, "install", "--package-lock-only", "--offline", "--no-audit"], cwd=tmp_path, check=True)
    env = {**lab_engine, "LAMBDAPACK_RUNTIME": "nodejs22.x"}
    built = lambdapack("build", member, env=env)
    assert built.returncode == 0, built.stderr
    answered = lambdapack("invoke", built.stdout.strip(), env=env)
    assert json.loads(answered.stdout) == "of a sibling"
