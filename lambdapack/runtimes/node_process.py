"""The node process of a managed runtime: version, flags, NODE_PATH and the function's own NODE_OPTIONS."""

from collections.abc import Mapping
from dataclasses import replace

from lambdapack.packages.node import ResolutionSettings, plain_node, split_options, with_flags
from lambdapack.runtimes.runtime import NodeBehaviour, Runtime, node_behaviour

NEWEST_MINOR = 99
"""Lambda keeps each Node.js line at its newest minor version (docs/facts.md#1-runtimes)."""


def lambda_node(major: int, minor: int = NEWEST_MINOR, options: str = "", own_node_path: str | None = None) -> ResolutionSettings:
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
