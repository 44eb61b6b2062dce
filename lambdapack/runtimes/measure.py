"""Measures a runtime from the file system of its image. Runs nothing, so any CPU can be measured anywhere."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from lambdapack.binary import elf
from lambdapack.binary.facts import Elf
from lambdapack.binary.header import MAGIC
from lambdapack.errors import WRONG_IMAGE, LambdapackError
from lambdapack.model import Architecture, Target
from lambdapack.runtimes import abi, catalogue
from lambdapack.runtimes.rootfs import RootFs
from lambdapack.runtimes.runtime import Library, Runtime
from lambdapack.runtimes.shipped import systems
from lambdapack.tree.entry import Tree

NODE = "/var/lang/bin/node"
"""Where every Lambda image of Node.js has it (aws/aws-lambda-base-images)."""

NODES = (NODE, "/usr/local/bin/node", "/usr/bin/node", "/bin/node")
"""Also Docker's `node` images, then Debian's and NodeSource's packages; any other bin/node when there is one only."""

HEADER = "../include/node/node_version.h"
"""Seen from node's own directory; nvm, the release tarballs and /var/lang agree on it."""

VERSION_IN_BINARY = re.compile(rb"node\.js/v(\d+\.\d+\.\d+)\0")
"""NODE_VERSION of the report's and the trace's user agent; read from 10.24.1, 18.20.8, 22.23.1 and 26.10.0."""

INTERPRETERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux.so.2",
    "/lib/ld-linux-armhf.so.3",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)
"""The values of PT_INTERP that npm packages have."""

LIBRARY_NAME = re.compile(r"(lib|ld-).*\.so(\.[\w.]+)?\Z|.*\.so\Z")


@dataclass(frozen=True, slots=True)
class _Node:
    path: str  # absolute, its links followed
    facts: Elf
    architecture: Architecture
    version: str
    abi: int
    node_api: int
    exports: frozenset[str]


def measure(tree: Tree, target: Target | None = None, *, digest: str = "", source: str = "image") -> Runtime:
    """Return what the image whose root is `tree` provides; LP103 when it has no node, or not the target's.

    Without a target, the one that its node suits.
    """
    root = RootFs(tree)
    node = _node(root, tree, target)
    major = int(node.version.split(".")[0])
    path = tuple(systems()["loader"]["library_path"]) if root.file(NODE) else ()
    default = root.search_path(node.architecture.elf_machine)
    libraries = dict(_libraries(root, tree, (*path, *default), node.architecture.elf_machine))
    loaded = _closure(node.facts.needed, libraries)
    return Runtime(
        target=target or Target(f"nodejs{major}.x", node.architecture),
        node=node.version,
        node_major=major,
        abi=node.abi,
        node_api=node.node_api,
        source=source,
        digest=digest,
        libraries=_with_exports(libraries, loaded, root, tree),
        loaded=loaded,
        floor={},
        ceiling={},
        node_exports=node.exports,
        library_path=path,
        default_path=default,
        interpreters=frozenset(each for each in INTERPRETERS if root.file(each)),
    )


def _node(root: RootFs, tree: Tree, target: Target | None) -> _Node:
    path = _found(root)
    header = root.text(posixpath.normpath(posixpath.join(posixpath.dirname(path), HEADER)))
    with tree.view(path.removeprefix("/")) as data:
        facts = elf.read(data) if bytes(data[:4]) == MAGIC else _NO_ELF
        version = _defined_version(header) or _embedded_version(data)
        exports = frozenset(name for name, _ in elf.exported(data) if not abi.OPAQUE.match(name))
    architecture = Architecture.of_machine(facts.machine)
    if architecture is None or not version:
        what = f"has e_machine {facts.machine}" if architecture is None else "does not say its version"
        raise LambdapackError(WRONG_IMAGE, f"{path} {what}")
    _suits(path, architecture, version, target)
    number = _defined(header, "NODE_MODULE_VERSION") or abi.abi_of(int(version.split(".")[0])) or 0
    level = _defined(header, "NODE_API_SUPPORTED_VERSION_MAX") or abi.node_api_of(version)
    return _Node(path, facts, architecture, version, number, level, exports)


