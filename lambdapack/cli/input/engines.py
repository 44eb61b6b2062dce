"""Connects to AWS and to container engines. Imports boto3 and the container SDK only on connecting."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdapack.config.settings import Settings
from lambdapack.model import Architecture

if TYPE_CHECKING:
    from lambdapack.aws.cloud import BotoCloud
    from lambdapack.engine.interface import Engine
    from lambdapack.pipeline.measure import Connect


@dataclass(frozen=True, slots=True)
class AwsOptions:
    """Which AWS."""

    profile: str | None
    region: str | None
    endpoint: str | None

    def connect(self) -> "BotoCloud":
        """Return the cloud; no call is made. LP403, LP404."""
        from lambdapack.aws.cloud import connect_cloud  # noqa: PLC0415  # boto3 takes longer than all else

        return connect_cloud(os.environ, profile=self.profile, region=self.region, endpoint=self.endpoint)


def engine_connector(settings: Settings) -> "Connect":
    """Return a function that finds the engine for an architecture and remembers it."""
    hosts = {architecture: url for architecture in Architecture if (url := _engine_host(settings, architecture))}
    found: dict[str, Engine] = {}

    def connect(architecture: Architecture) -> "Engine":
        from lambdapack.engine.docker import connect_engine as reach  # noqa: PLC0415  # see the module's first line

        key = hosts.get(architecture, "")
        if key not in found:
            found[key] = reach(os.environ, hosts=hosts, architecture=architecture)
        return found[key]

    return connect


def _engine_host(settings: Settings, architecture: Architecture) -> str:
    return settings.engine_hosts.value.get(architecture.aws, "")
