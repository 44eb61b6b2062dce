"""Each cause from failure to cure: really broken, explained by the loader's own words, cured by a printed command."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from images.lab.cache import REPOSITORY_ROOT
from tests import elf, npm_trees
from tests.command import EXAMPLES, lambdapack
from tests.corpus import compilers

pytestmark = [pytest.mark.engine, pytest.mark.registry]

ADDON = Path("node_modules/bcrypt/build/Release/bcrypt.node")
"""Where `npm rebuild --build-from-source` leaves it, and where it is looked for first."""

LFS = b"version https://git-lfs.github.com/spec"


@dataclass(frozen=True)
class Bench:
    """A project on the table, with a machine that runs it as Lambda would."""

    project: Path
    env: dict[str, str]

    def run(self, arch: str = "x86_64", module: str = "bcrypt", **more: str) -> subprocess.CompletedProcess[str]:
        """Require a module in the bare image; what node prints is what CloudWatch has."""
        place = Path(more.get("place", self.project))
        image = self.env["LAMBDAPACK_IMAGE"].format(node="22", arch=arch)
        command = ["docker", "run", "--rm", "--network=none", "-v", f"{place}:/var/task:ro", "-w", "/var/task"]
        command += ["--entrypoint", "/var/lang/bin/node", image, "-e", f"require({module!r})"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def explained(self, said: str, *more: str) -> dict[str, Any]:
        """The best diagnosis of what was said, after a look at this project."""
        (self.project.parent / "said.log").write_text(said)
        flags: tuple[str | Path, ...] = (
            "--project",
            self.project,
            "--runtime",
            "nodejs22.x",
            *more,
            "--format",
            "json",
        )
        done = lambdapack("explain", self.project.parent / "said.log", *flags, env=self.env)
        assert done.returncode == 0, said
        best: dict[str, Any] = json.loads(done.stdout)["diagnoses"][0]
        return best

    def cure(self, found: dict[str, Any], begins: str) -> str:
        """Run the first printed command that begins so, as it stands."""
        command = next(each for each in found["fix"] if each.startswith(begins))
        path = os.pathsep.join([str(Path(sys.executable).parent), str(REPOSITORY_ROOT / ".lab/host/bin")])
        done = subprocess.run(  # noqa: S602  # it is what a person would type
            command,
            shell=True,
            cwd=self.project,
            env={**os.environ, **self.env, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def loads(self, archive: str) -> bool:
        """Whether the zip that a cure made loads in the image."""
        return lambdapack("verify", self.project / archive, "--load", env=self.env).returncode == 0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("causes") / "password"
    shutil.copytree(EXAMPLES / "password", project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    npm_trees.npm(project, "ci")
    return project


@pytest.fixture
def bench(installed: Path, tmp_path: Path, lab_engine: dict[str, str]) -> Bench:
    project = tmp_path / "password"
    shutil.copytree(installed, project, symlinks=True)
    return Bench(project, lab_engine)


def left_by(bench: Bench, name: str) -> None:
    """What a build on another machine leaves: its file, where the package looks first."""
    prebuilt = bench.project / "node_modules" / "bcrypt" / "prebuilds" / name
    (bench.project / ADDON).parent.mkdir(parents=True)
    shutil.copyfile(prebuilt, bench.project / ADDON)


def machine(left: str, arch: str, cause: str, what: str, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(left, arch, cause, what, id=f"{left}-on-{arch}", marks=marks)


FULL = pytest.mark.full
MACHINES = (
    machine("darwin-arm64/bcrypt.node", "x86_64", "not-elf", "Mach-O arm64, made for macOS"),
    machine("darwin-x64/bcrypt.node", "arm64", "not-elf", "Mach-O x86_64, made for macOS", FULL),
    machine("win32-x64/bcrypt.node", "x86_64", "not-elf", "a Windows binary x86_64", FULL),
    machine("linux-arm64/bcrypt.glibc.node", "x86_64", "wrong-cpu", "ELF arm64"),
    machine("linux-x64/bcrypt.glibc.node", "arm64", "wrong-cpu", "ELF x86_64", FULL),
    machine("linux-x64/bcrypt.musl.node", "x86_64", "musl", "ELF x86_64", FULL),
)


@pytest.mark.parametrize(("left", "arch", "cause", "what"), MACHINES)
def test_node_modules_of_another_machine(bench: Bench, left: str, arch: str, cause: str, what: str) -> None:
    left_by(bench, left)
    failed = bench.run(arch)
    assert failed.returncode == 1
    found = bench.explained(failed.stderr, "--arch", arch)
    assert (found["cause"], found["package"], found["certainty"]) == (cause, "bcrypt", "certain")
    assert f"yes: {ADDON.as_posix()} is {what}" in found["found"]
    bench.cure(found, "npm ci")
    assert bench.run(arch).returncode == 0


@pytest.mark.full
def test_our_own_command_cures_as_well(bench: Bench) -> None:
    left_by(bench, "darwin-arm64/bcrypt.node")
    found = bench.explained(bench.run().stderr, "--arch", "x86_64")
    assert found["fix"][0] == "lambdapack build --runtime nodejs22.x --arch x86_64"
    assert bench.loads(bench.cure(found, "lambdapack build"))


@pytest.mark.full
def test_a_file_that_was_cut_short(bench: Bench) -> None:
    left_by(bench, "linux-x64/bcrypt.glibc.node")
    (bench.project / ADDON).write_bytes(LFS)
    found = bench.explained(bench.run().stderr)
    assert found["cause"] == "truncated"
    assert found["found"].startswith("yes: ")
    bench.cure(found, "npm cache clean --force && rm -rf node_modules && npm ci")
    assert bench.run().returncode == 0


def test_an_old_zip_that_is_still_deployed(bench: Bench, tmp_path: Path) -> None:
    clean = shutil.copytree(bench.project, tmp_path / "clean", symlinks=True)
    left_by(bench, "darwin-arm64/bcrypt.node")
    failed = bench.run()
    old = npm_trees.zipped(bench.project, tmp_path / "old.zip")
    rebuilt = Bench(clean, bench.env)
    found = rebuilt.explained(failed.stderr, "--arch", "x86_64")
    assert "what failed is another copy" in found["found"]
    judged = lambdapack("verify", old, "--project", clean, "--runtime", "nodejs22.x", env=bench.env)
    assert judged.returncode == 1
    rebuilt.cure(found, "npm ci")
    assert rebuilt.run().returncode == 0


@pytest.mark.full
def test_no_prebuilt_file_for_this_platform(bench: Bench) -> None:
    shutil.rmtree(bench.project / "node_modules" / "bcrypt" / "prebuilds" / "linux-x64")
    failed = bench.run()
    assert "No native build was found" in failed.stderr
    found = bench.explained(failed.stderr, "--arch", "x86_64")
    assert (found["cause"], found["package"]) == ("prebuild-missing", "bcrypt")
    assert bench.loads(bench.cure(found, "lambdapack build"))


@pytest.mark.full
def test_packages_for_another_platform(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = tmp_path / "hash"
    project.mkdir()
    (project / "package.json").write_text('{"name": "hash", "dependencies": {"@node-rs/bcrypt": "1.10.7"}}')
    (project / "index.js").write_text("exports.handler = async () => require('@node-rs/bcrypt').genSaltSync(4)\n")
    npm_trees.npm(project, "install", "--os=darwin", "--cpu=arm64")
    bench = Bench(project, lab_engine)
    failed = bench.run(module="@node-rs/bcrypt")
    assert failed.returncode == 1
    found = bench.explained(failed.stderr, "--arch", "x86_64")
    assert (found["cause"], found["package"]) == ("platform-package-missing", "@node-rs/bcrypt")
    bench.cure(found, "npm ci --os=linux --cpu=x64")
    assert bench.run(module="@node-rs/bcrypt").returncode == 0


def test_a_library_that_is_not_on_lambda(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = tmp_path / "shining"
    package = project / "node_modules" / "shining"
    shiny = elf.library(tmp_path / "made", "libshiny.so.1")
    source = elf.NODE_API.replace("return napi_create", "shiny(); return napi_create") + "int shiny(void);\n"
    addon = elf.link(tmp_path / "made", "shining.node", source, "-DLEVEL=8", libraries=(shiny,))
    package.mkdir(parents=True)
    shutil.copyfile(addon, package / "shining.node")
    (package / "package.json").write_text('{"name": "shining", "version": "1.0.0", "main": "shining.node"}')
    (project / "package.json").write_text('{"name": "fn", "dependencies": {"shining": "1.0.0"}}')
    (project / "index.js").write_text("exports.handler = async () => require('shining')\n")
    bench = Bench(project, lab_engine)
    found = bench.explained(bench.run(module="shining").stderr, "--arch", "x86_64")
    assert (found["cause"], found["file"], found["package"]) == ("missing-library", "libshiny.so.1", "shining")
    assert "lib/ of the function" in found["prevent"]
    (project / "lib").mkdir()
    shutil.copyfile(shiny, project / "lib" / "libshiny.so.1")
    bench.cure(found, "lambdapack verify")
    assert bench.run(module="shining").returncode == 0


COUNTER = """
#include <node.h>
namespace {
void Next(const v8::FunctionCallbackInfo<v8::Value>& given) { given.GetReturnValue().Set(1); }
void Init(v8::Local<v8::Object> exports) { NODE_SET_METHOD(exports, "next", Next); }
}
NODE_MODULE(counter, Init)
"""
"""Speaks to V8 itself, as addons did before Node-API: another Node.js needs another file."""


@pytest.fixture
def counter(tmp_path: Path, lab_engine: dict[str, str]) -> Bench:
    """A project with an addon of its own that is bound to one Node.js."""
    project = tmp_path / "counter"
    shutil.copytree(EXAMPLES / "addon", project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    own = project / "lib" / "checksum"
    (own / "checksum.cc").write_text(COUNTER)
    (own / "index.js").write_text("module.exports = require('./build/Release/checksum.node')\n")
    (own / "binding.gyp").write_text('{"targets": [{"target_name": "checksum", "sources": ["checksum.cc"]}]}')
    (project / "node_modules").mkdir()
    (project / "node_modules" / "checksum").symlink_to("../lib/checksum")
    return Bench(project, lab_engine)


def compiled(bench: Bench, version: str, before: str) -> None:
    """Compile it with the headers of a Node.js release, as an install under that Node.js does."""
    own = bench.project / "lib" / "checksum"
    made = own / "build" / "Release" / "checksum.node"
    made.parent.mkdir(parents=True)
    source = bench.project.parent / "counter.cc"
    source.write_text(before + COUNTER)
    command = ["g++", "-std=c++20", "-w", "-shared", "-fPIC", "-I", str(compilers.headers(version))]
    subprocess.run([*command, "-o", str(made), str(source)], check=True, capture_output=True)


ELECTRON = "#include <node_version.h>\n#undef NODE_MODULE_VERSION\n#define NODE_MODULE_VERSION 130\n"
"""What Electron 33's headers say in place of Node.js 22's; the rest of them is alike."""

ABIS = (
    pytest.param("20.20.2", "", "node-abi", "compiled for Node.js 20", id="node-upgraded"),
    pytest.param("22.23.1", ELECTRON, "electron-abi", "Electron 33", id="rebuilt-for-electron", marks=pytest.mark.full),
)


@pytest.mark.parametrize(("version", "before", "cause", "what"), ABIS)
def test_an_addon_for_another_node(counter: Bench, version: str, before: str, cause: str, what: str) -> None:
    compiled(counter, version, before)
    failed = counter.run(module="checksum")
    assert "was compiled against a different Node.js version" in failed.stderr
    found = counter.explained(failed.stderr, "--arch", "x86_64")
    assert (found["cause"], found["package"]) == (cause, "checksum")
    assert what in found["says"]
    assert found["found"].startswith("yes: ")
    assert counter.loads(counter.cure(found, "lambdapack build --runtime nodejs22.x"))


@pytest.mark.full
def test_an_addon_that_nobody_looks_after(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = tmp_path / "old"
    project.mkdir()
    (project / "package.json").write_text('{"name": "old", "dependencies": {"ref": "1.3.5"}}')
    (project / "index.js").write_text("exports.handler = async () => Object.keys(require('koffi')).length\n")
    npm_trees.npm(project, "install")
    bench = Bench(project, lab_engine)
    failed = lambdapack("build", project, "--arch", "x86_64", env=lab_engine)
    assert failed.returncode == 4
    found = bench.explained(failed.stderr, "--arch", "x86_64")
    assert (found["cause"], found["package"]) == ("compile-error", "ref")
    assert "nobody looks after it" in found["book"]
    bench.cure(found, "npm uninstall ref && npm install koffi")
    done = lambdapack("build", project, "--arch", "x86_64", "--load", env=lab_engine)
    assert done.returncode == 0, done.stderr


@pytest.mark.full
def test_a_download_that_failed_without_a_word(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    arch = "x86_64"
    project = tmp_path / "password"
    project.mkdir()
    (project / "package.json").write_text('{"name": "fn", "dependencies": {"bcrypt": "5.1.1"}}')
    (project / "index.js").write_text("exports.handler = async () => require('bcrypt').genSaltSync(4)\n")
    npm_trees.npm(project, "install")
    bench = Bench(project, lab_engine)
    failed = bench.run(arch)
    assert failed.returncode == 1
    found = bench.explained(failed.stderr, "--arch", arch)
    assert (found["cause"], found["package"]) == ("prebuild-missing", "bcrypt")
    assert f"--arch {arch}" in found["fix"][0]
    assert bench.loads(bench.cure(found, "lambdapack build"))
