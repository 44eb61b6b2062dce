"""Fetches single packages from an npm registry, as npm itself would ask for them. Never logs a credential."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lambdapack.events import Observer
from lambdapack.managers.http import download_file
from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.npm.ini import decode_ini
from lambdapack.managers.npm.versions import DEFAULT_REGISTRY


def fetch_tarball(
    name: str, version: str, settings: ManagerSettings, environ: Mapping[str, str], file: Path, observer: Observer
) -> None:
    """Write the tarball of a package of the settings' general registry to a new file. LP138."""
    registry = (settings.registries or (DEFAULT_REGISTRY,))[0].rstrip("/")
    url = f"{registry}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    download_file(url, environ, file, observer, registry_headers(settings, url))


def registry_headers(settings: ManagerSettings, url: str) -> Mapping[str, str]:
    """Return the header that the settings' credentials give a request: those of the nearest registry above the URL."""
    keys = decode_ini(settings.text.decode("utf-8", "replace"))
    parts = urlsplit(url)
    place = f"//{parts.netloc}{parts.path}"
    for name in sorted(keys, key=len, reverse=True):
        registry, separator, kind = name.rpartition(":")
        if not separator or not place.startswith(registry.rstrip("/") + "/"):
            continue
        if kind == "_authToken":
            return {"Authorization": f"Bearer {keys[name]}"}
        if kind == "_auth":
            return {"Authorization": f"Basic {keys[name]}"}
    return {}
