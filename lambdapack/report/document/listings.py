"""What `runtimes`, `images list`, `cache` and `doctor` print as JSON."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.report.doctor import Checkup, HealthState
from lambdapack.report.document.report import ARCHITECTURE_NAMES
from lambdapack.report.runtimes import lifecycle_state
from lambdapack.runtimes.runtime import Runtime, runtime_architectures
from lambdapack.schema import DAY_PATTERN, SHA256_PATTERN, described, number, text, word

CACHE_KINDS = ("binaries", "definitions", "trees", "runtimes", "npm")
"""What `cache` lists: the store's kinds of records, and npm's cache volumes."""


class RuntimeDocument(TypedDict):
    """One runtime."""

    runtime: Annotated[str, text("AWS's identifier, such as nodejs22.x.")]
    node_major: Annotated[int, number("The major version of its Node.js.")]
    abi: Annotated[int, number("Its NODE_MODULE_VERSION.")]
    node_api: Annotated[int, number("The highest Node-API version that it has.")]
    architectures: Annotated[
        list[Annotated[str, word("An instruction set.", ARCHITECTURE_NAMES)]], described("What it runs on.")
    ]
    state: Annotated[str, word("Today's.", ("supported", "deprecated", "blocked"))]
    deprecated: Annotated[
        str | None, text("The day that support ends; null when none is announced.", pattern=DAY_PATTERN)
    ]
    block_create: Annotated[
        str | None, text("The day from which no function can be created with it.", pattern=DAY_PATTERN)
    ]
    block_update: Annotated[str | None, text("The day from which none can be updated.", pattern=DAY_PATTERN)]
    source: Annotated[str | None, text("Where the days were read.")]


class RuntimesDocument(TypedDict):
    """The runtimes that lambdapack knows."""

    schema: Literal["lambdapack/runtimes/1"]
    runtimes: Annotated[list[RuntimeDocument], described("Every runtime, the oldest first.")]


ImageDocument = TypedDict(  # `for` is a keyword
    "ImageDocument",
    {
        "target": Annotated[str, text("Runtime and architecture, such as nodejs22.x/arm64.")],
        "for": Annotated[
            str, word("What it serves: running the function, or building its dependencies.", ("runtime", "build"))
        ],
        "state": Annotated[str, word("Whether the engine has it.", ("here", "absent", "not a Lambda image"))],
        "image": Annotated[str, text("Its name.")],
        "digest": Annotated[str | None, text("Over its layers; null when it is not here.", pattern=SHA256_PATTERN)],
    },
)
ImageDocument.__doc__ = "One image."


class ImagesDocument(TypedDict):
    """The images that a build uses."""

    schema: Literal["lambdapack/images/1"]
    images: Annotated[list[ImageDocument], described("The images of every target.")]


class CacheRowDocument(TypedDict):
    """One kind."""

    kind: Annotated[
        str, word("What it remembers; npm: its downloads, in a volume of the container engine.", CACHE_KINDS)
    ]
    place: Annotated[str, text("Where it lies.")]
    entries: Annotated[int | None, number("How many records; null for a volume.")]
    bytes: Annotated[int | None, number("Its size; null when the engine does not say.")]


class CacheDocument(TypedDict):
    """What is kept between runs, or was removed."""

    schema: Literal["lambdapack/cache/1"]
    kept: Annotated[list[CacheRowDocument], described("Each kind with its place.")]


class HealthCheckDocument(TypedDict):
    """One thing."""

    name: Annotated[str, text("What was looked at.")]
    state: Annotated[str, word("How it is: error when no build can work, warning when some cannot.", HealthState)]
    said: Annotated[str, text("What was found.")]
    fix: Annotated[str | None, text("What mends it; null when nothing is to be done.")]


class SettingDocument(TypedDict):
    """One setting."""

    name: Annotated[str, text("Its name in lambdapack.toml.")]
    value: Annotated[str, text("Its value, as text.")]
    origin: Annotated[str, text("Who said it: a flag, a variable, a file with its line, or default.")]


class DoctorDocument(TypedDict):
    """How this machine is."""

    schema: Literal["lambdapack/doctor/1"]
    version: Annotated[str, text("Of lambdapack.")]
    ready: Annotated[bool, described("Whether a build could work.")]
    checks: Annotated[list[HealthCheckDocument], described("In the order in which a build meets them.")]
    settings: Annotated[list[SettingDocument], described("Every setting.")]


def render_runtimes_json(runtimes: Sequence[Runtime], today: date) -> str:
    """Return every runtime, oldest first, as one object with a line end."""
    document: RuntimesDocument = {
        "schema": "lambdapack/runtimes/1",
        "runtimes": [_make_runtime_document(runtime, today) for runtime in runtimes],
    }
    return json.dumps(document, indent=2) + "\n"


def _make_runtime_document(runtime: Runtime, today: date) -> RuntimeDocument:
    cycle = runtime.lifecycle
    return {
        "runtime": runtime.target.runtime,
        "node_major": runtime.node_major,
        "abi": runtime.abi,
        "node_api": runtime.node_api,
        "architectures": [architecture.aws for architecture in runtime_architectures(runtime.target.runtime)],
        "state": lifecycle_state(runtime, today),
        "deprecated": _render_day(cycle.deprecated) if cycle else None,
        "block_create": _render_day(cycle.block_create) if cycle else None,
        "block_update": _render_day(cycle.block_update) if cycle else None,
        "source": cycle.source if cycle else None,
    }


def _render_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def render_images_json(images: Sequence[ImageDocument]) -> str:
    """Return the images of a build as one object with a line end."""
    document: ImagesDocument = {"schema": "lambdapack/images/1", "images": list(images)}
    return json.dumps(document, indent=2) + "\n"


def render_cache_json(rows: Sequence[CacheRowDocument]) -> str:
    """Return what is kept, or was removed, as one object with a line end."""
    document: CacheDocument = {"schema": "lambdapack/cache/1", "kept": list(rows)}
    return json.dumps(document, indent=2) + "\n"


def render_checkup_json(checkup: Checkup) -> str:
    """Return the results of `doctor` as one object with a line end."""
    document: DoctorDocument = {
        "schema": "lambdapack/doctor/1",
        "version": __version__,
        "ready": checkup.ready,
        "checks": [
            {"name": check.name, "state": check.state.value, "said": check.said, "fix": check.fix or None}
            for check in checkup.checks
        ],
        "settings": [
            {"name": setting.name, "value": setting.value, "origin": setting.origin} for setting in checkup.settings
        ],
    }
    return json.dumps(document, indent=2) + "\n"
