"""Writes a verified package as a zip with its manifest, or as a directory. The manifest has no timestamps."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING

from lambdapack import __version__
from lambdapack.events import Observer
from lambdapack.managers.lock import DependencySource
from lambdapack.pack.digest import content_digest
from lambdapack.pack.output import (
    MANIFEST_SCHEMA,
    check_empty_directory,
    check_writable,
    sbom_path,
    write_directory,
    write_provenance,
    write_zip_manifest,
    written_files,
)
from lambdapack.pack.zip import Archive, Compression, NoPackedFiles, PackedFiles, check_zip_output, write_zip
from lambdapack.pipeline.package.request import LAYER_DIRECTORY, BuildRequest, BuiltPackage, JudgedPackage
from lambdapack.project.repository import Manifest
from lambdapack.rules.check import apply_policy
from lambdapack.rules.model.report import Report
from lambdapack.rules.package.contents import max_size_findings, size_findings
from lambdapack.store.packed_tree import SplicedFiles
from lambdapack.store.trees import LOCAL_SOURCE
from lambdapack.tree.entry import Tree, ancestors

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
            "engine": installed.engine.value if installed.engine else None,
            "compiler": installed.compiler or None,
            "node": installed.facts.node if installed.facts else None,
            "npm": installed.facts.manager if installed.facts else None,
            "store": _shared_source(package),
        },
        "dependency_key": {"digest": key.digest, "parts": dict(key.parts)} if key else None,
    }


def _list_made_files(package: JudgedPackage, *, layer: bool) -> list["MadeFileDocument"]:
    """Return what no tarball brought; the function's own files are its own, also where a script wrote one anew."""
    prefix, own = f"{LAYER_DIRECTORY}/" if layer else "", package.facts.own_files
    paths = ((f"{prefix}{path}", author) for path, author in sorted(package.install.authors.items()))
    return [{"path": path, "by": author} for path, author in paths if path in package.tree.entries and path not in own]


def _shared_source(package: JudgedPackage) -> str | None:
    """Return the shared store that the dependencies came from."""
    stored = package.stored
    return stored.source if stored is not None and stored.source != LOCAL_SOURCE else None


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


def write_packages(
    request: BuildRequest, source: DependencySource, packages: Sequence[JudgedPackage], observer: Observer
) -> tuple[BuiltPackage, ...]:
    """Write every package, or none where the zip of one is too large; then the bills of materials."""
    written = tuple(write_package(request, source, package, observer) for package in packages)
    if request.into is None and any(built.archive is None for built in written):
        for built in written:
            for path in written_files(built.archive.path) if built.archive else ():
                path.unlink(missing_ok=True)
        return tuple(replace(built, archive=None) for built in written)
    if request.sbom is not None:
        from lambdapack.pipeline.package.sbom import write_sbom  # noqa: PLC0415  # only on request

        for built, package in zip(written, packages, strict=True):
            architecture = package.job.target.architecture.aws
            path = sbom_path(request.sbom, architecture, several=len(packages) > 1)
            digest = built.archive.content_digest if built.archive else content_digest(package.tree)
            write_sbom(path, package, source.manifest, digest)
    return written


def with_emptied_directories(tree: Tree, gone: AbstractSet[str]) -> AbstractSet[str]:
    """Return paths that are to be left out, and the directories in which nothing else is."""
    touched = {parent for path in gone for parent in ancestors(path, set())}
    filled: set[str] = set()
    for path in tree.entries:
        if path not in gone and path not in touched:  # a file, or a directory of which nothing goes
            filled.update(ancestors(path, set()))
    return gone | (touched - filled)


def write_package(
    request: BuildRequest, source: DependencySource, package: JudgedPackage, observer: Observer
) -> BuiltPackage:
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
    sizes = (*size_findings(subject, package.facts), *max_size_findings(subject, request.max_size))
    report = replace(report, subject=subject, findings=apply_policy((*report.findings, *sizes), request.policy))
    if report.fails(request.gate):
        archive.path.unlink(missing_ok=True)
        report = replace(report, subject=replace(subject, archive=None, code_digest=None, content_digest=None))
        return BuiltPackage(report, package.job, left_out=package.left_out, pruned=package.pruned)
    write_zip_manifest(archive.path, make_manifest(report, archive, package, source.manifest))
    if request.provenance:
        from lambdapack.pipeline.package.provenance import make_provenance  # noqa: PLC0415  # only where it is wanted

        write_provenance(archive.path, make_provenance(report, archive, package, source, request.scripts))
    return BuiltPackage(report, package.job, archive, None, package.left_out, package.pruned)
