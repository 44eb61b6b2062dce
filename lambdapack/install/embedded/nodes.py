"""Node.js and npm for the local engine: fetched from the npm registry, judged by digest, unpacked once."""

import base64
import hashlib
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lambdapack.engine.local.engine import LocalNode
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.local import NO_LOCAL_NODE, TOOL_MISSING
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.install.embedded.releases import NODES, NodePackages, PinnedPackage
from lambdapack.model import Architecture
from lambdapack.tree.entry import path_objection

Fetch = Callable[[str, str, Path, Observer], None]
"""Writes the tarball of (name, version) of the npm registry to a file. LP138."""

STAMP = ".lambdapack"
"""The last file of a directory that is whole; it holds the digest of what was unpacked."""

UNUSED_MEMBERS = re.compile(r"package/(?:share|lib/node_modules)/")
"""What of a Node.js package nothing of a build reads."""


@dataclass(frozen=True, slots=True)
class NodeStore:
    """The unpacked programs of one user, a directory for each version and CPU."""

    directory: Path
    architecture: Architecture
    fetch: Fetch

    def find(self, reference: str) -> LocalNode | None:
        """Return a node that is here already."""
        if sys.platform != "linux":
            return _host_node()
        try:
            return _read_stamp(self._place(_packages_of(reference)))
        except LambdapackError:
            return None

    def obtain(self, reference: str, observer: Observer) -> LocalNode:
        """Return a node, fetched only when it is not here. LP103, LP138; LP135 on macOS without a node of its own."""
        if sys.platform != "linux":
            node = _host_node()
            if node is None:
                raise LambdapackError(NO_LOCAL_NODE, "node and npm are not in PATH, and on macOS they are needed")
            return node
        packages = _packages_of(reference)
        place = self._place(packages)
        return _read_stamp(place) or self._unpack(packages, place, observer)

    def _place(self, packages: NodePackages) -> Path:
        name = f"node-{packages.version}-npm-{packages.npm.version}-{self.architecture.aws}"
        return self.directory / "nodes" / name

    def _unpack(self, packages: NodePackages, place: Path, observer: Observer) -> LocalNode:
        node, npm = packages.node[self.architecture], packages.npm
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
        try:
            home = scratch / "home"
            _unpack_package(self._download(node, scratch, observer), home)
            _unpack_package(self._download(npm, scratch, observer), home / "lib" / "node_modules" / "npm")
            for name in ("npm", "npx"):
                (home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js").chmod(0o755)
                (home / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
            digest = hashlib.sha256(f"{node.sha512}\n{npm.sha512}".encode()).hexdigest()
            (home / STAMP).write_text(f"sha256:{digest}\n", "utf-8")
            _move_into_place(home, place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return LocalNode(place, f"sha256:{digest}")

    def _download(self, package: PinnedPackage, scratch: Path, observer: Observer) -> Path:
        file = scratch / f"{package.name}.tgz"
        self.fetch(package.name, package.version, file, observer)
        with file.open("rb") as content:
            found = base64.b64encode(hashlib.file_digest(content, "sha512").digest()).decode("ascii")
        if found != package.sha512:
            detail = f"{package.name}@{package.version} of the npm registry has other bytes than the pinned ones"
            raise LambdapackError(TOOL_MISSING, detail)
        return file


def _packages_of(reference: str) -> NodePackages:
    """Return the release behind "local/nodejs:22"."""
    match = re.fullmatch(r"local/nodejs:(\d+)", reference)
    packages = NODES.get(int(match[1])) if match else None
    if packages is None:
        known = ", ".join(str(major) for major in NODES)
        detail = f"the local engine cannot run {reference}: it has Node.js {known} and no container images"
        raise LambdapackError(WRONG_IMAGE, detail, hint="Use a container engine: `--engine docker`.")
    return packages


def _read_stamp(place: Path) -> LocalNode | None:
    try:
        return LocalNode(place, (place / STAMP).read_text("utf-8").strip())
    except OSError:
        return None


def _unpack_package(tarball: Path, to: Path) -> None:
    """Write the files of a package; they are all that npm packs. LP138 for a name that leads elsewhere."""
    with tarfile.open(tarball, "r:gz") as archive:
        for member in archive:
            if not member.isreg() or not member.name.startswith("package/") or UNUSED_MEMBERS.match(member.name):
                continue
            path = member.name.removeprefix("package/")
            content = archive.extractfile(member)
            if path_objection(path) is not None or content is None:
                raise LambdapackError(TOOL_MISSING, f"{tarball.name} has an entry {member.name!r}")
            place = to / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                shutil.copyfileobj(content, file)
            place.chmod(0o755 if member.mode & 0o111 else 0o644)


def _move_into_place(home: Path, place: Path) -> None:
    """Rename a whole directory; another run may have been first, and made the same."""
    try:
        home.rename(place)
    except OSError:
        if _read_stamp(place) is None:
            shutil.rmtree(place, ignore_errors=True)
            home.rename(place)


def _host_node() -> LocalNode | None:
    """Return the host's own node, by its place: the npm registry's for macOS is stale (docs/cross-building.md)."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        return None
    home = Path(program).resolve().parent.parent
    digest = hashlib.sha256(f"{home}\n{Path(program).stat().st_mtime_ns}".encode()).hexdigest()
    return LocalNode(home, f"sha256:{digest}")
