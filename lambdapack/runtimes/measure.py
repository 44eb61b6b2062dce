"""Measures a runtime from the file system of its image. Never runs anything."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from lambdapack.binary.facts import Elf
from lambdapack.binary.format import ELF_MAGIC
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture, Target
from lambdapack.runtimes import runtime, versions
from lambdapack.runtimes.rootfs import RootFs
from lambdapack.runtimes.runtime import Library, Runtime, systems_data
from lambdapack.tree.entry import Tree

LAMBDA_NODE_BINARY = "/var/lang/bin/node"
"""Where every Lambda image of Node.js has it (aws/aws-lambda-base-images)."""

NODE_BINARIES = (LAMBDA_NODE_BINARY, "/usr/local/bin/node", "/usr/bin/node", "/bin/node")
"""Also Docker's `node` images, then Debian's and NodeSource's packages; any other bin/node when there is one only."""

NODE_VERSION_HEADER = "../include/node/node_version.h"
"""Seen from node's own directory; nvm, the release tarballs and /var/lang agree on it."""

EMBEDDED_NODE_VERSION = re.compile(rb"node\.js/v(\d+\.\d+\.\d+)\0")
"""NODE_VERSION of the report's and the trace's user agent; read from 10.24.1, 18.20.8, 22.23.1 and 26.10.0."""

ELF_INTERPRETERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux.so.2",
    "/lib/ld-linux-armhf.so.3",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)
"""The values of PT_INTERP that npm packages have."""

LIBRARY_FILE_NAME = re.compile(r"(lib|ld-).*\.so(\.[\w.]+)?\Z|.*\.so\Z")


@dataclass(frozen=True, slots=True)
class _NodeBinary:
    path: str  # absolute, its links followed
    facts: Elf
    architecture: Architecture
    version: str
    abi: int
    node_api: int
    exports: frozenset[str]


def measure_runtime(tree: Tree, target: Target | None = None, *, digest: str = "", source: str = "image") -> Runtime:
    """Return what the image whose root is `tree` provides; LP103 when it has no node, or not the target's.

    Without a target, the one that its node suits.
    """
    root = RootFs(tree)
    node = _read_node(root, tree, target)
    major = int(node.version.split(".")[0])
    path = tuple(systems_data()["loader"]["library_path"]) if root.file(LAMBDA_NODE_BINARY) else ()
    default = root.search_path(node.architecture.elf_machine)
    libraries = dict(_read_libraries(root, tree, (*path, *default), node.architecture.elf_machine))
    loaded = _needed_closure(node.facts.needed, libraries)
    return Runtime(
        target=target or Target(f"nodejs{major}.x", node.architecture),
        node=node.version,
        node_major=major,
        abi=node.abi,
        node_api=node.node_api,
        source=source,
        digest=digest,
        libraries=_add_exports(libraries, loaded, root, tree),
        loaded=loaded,
        floor={},
        ceiling={},
        node_exports=node.exports,
        library_path=path,
        default_path=default,
        interpreters=frozenset(interpreter for interpreter in ELF_INTERPRETERS if root.file(interpreter)),
        behaviour=runtime.node_behaviour(major),
        programs=_read_programs(root),
        program_path=tuple(systems_data()["programs"]["path"]),
    )


def _read_programs(root: RootFs) -> Mapping[str, bool]:
    """Return the files in the directories of PATH, by every path that leads to them.

    Of an image only some directories are read, and the links /bin and /sbin to those below /usr are none of them.
    """
    programs: dict[str, bool] = {}
    for directory in systems_data()["programs"]["path"]:
        place = directory if root.real(directory) else f"/usr{directory}"
        programs |= {f"{directory}/{name}": True for name in root.listing(place) if root.file(f"{place}/{name}")}
    return programs


def _read_node(root: RootFs, tree: Tree, target: Target | None) -> _NodeBinary:
    from lambdapack.binary.elf import read  # noqa: PLC0415  # pyelftools: only when an image is measured

    path = _find_node(root)
    header = root.text(posixpath.normpath(posixpath.join(posixpath.dirname(path), NODE_VERSION_HEADER)))
    with tree.view(path.removeprefix("/")) as data:
        facts = read.read_elf(data) if bytes(data[:4]) == ELF_MAGIC else _EMPTY_ELF
        version = _defined_version(header) or _embedded_version(data)
        exports = frozenset(name for name, _ in read.read_exports(data) if not versions.OPAQUE_EXPORTS.match(name))
    architecture = Architecture.of_machine(facts.machine)
    if architecture is None or not version:
        what = f"has e_machine {facts.machine}" if architecture is None else "does not say its version"
        raise LambdapackError(WRONG_IMAGE, f"{path} {what}")
    _check_node_target(path, architecture, version, target)
    number = (
        _defined_number(header, "NODE_MODULE_VERSION") or versions.abi_of_node_major(int(version.split(".")[0])) or 0
    )
    level = _defined_number(header, "NODE_API_SUPPORTED_VERSION_MAX") or versions.node_api_of_release(version)
    return _NodeBinary(path, facts, architecture, version, number, level, exports)


