"""Renders an inspection as text, the largest first, 80 columns wide."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from lambdapack.binary.facts import RegistrationKind
from lambdapack.inspection.model import InspectedBinary, Inspection, Loading, PackageWeight
from lambdapack.model import Finding
from lambdapack.report import human
from lambdapack.report.text import OUTPUT_WIDTH, escape_controls, format_count, format_size, join_parts, wrap_paragraph
from lambdapack.runtimes.versions import VERSION_LIBRARIES

MAX_SHOWN_ROWS = 10
"""Rows of a list before the rest is summed up."""

MAX_SHOWN_COPIES = MAX_SHOWN_FINDINGS = 5

COLUMN_HEADINGS = f"{'SIZE':>10}{'SHARE':>7}{'FILES':>7}  "
ROW_INDENT = " " * 12

ROLE_LABELS = {"addon": "addon", "library": "library", "executable": "program"}

T = TypeVar("T")


def render_inspection(inspection: Inspection, *, verbose: bool = False) -> str:
    """Return what is in it, sorted by weight; `verbose` shows every row."""
    most = None if verbose else MAX_SHOWN_ROWS
    parts = (
        _render_head(inspection),
        _render_kinds(inspection),
        _render_packages(inspection, most),
        _render_natives(inspection, most),
        _render_duplicates(inspection, most),
        _render_pruning(inspection, most),
        _render_findings(inspection, None if verbose else MAX_SHOWN_FINDINGS),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_head(inspection: Inspection) -> str:
    subject, whole = inspection.report.subject, inspection.whole
    count = sum(1 for package_weight in inspection.packages if package_weight.name)
    zipped = f"zip {format_size(subject.zip_bytes)}" if subject.zip_bytes is not None else ""
    parts = [
        f"{format_size(whole.size)} in {format_count(whole.files, 'file')}",
        format_count(count, "package"),
        zipped,
    ]
    layers = f"with {format_count(len(subject.layers), 'layer')}" if subject.layers else ""
    target = f"checked for {inspection.report.runtime.target}"
    return (
        f"{escape_controls(subject.path)}\n  {join_parts([part for part in (*parts, layers, target) if part], ' - ')}"
    )


def _render_kinds(inspection: Inspection) -> str:
    rows = (
        _render_figures(inspection, weight.size, weight.files) + sort.value for sort, weight in inspection.sorts.items()
    )
    return "\n".join((f"{COLUMN_HEADINGS}KIND", *rows))


def _render_figures(inspection: Inspection, part: int, files: int) -> str:
    return f"{format_size(part):>10}{_render_share(part, inspection.whole.size):>7}{files:>7}  "


def _render_share(part: int, whole: int) -> str:
    percent = 100 * part / whole if whole else 0
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def _render_packages(inspection: Inspection, most: int | None) -> str:
    def row(package: PackageWeight) -> str:
        return wrap_paragraph(
            _render_figures(inspection, package.size, len(package.files)),
            f"{package_label(package)}{_render_dependents(package)}{package_loading_label(package)}",
        )

    def rest(others: Sequence[PackageWeight]) -> str:
        figures = _render_figures(
            inspection,
            sum(package_weight.size for package_weight in others),
            sum(len(package_weight.files) for package_weight in others),
        )
        return f"{figures}{len(others)} more (-v)"

    return "\n".join((f"{COLUMN_HEADINGS}PACKAGE <- REQUIRED BY", *_render_rows(inspection.packages, most, row, rest)))


def package_label(package: PackageWeight) -> str:
    """Return how people call a package, or what is in none."""
    if package.name:
        return f"{package.name} {package.version}".rstrip()
    if package.path.endswith("node_modules"):
        return f"({package.path})"
    return "(layer)" if package.path == "/opt" else "(own files)"


def _render_dependents(package: PackageWeight) -> str:
    if not package.name:
        return ""
    if package.chain is None:
        return " - required by nothing"
    names = [dependent_step.name for dependent_step in package.chain[:-1]]
    word = " - for development" if package.dev else ""
    return f"{word} <- {' <- '.join(reversed(names))}" if names else word


def package_loading_label(package: PackageWeight) -> str:
    """Return what is to be said of a package that is not surely loaded at the start, "" for all others."""
    loading = package.loading
    if loading is None:
        return ""
    return "" if loading.certain else " - loaded later" if loading.way else " - not loaded"


def loading_label(loading: Loading | None) -> str:
    """Return the files by which something is loaded, "" where that is not known."""
    if loading is None or not loading.way:
        return ""
    return f"loaded {'' if loading.certain else 'later '}by {' > '.join(loading.way[:-1])}" if loading.way[1:] else ""


def _render_natives(inspection: Inspection, most: int | None) -> str:
    if not inspection.natives:
        return "no native files"

    def row(native: InspectedBinary) -> str:
        path = wrap_path(f"{format_size(native.judgement.binary.size):>10}  ", native.judgement.binary.path)
        return f"{path}\n{_render_native_facts(native)}"

    def rest(others: Sequence[InspectedBinary]) -> str:
        rest = format_size(sum(inspected_binary.judgement.binary.size for inspected_binary in others))
        return f"{rest:>10}  {len(others)} more (-v)"

    return "\n".join((f"{'SIZE':>10}  NATIVE FILE", *_render_rows(inspection.natives, most, row, rest)))


def _render_native_facts(native: InspectedBinary) -> str:
    binary = native.judgement.binary
    words = [
        cpu_label(native),
        ROLE_LABELS.get(binary.role.value, ""),
        native.libc or "",
        registration_label(native),
        outcome_label(native),
    ]
    needs = [name for name in (binary.elf.needed if binary.elf else ()) if not VERSION_LIBRARIES["GLIBC"].match(name)]
    lines = [wrap_paragraph(ROW_INDENT, "; ".join(name for name in words if name))]
    lines += [wrap_paragraph(ROW_INDENT, f"needs {', '.join(needs)}")] if needs else []
    by = loading_label(native.loading)
    lines += [wrap_paragraph(ROW_INDENT, by)] if by else []
    lines += (
        [wrap_paragraph(ROW_INDENT, f"from {package_label(native.owner)}{_render_dependents(native.owner)}")]
        if native.owner.name
        else []
    )
    return "\n".join(lines)


def wrap_path(lead: str, path: str) -> str:
    """Return a path behind a lead, broken after a slash where it would reach beyond the width; nothing is left out."""
    lines = [lead]
    for part in re.split(r"(?<=/)", escape_controls(path)):
        if len(lines[-1]) + len(part) > OUTPUT_WIDTH and len(lines[-1]) > len(lead):
            lines.append(f"{'':{len(lead)}}  ")
        lines[-1] += part
    return "\n".join(lines)


def cpu_label(native: InspectedBinary) -> str:
    """Return the CPUs that it is for, or what it is instead of a binary."""
    return "+".join(native.judgement.binary.machines) or native.judgement.binary.format.value


def registration_label(native: InspectedBinary) -> str:
    """Return how an addon registers, "" for what is none."""
    elf = native.judgement.binary.elf
    registration = elf.registration if elf else None
    if registration is None or registration.kind is RegistrationKind.NONE:
        return ""
    if registration.kind is RegistrationKind.V8:
        return f"V8, ABI {registration.abi}" if registration.abi else "V8"
    return f"Node-API {registration.node_api}" if registration.node_api else "Node-API"


def outcome_label(native: InspectedBinary) -> str:
    """Return what becomes of it on the target."""
    judgement = native.judgement
    outcome = judgement.outcome.value.replace("-", " ")
    cause = f" ({judgement.cause})" if judgement.cause else ""
    return f"{outcome}{cause}{'' if judgement.selected else ', not in use'}"


def _render_duplicates(inspection: Inspection, most: int | None) -> str:
    packages = (
        (
            duplicate_package.spare,
            f"{duplicate_package.name} {duplicate_package.version}, {len(duplicate_package.paths)} times",
        )
        for duplicate_package in inspection.same_packages
    )
    files = (
        (duplicate_files.spare, f"{duplicate_files.paths[0]}, {len(duplicate_files.paths)} times")
        for duplicate_files in inspection.same_bytes
    )
    copies = sorted((*packages, *files), key=lambda copy: (-copy[0], copy[1]))

    def row(copy: tuple[int, str]) -> str:
        return wrap_path(f"{format_size(copy[0]):>10}  ", copy[1])

    def rest(others: Sequence[tuple[int, str]]) -> str:
        return f"{format_size(sum(other[0] for other in others)):>10}  {len(others)} more (-v)"

    head = f"{'SPARE':>10}  DUPLICATE PACKAGE OR FILE"
    return "\n".join((head, *_render_rows(copies, most and MAX_SHOWN_COPIES, row, rest))) if copies else ""


def _render_pruning(inspection: Inspection, most: int | None) -> str:
    foreign = sum(prunable_file.reason == "other-system" for prunable_file in inspection.spares)
    left = len(inspection.spares) - foreign
    if not inspection.spares:
        return "nothing to prune"
    parts = [f"{format_count(foreign, 'binary')} for other platforms"] if foreign else []
    parts += [f"{format_count(left, 'leftover')} of the install"] if left else []
    saving = format_size(inspection.saving)
    sentence = f"pruning would save {saving}: {' and '.join(parts)} (`lambdapack build` leaves them out)"
    rows = (
        wrap_path(f"{format_size(prunable_file.size):>10}  ", prunable_file.path)
        for prunable_file in (inspection.spares if most is None else ())
    )
    return "\n".join((wrap_paragraph("", sentence), *rows))


def _render_findings(inspection: Inspection, most: int | None) -> str:
    counting = [finding for finding in inspection.report.findings if finding.ignored is None]
    lines = [
        wrap_paragraph(f"  {finding.weight.value:<8}{finding.rule.code}  ", _render_finding(finding))
        for finding in islice(counting, most)
    ]
    more = len(counting) - len(lines)
    lines += [f"  {more} more"] if more else []
    head = ["findings (`lambdapack verify` and `--html FILE` show the fixes):"] if lines else []
    return "\n".join((*head, *lines, *([""] if lines else []), human.render_summary(inspection.report)))


def _render_finding(finding: Finding) -> str:
    where = finding.path or finding.package
    return f"{where}: {finding.message}" if where else finding.message


def _render_rows(
    rows: Sequence[T], most: int | None, shown: Callable[[T], str], rest: Callable[[Sequence[T]], str]
) -> Iterator[str]:
    """A rest of one takes no less room than the row itself."""
    cut = len(rows) if most is None or len(rows) <= most + 1 else most
    yield from map(shown, rows[:cut])
    if rows[cut:]:
        yield rest(rows[cut:])