def _found(root: RootFs) -> str:
    """The absolute path of the image's node; LP103 when there is none, or a choice that nothing decides."""
    known = next((real for each in NODES if (real := root.file(each))), None)
    others = [each for each in root.files_named("node") if each.endswith("bin/node")]
    if known is None and len(others) != 1:
        several = f"it has several: {', '.join(others[:5])}" if others else f"it has no {NODE} and no other bin/node"
        raise LambdapackError(WRONG_IMAGE, several)
    return f"/{known or others[0]}"


def _suits(path: str, architecture: Architecture, version: str, target: Target | None) -> None:
    if target is None:
        return
    if architecture is not target.architecture:
        raise LambdapackError(WRONG_IMAGE, f"{path} is for {architecture}, the target is {target}")
    wanted = catalogue.node_major(target.runtime)
    if int(version.split(".", maxsplit=1)[0]) != wanted:
        raise LambdapackError(WRONG_IMAGE, f"{path} is Node.js {version}, the target is {target}")


def _defined(header: str, name: str) -> int | None:
    found = re.search(rf"^\s*#\s*define\s+{name}\s+(\d+)\s*$", header, re.MULTILINE)
    return int(found.group(1)) if found else None


def _defined_version(header: str) -> str:
    parts = [_defined(header, f"NODE_{part}_VERSION") for part in ("MAJOR", "MINOR", "PATCH")]
    return "" if None in parts else ".".join(map(str, parts))


def _embedded_version(data: memoryview) -> str:
    found = VERSION_IN_BINARY.search(data)
    return found.group(1).decode() if found else ""


def _libraries(root: RootFs, tree: Tree, search: tuple[str, ...], machine: int) -> Iterator[tuple[str, Library]]:
    """Each name once: the first directory that has a library of this CPU under it wins, as with ld.so."""
    known: dict[str, Elf] = {}
    seen: set[str] = set()
    for directory in dict.fromkeys(search):
        for name in root.listing(directory):
            path = root.file(f"{directory}/{name}") if name not in seen and LIBRARY_NAME.match(name) else None
            if path is None:
                continue
            if path not in known:
                with tree.view(path) as data:
                    known[path] = elf.read(data) if bytes(data[:4]) == MAGIC else _NO_ELF
            facts = known[path]
            if facts.machine == machine and facts.bits == 64 and not facts.damage:
                seen.add(name)
                yield name, _library(facts, name, f"{directory}/{name}")


_NO_ELF = Elf(bits=0, little_endian=True, machine=0, os_abi=0, abi_version=0, type=0)


def _library(facts: Elf, name: str, path: str) -> Library:
    return Library(facts.soname or name, path, frozenset(facts.version_definitions), facts.needed)


def _closure(needed: tuple[str, ...], libraries: Mapping[str, Library]) -> frozenset[str]:
    found: dict[str, None] = {}
    pending = list(needed)
    while pending:
        name = pending.pop(0)
        if name in libraries and name not in found:
            found[name] = None
            pending += libraries[name].needed
    return frozenset(found) | frozenset(libraries[name].soname for name in found)


def _with_exports(
    libraries: Mapping[str, Library], loaded: frozenset[str], root: RootFs, tree: Tree
) -> Mapping[str, Library]:
    """Names are recorded where versions do not imply them, and of what every process has loaded."""
    return {
        name: replace(each, exports=_exports(each.path, root, tree)) if not each.versions or name in loaded else each
        for name, each in libraries.items()
    }


def _exports(path: str, root: RootFs, tree: Tree) -> frozenset[str]:
    with tree.view(root.file(path) or path) as data:
        return frozenset(name for name, _ in elf.exported(data))


def tightened(shipped: Runtime, measured: Runtime) -> Runtime:
    """Return the shipped runtime with the measured facts that can only say no more often.

    Floor, ceiling and the list of libraries stay; a library that the image lacks goes, one that it has
    brings its version nodes and names. So a verdict does not soften because an engine is up.
    """
    merge = partial(_merged, measured.libraries)
    known = {name: merge(each) for name, each in shipped.libraries.items() if name in measured.libraries}
    return replace(
        shipped,
        node=measured.node,
        node_api=min(shipped.node_api, measured.node_api),
        source=measured.source,
        digest=measured.digest,
        libraries=known,
        node_exports=measured.node_exports,
        default_path=measured.default_path,
    )


def _merged(measured: Mapping[str, Library], known: Library) -> Library:
    found = measured[known.soname]
    return replace(known, path=found.path, versions=found.versions, needed=found.needed, exports=found.exports)
