"""Which ABI, Node-API level, symbols and symbol versions a runtime has. Never reads a binary."""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache

from lambdapack.binary.facts import NODE_API_EXPERIMENTAL
from lambdapack.runtimes import runtime as data
from lambdapack.runtimes.runtime import Library, Runtime

OPAQUE_EXPORTS = re.compile(r"_Z.*(2v88internal|2v88platform|12v8_inspector|icu_\d+|4absl)")
"""Exports of node that no public header promises; they are not recorded, so nothing is said about them."""


@cache
def _abi_by_node_major() -> Mapping[int, int]:
    return {int(major): abi for major, abi in data.node_data()["abi"].items()}


@cache
def _electron_majors_by_abi() -> Mapping[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for major, abis in data.node_data()["electron"].items():
        for abi in abis:
            found.setdefault(abi, []).append(int(major))
    return {abi: tuple(sorted(majors)) for abi, majors in found.items()}


def node_major_of_abi(abi: int) -> int | None:
    """Return the Node.js major that has an ABI number, None when none is known."""
    return next((major for major, number in _abi_by_node_major().items() if number == abi), None)


def abi_of_node_major(node_major: int) -> int | None:
    """Return the ABI number (NODE_MODULE_VERSION) of a Node.js major, None when it is not known."""
    return _abi_by_node_major().get(node_major)


def known_abis() -> frozenset[int]:
    """Return every ABI number of a Node.js release line."""
    return frozenset(_abi_by_node_major().values())


def electron_majors(abi: int) -> tuple[int, ...]:
    """Return the Electron majors with this ABI number. No Node.js line from 8 on shares one."""
    return () if node_major_of_abi(abi) else _electron_majors_by_abi().get(abi, ())


def describe_abi(abi: int) -> str:
    """Return whose ABI a number is: "Node.js 20", "Electron 31", or "an unknown Node.js"."""
    major = node_major_of_abi(abi)
    if major is not None:
        return f"Node.js {major}"
    electrons = electron_majors(abi)
    return f"Electron {' or '.join(map(str, electrons))}" if electrons else "an unknown Node.js"


def node_api_of_release(version: str) -> int:
    """Return the highest Node-API level of a Node.js release such as "22.23.1", 0 when it has none."""
    release = _release_numbers(version)
    levels = [
        int(level)
        for level, since in data.node_data()["node_api_introduced"].items()
        if _reaches_release(release, since)
    ]
    return max(levels, default=0)


def _reaches_release(release: tuple[int, ...], since: list[str]) -> bool:
    """A level comes to several lines; a line above the newest that is named has it from the start."""
    introduced = [_release_numbers(version) for version in since]
    if release >= max(introduced):
        return True
    return any(release[0] == first[0] and release >= first for first in introduced)


def _release_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def _node_api_levels() -> Mapping[str, int]:
    return {
        name: NODE_API_EXPERIMENTAL if level == "experimental" else int(level)
        for level, names in data.node_data()["node_api_symbols"].items()
        for name in names
    }


@cache
def _uv_since() -> Mapping[str, int]:
    return {name: int(major) for major, names in data.node_data()["uv_since"].items() for name in names}


def node_api_level(symbol: str) -> int | None:
    """Return the Node-API level that brought a function, None when it is no function of Node-API."""
    return _node_api_levels().get(symbol)


def node_defines_symbol(runtime: Runtime, symbol: str) -> bool | None:
    """Tell whether node itself defines a symbol; None when nothing that is known decides it.

    For a runtime of Lambda the shipped table speaks first and an image can only say no: what AWS links
    into its own node is not promised. A runtime file speaks alone.
    """
    recorded = _is_recorded_export(runtime, symbol)
    if runtime.source == "file" or recorded is False:
        return recorded
    return _is_in_shipped_table(symbol, runtime)


def _is_recorded_export(runtime: Runtime, symbol: str) -> bool | None:
    if runtime.node_exports is None or OPAQUE_EXPORTS.match(symbol):
        return None
    return symbol in runtime.node_exports


def _is_in_shipped_table(symbol: str, runtime: Runtime) -> bool | None:
    if symbol == "node_module_register":
        return True
    if symbol.startswith("uv_"):
        since = _uv_since().get(symbol)
        return None if since is None else since <= runtime.node_major
    level = node_api_level(symbol)
    if level is None:
        return None
    missing = data.node_data()["node_api_missing"].get(str(runtime.node_major))
    return symbol not in missing if missing is not None else level <= runtime.node_api


class VersionAvailability(Enum):
    """How sure it is that a version node is there."""

    YES = "yes"
    UNPROVED = "unproved"  # in an image, not proved for the managed runtime
    NO = "no"
    UNKNOWN = "unknown"


NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*")

NUMBERED_VERSION = re.compile(r"([A-Z]+)_([0-9]{1,9}(?:\.[0-9]{1,9}){0,9})\Z")

UNNUMBERED_VERSIONS = frozenset({"GLIBC_PRIVATE", "CXXABI_TM_1", "CXXABI_FLOAT128", "CXXABI_LDBL_1.3"})
"""Version nodes without a place in the order that glibc 2.26 and gcc 7 already define."""

VERSION_LIBRARIES = {
    "GLIBC": re.compile(r"(libc|libm|libmvec|libdl|libpthread|librt|libutil|libresolv|libanl|libgcc_s|ld-linux.*)\.so"),
    "GLIBCXX": re.compile(r"libstdc\+\+\.so"),
    "CXXABI": re.compile(r"libstdc\+\+\.so"),
    "GCC": re.compile(r"libgcc_s\.so"),
    "ZLIB": re.compile(r"libz\.so"),
}
"""Which library a numbered prefix belongs to. On arm64 libgcc_s.so.1 itself defines GLIBC_2.0."""


def version_availability(runtime: Runtime, library: Library, version: str) -> VersionAvailability:
    """Tell whether `library` of `runtime` defines the version node `version`."""
    if library.versions and version not in library.versions:
        return VersionAvailability.NO
    limit = _availability_by_limits(runtime, library, version)
    if limit is not VersionAvailability.UNKNOWN:
        return limit
    return VersionAvailability.YES if library.versions else VersionAvailability.UNKNOWN


def _availability_by_limits(runtime: Runtime, library: Library, version: str) -> VersionAvailability:
    if not runtime.floor:
        return VersionAvailability.UNKNOWN
    prefix = version.split("_", 1)[0]
    family = VERSION_LIBRARIES.get(prefix)
    if family is None or prefix not in runtime.floor or not family.match(library.soname):
        return VersionAvailability.UNKNOWN
    numbered = NUMBERED_VERSION.match(version)
    if numbered is None:
        return VersionAvailability.YES if version in UNNUMBERED_VERSIONS else VersionAvailability.NO
    return _compare_with_limits(numbered.group(2), runtime.floor[prefix], runtime.ceiling[prefix])


def _compare_with_limits(need: str, floor: str, ceiling: str) -> VersionAvailability:
    if version_key(need) <= version_key(floor):
        return VersionAvailability.YES
    return VersionAvailability.UNPROVED if version_key(need) <= version_key(ceiling) else VersionAvailability.NO


@lru_cache(4096)
def version_key(number: str) -> tuple[int, ...]:
    """Return a key that sorts "3.4.9" before "3.4.29"; what is no such number, such as "2..4", sorts before all."""
    return tuple(map(int, number.split("."))) if NUMBER.fullmatch(number) else ()
