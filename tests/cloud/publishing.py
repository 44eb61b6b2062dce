"""Layers published on the fake, one after another."""

from typing import Any

from lambdapack.deploy.layer import DesiredLayer, PublishedLayer, observe_layer, plan_layer, publish_layers
from lambdapack.deploy.nouns import DeploymentPackage
from lambdapack.model import Architecture
from lambdapack.pack.digest import code_digest
from tests.cloud.deploying import Site
from tests.cloud.world import zipped

DIGEST = f"sha256:{'0' * 64}"


def wanted_layer(site: Site, text: str, size: int = 0, **changes: Any) -> DesiredLayer:
    """Return a layer with one package, whose file says `text`."""
    path = site.directory / f"layer-{text}.zip"
    path.write_bytes(zipped({"nodejs/node_modules/x/index.js": text}, size, below="nodejs/"))
    package = DeploymentPackage(path, code_digest(path), path.stat().st_size)
    defaults = {"runtimes": ("nodejs22.x",), "architectures": (Architecture.X86_64,)}
    return DesiredLayer("deps", package, DIGEST, **{**defaults, **changes})


def publish(site: Site, text: str, size: int = 0, **changes: Any) -> PublishedLayer:
    """Publish it as the command does, with a client of its own."""
    site.cloud = site.aws.cloud()
    wanted = wanted_layer(site, text, size, **changes)
    (done,) = publish_layers([plan_layer(wanted, observe_layer(site.cloud, wanted))], site.cloud, site.observer)
    return done
