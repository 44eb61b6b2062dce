"""Renders runtimes and other lists as aligned columns and JSON."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from lambdapack.report.text import wrap_paragraph
from lambdapack.runtimes.runtime import Runtime, runtime_architectures

RUNTIMES_SCHEMA = "lambdapack/runtimes/1"
IMAGES_SCHEMA = "lambdapack/images/1"
CACHE_SCHEMA = "lambdapack/cache/1"


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def render_runtimes(found: Sequence[Runtime], today: date) -> str:
    """Return one line a runtime, newest first."""
    rows = [("RUNTIME", "ABI", "NODE-API", "ARCH", "STATE", "DEPRECATED", "BLOCKED")]
    for runtime in reversed(found):
        row = runtime_row(runtime, today)
        dates = (row["deprecated"] or "-", row["block_update"] or "-")
        arches = ",".join(row["architectures"])
        rows.append((row["runtime"], str(row["abi"]), str(row["node_api"]), arches, row["state"], *dates))
    return align_columns(rows)


def runtimes_document(found: Sequence[Runtime], today: date) -> dict[str, Any]:
    """Return every runtime as JSON-able values, oldest first."""
    return {"schema": RUNTIMES_SCHEMA, "runtimes": [runtime_row(runtime, today) for runtime in found]}


def runtime_row(runtime: Runtime, today: date) -> dict[str, Any]:
    """Return a runtime's line as JSON-able values."""
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


def lifecycle_state(runtime: Runtime, today: date) -> str:
    """Return "supported", "deprecated" or "blocked" on a day."""
    cycle = runtime.lifecycle
    if cycle is None:
        return "supported"
    if cycle.block_update and cycle.block_update <= today:
        return "blocked"
    return "deprecated" if cycle.deprecated and cycle.deprecated <= today else "supported"


def render_runtime(found: Runtime, today: date) -> str:
    """Return what a runtime provides, for people."""
    certain = sorted(name for name, library in found.libraries.items() if library.certain)
    doubtful = sorted(name for name, library in found.libraries.items() if not library.certain)
    lines = [
        f"{found.target}: {lifecycle_state(found, today)}",
        f"  Node.js {found.node or found.node_major}, ABI {found.abi}, Node-API {found.node_api}",
        f"  npm {found.npm}" if found.npm else "",
        _render_list("symbol versions surely there", _render_versions(found.floor)),
        _render_list("highest in any image", _render_versions(found.ceiling)),
        _render_list("libraries", ", ".join(certain)),
        _render_list("only in images", ", ".join(doubtful)),
        wrap_paragraph("  LD_LIBRARY_PATH: ", ":".join(found.library_path).replace(":", ": ")),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _render_list(name: str, text: str) -> str:
    return wrap_paragraph(f"  {name}: ", text) if text else ""


def _render_versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{prefix}_{version}" for prefix, version in sorted(versions.items()))


def _render_day(value: date | None) -> str | None:
    return value.isoformat() if value else None
