"""What `runtimes`, `images list`, `cache` and `doctor` print as JSON."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.report.doctor import Checkup, HealthState
from lambdapack.report.document.report import ARCHITECTURE_NAMES
from lambdapack.report.runtimes import lifecycle_state
from lambdapack.report.text import format_json
from lambdapack.runtimes.runtime import Runtime, runtime_architectures
from lambdapack.schema import DAY_PATTERN, SHA256_PATTERN, describe, number, text, word

CACHE_KINDS = (
    *("binaries", "definitions", "trees", "scripts", "graphs", "runtimes", "proofs", "engines", "keys"),
    *("dependencies", "npm"),
)
"""What `cache` lists: the store's kinds of records, dependency trees, and npm's cache volumes."""


class RuntimeDocument(TypedDict):
    """One runtime."""

    runtime: Annotated[str, text("AWS's identifier, such as nodejs22.x.")]
    node_major: Annotated[int, number("The major version of its Node.js.")]
    abi: Annotated[int, number("NODE_MODULE_VERSION of its Node.js.")]
    node_api: Annotated[int, number("The highest Node-API version that it has.")]
    architectures: Annotated[
        list[Annotated[str, word("An instruction set.", ARCHITECTURE_NAMES)]],
        describe("Architectures that it runs on."),
    ]
    state: Annotated[str, word("Its state today.", ("supported", "deprecated", "blocked"))]
    deprecated: Annotated[
        str | None, text("Day on which support ends; null when none is announced.", pattern=DAY_PATTERN)
    ]
    block_create: Annotated[
        str | None, text("Day from which functions cannot be created with it.", pattern=DAY_PATTERN)
    ]
    block_update: Annotated[str | None, text("Day from which functions cannot be updated.", pattern=DAY_PATTERN)]
    source: Annotated[str | None, text("Source of the days.")]


class RuntimesDocument(TypedDict):
    """The runtimes that lambdapack knows."""

    schema: Literal["lambdapack/runtimes/1"]
    runtimes: Annotated[list[RuntimeDocument], describe("Every runtime, the oldest first.")]


ImageDocument = TypedDict(  # `for` is a keyword
    "ImageDocument",
    {
        "target": Annotated[str, text("Runtime and architecture, such as nodejs22.x/arm64; any for system packages.")],
        "for": Annotated[
            str,
            text(
                "Purpose: running the function, building its dependencies, or system packages.",
                pattern="^(runtime|build|system packages: .+)$",
            ),
        ],
        "state": Annotated[str, word("Whether the engine has the image.", ("here", "absent", "not a Lambda image"))],
        "image": Annotated[str, text("Name of the image.")],
        "digest": Annotated[
            str | None, text("Digest over its layers; null when the engine does not have it.", pattern=SHA256_PATTERN)
        ],
    },
)
ImageDocument.__doc__ = "One image."


class ImagesDocument(TypedDict):
    """The images that a build uses."""

    schema: Literal["lambdapack/images/1"]
    images: Annotated[list[ImageDocument], describe("Images of every target.")]


class CacheRowDocument(TypedDict):
    """One kind of cache entries."""

    kind: Annotated[str, word("Kind of entries; npm: its downloads, in a volume of the container engine.", CACHE_KINDS)]
    place: Annotated[str, text("Directory or volume.")]
    entries: Annotated[int | None, number("Number of records; null for a volume.")]
    bytes: Annotated[int | None, number("Size in bytes; null when the engine does not report it.")]


class CacheDocument(TypedDict):
    """Content of the cache, or what was removed from it."""

    schema: Literal["lambdapack/cache/1"]
    kept: Annotated[list[CacheRowDocument], describe("Kinds of entries with their place.")]


class HealthCheckDocument(TypedDict):
    """One health check."""

    name: Annotated[str, text("What was checked.")]
    state: Annotated[str, word("Result: error when no build can work, warning when some cannot.", HealthState)]
    said: Annotated[str, text("What the check found.")]
    fix: Annotated[str | None, text("How to fix it; null when nothing is to be done.")]


class SettingDocument(TypedDict):
    """One setting."""

    name: Annotated[str, text("Its name in lambdapack.toml.")]
    value: Annotated[str, text("Value, as text.")]
    origin: Annotated[str, text("Origin of the value: a flag, a variable, a file with its line, or default.")]


class DoctorDocument(TypedDict):
    """Health checks of this machine."""

    schema: Literal["lambdapack/doctor/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    ready: Annotated[bool, describe("Whether a build can work.")]
    checks: Annotated[list[HealthCheckDocument], describe("Checks, in the order in which a build needs them.")]
    settings: Annotated[list[SettingDocument], describe("All settings.")]


def render_runtimes_json(runtimes: Sequence[Runtime], today: date) -> str:
    """Return every runtime, oldest first, as one object with a line end."""
    document: RuntimesDocument = {
        "schema": "lambdapack/runtimes/1",
        "runtimes": [_make_runtime_document(runtime, today) for runtime in runtimes],
    }
    return format_json(document)


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
    return format_json(document)


def render_cache_json(rows: Sequence[CacheRowDocument]) -> str:
    """Return what is kept, or was removed, as one object with a line end."""
    document: CacheDocument = {"schema": "lambdapack/cache/1", "kept": list(rows)}
    return format_json(document)


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
    return format_json(document)
