"""Which names the libraries of node's process define, where no image was measured: a shipped table of Debian's builds.

A reference with a version is decided by the version nodes. This is for references without one, which any definition
serves: of OpenSSL and zlib in addons that count on node's copy, of libc in those that were linked without it.
"""

import gzip
import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from lambdapack.runtimes.runtime import DATA_DIRECTORY, Library, Runtime
from lambdapack.runtimes.versions import NUMBERED_VERSION, version_key

SYMBOLS_FILE = "symbols.json.gz"

MOVED_INTO_LIBC = frozenset({"libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"})
"""Libraries whose names glibc 2.34 has moved into libc.so.6 (its NEWS); the table is of later releases."""

LIBC = "libc.so.6"

LOADER_PREFIX = "ld-linux-"
"""The loader itself, under either CPU's name: it is in every process, and libc needs it."""

OPENSSL_FLOOR = "3.0.99"
"""What every OpenSSL 3 has; later names come with the version nodes OPENSSL_3.1.0 and up."""


class Definition(Enum):
    """Whether a library defines a name."""

    YES = "yes"
    NO = "no"
    NEWER = "newer"  # a later release than the one that is surely there does
    UNRECORDED = "unrecorded"  # nobody has listed its names


def library_definition(library: Library, name: str, runtime: Runtime) -> Definition:
    """Return whether a library of a runtime defines a name: as measured, else as its recorded releases do."""
    if library.soname == LIBC and name in (_library_names(LOADER_PREFIX) or ()):
        return Definition.YES
    if library.exports is not None:
        return Definition.YES if name in library.exports else Definition.NO
    names = recorded_names(library.soname)
    if names is None:
        return Definition.UNRECORDED
    version = names.get(name)
    if version is None:
        return Definition.NO
    return Definition.YES if _is_surely_there(version, runtime) else Definition.NEWER


def recorded_names(soname: str) -> Mapping[str, str] | None:
    """Return the names of a library with the version node that brought each, "" for none; None: not recorded."""
    if soname in MOVED_INTO_LIBC:
        return _library_names(LIBC)
    return _library_names(soname)


@cache
def _library_names(soname: str) -> Mapping[str, str] | None:
    groups = _symbols_data()["libraries"].get(soname)
    if groups is None:
        return None
    return {name: version for version, lines in groups.items() for line in lines for name in line.split()}


def _is_surely_there(version: str, runtime: Runtime) -> bool:
    number = NUMBERED_VERSION.match(version)
    floor = OPENSSL_FLOOR if number and number[1] == "OPENSSL" else runtime.floor.get(number[1]) if number else None
    return number is None or floor is None or version_key(number[2]) <= version_key(floor)


@cache
def node_names() -> frozenset[str]:
    """Return the C names that any official build of node 18 to 24 exports: what is in none of them, none can define."""
    return frozenset(name for line in _symbols_data()["node"] for name in line.split())


@cache
def _symbols_data() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(gzip.decompress((DATA_DIRECTORY / SYMBOLS_FILE).read_bytes()))
    return loaded
