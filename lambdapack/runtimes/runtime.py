"""The Lambda runtimes and what each provides, from shipped data. Never reads an image."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNKNOWN_ARCHITECTURE, UNKNOWN_RUNTIME
from lambdapack.model import LAYER_ROOT, Architecture, Target


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When AWS stops supporting a runtime. None: not announced."""

    deprecated: date | None
    block_create: date | None
    block_update: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Library:
    """One shared library on the loader's path."""

    soname: str
    path: str  # absolute, as the loader finds it in the image; "" when only the name is known
    versions: frozenset[str] = frozenset()  # version nodes that it defines; empty: defines none
    needed: tuple[str, ...] = ()
    exports: frozenset[str] | None = None  # None: not recorded (its versions imply them, or unknown)
    certain: bool = True  # False: in an image, but not proved for the managed runtime


@dataclass(frozen=True, slots=True)
class NodeBehaviour:
    """How Lambda starts node and loads the handler: columns of the runtime's row, whose sources the table names."""

    flags: tuple[str, ...]  # options that node is started with
    node_path: tuple[str, ...]  # NODE_PATH, in order
    import_searches_node_path: bool  # `import` finds what NODE_PATH has; node itself never does that
    detects_module_syntax: bool  # a .js file without "type" is an ES module when its syntax is
    requires_es_modules: bool  # require() loads an ES module
    imports_handler: bool  # the runtime client import()s every handler, so a directory of its name always hides it
    provided: tuple[str, ...]  # npm packages that the runtime brings; "@scope/" means every package of a scope

    @property
    def layer_modules(self) -> tuple[str, ...]:
        """The directories of NODE_PATH that a layer can fill, in order."""
        return tuple(directory for directory in self.node_path if directory.startswith(f"{LAYER_ROOT}/"))

    def provides(self, package: str) -> bool:
        """Tell whether the runtime brings an npm package."""
        return any(package == name or (name.endswith("/") and package.startswith(name)) for name in self.provided)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What node and the loader of a target offer. Measured, shipped, or both (measured only tightens)."""

    target: Target
    node: str | None  # "22.23.1"; None when only the major is known
    node_major: int
    abi: int  # NODE_MODULE_VERSION
    node_api: int  # highest Node-API version
    source: str  # "shipped", "image", "file"
    digest: str  # "sha256:..." of the image's layers or of the runtime file; "" for shipped data
    libraries: Mapping[str, Library]  # by the name that a needed entry asks for, mostly the SONAME
    loaded: frozenset[str]  # SONAMEs that are in node's process before any addon
    floor: Mapping[str, str]  # version prefix -> highest version surely there: {"GLIBC": "2.34"}
    ceiling: Mapping[str, str]  # version prefix -> highest version of any image seen
    node_exports: frozenset[str] | None  # None: not recorded
    library_path: tuple[str, ...]  # LD_LIBRARY_PATH, in order
    default_path: tuple[str, ...]  # after the cache: /lib64, /usr/lib64
    interpreters: frozenset[str]  # PT_INTERP values that exist
    behaviour: NodeBehaviour  # never measured: an image does not tell how Lambda starts it
    programs: Mapping[str, bool] | None = None  # absolute path -> surely there; None: not recorded
    program_path: tuple[str, ...] = ()  # PATH, in order
    lifecycle: Lifecycle | None = None
    npm: str | None = None  # the npm that its node brings, as far as known


DATA_DIRECTORY = Path(__file__).parent / "data"
"""importlib.resources would find it as well, and takes longer to import than the data to read."""


@cache
def _load_shipped_data(name: str) -> Mapping[str, Any]:
    text = (DATA_DIRECTORY / name).read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def runtimes_data() -> Mapping[str, Any]:
    """Return the table of Lambda runtimes: Node.js line, system, life cycle."""
    return _load_shipped_data("runtimes.json")


def systems_data() -> Mapping[str, Any]:
    """Return what each Amazon Linux provides: symbol versions, libraries, loader settings."""
    return _load_shipped_data("systems.json")


def node_data() -> Mapping[str, Any]:
    """Return Node.js and Electron ABI numbers, Node-API levels and exported names."""
    return _load_shipped_data("node.json")


ARCHITECTURE_NAMES: Mapping[str, Architecture] = {
    "x86_64": Architecture.X86_64,
    "x64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "arm64": Architecture.ARM64,
    "aarch64": Architecture.ARM64,
}
"""AWS's names first, then those of Node.js, OCI and the kernel, which people type too."""


@cache
def _runtime_rows() -> Mapping[str, Mapping[str, Any]]:
    return {row["id"]: row for row in runtimes_data()["runtimes"]}


def runtime_ids() -> tuple[str, ...]:
    """Return the id of every Lambda runtime that has a Node.js of its own, oldest first."""
    return tuple(name for name, row in _runtime_rows().items() if row["node_major"] is not None)


def runtime_architectures(runtime: str) -> tuple[Architecture, ...]:
    """Return the architectures a runtime exists on. KeyError when there is no such runtime."""
    return tuple(ARCHITECTURE_NAMES[name] for name in _runtime_rows()[runtime]["architectures"])


def runtime_node_major(runtime: str) -> int:
    """Return the Node.js major of a runtime. KeyError when there is no such Node.js runtime."""
    major = _runtime_rows()[runtime]["node_major"]
    if major is None:
        raise KeyError(runtime)
    return int(major)


