"""Writes a verified package as a zip with its manifest, or as a directory. The manifest has no timestamps."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lambdapack import __version__
from lambdapack.events import Observer
from lambdapack.pack.output import (
    MANIFEST_SCHEMA,
    check_empty_directory,
    check_writable,
    write_directory,
    write_zip_manifest,
)
from lambdapack.pack.zip import Archive, Compression, NoPackedFiles, PackedFiles, check_zip_output, write_zip
from lambdapack.pipeline.package.request import LAYER_DIRECTORY, BuildRequest, BuiltPackage, JudgedPackage
from lambdapack.project.repository import Manifest
from lambdapack.rules.check import apply_policy
from lambdapack.rules.model.report import Report
from lambdapack.rules.package.contents import size_findings
from lambdapack.store.packed_tree import SplicedFiles

if TYPE_CHECKING:
    from lambdapack.report.document.manifest import MadeFileDocument, ManifestDocument


def make_manifest(report: Report, archive: Archive, package: JudgedPackage, project: Manifest) -> "ManifestDocument":
    """Return the document; paths are the archive's own name, never a directory of this host."""
    target, name = report.runtime.target, project.document.get("name")
    installed, key = package.install, package.job.install.key if package.job.install else None
    return {
        "schema": MANIFEST_SCHEMA,
        "version": __version__,
        "archive": archive.path.name,
        "kind": report.subject.kind,
        "project": name if isinstance(name, str) and name else None,
        "target": {"runtime": target.runtime, "arch": target.architecture.aws},
        "handler": package.facts.handler,
        "code_digest": archive.code_digest,
        "content_digest": archive.content_digest,
        "zip_bytes": archive.zip_bytes,
        "unzipped_bytes": archive.unzipped_bytes,
        "entries": archive.entries,
        "verdict": report.verdict.value,
        "judged_by": {"source": report.runtime.source, "digest": report.runtime.digest or None},
        "binaries": [
            {"path": judgement.binary.path, "sha256": judgement.binary.sha256, "selected": judgement.selected}
            for judgement in report.judgements
        ],
        "made": _list_made_files(package, layer=report.subject.kind == "layer"),
        "install": {
            "image": installed.image.digest if installed.image else None,
            "strategy": installed.recipe.strategy if installed.recipe else None,
            "node": installed.facts.node if installed.facts else None,
            "npm": installed.facts.manager if installed.facts else None,
        },
        "dependency_key": {"digest": key.digest, "parts": dict(key.parts)} if key else None,
    }


def _list_made_files(package: JudgedPackage, *, layer: bool) -> list["MadeFileDocument"]:
    """Return what no tarball brought; the function's own files are its own, also where a script wrote one anew."""
    prefix, own = f"{LAYER_DIRECTORY}/" if layer else "", package.facts.own_files
    paths = ((f"{prefix}{path}", author) for path, author in sorted(package.install.authors.items()))
    return [{"path": path, "by": author} for path, author in paths if path in package.tree.entries and path not in own]


def check_output_paths(request: BuildRequest) -> None:
    """LP009 for a place that could not be written, before an install that takes minutes."""
    if request.into is not None:
        check_empty_directory(request.into)
        check_writable(request.into / "package.json")
        return
    for path in request.outputs.values():
        check_zip_output(path)


def _packed_files(package: JudgedPackage, request: BuildRequest) -> PackedFiles:
    """Return the members that the store has compressed as this zip wants them."""
    stored = package.stored
    if stored is None or stored.tree.index.compression != request.reuse.compression:
        return NoPackedFiles()
    return SplicedFiles(stored.tree, LAYER_DIRECTORY if request.layer else "")


def write_package(request: BuildRequest, project: Manifest, package: JudgedPackage, observer: Observer) -> BuiltPackage:
    """Write what was package and return where it is; its size as a zip is a finding of its own."""
    report = package.report
    if request.into is not None:
        write_directory(package.tree, request.into, observer=observer)
        return BuiltPackage(report, package.job, None, request.into, package.left_out, package.pruned)
    compression = Compression(request.reuse.compression, known=_packed_files(package, request))
    archive = write_zip(
        package.tree, request.outputs[report.runtime.target], observer=observer, compression=compression
    )
    subject = replace(
        report.subject,
        archive=str(archive.path),
        code_digest=archive.code_digest,
        content_digest=archive.content_digest,
        zip_bytes=archive.zip_bytes,
        unzipped_bytes=archive.unzipped_bytes,
    )
    findings = apply_policy((*report.findings, *size_findings(subject, package.facts)), request.policy)
    report = replace(report, subject=subject, findings=findings)
    write_zip_manifest(archive.path, make_manifest(report, archive, package, project))
    return BuiltPackage(report, package.job, archive, None, package.left_out, package.pruned)
