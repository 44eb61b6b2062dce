"""A report for people: every finding, those of an npm package together, then one line that sums up."""

from collections.abc import Sequence

from lambdapack.errors.record import LambdapackError
from lambdapack.model import Finding, Severity
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import escape_controls, format_count, format_size, join_parts, quote_lines, wrap_paragraph
from lambdapack.rules.model.report import Report

MAX_SHOWN_PLACES = 20
"""Places of one block that are spelled out, unless `verbose`."""


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return the reports as text for people, a blank line between them."""
    return "\n".join(render_human(report, verbose=context.verbose) for report in reports)


def render_human(report: Report, *, verbose: bool = False) -> str:
    """Return the findings and the summary; ignored findings are counted, and shown when `verbose`.

    Findings that say the same of several places are one block.
    """
    shown = sorted(
        (finding for finding in report.findings if finding.ignored is None or verbose), key=_finding_sort_key
    )
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in shown:
        alike.setdefault(_finding_group_key(finding), []).append(finding)
    blocks = [_render_block(group, len(group) if verbose else MAX_SHOWN_PLACES) for group in alike.values()]
    return "\n\n".join([*blocks, render_summary(report)]) + "\n"


def _finding_sort_key(finding: Finding) -> tuple[bool, int, str, str, str]:
    """What counts comes first, the worst of it before the rest."""
    return (finding.ignored is not None, -finding.weight.rank, finding.package, finding.rule.code, finding.path)


def _finding_group_key(finding: Finding) -> tuple[object, ...]:
    """Return all that a block says besides the place."""
    return (finding.ignored, finding.weight, finding.package, finding.rule.code, finding.message, finding.cure)


def _render_block(alike: Sequence[Finding], most: int) -> str:
    finding = alike[0]
    word = finding.weight.value if finding.ignored is None else "ignored"
    head = f"{word}[{finding.rule.code}] {finding.rule.name}: {finding.rule.title}"
    lines = [wrap_paragraph("", head), *(f"  --> {place}" for place in map(_render_place, alike[:most]) if place)]
    if len(alike) > most:
        lines.append(f"  ... and {len(alike) - most} more")
    lines.append(wrap_paragraph("  | ", finding.message))
    lines.append(wrap_paragraph("  = why: ", finding.rule.why))
    lines.append(wrap_paragraph("  = fix: ", finding.cure))
    if finding.ignored is not None:
        lines.append(wrap_paragraph("  = reason: ", finding.ignored))
    return "\n".join(lines)


def _render_place(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    owner = (
        f" ({finding.package})"
        if finding.package and f"node_modules/{finding.package}/" not in f"{finding.path}/"
        else ""
    )
    return escape_controls(place + owner) if place else ""


def render_summary(report: Report) -> str:
    """Return one line, two when it would be too long: verdict, target, counts, sizes."""
    counting = [finding for finding in report.findings if finding.ignored is None]
    counts = [
        format_count(number, severity.value)
        for severity in reversed(Severity)
        if (number := sum(finding.weight is severity for finding in counting))
    ]
    ignored = len(report.findings) - len(counting)
    parts = [
        f"{report.verdict.value}: {report.runtime.target}",
        _render_binary_count(report),
        ", ".join(counts) or "no findings",
        f"{ignored} ignored" if ignored else "",
        _render_sizes(report),
    ]
    return join_parts([part for part in parts if part], " - ")


def _render_binary_count(report: Report) -> str:
    selected = sum(judgement.selected for judgement in report.judgements)
    total = len(report.judgements)
    if report.subject.unzipped_bytes is None:  # it was refused before there was anything to look at
        return "nothing installed"
    if not total:
        return "no native code"
    return format_count(total, "binary") + (f", {selected} in use" if selected != total else "")


def _render_sizes(report: Report) -> str:
    subject = report.subject
    parts = []
    if subject.zip_bytes is not None:
        parts.append(f"zip {format_size(subject.zip_bytes)}")
    if subject.unzipped_bytes is not None:
        layers = sum(report_layer.unzipped_bytes for report_layer in subject.layers)
        more = f" + {format_size(layers)} in {format_count(len(subject.layers), 'layer')}," if subject.layers else ""
        parts.append(f"unzipped {format_size(subject.unzipped_bytes)}{more} of 250 MB")
    return ", ".join(parts)


def render_failure(error: LambdapackError) -> str:
    """Return code, what, why and the command that fixes it."""
    record = error.failure
    lines = [wrap_paragraph("", f"error[{record.code}]: {record.title}")]
    if error.detail:
        lines.append(quote_lines(error.detail))
    lines += [wrap_paragraph("  = why: ", record.why), wrap_paragraph("  = help: ", error.hint)]
    return "\n".join(lines) + "\n"
