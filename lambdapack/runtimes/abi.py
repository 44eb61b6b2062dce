"""Numbers and names of Node.js and Electron: ABI, Node-API level, exports. Never looks at a binary."""

import re
from collections.abc import Mapping
from functools import cache

from lambdapack.runtimes import shipped as data
from lambdapack.runtimes.runtime import Runtime

EXPERIMENTAL = 0x7FFFFFFF
"""NAPI_VERSION_EXPERIMENTAL: an addon that declares it passes on every Node.js (src/node_api.cc)."""

UNDECLARED = 8
"""The Node-API level of an addon without node_api_module_get_api_version_v1 (src/node_api.cc)."""

OPAQUE = re.compile(r"_Z.*(2v88internal|2v88platform|12v8_inspector|icu_\d+|4absl)")
"""Exports of node that no public header promises; they are not recorded, so nothing is said about them."""


@cache
def _abis() -> Mapping[int, int]:
    return {int(major): abi for major, abi in data.node()["abi"].items()}


@cache
def _electrons() -> Mapping[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for major, abis in data.node()["electron"].items():
        for abi in abis:
            found.setdefault(abi, []).append(int(major))
    return {abi: tuple(sorted(majors)) for abi, majors in found.items()}


def node_major_of(abi: int) -> int | None:
    """Return the Node.js major that has an ABI number, None when none is known."""
    return next((major for major, number in _abis().items() if number == abi), None)


def abi_of(node_major: int) -> int | None:
    """Return the ABI number (NODE_MODULE_VERSION) of a Node.js major, None when it is not known."""
    return _abis().get(node_major)


def known_abis() -> frozenset[int]:
    """Return every ABI number of a Node.js release line."""
    return frozenset(_abis().values())


def electron_majors(abi: int) -> tuple[int, ...]:
    """Return the Electron majors with this ABI number. No Node.js line from 8 on shares one."""
    return () if node_major_of(abi) else _electrons().get(abi, ())


def describe(abi: int) -> str:
    """Return whose ABI a number is: "Node.js 20", "Electron 31", or "an unknown Node.js"."""
    major = node_major_of(abi)
    if major is not None:
        return f"Node.js {major}"
    electrons = electron_majors(abi)
    return f"Electron {' or '.join(map(str, electrons))}" if electrons else "an unknown Node.js"


def node_api_of(version: str) -> int:
    """Return the highest Node-API level of a Node.js release such as "22.23.1", 0 when it has none."""
    release = _numbers(version)
    levels = [int(level) for level, since in data.node()["node_api_introduced"].items() if _reaches(release, since)]
    return max(levels, default=0)


def _reaches(release: tuple[int, ...], since: list[str]) -> bool:
    """A level comes to several lines; a line above the newest that is named has it from the start."""
    introduced = [_numbers(each) for each in since]
    if release >= max(introduced):
        return True
    return any(release[0] == each[0] and release >= each for each in introduced)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def _node_api_levels() -> Mapping[str, int]:
    return {
        name: EXPERIMENTAL if level == "experimental" else int(level)
        for level, names in data.node()["node_api_symbols"].items()
        for name in names
    }


@cache
def _uv_since() -> Mapping[str, int]:
    return {name: int(major) for major, names in data.node()["uv_since"].items() for name in names}


def node_api_level(symbol: str) -> int | None:
    """Return the Node-API level that brought a function, None when it is no function of Node-API."""
    return _node_api_levels().get(symbol)


def provides(runtime: Runtime, symbol: str) -> bool | None:
    """Tell whether node itself defines a symbol; None when nothing that is known decides it.

    For a runtime of Lambda the shipped table speaks first and an image can only say no: what AWS links
    into its own node is not promised. A runtime file speaks alone.
    """
    recorded = _recorded(runtime, symbol)
    if runtime.source == "file" or recorded is False:
        return recorded
    return _shipped(symbol, runtime)


def _recorded(runtime: Runtime, symbol: str) -> bool | None:
    if runtime.node_exports is None or OPAQUE.match(symbol):
        return None
    return symbol in runtime.node_exports


def _shipped(symbol: str, runtime: Runtime) -> bool | None:
    if symbol == "node_module_register":
        return True
    if symbol.startswith("uv_"):
        since = _uv_since().get(symbol)
        return None if since is None else since <= runtime.node_major
    level = node_api_level(symbol)
    if level is None:
        return None
    missing = data.node()["node_api_missing"].get(str(runtime.node_major))
    return symbol not in missing if missing is not None else level <= runtime.node_api
