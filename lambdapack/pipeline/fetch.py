"""Downloads functions, layers and S3 objects from AWS for verification. The only module that does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.names import parse_function_name
from lambdapack.deploy.nouns import LATEST, LambdaFunction, LayerVersion
from lambdapack.deploy.observe import FunctionLayers
from lambdapack.errors.cloud import ACCESS_DENIED, IMAGE_FUNCTION, NO_FUNCTION, NOT_THERE, OTHER_CODE
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, UNKNOWN_RUNTIME, USAGE
from lambdapack.events import Observer
from lambdapack.pack.digest import code_digest
from lambdapack.runtimes.runtime import runtime_ids

_LAYER_ARN = re.compile(r"(arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:layer:[A-Za-z0-9_-]{1,140}):(\d+)\Z")
_OBJECT = re.compile(r"s3://([^/]+)/(.+)\Z", re.DOTALL)

ARN_FORMS = "arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS], arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"


@dataclass(frozen=True, slots=True)
class CloudAddress:
    """The address of a function, layer or object in AWS, as written by the user."""

    kind: str  # "function", "layer", "object"
    name: str  # of the function or its ARN without qualifier, the layer's ARN without version, the bucket
    detail: str = ""  # the qualifier, the version, the key
    region: str = ""  # that an ARN names
    is_guess: bool = False  # a bare name, which could also be a mistyped path


def parse_address(text: str) -> CloudAddress | None:
    """Return the address that a text names, None when it can only be a path. LP007 for a broken ARN or s3:// text."""
    if text.startswith("s3:"):
        match = _OBJECT.match(text)
        if match is None:
            raise LambdapackError(BAD_TARGET, f"{text}: s3://BUCKET/KEY is expected", hint="Name a bucket and a key.")
        return CloudAddress("object", match[1], match[2])
    if text.startswith("arn:"):
        return _parse_arn(text)
    name = parse_function_name(text)
    if name is None:
        return None
    is_guess = not name.account and not text.startswith("function:")
    return CloudAddress("function", name.unqualified, name.qualifier, is_guess=is_guess)


def _parse_arn(text: str) -> CloudAddress:
    if function := parse_function_name(text):
        return CloudAddress("function", function.unqualified, function.qualifier, function.region)
    if match := _LAYER_ARN.match(text):
        return CloudAddress("layer", match[1], match[3], match[2])
    if _LAYER_ARN.match(f"{text}:1"):
        name = text.rpartition(":")[2]
        hint = f"Add its version: `aws lambda list-layer-versions --layer-name {name}` lists them."
        raise LambdapackError(BAD_TARGET, f"{text}: the ARN names a layer without a version", hint=hint)
    raise LambdapackError(
        BAD_TARGET, f"{text}: the ARN names neither a function nor a layer version", hint=f"Name {ARN_FORMS}."
    )


@dataclass(frozen=True, slots=True)
class FetchedTarget:
    """A function, layer or object of AWS, downloaded to this host."""

    path: Path  # the zip
    name: str  # ARN of the version, or s3://BUCKET/KEY
    function: LambdaFunction | None = None
    layer: LayerVersion | None = None
    layers: FunctionLayers = field(default_factory=FunctionLayers)  # of the function
    layer_files: tuple[Path, ...] = ()  # of the layers that could be read, in the function's order


def fetch_from_cloud(address: CloudAddress, cloud: Cloud, scratch: Path, observer: Observer) -> FetchedTarget:
    """Download an address into a directory that the caller removes.

    LP415, LP416 and LP421 when it does not exist, LP430 for a container image, LP004 for a function without Node.js,
    LP427 when it changes meanwhile. A function's layer that may not be read is listed as unreadable.
    """
    if address.kind == "object":
        return _fetch_object(address, cloud, scratch, observer)
    if address.kind == "layer":
        layer = cloud.layer_version(address.name, int(address.detail))
        if layer is None:
            raise LambdapackError(NOT_THERE, f"{address.name}:{address.detail} in {cloud.region}")
        return FetchedTarget(_fetch_layer(layer, cloud, scratch / "layer.zip", observer), layer.arn, layer=layer)
    with observer.task(f"Reading {address.name}"):
        function = cloud.function(address.name, address.detail)
    if function is None:
        qualified_name = f"{address.name}:{address.detail}" if address.detail else address.name
        hint = f"Check the name and `--region`; `aws lambda list-functions --region {cloud.region}` lists them."
        raise LambdapackError(NO_FUNCTION, f"{qualified_name} in {cloud.region}", hint=hint)
    _refuse_unsupported(function)
    path = _fetch_code(function, cloud, scratch / "function.zip", observer)
    layers, files = fetch_layers([attached_layer.arn for attached_layer in function.layers], cloud, scratch, observer)
    return FetchedTarget(path, function.version_arn, function, None, layers, files)


