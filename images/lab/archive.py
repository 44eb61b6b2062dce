"""Images as a docker-archive, what `docker load` takes: manifest.json, one configuration an image, layer tars.

`docker import --platform` ignores the platform, and engines before 25 refuse an OCI layout: this form is the
one that keeps the architecture everywhere, podman included.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from images.lab.layer import EPOCH, Layer
from images.lab.recipe import ENTRYPOINT, ENVIRONMENT, WORKING_DIRECTORY, Cpu

CREATED: Final = "1980-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer tar on disk."""

    path: Path
    diff_id: str  # SHA-256 of the plain tar, hexadecimal


@dataclass(frozen=True, slots=True)
class Image:
    """Layers under a name."""

    name: str
    cpu: Cpu
    layers: tuple[StoredLayer, ...]
    labels: Mapping[str, str]


def store(layer: Layer, path: Path) -> StoredLayer:
    """Write the layer's tar to `path`."""
    with path.open("wb") as stream:
        return StoredLayer(path, layer.write(stream))


def write(images: Sequence[Image], stream: IO[bytes]) -> None:
    """Write one archive that holds all `images`, each layer once."""
    manifest = []
    with tarfile.open(fileobj=stream, mode="w|", bufsize=1 << 20) as archive:
        for layer in {layer.diff_id: layer for image in images for layer in image.layers}.values():
            with layer.path.open("rb") as content:
                _add(archive, _layer_name(layer), content, layer.path.stat().st_size)
        for image in images:
            configuration = _configuration(image)
            name = f"{hashlib.sha256(configuration).hexdigest()}.json"
            _add(archive, name, io.BytesIO(configuration), len(configuration))
            layers = [_layer_name(layer) for layer in image.layers]
            manifest.append({"Config": name, "RepoTags": [image.name], "Layers": layers})
        text = json.dumps(manifest).encode()
        _add(archive, "manifest.json", io.BytesIO(text), len(text))


def image_id(image: Image) -> str:
    """What the engine will call it: the digest of its configuration."""
    return f"sha256:{hashlib.sha256(_configuration(image)).hexdigest()}"


def _layer_name(layer: StoredLayer) -> str:
    return f"{layer.diff_id}/layer.tar"


def _configuration(image: Image) -> bytes:
    return json.dumps(
        {
            "architecture": image.cpu.debian,
            **({"variant": image.cpu.variant} if image.cpu.variant else {}),
            "os": "linux",
            "created": CREATED,
            "config": {
                "Env": list(ENVIRONMENT),
                "Entrypoint": [ENTRYPOINT],
                "WorkingDir": WORKING_DIRECTORY,
                "Labels": dict(image.labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.diff_id}" for layer in image.layers]},
            "history": [{"created": CREATED, "created_by": "lambdapack lab"} for _ in image.layers],
        },
        sort_keys=True,
    ).encode()


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    header = tarfile.TarInfo(name)
    header.size, header.mtime = size, EPOCH
    archive.addfile(header, content)
