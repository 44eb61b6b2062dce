"""Opens the shipped JSON files, once each. Never decides anything from them."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _load(name: str) -> Mapping[str, Any]:
    text = files("lambdapack.runtimes.data").joinpath(name).read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def runtimes() -> Mapping[str, Any]:
    """Return the table of Lambda runtimes: Node.js line, system, life cycle."""
    return _load("runtimes.json")


def systems() -> Mapping[str, Any]:
    """Return what each Amazon Linux provides: symbol versions, libraries, loader settings."""
    return _load("systems.json")


def node() -> Mapping[str, Any]:
    """Return Node.js and Electron ABI numbers, Node-API levels and exported names."""
    return _load("node.json")
