"""The manifest beside a zip, where the command line is silent."""

from collections.abc import Mapping
from pathlib import Path

from lambdapack.events import Observer
from lambdapack.pack.digest import code_digest
from lambdapack.pack.manifest import manifest_path, read_manifest


def with_memory(archive: Path, flags: Mapping[str, object], observer: Observer) -> Mapping[str, object]:
    """Return flags, completed by the manifest beside a zip where they are silent; says when that is another's."""
    known = remembered(archive)
    if known is None:
        observer.note(f"{manifest_path(archive)} is not used: it was written for another zip")
        return flags
    return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def remembered(archive: Path) -> dict[str, str] | None:
    """Return runtime, arch and handler of the manifest beside a zip, if any; None when it is another zip's."""
    document = read_manifest(archive) if archive.is_file() else None
    if document is None:
        return {}
    if document.get("code_digest") != code_digest(archive):
        return None
    target = document.get("target")
    found = {**target} if isinstance(target, dict) else {}
    found["handler"] = document.get("handler")
    return {name: found[name] for name in ("runtime", "arch", "handler") if isinstance(found.get(name), str)}
