"""A report for people: every finding, grouped by npm package, then one line that sums up."""

from itertools import groupby

from lambdapack.errors import LambdapackError
from lambdapack.model import Finding, Severity
from lambdapack.report.text import joined, paragraph, plural, printable, quoted, size
from lambdapack.rules.verdict import Report


def render(report: Report, *, verbose: bool = False) -> str:
    """Return the findings and the summary; ignored findings are counted, and shown when `verbose`."""
    shown = [each for each in report.findings if each.ignored is None or verbose]
    ordered = sorted(shown, key=lambda each: (-each.weight.rank, each.package, each.rule.code, each.path))
    blocks = [_finding(each) for _package, group in groupby(ordered, key=lambda each: each.package) for each in group]
    return "\n\n".join([*blocks, summary(report)]) + "\n"


def _finding(found: Finding) -> str:
    place = f"{found.path}:{found.line}" if found.line else found.path
    owner = f" ({found.package})" if found.package and f"node_modules/{found.package}/" not in f"{found.path}/" else ""
    head = f"{found.weight.value}[{found.rule.code}] {found.rule.name}: {found.rule.title}"
    lines = [paragraph("", head)]
    if place:
        lines.append(f"  --> {printable(place + owner)}")
    lines.append(paragraph("  | ", found.message))
    lines.append(paragraph("  = why: ", found.rule.why))
    lines.append(paragraph("  = fix: ", found.cure))
    if found.ignored is not None:
        lines.append(paragraph("  = ignored: ", found.ignored))
    return "\n".join(lines)


def summary(report: Report) -> str:
    """Return one line, two when it would be too long: verdict, target, counts, sizes."""
    counting = [each for each in report.findings if each.ignored is None]
    counts = [
        plural(number, severity.value)
        for severity in reversed(Severity)
        if (number := sum(each.weight is severity for each in counting))
    ]
    ignored = len(report.findings) - len(counting)
    parts = [
        f"{report.verdict.value}: {report.runtime.target}",
        _binaries(report),
        ", ".join(counts) or "no findings",
        f"{ignored} ignored" if ignored else "",
        _sizes(report),
    ]
    return joined([part for part in parts if part], " - ")


def _binaries(report: Report) -> str:
    selected = sum(each.selected for each in report.judgements)
    total = len(report.judgements)
    if not total:
        return "no native code"
    return plural(total, "binary") + (f" ({selected} selected)" if selected != total else "")


def _sizes(report: Report) -> str:
    subject = report.subject
    parts = []
    if subject.zip_bytes is not None:
        parts.append(f"zip {size(subject.zip_bytes)}")
    if subject.unzipped_bytes is not None:
        parts.append(f"unzipped {size(subject.unzipped_bytes)} of 250 MB")
    return ", ".join(parts)


def failure(error: LambdapackError) -> str:
    """Return code, what, why and the command that fixes it."""
    record = error.failure
    lines = [paragraph("", f"error[{record.code}]: {record.title}")]
    if error.detail:
        lines.append(quoted(error.detail))
    lines += [paragraph("  = why: ", record.why), paragraph("  = help: ", error.hint)]
    return "\n".join(lines) + "\n"
