"""What AWS holds, brought here: a function's code with its layers, a layer, an object. The only place that does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.guard import Layers
from lambdapack.deploy.nouns import LATEST, Function, LayerVersion
from lambdapack.errors import (
    ACCESS_DENIED,
    BAD_TARGET,
    IMAGE_FUNCTION,
    NO_FUNCTION,
    NOT_THERE,
    OTHER_CODE,
    UNKNOWN_RUNTIME,
    USAGE,
    LambdapackError,
)
from lambdapack.events import Observer
from lambdapack.pack.digest import code_digest
from lambdapack.runtimes.catalogue import identifiers

_NAME = r"[A-Za-z0-9_-]{1,64}"
_QUALIFIER = r"(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?"
_FUNCTION = re.compile(rf"(?:function:)?({_NAME}){_QUALIFIER}\Z")
_FUNCTION_ARN = re.compile(rf"(arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{{12}}:function:{_NAME}){_QUALIFIER}\Z")
_LAYER_ARN = re.compile(r"(arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:layer:[A-Za-z0-9_-]{1,140}):(\d+)\Z")
_OBJECT = re.compile(r"s3://([^/]+)/(.+)\Z", re.DOTALL)

FORMS = "arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS], arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is in AWS, as a person wrote it."""

    kind: str  # "function", "layer", "object"
    name: str  # of the function or its ARN without qualifier, the layer's ARN without version, the bucket
    part: str = ""  # the qualifier, the version, the key
    region: str = ""  # that an ARN names
    guessed: bool = False  # a bare name, which could also be a mistyped path


def address_of(text: str) -> Address | None:
    """Return the address that a text is, None for what can only be a path. LP007 for a broken ARN or s3:// text."""
    if text.startswith("s3:"):
        found = _OBJECT.match(text)
        if found is None:
            raise LambdapackError(BAD_TARGET, f"{text}: s3://BUCKET/KEY is expected", hint="Name an object.")
        return Address("object", found[1], found[2])
    if text.startswith("arn:"):
        return _of_arn(text)
    found = _FUNCTION.match(text)
    if found is None:
        return None
    return Address("function", found[1], found[2] or "", guessed=not text.startswith("function:"))