def runtime_lifecycle(runtime: str) -> Lifecycle:
    """Return the dates at which AWS ends support. KeyError when there is no such runtime."""
    row = _runtime_rows()[runtime]
    days = {key: date.fromisoformat(row[key]) if row[key] else None for key in _LIFECYCLE_DATES}
    return Lifecycle(**days, source=runtimes_data()["sources"]["lifecycle"])


_LIFECYCLE_DATES = ("deprecated", "block_create", "block_update")


def newest_runtime(today: date) -> str:
    """Return the newest runtime that is generally available on a day; previews do not count."""
    known = [
        (row["node_major"], name)
        for name, row in _runtime_rows().items()
        if row["generally_available"] and date.fromisoformat(row["generally_available"]) <= today
    ]
    return max(known, default=(0, "nodejs20.x"))[1]


def supported_runtimes(today: date) -> tuple[str, ...]:
    """Return the runtimes that functions may use on a day, oldest first: generally available, updates not blocked."""
    kept = []
    for name in runtime_ids():
        since, until = _runtime_rows()[name]["generally_available"], runtime_lifecycle(name).block_update
        if since and date.fromisoformat(since) <= today and (until is None or today < until):
            kept.append(name)
    return tuple(kept)


def parse_runtime(text: str) -> str:
    """Return the identifier for `nodejs22.x`, `nodejs22`, `node22` or `22`; LP004 for anything else."""
    wanted = text.strip().lower()
    bare = wanted.removeprefix("nodejs").removeprefix("node").removeprefix("v").removesuffix(".x")
    for name in (wanted, f"nodejs{bare}.x", f"nodejs{bare or '?'}"):
        if name in runtime_ids():
            return name
    raise LambdapackError(UNKNOWN_RUNTIME, _describe_unknown_runtime(text.strip()))


def _describe_unknown_runtime(text: str) -> str:
    if text.lower().startswith("provided"):
        return f"{text} brings no Node.js of its own, so there is no ABI to judge against; known: {_list_runtime_ids()}"
    near = get_close_matches(text.lower(), runtime_ids(), n=2)
    guess = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{text!r}{guess} Known: {_list_runtime_ids()}" if guess else f"{text!r}; known: {_list_runtime_ids()}"


def _list_runtime_ids() -> str:
    return ", ".join(runtime_ids())


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
    if cpu not in runtime_architectures(name):
        offered = ", ".join(architecture.aws for architecture in runtime_architectures(name))
        raise LambdapackError(UNKNOWN_ARCHITECTURE, f"{name} runs on {offered} only", hint=f"Pass `--arch {offered}`.")
    return Target(name, cpu)


def node_behaviour(node_major: int) -> NodeBehaviour:
    """Return the behaviour of the runtime with this Node.js line, or with the nearest older one that Lambda has."""
    rows = [row for row in _runtime_rows().values() if row["node_major"] is not None]
    return _behaviour_of_row(max((row for row in rows if row["node_major"] <= node_major), key=_node_major_of_row))


def _node_major_of_row(row: Mapping[str, Any]) -> int:
    return int(row["node_major"])


def _behaviour_of_row(row: Mapping[str, Any]) -> NodeBehaviour:
    return NodeBehaviour(
        flags=tuple(row["flags"]),
        node_path=tuple(row["node_path"]),
        import_searches_node_path=row["import_searches_node_path"],
        detects_module_syntax=row["detects_module_syntax"],
        requires_es_modules=row["requires_es_modules"],
        imports_handler=row["imports_handler"],
        provided=tuple(row["provided"]),
    )


def shipped_runtime(target: Target) -> Runtime:
    """Return what a target is known to provide, from shipped data alone. KeyError for an unknown runtime."""
    row = _runtime_rows()[target.runtime]
    table = systems_data()
    system = table["systems"][row["os"]][target.architecture.aws]
    return Runtime(
        target=target,
        node=None,
        node_major=int(row["node_major"]),
        abi=row["abi"],
        node_api=row["node_api"],
        source="shipped",
        digest="",
        libraries=_shipped_libraries(system),
        loaded=frozenset(table["loaded"]) | frozenset(system["node_image"]),
        floor=system["floor"],
        ceiling=system["ceiling"],
        node_exports=None,
        library_path=tuple(table["loader"]["library_path"]),
        default_path=tuple(table["loader"]["default_path"]),
        interpreters=frozenset(table["interpreters"][target.architecture.aws]),
        behaviour=_behaviour_of_row(row),
        programs=_shipped_programs(table["programs"], row["os"]),
        program_path=tuple(table["programs"]["path"]),
        lifecycle=runtime_lifecycle(target.runtime),
        npm=row.get("npm"),
    )


def _shipped_programs(table: Mapping[str, Any], system: str) -> Mapping[str, bool]:
    """Return every path of a program that a shell or a "#!" line may name, with whether each is proved."""
    directories = table["directories"]
    doubtful = {f"{place}/{name}": False for place in directories for name in table["image_only"][system]}
    certain = {f"{place}/{name}": True for place in directories for name in table["always"]}
    return doubtful | certain | dict.fromkeys(table["node"], True)


def _shipped_libraries(system: Mapping[str, Any]) -> Mapping[str, Library]:
    certain = {name: Library(name, "") for name in (*system["always"], *system["node_image"])}
    doubtful = {name: Library(name, "", certain=False) for name in system["image_only"]}
    return doubtful | certain
