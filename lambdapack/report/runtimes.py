"""Renders runtimes as text."""

from collections.abc import Mapping, Sequence
from datetime import date

from lambdapack.report.text import align_columns, wrap_paragraph
from lambdapack.runtimes.runtime import Runtime, runtime_architectures


def render_runtimes(runtimes: Sequence[Runtime], today: date) -> str:
    """Return one line a runtime, newest first."""
    heading = ("RUNTIME", "ABI", "NODE-API", "ARCH", "STATE", "DEPRECATED", "BLOCKED")
    return align_columns([heading, *(_runtime_row(runtime, today) for runtime in reversed(runtimes))])


def _runtime_row(runtime: Runtime, today: date) -> tuple[str, ...]:
    name, cycle = runtime.target.runtime, runtime.lifecycle
    days = (cycle.deprecated, cycle.block_update) if cycle else (None, None)
    return (
        name,
        str(runtime.abi),
        str(runtime.node_api),
        ",".join(architecture.aws for architecture in runtime_architectures(name)),
        lifecycle_state(runtime, today),
        *(day.isoformat() if day else "-" for day in days),
    )


def lifecycle_state(runtime: Runtime, today: date) -> str:
    """Return "supported", "deprecated" or "blocked" on a day."""
    cycle = runtime.lifecycle
    if cycle is None:
        return "supported"
    if cycle.block_update and cycle.block_update <= today:
        return "blocked"
    return "deprecated" if cycle.deprecated and cycle.deprecated <= today else "supported"


def render_runtime(runtime: Runtime, today: date) -> str:
    """Return what a runtime provides, for people."""
    certain = sorted(name for name, library in runtime.libraries.items() if library.certain)
    doubtful = sorted(name for name, library in runtime.libraries.items() if not library.certain)
    lines = [
        f"{runtime.target}: {lifecycle_state(runtime, today)}",
        f"  Node.js {runtime.node or runtime.node_major}, ABI {runtime.abi}, Node-API {runtime.node_api}",
        f"  npm {runtime.npm}" if runtime.npm else "",
        _render_list("guaranteed symbol versions", _render_versions(runtime.floor)),
        _render_list("highest in any image", _render_versions(runtime.ceiling)),
        _render_list("libraries", ", ".join(certain)),
        _render_list("in some images only", ", ".join(doubtful)),
        wrap_paragraph("  LD_LIBRARY_PATH: ", ":".join(runtime.library_path).replace(":", ": ")),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _render_list(name: str, text: str) -> str:
    return wrap_paragraph(f"  {name}: ", text) if text else ""


def _render_versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{prefix}_{version}" for prefix, version in sorted(versions.items()))