def _of_arn(text: str) -> Address:
    if found := _FUNCTION_ARN.match(text):
        return Address("function", found[1], found[3] or "", found[2])
    if found := _LAYER_ARN.match(text):
        return Address("layer", found[1], found[3], found[2])
    if _LAYER_ARN.match(f"{text}:1"):
        name = text.rpartition(":")[2]
        hint = f"Add its version: `aws lambda list-layer-versions --layer-name {name}` lists them."
        raise LambdapackError(BAD_TARGET, f"{text}: this is a layer, not one of its versions", hint=hint)
    raise LambdapackError(BAD_TARGET, f"{text}: this is neither a function nor a layer version", hint=f"Name {FORMS}.")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Something of AWS, as files on this host."""

    path: Path  # the zip
    name: str  # ARN of the version, or s3://BUCKET/KEY
    function: Function | None = None
    layer: LayerVersion | None = None
    layers: Layers = field(default_factory=Layers)  # of the function
    files: tuple[Path, ...] = ()  # of the layers that could be read, in the function's order


def fetch(address: Address, cloud: Cloud, scratch: Path, observer: Observer) -> Fetched:
    """Download what is at an address into a directory that the caller removes.

    LP415, LP416 and LP421 when it is not there, LP430 for a container image, LP004 for a function without Node.js,
    LP427 when it is changed at the same time. A function's layer that may not be read is left out and named.
    """
    if address.kind == "object":
        return _object(address, cloud, scratch, observer)
    if address.kind == "layer":
        found = cloud.layer_version(address.name, int(address.part))
        if found is None:
            raise LambdapackError(NOT_THERE, f"{address.name}:{address.part} in {cloud.region}")
        return Fetched(_layer(found, cloud, scratch / "layer.zip", observer), found.arn, layer=found)
    with observer.task(f"Looking at {address.name}"):
        function = cloud.function(address.name, address.part)
    if function is None:
        what = f"{address.name}:{address.part}" if address.part else address.name
        hint = f"Check the name and `--region`; `aws lambda list-functions --region {cloud.region}` lists them."
        raise LambdapackError(NO_FUNCTION, f"{what} in {cloud.region}", hint=hint)
    _refuse(function)
    path = _code(function, cloud, scratch / "function.zip", observer)
    layers, files = fetch_layers([each.arn for each in function.layers], cloud, scratch, observer)
    return Fetched(path, function.version_arn, function, None, layers, files)


def _refuse(function: Function) -> None:
    if function.package != "Zip":
        detail = f"{function.name} has the package type {function.package}"
        hint = "Judge what its Dockerfile copies into the image: `lambdapack verify DIR`."
        raise LambdapackError(IMAGE_FUNCTION, detail, hint=hint)
    if function.runtime not in identifiers():
        hint = "lambdapack judges Node.js functions; `lambdapack runtimes` lists what it knows."
        raise LambdapackError(UNKNOWN_RUNTIME, f"{function.name} runs {function.runtime or 'nothing'}", hint=hint)


def _object(address: Address, cloud: Cloud, scratch: Path, observer: Observer) -> Fetched:
    name, path = f"s3://{address.name}/{address.part}", scratch / "object.zip"
    found = cloud.stored(address.name, address.part)
    with observer.task(f"Reading {name}", found.size if found else None, "B") as advance:
        cloud.fetch(address.name, address.part, path, advance)
    return Fetched(path, name)


def _code(function: Function, cloud: Cloud, path: Path, observer: Observer) -> Path:
    version = "" if function.version == LATEST else function.version
    location = cloud.code_location(_plain(function), version)
    with observer.task(f"Reading {function.name}:{function.version}", function.code_bytes, "B") as advance:
        cloud.download(location, path, advance)
    return _whole(path, function.version_arn, function.code_digest)


def _plain(function: Function) -> str:
    return function.arn.rpartition(":")[0] if len(function.arn.split(":")) > 7 else function.arn


def _layer(layer: LayerVersion, cloud: Cloud, path: Path, observer: Observer) -> Path:
    with observer.task(f"Reading the layer {layer.name}:{layer.number}", layer.zip_bytes, "B") as advance:
        cloud.download(layer.location, path, advance)
    return _whole(path, layer.arn, layer.code_digest)


def _whole(path: Path, name: str, wanted: str) -> Path:
    found = code_digest(path)
    if found != wanted:
        raise LambdapackError(OTHER_CODE, f"{name}: {found} came, {wanted} was said")
    return path


def fetch_layers(
    arns: Sequence[str], cloud: Cloud, scratch: Path, observer: Observer
) -> tuple[Layers, tuple[Path, ...]]:
    """Download layer versions; those that are deleted or may not be read are named. LP001 for what is no such ARN."""
    read: list[LayerVersion] = []
    unseen: list[str] = []
    files: list[Path] = []
    for number, arn in enumerate(arns):
        found = _readable(cloud, arn)
        if found is None:
            unseen.append(arn)
            continue
        read.append(found)
        files.append(_layer(found, cloud, scratch / f"layer-{number}.zip", observer))
    return Layers(tuple(read), tuple(unseen)), tuple(files)


def _readable(cloud: Cloud, arn: str) -> LayerVersion | None:
    name, _colon, number = arn.rpartition(":")
    if not number.isdigit() or ":layer:" not in name:
        hint = "A layer's ARN ends with its version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION."
        raise LambdapackError(USAGE, f"{arn!r} is no ARN of a layer version", hint=hint)
    try:
        return cloud.layer_version(name, int(number))
    except LambdapackError as error:
        if error.failure is not ACCESS_DENIED:
            raise
        return None
