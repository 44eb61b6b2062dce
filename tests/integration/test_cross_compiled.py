"""arm64 on x86_64 without emulating the compiler: what is built so loads, and what cannot be falls back."""

import json
import shutil
from pathlib import Path

import pytest

from lambdapack.engine.docker import connect_engine
from lambdapack.engine.interface import CacheVolume, Command, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.events import SILENT
from lambdapack.install.embedded.cross import cross_environment, cross_tools
from lambdapack.install.embedded.tools import provide_tools
from lambdapack.install.embedded.wheels import WheelStore
from lambdapack.install.recipe import ImageRequest
from lambdapack.model import Architecture
from lambdapack.tree.compose import MemoryTree
from tests.command import EXAMPLES, lambdapack

pytestmark = pytest.mark.engine

LAB = "lambdapack-lab/nodejs:22-{}"
IMAGES = {
    "LAMBDAPACK_IMAGE": "lambdapack-lab/nodejs:{node}-{arch}",
    "LAMBDAPACK_BUILD_IMAGE": "lambdapack-lab/nodejs:{node}-{arch}-build",
}


def test_an_addon_is_compiled_natively_in_the_other_cpus_image_and_loads_there(tmp_path: Path) -> None:
    engine = connect_engine({})
    other = next(cpu for cpu in Architecture if cpu is not engine.architecture)
    project = tmp_path / "addon"
    shutil.copytree(EXAMPLES / "addon", project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules", "build"))
    ran = lambdapack("build", project, "--arch", other.aws, "--engine", "docker", "--load", env=IMAGES)
    assert ran.returncode == 0, ran.stderr
    manifest = json.loads(Path(f"{ran.stdout.strip()}.lambdapack.json").read_text("utf-8"))
    assert manifest["install"]["strategy"] == "cross-compiled"
    assert manifest["install"]["compiler"].startswith("zig ")
    assert "trying emulated" not in ran.stderr


HELLO = b"""#include <string>
#include <cstdio>
int main() { std::string s("fine"); try { throw 1; } catch (int) { std::puts(s.c_str()); } }
"""

NESTED = b"int outer(int n) { int inner(int m) { return m + n; } return inner(1); }\n"

SOURCES = {"hello.cc": HELLO, "refused.c": NESTED, "broken.cc": b"int f( {\n"}

SCRIPT = """
g++ -O2 -o hello hello.cc && ./hello
cc -c -o refused.o refused.c && echo by-gcc
cc -dumpversion
echo '#define X 1' | cc -E -dM - | grep -c __aarch64__
g++ -c -o broken.o broken.cc || echo failed
"""


def test_what_clang_refuses_is_compiled_by_the_images_own_compiler(tmp_path: Path) -> None:
    """Nested functions are gcc's alone; what no compiler takes fails with gcc's words."""
    engine = connect_engine({})
    if engine.architecture is not Architecture.X86_64:
        pytest.skip("the words are those of arm64 on x86_64")
    native = ImageRequest(LAB.format("x86_64"), Architecture.X86_64)
    volume = provide_tools(cross_tools(native), native, engine, WheelStore(tmp_path, {}), SILENT)
    volumes = (volume, CacheVolume("lambdapack-test-cross", "/var/cache/lambdapack"))
    spec = SandboxSpec(LAB.format("arm64-build"), Architecture.ARM64, "cross", volumes=volumes, network=False)
    heard, said = Transcript(SILENT), Transcript(SILENT)
    with engine.open(spec) as sandbox:
        sandbox.put(MemoryTree(SOURCES), "/var/task")
        environment = {**cross_environment(Architecture.ARM64), "LD_LIBRARY_PATH": ""}
        sandbox.run(Command(("/bin/sh", "-c", SCRIPT), environment, cwd="/var/task"), heard)
        sandbox.run(Command(("readelf", "-p", ".comment", "hello", "refused.o"), cwd="/var/task"), said)
    heard.close()
    said.close()
    engine.drop_cache("lambdapack-test-cross")
    assert list(heard.lines)[:4] == ["fine", "by-gcc", "12", "1"]
    assert heard.lines[-1] == "failed"
    assert any("broken.cc" in line and "error" in line for line in heard.lines)
    hello, refused = "\n".join(said.lines).split("refused.o")
    assert "clang" in hello
    assert "clang" not in refused
