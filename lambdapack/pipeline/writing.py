"""A package that passed, to a zip with its manifest, or to a directory for a tool that zips itself."""

from dataclasses import replace

from lambdapack.events import Observer
from lambdapack.pack.atomic import check_writable
from lambdapack.pack.manifest import write_manifest
from lambdapack.pack.unpacked import check_empty, write_directory
from lambdapack.pack.writer import check_output, write_zip
from lambdapack.pipeline.record import manifest
from lambdapack.pipeline.wanted import Built, Judged, Wanted
from lambdapack.project.nouns import Project
from lambdapack.rules.check import arrange
from lambdapack.rules.contents import size_findings


def check_places(wanted: Wanted) -> None:
    """LP009 for a place that could not be written, before an install that takes minutes."""
    if wanted.into is not None:
        check_empty(wanted.into)
        check_writable(wanted.into / "package.json")
        return
    for path in wanted.outputs.values():
        check_output(path)


def written(wanted: Wanted, project: Project, judged: Judged, observer: Observer) -> Built:
    """Write what was judged and return where it is; its size as a zip is a finding of its own."""
    report = judged.report
    if wanted.into is not None:
        write_directory(judged.tree, wanted.into, observer=observer)
        return Built(report, None, wanted.into, judged.left_out, judged.pruned)
    archive = write_zip(judged.tree, wanted.outputs[report.runtime.target], observer=observer)
    subject = replace(
        report.subject,
        archive=str(archive.path),
        code_digest=archive.code_digest,
        content_digest=archive.content_digest,
        zip_bytes=archive.zip_bytes,
        unzipped_bytes=archive.unzipped_bytes,
    )
    findings = arrange((*report.findings, *size_findings(subject, judged.facts)), wanted.policy)
    report = replace(report, subject=subject, findings=findings)
    document = manifest(report, archive, judged.installed, judged.key, judged.facts.handler, project)
    write_manifest(archive.path, document)
    return Built(report, archive, None, judged.left_out, judged.pruned)
