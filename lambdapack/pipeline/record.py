"""The manifest that lies beside an archive: how it came to be. Equal builds write equal ones: no time."""

from collections.abc import Mapping
from typing import Any

from lambdapack import __version__
from lambdapack.build.order import Installed
from lambdapack.pack.archive import Archive
from lambdapack.project.key import DependencyKey
from lambdapack.project.nouns import Project
from lambdapack.rules.verdict import Report


def manifest(
    report: Report,
    archive: Archive,
    installed: Installed,
    key: DependencyKey | None,
    handler: str | None,
    project: Project,
) -> Mapping[str, Any]:
    """Return the document; paths are the archive's own name, never a directory of this host."""
    target, name = report.runtime.target, project.manifest.get("name")
    return {
        "version": __version__,
        "archive": archive.path.name,
        "kind": report.subject.kind,
        "project": name if isinstance(name, str) and name else None,
        "target": {"runtime": target.runtime, "arch": target.architecture.aws},
        "handler": handler,
        "code_digest": archive.code_digest,
        "content_digest": archive.content_digest,
        "zip_bytes": archive.zip_bytes,
        "unzipped_bytes": archive.unzipped_bytes,
        "entries": archive.entries,
        "verdict": report.verdict.value,
        "judged_by": {"source": report.runtime.source, "digest": report.runtime.digest or None},
        "binaries": [
            {"path": each.binary.path, "sha256": each.binary.sha256, "selected": each.selected}
            for each in report.judgements
        ],
        "install": {
            "image": installed.image.digest if installed.image else None,
            "strategy": installed.strategy.name if installed.strategy else None,
            "node": installed.node or None,
            "npm": installed.npm or None,
        },
        "dependency_key": {"digest": key.digest, "parts": dict(key.parts)} if key else None,
    }