def _find_node(root: RootFs) -> str:
    """The absolute path of the image's node; LP103 when there is none, or a choice that nothing decides."""
    known = next((real for binary in NODE_BINARIES if (real := root.file(binary))), None)
    others = [path for path in root.files_named("node") if path.endswith("bin/node")]
    if known is None and len(others) != 1:
        several = (
            f"it has several: {', '.join(others[:5])}"
            if others
            else f"it has no {LAMBDA_NODE_BINARY} and no other bin/node"
        )
        raise LambdapackError(WRONG_IMAGE, several)
    return f"/{known or others[0]}"


def _check_node_target(path: str, architecture: Architecture, version: str, target: Target | None) -> None:
    if target is None:
        return
    if architecture is not target.architecture:
        raise LambdapackError(WRONG_IMAGE, f"{path} is for {architecture}, the target is {target}")
    wanted = runtime.runtime_node_major(target.runtime)
    if int(version.split(".", maxsplit=1)[0]) != wanted:
        raise LambdapackError(WRONG_IMAGE, f"{path} is Node.js {version}, the target is {target}")


def _defined_number(header: str, name: str) -> int | None:
    found = re.search(rf"^\s*#\s*define\s+{name}\s+(\d+)\s*$", header, re.MULTILINE)
    return int(found.group(1)) if found else None


def _defined_version(header: str) -> str:
    parts = [_defined_number(header, f"NODE_{part}_VERSION") for part in ("MAJOR", "MINOR", "PATCH")]
    return "" if None in parts else ".".join(map(str, parts))


def _embedded_version(data: memoryview) -> str:
    found = EMBEDDED_NODE_VERSION.search(data)
    return found.group(1).decode() if found else ""


def _read_libraries(root: RootFs, tree: Tree, search: tuple[str, ...], machine: int) -> Iterator[tuple[str, Library]]:
    """Each name once: the first directory that has a library of this CPU under it wins, as with ld.so."""
    from lambdapack.binary.elf import read  # noqa: PLC0415  # pyelftools: only when an image is measured

    known: dict[str, Elf] = {}
    seen: set[str] = set()
    for directory in dict.fromkeys(search):
        for name in root.listing(directory):
            path = root.file(f"{directory}/{name}") if name not in seen and LIBRARY_FILE_NAME.match(name) else None
            if path is None:
                continue
            if path not in known:
                with tree.view(path) as data:
                    known[path] = read.read_elf(data) if bytes(data[:4]) == ELF_MAGIC else _EMPTY_ELF
            facts = known[path]
            if facts.machine == machine and facts.bits == 64 and not facts.damage:
                seen.add(name)
                yield name, _make_library(facts, name, f"{directory}/{name}")


_EMPTY_ELF = Elf(bits=0, little_endian=True, machine=0, os_abi=0, abi_version=0, type=0)


def _make_library(facts: Elf, name: str, path: str) -> Library:
    return Library(facts.soname or name, path, frozenset(facts.version_definitions), facts.needed)


def _needed_closure(needed: tuple[str, ...], libraries: Mapping[str, Library]) -> frozenset[str]:
    found: dict[str, None] = {}
    pending = list(needed)
    while pending:
        name = pending.pop(0)
        if name in libraries and name not in found:
            found[name] = None
            pending += libraries[name].needed
    return frozenset(found) | frozenset(libraries[name].soname for name in found)


def _add_exports(
    libraries: Mapping[str, Library], loaded: frozenset[str], root: RootFs, tree: Tree
) -> Mapping[str, Library]:
    """Names are recorded where versions do not imply them, and of what every process has loaded."""
    return {
        name: replace(library, exports=_library_exports(library.path, root, tree))
        if not library.versions or name in loaded
        else library
        for name, library in libraries.items()
    }


def _library_exports(path: str, root: RootFs, tree: Tree) -> frozenset[str]:
    from lambdapack.binary.elf import read  # noqa: PLC0415  # pyelftools: only when an image is measured

    with tree.view(root.file(path) or path) as data:
        return frozenset(name for name, _ in read.read_exports(data))


def tighten_runtime(shipped: Runtime, measured: Runtime) -> Runtime:
    """Return the shipped runtime with the measured facts that can only say no more often.

    Floor, ceiling and the list of libraries stay; a library that the image lacks goes, one that it has
    brings its version nodes and names. So a verdict does not soften because an engine is up.
    """
    merge = partial(_merge_library, measured.libraries)
    known = {name: merge(library) for name, library in shipped.libraries.items() if name in measured.libraries}
    return replace(
        shipped,
        node=measured.node,
        node_api=min(shipped.node_api, measured.node_api),
        source=measured.source,
        digest=measured.digest,
        libraries=known,
        node_exports=measured.node_exports,
        default_path=measured.default_path,
        programs=_merge_programs(shipped.programs, measured.programs),
    )


def _merge_programs(
    shipped: Mapping[str, bool] | None, measured: Mapping[str, bool] | None
) -> Mapping[str, bool] | None:
    """Return the known programs that the image has; its others are not proved for the managed runtime."""
    if shipped is None or measured is None:
        return shipped
    return {path: certain for path, certain in shipped.items() if path in measured}


def _merge_library(measured: Mapping[str, Library], known: Library) -> Library:
    found = measured[known.soname]
    return replace(known, path=found.path, versions=found.versions, needed=found.needed, exports=found.exports)
