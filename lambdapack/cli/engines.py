"""Finds the container engine. Imported late: the SDK costs more than most commands."""

import os

from lambdapack.build.engine import Engine
from lambdapack.config import Settings
from lambdapack.model import Architecture
from lambdapack.pipeline.measuring import Connect


def connector(settings: Settings) -> Connect:
    """Return a function that finds the engine for an architecture and remembers it."""
    hosts = {architecture: url for architecture in Architecture if (url := _host(settings, architecture))}
    found: dict[str, Engine] = {}

    def connect(architecture: Architecture) -> Engine:
        from lambdapack.build.docker import connect as reach  # noqa: PLC0415  # see the module's first line

        key = hosts.get(architecture, "")
        if key not in found:
            found[key] = reach(os.environ, hosts=hosts, architecture=architecture)
        return found[key]

    return connect


def _host(settings: Settings, architecture: Architecture) -> str:
    return settings.engine_hosts.value.get(architecture.aws, "")
