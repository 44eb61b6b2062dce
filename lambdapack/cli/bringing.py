"""Targets that are in AWS: told from paths, brought here while a command works on them, and what they ask of it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lambdapack.cli.choices import ALL
from lambdapack.cli.cloud import Place
from lambdapack.errors import BAD_TARGET, USAGE, LambdapackError
from lambdapack.events import Observer
from lambdapack.pipeline.remote import Address, Fetched, address_of, fetch
from lambdapack.pipeline.scratch import scratch_directory
from lambdapack.runtimes.catalogue import identifiers, node_major, parse_architecture, parse_runtime

FORMS = "Name a path, s3://BUCKET/KEY, a function's name or ARN (NAME:ALIAS), or the ARN of a layer version."


@contextmanager
def brought(target: str, place: Place, observer: Observer) -> Iterator[Fetched | None]:
    """Lend what a target is in AWS as files, None for a path: one that exists is never anything else.

    LP007 for a bare name that is neither a path nor a function's. What was brought is removed in the end.
    """
    address = None if os.path.lexists(target) else address_of(target)
    if address is None:
        yield None
        return
    with scratch_directory() as directory:
        yield _fetched(address, target, place, directory, observer)


def _fetched(address: Address, target: str, place: Place, scratch: Path, observer: Observer) -> Fetched:
    if address.region and place.region not in (None, address.region):
        hint = "Leave --region out: the ARN says it."
        raise LambdapackError(USAGE, f"{target} is in {address.region}, not in {place.region}", hint=hint)
    place = replace(place, region=address.region or place.region)
    if not address.guessed:
        return fetch(address, place.connect(), scratch, observer)
    try:
        cloud = place.connect()
        known = cloud.function(address.name, address.part)
    except LambdapackError as error:
        detail = f"{target}: there is no such file or directory, and AWS cannot be asked for a function of that name"
        said = f"{detail}: {error.failure.title}: {error.detail}"
        raise LambdapackError(BAD_TARGET, said, hint=f"Check the path. For a function: {error.hint}") from error
    if known is None:
        detail = f"{target}: there is no such file or directory, and no function of that name in {cloud.region}"
        raise LambdapackError(BAD_TARGET, detail, hint=FORMS)
    return fetch(address, cloud, scratch, observer)


def fitting(fetched: Fetched | None, flags: Mapping[str, object]) -> Mapping[str, object]:
    """Return the flags with what is known of the target; LP001 for one that contradicts it."""
    if fetched is None:
        return flags
    if fetched.function:
        function = fetched.function
        if flags.get("layers"):
            raise LambdapackError(USAGE, f"--layer: {function.name} has its own layers", hint="Leave --layer out.")
        known = {"runtime": function.runtime, "arch": function.architecture.aws, "handler": function.handler}
        for name, value in known.items():
            if flags.get(name) is not None and _same(name, str(flags[name])) != value:
                detail = f"--{name} {flags[name]}: {function.name} has {value}"
                raise LambdapackError(USAGE, detail, hint=f"Leave --{name} out: the function says it.")
        return {**flags, **known}
    known = _of_layer(fetched)
    return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def _same(name: str, value: str) -> str:
    if name == "runtime":
        return parse_runtime(value)
    return parse_architecture(value).aws if name == "arch" and value != ALL else value


def _of_layer(fetched: Fetched) -> dict[str, str]:
    """A layer is judged for the newest runtime that it names, on each architecture that it names."""
    if fetched.layer is None:
        return {}
    runtimes = sorted((each for each in fetched.layer.runtimes if each in identifiers()), key=node_major)
    cpus = fetched.layer.architectures
    arch = cpus[0].aws if len(cpus) == 1 else ALL if cpus else None
    return {name: value for name, value in (("runtime", runtimes[-1] if runtimes else None), ("arch", arch)) if value}
