"""Runtime files: a measured runtime as JSON, written and read back. Never measures."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, OUTPUT
from lambdapack.model import Target
from lambdapack.runtimes.runtime import Library, Runtime, node_behaviour, parse_architecture, systems_data

if TYPE_CHECKING:
    from lambdapack.runtimes.document import LibraryDocument, RuntimeFileDocument

RUNTIME_FILE_SCHEMA: Final = "lambdapack/runtime/1"


def runtime_to_json(runtime: Runtime) -> "RuntimeFileDocument":
    """Return the document of a runtime file; what no image tells is not in it: life cycle, behaviour."""
    return {
        "schema": RUNTIME_FILE_SCHEMA,
        "runtime": runtime.target.runtime,
        "arch": runtime.target.architecture.aws,
        "node": runtime.node,
        "node_major": runtime.node_major,
        "abi": runtime.abi,
        "node_api": runtime.node_api,
        "source": runtime.source,
        "digest": runtime.digest,
        "library_path": list(runtime.library_path),
        "default_path": list(runtime.default_path),
        "interpreters": sorted(runtime.interpreters),
        "loaded": sorted(runtime.loaded),
        "floor": dict(runtime.floor),
        "ceiling": dict(runtime.ceiling),
        "libraries": {name: _library_to_json(library) for name, library in sorted(runtime.libraries.items())},
        "node_exports": None if runtime.node_exports is None else sorted(runtime.node_exports),
        "programs": _programs_to_json(runtime.programs),
    }


def _programs_to_json(programs: Mapping[str, bool] | None) -> list[str] | None:
    """Only what is surely there: a runtime file judges alone."""
    return None if programs is None else sorted(path for path, certain in programs.items() if certain)


def _library_to_json(library: Library) -> "LibraryDocument":
    return {
        "soname": library.soname,
        "path": library.path,
        "versions": sorted(library.versions),
        "needed": list(library.needed),
        "exports": None if library.exports is None else sorted(library.exports),
        "certain": library.certain,
    }


def runtime_from_json(document: Mapping[str, Any]) -> Runtime:
    """Return the runtime of a document. KeyError, TypeError or ValueError when it is not one."""
    if document["schema"] != RUNTIME_FILE_SCHEMA:
        raise ValueError(f"schema {document['schema']!r}, not {RUNTIME_FILE_SCHEMA!r}")
    exports = document["node_exports"]
    programs = document.get("programs")  # files written before they were measured have none
    return Runtime(
        target=Target(str(document["runtime"]), parse_architecture(document["arch"])),
        node=document["node"],
        node_major=int(document["node_major"]),
        abi=int(document["abi"]),
        node_api=int(document["node_api"]),
        source=str(document["source"]),
        digest=str(document["digest"]),
        libraries={str(name): _library_from_json(library) for name, library in document["libraries"].items()},
        loaded=frozenset(map(str, document["loaded"])),
        floor={str(key): str(value) for key, value in document["floor"].items()},
        ceiling={str(key): str(value) for key, value in document["ceiling"].items()},
        node_exports=None if exports is None else frozenset(map(str, exports)),
        library_path=tuple(map(str, document["library_path"])),
        default_path=tuple(map(str, document["default_path"])),
        interpreters=frozenset(map(str, document["interpreters"])),
        behaviour=node_behaviour(int(document["node_major"])),
        programs=None if programs is None else dict.fromkeys(map(str, programs), True),
        program_path=tuple(systems_data()["programs"]["path"]),
    )


def _library_from_json(document: Mapping[str, Any]) -> Library:
    exports = document["exports"]
    return Library(
        soname=str(document["soname"]),
        path=str(document["path"]),
        versions=frozenset(map(str, document["versions"])),
        needed=tuple(map(str, document["needed"])),
        exports=None if exports is None else frozenset(map(str, exports)),
        certain=bool(document["certain"]),
    )


def write_runtime(runtime: Runtime, path: Path) -> None:
    """Write a runtime file under a temporary name and rename it; LP009 when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(runtime_to_json(runtime), indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LambdapackError(OUTPUT, f"{path}: {error.strerror}") from error


def read_runtime(path: Path) -> Runtime:
    """Return the runtime of a file, which then judges alone (source "file"); LP006 when it is not a runtime file."""
    try:
        content = path.read_bytes()
        runtime = runtime_from_json(json.loads(content))
        digest = runtime.digest or f"sha256:{hashlib.sha256(content).hexdigest()}"
        return replace(runtime, source="file", digest=digest)
    except OSError as error:
        raise LambdapackError(BAD_CONFIG, f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LambdapackError) as error:
        raise LambdapackError(
            BAD_CONFIG,
            f"{path} is not a runtime file: {error}",
            hint="Make one with `lambdapack runtimes measure IMAGE -o FILE`.",
        ) from error
