"""Node and npm for a host that has none: the same pinned packages, unpacked into the cache."""

import gzip
import io
import platform
import shutil
import tarfile
from pathlib import Path

from images.lab.cache import LabError, npm_tarball
from images.lab.recipe import Cpu, NodeRelease

MACHINES = {"x86_64": Cpu.X86_64, "AMD64": Cpu.X86_64, "aarch64": Cpu.ARM64, "arm64": Cpu.ARM64}


def install(release: NodeRelease, cache: Path) -> Path:
    """Put node, npm and npx into `host/bin` of the cache, unless they are there; returns that directory."""
    if platform.system() != "Linux" or platform.machine() not in MACHINES:
        raise LabError("Node.js for the host is unpacked on Linux only: install Node.js and npm yourself")
    home = cache / "host"
    node, npm = release.node[MACHINES[platform.machine()]], release.npm
    stamp, version = home / "version", f"node {node.version}, npm {npm.version}\n"
    if stamp.exists() and stamp.read_text("utf-8") == version:
        return home / "bin"
    shutil.rmtree(home, ignore_errors=True)
    _unpack(npm_tarball(node, cache), home)
    _unpack(npm_tarball(npm, cache), home / "lib" / "node_modules" / "npm")
    for name in ("npm", "npx"):
        script = home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        script.chmod(0o755)
        (home / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    stamp.write_text(version, "utf-8")
    return home / "bin"


def _unpack(tarball: bytes, to: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(tarball)), mode="r:") as archive:
        for member in archive:
            member.name = member.name.removeprefix("package/")
            archive.extract(member, to, filter="data")
