"""How one node resolves and loads modules: what differs by version, flags and runtime. Data and their defaults."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lambdapack.runtimes.runtime import NodeBehaviour, Runtime, node_behaviour

BUILTINS = frozenset(
    (
        "_http_agent", "_http_client", "_http_common", "_http_incoming", "_http_outgoing", "_http_server",
        "_stream_duplex", "_stream_passthrough", "_stream_readable", "_stream_transform", "_stream_wrap",
        "_stream_writable", "_tls_common", "_tls_wrap", "assert", "assert/strict", "async_hooks", "buffer",
        "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel", "dns",
        "dns/promises", "domain", "events", "fs", "fs/promises", "http", "http2", "https", "inspector",
        "inspector/promises", "module", "net", "os", "path", "path/posix", "path/win32", "perf_hooks", "process",
        "punycode", "querystring", "readline", "readline/promises", "repl", "stream", "stream/consumers",
        "stream/promises", "stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls", "trace_events",
        "tty", "url", "util", "util/types", "v8", "vm", "wasi", "worker_threads", "zlib",
    )
)  # fmt: skip
"""`require("module").builtinModules` of node 20.20.2, 22.23.3 and 24.22.3: the same but for the scheme-only ones."""

SCHEME_ONLY = {"test": (18, 0), "test/reporters": (18, 17), "sea": (20, 12), "sqlite": (22, 5)}
"""Modules that only `node:` reaches, and since when (Node.js docs, "Built-in modules with mandatory node: prefix")."""

REQUIRES_MODULES_SINCE = {20: (20, 19), 22: (22, 12)}
"""require() of ES modules without a flag (Node.js docs, "Loading ECMAScript modules using require()"); every 23 on."""

DETECTS_SINCE = {20: (20, 19), 22: (22, 7)}
"""Module detection without a flag (Node.js docs, "Syntax detection"); every 23 on."""


@dataclass(frozen=True, slots=True)
class ResolutionSettings:
    """One node process."""

    version: tuple[int, int]
    requires_modules: bool  # require() of an ES module, and the condition "module-sync"
    detects_modules: bool  # by syntax, where no "type" says
    node_path: tuple[str, ...] = ()  # where require() looks after the node_modules above
    import_path: tuple[str, ...] = ()  # where import looks so as well: only Lambda's node does
    conditions: tuple[str, ...] = ()  # of --conditions
    provided: tuple[str, ...] = ()  # names of packages that the runtime brings; "@scope/" for all of a scope

    @property
    def objects_only(self) -> bool:
        """Whether a package.json has to be a JSON object; node 20 takes an array for an empty one (tried)."""
        return self.version >= (21, 0)

    def is_builtin(self, name: str) -> bool:
        """Tell whether a specifier is a module of node's own."""
        plain = name.removeprefix("node:")
        since = SCHEME_ONLY.get(plain)
        if since is not None:
            return plain != name and self.version >= since
        return plain in BUILTINS

    def is_provided(self, name: str) -> bool:
        """Tell whether the runtime brings a package."""
        return any(name == known or (known.endswith("/") and name.startswith(known)) for known in self.provided)


def plain_node(version: tuple[int, int], flags: Sequence[str] = ()) -> ResolutionSettings:
    """Return node as it is started by hand."""
    requires = version >= REQUIRES_MODULES_SINCE.get(version[0], (23, 0))
    detects = version >= DETECTS_SINCE.get(version[0], (23, 0))
    return with_flags(ResolutionSettings(version, requires, detects), flags)


NEWEST_MINOR = 99
"""Lambda keeps each Node.js line at its newest minor version (docs/facts.md#1-runtimes)."""


def lambda_node(
    major: int, minor: int = NEWEST_MINOR, options: str = "", own_node_path: str | None = None
) -> ResolutionSettings:
    """Return node as a managed runtime starts it, with the function's NODE_OPTIONS and NODE_PATH."""
    return _started_node((major, minor), node_behaviour(major), options, own_node_path)


def runtime_node(runtime: Runtime, environment: Mapping[str, str]) -> ResolutionSettings:
    """Return node as a runtime starts it for a function with these environment variables."""
    minor = runtime.node.split(".")[1] if runtime.node and runtime.node.count(".") else ""
    version = (runtime.node_major, int(minor) if minor.isdigit() else NEWEST_MINOR)
    options, paths = environment.get("NODE_OPTIONS", ""), environment.get("NODE_PATH")
    return _started_node(version, runtime.behaviour, options, paths)


def _started_node(
    version: tuple[int, int], behaviour: NodeBehaviour, options: str, own_node_path: str | None
) -> ResolutionSettings:
    paths = behaviour.node_path if own_node_path is None else tuple(filter(None, own_node_path.split(":")))
    node = replace(
        plain_node(version, behaviour.flags),
        node_path=paths,
        import_path=paths if behaviour.import_searches_node_path else (),
        provided=behaviour.provided,
    )
    return with_flags(node, split_options(options))


def split_options(options: str) -> tuple[str, ...]:
    """Return the words of NODE_OPTIONS, which has quotes of its own; broken ones give plain words."""
    try:
        return tuple(shlex.split(options))
    except ValueError:
        return tuple(options.split())


def with_flags(node: ResolutionSettings, flags: Sequence[str]) -> ResolutionSettings:
    """Return node with flags applied, later ones last."""
    for name, value in _pairs(flags):
        if name in {"--conditions", "-C"} and value:
            node = replace(node, conditions=(*node.conditions, value))
        elif name.endswith("experimental-require-module"):
            node = replace(node, requires_modules=not name.startswith("--no-"))
        elif name.endswith("experimental-detect-module"):
            node = replace(node, detects_modules=not name.startswith("--no-"))
    return node


def preloads(options: str) -> tuple[tuple[str, bool], ...]:
    """Return what NODE_OPTIONS loads first, with whether `import` does it."""
    return tuple(
        (value, name == "--import")
        for name, value in _pairs(split_options(options))
        if name in {"--require", "-r", "--import", "--loader", "--experimental-loader"} and value
    )


def _pairs(flags: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for index, flag in enumerate(flags):
        name, equals, value = flag.partition("=")
        following = flags[index + 1] if index + 1 < len(flags) else ""
        found.append((name, value if equals else following))
    return found
