"""Remembers container engines and their images, so that a dependency key is known before any engine is asked."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from lambdapack.engine.daemon import EngineInfo
from lambdapack.engine.known.deferred import KnownImage
from lambdapack.model import Architecture
from lambdapack.store.records import Store

ENGINE_RECORDS = "engines"


class EngineRecords:
    """Engines by address, images by engine, reference and CPU."""

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self._store = store

    def find_engine(self, address: str) -> EngineInfo | None:
        """Return what answered at an address, None when nothing is known."""
        document = self._find("engine", address)
        names = {architecture.aws: architecture for architecture in Architecture}
        try:
            return EngineInfo(document["name"], document["version"], names[document["architecture"]], address)
        except (KeyError, TypeError):
            return None

    def store_engine(self, info: EngineInfo) -> None:
        """Remember what answered."""
        document = {"name": info.name, "version": info.version, "architecture": info.architecture.aws}
        self._put(document, "engine", info.address)

    def find_image(self, address: str, reference: str, architecture: Architecture) -> KnownImage | None:
        """Return an image of an engine, None when nothing is known."""
        document = self._find("image", address, reference, architecture.aws)
        try:
            return KnownImage(document["identity"], document["digest"])
        except (KeyError, TypeError):
            return None

    def store_image(self, address: str, reference: str, architecture: Architecture, image: KnownImage) -> None:
        """Remember an image."""
        self._put(asdict(image), "image", address, reference, architecture.aws)

    def _find(self, *words: str) -> dict[str, Any]:
        try:
            document = json.loads(self._store.get(ENGINE_RECORDS, _record_key(words)) or b"{}")
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def _put(self, document: dict[str, Any], *words: str) -> None:
        self._store.put(ENGINE_RECORDS, _record_key(words), json.dumps(document).encode())


def _record_key(words: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()
