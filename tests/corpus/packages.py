"""npm packages as trees, read where npm put their tarballs. Never unpacks one, never runs a script of one."""

import gzip
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from images.lab.cache import REPOSITORY_ROOT, directory, replacing
from lambdapack.tree.compose import OverlayTree, PrefixedTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

AT_ONCE = 8
"""Packages that one npm fetches: its start costs as much as a small download."""

SECONDS = 900
"""Longest that one batch may take; the largest package has 60 MB."""


def cache() -> Path:
    """Where downloads and measurements are remembered."""
    return directory() / "corpus"


def fetch(specs: Iterable[str]) -> Mapping[str, Path]:
    """Return the tar of each `name@version`; npm fetches those that are not there and checks their integrity."""
    places = {spec: cache() / "npm" / f"{_file_name(spec)}.tar" for spec in sorted(set(specs))}
    lacking = [spec for spec, path in places.items() if not path.exists()]
    for start in range(0, len(lacking), AT_ONCE):
        _pack(lacking[start : start + AT_ONCE], places)
    return places


def _file_name(spec: str) -> str:
    """What `npm pack` calls it: @scope/name@1.2.3 is scope-name-1.2.3."""
    name, _, version = spec.rpartition("@")
    return f"{name.removeprefix('@').replace('/', '-')}-{version}"


def _pack(specs: list[str], places: Mapping[str, Path]) -> None:
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="pack-") as scratch:
        command = [_npm(), "pack", "--silent", "--pack-destination", scratch, *specs]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"npm pack {' '.join(specs)}: {done.stderr.strip() or done.stdout.strip()}")
        for spec in specs:
            _keep(Path(scratch) / f"{_file_name(spec)}.tgz", places[spec])


def _npm() -> str:
    found = shutil.which("npm", path=f"{os.environ.get('PATH', '')}{os.pathsep}{REPOSITORY_ROOT / '.lab/host/bin'}")
    if found is None:
        raise RuntimeError("npm is not on PATH: `make test` puts the lab's there")
    return found


def _keep(packed: Path, place: Path) -> None:
    """Trees are read by offset, so they are kept uncompressed."""
    with gzip.open(packed) as source, replacing(place) as scratch, scratch.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def top(path: Path) -> str:
    """Return the directory that all of a tarball lies in: `package`, or what its author's tool wrote."""
    with tarfile.open(path, "r:") as archive:
        first = archive.next()
    return first.name.lstrip("./").split("/")[0] if first else "package"


@contextmanager
def package(path: Path) -> Iterator[Tree]:
    """Lend a package as a tree, modes as in its tarball."""
    with SpoolTree(path, top(path)) as tree:
        yield tree


@contextmanager
def installed(specs: Mapping[str, str]) -> Iterator[Tree]:
    """Lend the tree that has each package (a value) unpacked at its directory (the key)."""
    places = fetch(specs.values())
    with ExitStack() as stack:
        yield OverlayTree(*(_at(where, places[spec], stack) for where, spec in specs.items()))


def _at(where: str, path: Path, stack: ExitStack) -> Tree:
    return PrefixedTree(stack.enter_context(package(path)), where)


def member(path: Path, name: str) -> bytes:
    """Return one file of a package; KeyError when it has none of that name."""
    with tarfile.open(path, "r:") as archive:
        stream = archive.extractfile(f"{top(path)}/{name}")
        return stream.read() if stream else io.BytesIO().read()