def _refuse_unsupported(function: LambdaFunction) -> None:
    if function.package_type != "Zip":
        detail = f"{function.name} has the package type {function.package_type}"
        hint = "Verify the directory that its Dockerfile copies into the image: `lambdapack verify DIR`."
        raise LambdapackError(IMAGE_FUNCTION, detail, hint=hint)
    if function.runtime not in runtime_ids():
        hint = "lambdapack supports Node.js runtimes only; `lambdapack runtimes` lists them."
        raise LambdapackError(UNKNOWN_RUNTIME, f"{function.name} runs {function.runtime or 'nothing'}", hint=hint)


def _fetch_object(address: CloudAddress, cloud: Cloud, scratch: Path, observer: Observer) -> FetchedTarget:
    name, path = f"s3://{address.name}/{address.detail}", scratch / "object.zip"
    stored = cloud.find_object(address.name, address.detail)
    with observer.task(f"Reading {name}", stored.size if stored else None, "B") as advance:
        cloud.download_object(address.name, address.detail, path, advance)
    return FetchedTarget(path, name)


def _fetch_code(function: LambdaFunction, cloud: Cloud, path: Path, observer: Observer) -> Path:
    version = "" if function.version == LATEST else function.version
    location = cloud.code_location(_unqualified_arn(function), version)
    with observer.task(f"Reading {function.name}:{function.version}", function.code_bytes, "B") as advance:
        cloud.download_url(location, path, advance)
    return _check_digest(path, function.version_arn, function.code_digest)


def _unqualified_arn(function: LambdaFunction) -> str:
    return function.arn.rpartition(":")[0] if len(function.arn.split(":")) > 7 else function.arn


def _fetch_layer(layer: LayerVersion, cloud: Cloud, path: Path, observer: Observer) -> Path:
    with observer.task(f"Reading the layer {layer.name}:{layer.number}", layer.zip_bytes, "B") as advance:
        cloud.download_url(layer.location, path, advance)
    return _check_digest(path, layer.arn, layer.code_digest)


def _check_digest(path: Path, name: str, expected: str) -> Path:
    digest = code_digest(path)
    if digest != expected:
        raise LambdapackError(OTHER_CODE, f"{name}: downloaded {digest}, but AWS states {expected}")
    return path


def fetch_layers(
    arns: Sequence[str], cloud: Cloud, scratch: Path, observer: Observer
) -> tuple[FunctionLayers, tuple[Path, ...]]:
    """Download layer versions; deleted or unreadable ones are listed. LP001 for an invalid ARN."""
    read: list[LayerVersion] = []
    unseen: list[str] = []
    missing: list[str] = []
    files: list[Path] = []
    for number, arn in enumerate(arns):
        try:
            layer = _find_layer(cloud, arn)
        except LambdapackError as error:
            if error.failure is not ACCESS_DENIED:
                raise
            unseen.append(arn)
            continue
        if layer is None:
            missing.append(arn)
            continue
        read.append(layer)
        files.append(_fetch_layer(layer, cloud, scratch / f"layer-{number}.zip", observer))
    return FunctionLayers(tuple(read), tuple(unseen), tuple(missing)), tuple(files)


def _find_layer(cloud: Cloud, arn: str) -> LayerVersion | None:
    name, _colon, number = arn.rpartition(":")
    if not number.isdigit() or ":layer:" not in name:
        hint = "A layer's ARN ends with its version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION."
        raise LambdapackError(USAGE, f"{arn!r} is not the ARN of a layer version", hint=hint)
    return cloud.layer_version(name, int(number))
