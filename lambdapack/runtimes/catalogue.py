"""The table of Lambda runtimes and what each is known to provide. Never reads an image."""

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from lambdapack.errors import UNKNOWN_ARCHITECTURE, UNKNOWN_RUNTIME, LambdapackError
from lambdapack.model import Architecture, Target
from lambdapack.runtimes import shipped as data
from lambdapack.runtimes.runtime import Library, Lifecycle, Runtime

ARCHITECTURE_NAMES: Mapping[str, Architecture] = {
    "x86_64": Architecture.X86_64,
    "x64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "arm64": Architecture.ARM64,
    "aarch64": Architecture.ARM64,
}
"""AWS's names first, then those of Node.js, OCI and the kernel, which people type too."""


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return {row["id"]: row for row in data.runtimes()["runtimes"]}


def identifiers() -> tuple[str, ...]:
    """Return the id of every Lambda runtime that has a Node.js of its own, oldest first."""
    return tuple(name for name, row in _rows().items() if row["node_major"] is not None)


def architectures(runtime: str) -> tuple[Architecture, ...]:
    """Return the architectures a runtime exists on. KeyError when there is no such runtime."""
    return tuple(ARCHITECTURE_NAMES[name] for name in _rows()[runtime]["architectures"])


def node_major(runtime: str) -> int:
    """Return the Node.js major of a runtime. KeyError when there is no such Node.js runtime."""
    major = _rows()[runtime]["node_major"]
    if major is None:
        raise KeyError(runtime)
    return int(major)


def status(runtime: str) -> str:
    """Return what was unusual about a runtime when the table was made, "" for most."""
    return str(_rows()[runtime].get("status", ""))


def lifecycle(runtime: str) -> Lifecycle:
    """Return the dates at which AWS ends support. KeyError when there is no such runtime."""
    row = _rows()[runtime]
    days = {key: date.fromisoformat(row[key]) if row[key] else None for key in _DATES}
    return Lifecycle(**days, source=data.runtimes()["sources"]["lifecycle"])


_DATES = ("deprecated", "block_create", "block_update")


def newest(today: date) -> str:
    """Return the newest runtime that is generally available on a day; previews do not count."""
    known = [
        (row["node_major"], name)
        for name, row in _rows().items()
        if row["generally_available"] and date.fromisoformat(row["generally_available"]) <= today
    ]
    return max(known, default=(0, "nodejs20.x"))[1]


def supported(today: date) -> tuple[str, ...]:
    """Return the runtimes that functions may use on a day, oldest first: generally available, updates not blocked."""
    kept = []
    for name in identifiers():
        since, until = _rows()[name]["generally_available"], lifecycle(name).block_update
        if since and date.fromisoformat(since) <= today and (until is None or today < until):
            kept.append(name)
    return tuple(kept)


def parse_runtime(text: str) -> str:
    """Return the identifier for `nodejs22.x`, `nodejs22`, `node22` or `22`; LP004 for anything else."""
    wanted = text.strip().lower()
    bare = wanted.removeprefix("nodejs").removeprefix("node").removeprefix("v").removesuffix(".x")
    for name in (wanted, f"nodejs{bare}.x", f"nodejs{bare or '?'}"):
        if name in identifiers():
            return name
    raise LambdapackError(UNKNOWN_RUNTIME, _no_such_runtime(text.strip()))


def _no_such_runtime(text: str) -> str:
    if text.lower().startswith("provided"):
        return f"{text} brings no Node.js of its own, so there is no ABI to judge against; known: {_listed()}"
    near = get_close_matches(text.lower(), identifiers(), n=2)
    guess = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{text!r}{guess} Known: {_listed()}" if guess else f"{text!r}; known: {_listed()}"


def _listed() -> str:
    return ", ".join(identifiers())


def parse_architecture(text: str) -> Architecture:
    """Return the architecture that a name of AWS, Node.js, OCI or the kernel means; LP005 for anything else."""
    found = ARCHITECTURE_NAMES.get(text.strip().lower())
    if found is None:
        raise LambdapackError(UNKNOWN_ARCHITECTURE, repr(text.strip()))
    return found


def parse_target(runtime: str, architecture: str) -> Target:
    """Return the target of two words a person typed; LP004 or LP005 when Lambda has no such thing."""
    name = parse_runtime(runtime)
    cpu = parse_architecture(architecture)
    if cpu not in architectures(name):
        offered = ", ".join(each.aws for each in architectures(name))
        raise LambdapackError(UNKNOWN_ARCHITECTURE, f"{name} runs on {offered} only", hint=f"Pass `--arch {offered}`.")
    return Target(name, cpu)


def shipped(target: Target) -> Runtime:
    """Return what a target is known to provide, from shipped data alone. KeyError for an unknown runtime."""
    row = _rows()[target.runtime]
    table = data.systems()
    system = table["systems"][row["os"]][target.architecture.aws]
    return Runtime(
        target=target,
        node=None,
        node_major=int(row["node_major"]),
        abi=row["abi"],
        node_api=row["node_api"],
        source="shipped",
        digest="",
        libraries=_libraries(system),
        loaded=frozenset(table["loaded"]) | frozenset(system["node_image"]),
        floor=system["floor"],
        ceiling=system["ceiling"],
        node_exports=None,
        library_path=tuple(table["loader"]["library_path"]),
        default_path=tuple(table["loader"]["default_path"]),
        interpreters=frozenset(table["interpreters"][target.architecture.aws]),
        lifecycle=lifecycle(target.runtime),
        npm=row.get("npm"),
    )


def _libraries(system: Mapping[str, Any]) -> Mapping[str, Library]:
    certain = {name: Library(name, "") for name in (*system["always"], *system["node_image"])}
    doubtful = {name: Library(name, "", certain=False) for name in system["image_only"]}
    return doubtful | certain
