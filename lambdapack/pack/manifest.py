"""The manifest beside a zip: what the zip was made from. Not a proof, and never a place for secrets."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambdapack.pack.atomic import replace_file

MANIFEST_SCHEMA: Final = "lambdapack/manifest/1"
MANIFEST_SUFFIX = ".lambdapack.json"


def zip_manifest_path(archive: Path) -> Path:
    """Return where the manifest of a zip lies."""
    return archive.with_name(archive.name + MANIFEST_SUFFIX)


def write_zip_manifest(archive: Path, document: Mapping[str, Any]) -> Path:
    """Write the manifest of a zip and return its path; LP009 when it cannot be written, ValueError for a secret."""
    from lambdapack.pack.secrets import find_secret_kind  # noqa: PLC0415  # who only reads one need not pay for it

    text = json.dumps({**document, "schema": MANIFEST_SCHEMA}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    data = text.encode("utf-8", "backslashreplace")
    secret = find_secret_kind(data)
    if secret is not None:
        raise ValueError(f"the manifest of {archive.name} would hold {secret}")
    path = zip_manifest_path(archive)
    with replace_file(path) as file:
        file.write(data)
    return path


def read_zip_manifest(archive: Path) -> Mapping[str, Any] | None:
    """Return the manifest of a zip, None when there is none that we could have written.

    It counts only when its "code_digest" is the zip's: the caller compares.
    """
    try:
        document = json.loads(zip_manifest_path(archive).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == MANIFEST_SCHEMA else None
