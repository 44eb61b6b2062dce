"""Finds a command's target, local or in AWS, and adds settings from a zip's manifest or a deployed function."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.input.resources import AwsOptions
from lambdapack.cli.input.settings import ALL_ARCHITECTURES
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.events import Observer
from lambdapack.pack.digest import code_digest
from lambdapack.pack.output import read_zip_manifest, zip_manifest_path
from lambdapack.runtimes.runtime import parse_architecture, parse_runtime, runtime_ids, runtime_node_major

if TYPE_CHECKING:
    from lambdapack.pipeline.fetch import CloudAddress, FetchedTarget


def settings_from_manifest(archive: Path, flags: Mapping[str, object], observer: Observer) -> Mapping[str, object]:
    """Return flags, completed by the manifest beside a zip where they are silent; says when that is another's."""
    known = read_manifest_settings(archive)
    if known is None:
        observer.note(f"{zip_manifest_path(archive)} is ignored: it belongs to another zip")
        return flags
    return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def read_manifest_settings(archive: Path) -> dict[str, str] | None:
    """Return runtime, arch and handler of the manifest beside a zip, if any; None when it is another zip's."""
    document = read_zip_manifest(archive) if archive.is_file() else None
    if document is None:
        return {}
    if document.get("code_digest") != code_digest(archive):
        return None
    target = document.get("target")
    settings = {**target} if isinstance(target, dict) else {}
    settings["handler"] = document.get("handler")
    return {name: settings[name] for name in ("runtime", "arch", "handler") if isinstance(settings.get(name), str)}


TARGET_FORMS = "Pass a path, s3://BUCKET/KEY, a function's name or ARN (NAME:ALIAS), or the ARN of a layer version."


@contextmanager
def fetch_target(target: str, place: AwsOptions, observer: Observer) -> Iterator["FetchedTarget | None"]:
    """Lend what a target is in AWS as files, None for a path: one that exists is never anything else.

    LP007 for a bare name that is neither a path nor a function's. What was brought is removed in the end.
    """
    if os.path.lexists(target):
        yield None
        return
    from lambdapack.pipeline.fetch import parse_address  # noqa: PLC0415  # a path needs nothing of AWS
    from lambdapack.pipeline.scratch import scratch_directory  # noqa: PLC0415

    address = parse_address(target)
    if address is None:
        yield None
        return
    with scratch_directory() as directory:
        yield _fetch_address(address, target, place, directory, observer)


def _fetch_address(
    address: "CloudAddress", target: str, place: AwsOptions, scratch: Path, observer: Observer
) -> "FetchedTarget":
    from lambdapack.pipeline.fetch import fetch_from_cloud  # noqa: PLC0415  # see fetch_target

    if address.region and place.region not in (None, address.region):
        hint = "Remove --region: the ARN has the region."
        raise LambdapackError(USAGE, f"{target} is in {address.region}, not in {place.region}", hint=hint)
    place = replace(place, region=address.region or place.region)
    if not address.is_guess:
        return fetch_from_cloud(address, place.connect(), scratch, observer)
    try:
        cloud = place.connect()
        known = cloud.function(address.name, address.detail)
    except LambdapackError as error:
        detail = f"{target}: there is no such file or directory, and looking up a function of that name failed"
        said = f"{detail}: {error.failure.title}: {error.detail}"
        raise LambdapackError(BAD_TARGET, said, hint=f"Check the path. For a function: {error.hint}") from error
    if known is None:
        detail = f"{target}: there is no such file or directory, and no function of that name in {cloud.region}"
        raise LambdapackError(BAD_TARGET, detail, hint=TARGET_FORMS)
    return fetch_from_cloud(address, cloud, scratch, observer)


def settings_from_function(fetched: "FetchedTarget | None", flags: Mapping[str, object]) -> Mapping[str, object]:
    """Return the flags with what is known of the target; LP001 for one that contradicts it."""
    if fetched is None:
        return flags
    if fetched.function:
        function = fetched.function
        if flags.get("layers"):
            raise LambdapackError(USAGE, f"--layer: {function.name} has its own layers", hint="Remove --layer.")
        known = {"runtime": function.runtime, "arch": function.architecture.aws, "handler": function.handler}
        for name, value in known.items():
            if flags.get(name) is not None and _normalize_flag(name, str(flags[name])) != value:
                detail = f"--{name} {flags[name]}: {function.name} has {value}"
                raise LambdapackError(USAGE, detail, hint=f"Remove --{name}: the function's own value is used.")
        return {**flags, **known}
    known = _settings_from_layer(fetched)
    return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def _normalize_flag(name: str, value: str) -> str:
    if name == "runtime":
        return parse_runtime(value)
    return parse_architecture(value).aws if name == "arch" and value != ALL_ARCHITECTURES else value


def _settings_from_layer(fetched: "FetchedTarget") -> dict[str, str]:
    """A layer is judged for the newest runtime that it names, on each architecture that it names."""
    if fetched.layer is None:
        return {}
    runtimes = sorted(
        (runtime for runtime in fetched.layer.runtimes if runtime in runtime_ids()), key=runtime_node_major
    )
    cpus = fetched.layer.architectures
    arch = cpus[0].aws if len(cpus) == 1 else ALL_ARCHITECTURES if cpus else None
    return {name: value for name, value in (("runtime", runtimes[-1] if runtimes else None), ("arch", arch)) if value}
