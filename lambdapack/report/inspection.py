"""Renders an inspection as text, the largest first, 80 columns wide."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from lambdapack.binary.facts import RegistrationKind
from lambdapack.inspection.model import InspectedBinary, Inspection, PackageWeight
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


def render_inspection(found: Inspection, *, verbose: bool = False) -> str:
    """Return what is in it, sorted by weight; `verbose` shows every row."""
    most = None if verbose else MAX_SHOWN_ROWS
    parts = (
        _render_head(found),
        _render_kinds(found),
        _render_packages(found, most),
        _render_natives(found, most),
        _render_duplicates(found, most),
        _render_pruning(found, most),
        _render_findings(found, None if verbose else MAX_SHOWN_FINDINGS),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_head(found: Inspection) -> str:
    subject, whole = found.report.subject, found.whole
    count = sum(1 for package_weight in found.packages if package_weight.name)
    zipped = f"zip {format_size(subject.zip_bytes)}" if subject.zip_bytes is not None else ""
    said = [f"{format_size(whole.size)} in {format_count(whole.files, 'file')}", format_count(count, "package"), zipped]
    layers = f"with {format_count(len(subject.layers), 'layer')}" if subject.layers else ""
    target = f"looked at for {found.report.runtime.target}"
    return f"{escape_controls(subject.path)}\n  {join_parts([each for each in (*said, layers, target) if each], ' - ')}"


def _render_kinds(found: Inspection) -> str:
    rows = (_render_figures(found, weight.size, weight.files) + sort.value for sort, weight in found.sorts.items())
    return "\n".join((f"{COLUMN_HEADINGS}KIND", *rows))


def _render_figures(found: Inspection, part: int, files: int) -> str:
    return f"{format_size(part):>10}{_render_share(part, found.whole.size):>7}{files:>7}  "


def _render_share(part: int, whole: int) -> str:
    percent = 100 * part / whole if whole else 0
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def _render_packages(found: Inspection, most: int | None) -> str:
    def row(each: PackageWeight) -> str:
        return wrap_paragraph(
            _render_figures(found, each.size, len(each.files)), f"{package_label(each)}{_render_dependents(each)}"
        )

    def rest(others: Sequence[PackageWeight]) -> str:
        figures = _render_figures(
            found,
            sum(package_weight.size for package_weight in others),
            sum(len(package_weight.files) for package_weight in others),
        )
        return f"{figures}{len(others)} more (-v)"

    return "\n".join((f"{COLUMN_HEADINGS}PACKAGE <- WHO ASKED FOR IT", *_render_rows(found.packages, most, row, rest)))


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
        return " - nothing asks for it"
    names = [dependent_step.name for dependent_step in package.chain[:-1]]
    word = " - for development" if package.dev else ""
    return f"{word} <- {' <- '.join(reversed(names))}" if names else word


def _render_natives(found: Inspection, most: int | None) -> str:
    if not found.natives:
        return "no native files"

    def row(each: InspectedBinary) -> str:
        path = wrap_path(f"{format_size(each.judgement.binary.size):>10}  ", each.judgement.binary.path)
        return f"{path}\n{_render_native_facts(each)}"

    def rest(others: Sequence[InspectedBinary]) -> str:
        rest = format_size(sum(inspected_binary.judgement.binary.size for inspected_binary in others))
        return f"{rest:>10}  {len(others)} more (-v)"

    return "\n".join((f"{'SIZE':>10}  NATIVE FILE", *_render_rows(found.natives, most, row, rest)))


def _render_native_facts(native: InspectedBinary) -> str:
    binary = native.judgement.binary
    words = [
        cpu_label(native),
        ROLE_LABELS.get(binary.role.value, ""),
        native.libc or "",
        registration_label(native),
        outcome_label(native),
    ]
    needs = [each for each in (binary.elf.needed if binary.elf else ()) if not VERSION_LIBRARIES["GLIBC"].match(each)]
    lines = [wrap_paragraph(ROW_INDENT, "; ".join(each for each in words if each))]
    lines += [wrap_paragraph(ROW_INDENT, f"needs {', '.join(needs)}")] if needs else []
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
    found = elf.registration if elf else None
    if found is None or found.kind is RegistrationKind.NONE:
        return ""
    if found.kind is RegistrationKind.V8:
        return f"V8, ABI {found.abi}" if found.abi else "V8"
    return f"Node-API {found.node_api}" if found.node_api else "Node-API"


def outcome_label(native: InspectedBinary) -> str:
    """Return what becomes of it on the target."""
    judgement = native.judgement
    outcome = judgement.outcome.value.replace("-", " ")
    cause = f" ({judgement.cause})" if judgement.cause else ""
    return f"{outcome}{cause}{'' if judgement.selected else ', not in use'}"


def _render_duplicates(found: Inspection, most: int | None) -> str:
    packages = (
        (
            duplicate_package.spare,
            f"{duplicate_package.name} {duplicate_package.version}, {len(duplicate_package.paths)} times",
        )
        for duplicate_package in found.same_packages
    )
    files = (
        (duplicate_files.spare, f"{duplicate_files.paths[0]}, {len(duplicate_files.paths)} times")
        for duplicate_files in found.same_bytes
    )
    copies = sorted((*packages, *files), key=lambda each: (-each[0], each[1]))

    def row(each: tuple[int, str]) -> str:
        return wrap_path(f"{format_size(each[0]):>10}  ", each[1])

    def rest(others: Sequence[tuple[int, str]]) -> str:
        return f"{format_size(sum(other[0] for other in others)):>10}  {len(others)} more (-v)"

    head = f"{'SPARE':>10}  PACKAGE OR FILE THAT IS THERE SEVERAL TIMES"
    return "\n".join((head, *_render_rows(copies, most and MAX_SHOWN_COPIES, row, rest))) if copies else ""


def _render_pruning(found: Inspection, most: int | None) -> str:
    foreign = sum(prunable_file.reason == "other-system" for prunable_file in found.spares)
    left = len(found.spares) - foreign
    if not found.spares:
        return "pruning would save nothing"
    parts = [f"{format_count(foreign, 'binary')} for other systems"] if foreign else []
    parts += [f"{format_count(left, 'leftover')} of the install"] if left else []
    said = f"pruning would save {format_size(found.saving)}: {' and '.join(parts)} (`lambdapack build` leaves them out)"
    rows = (
        wrap_path(f"{format_size(prunable_file.size):>10}  ", prunable_file.path)
        for prunable_file in (found.spares if most is None else ())
    )
    return "\n".join((wrap_paragraph("", said), *rows))


def _render_findings(found: Inspection, most: int | None) -> str:
    counting = [finding for finding in found.report.findings if finding.ignored is None]
    lines = [
        wrap_paragraph(f"  {finding.weight.value:<8}{finding.rule.code}  ", _render_finding(finding))
        for finding in islice(counting, most)
    ]
    more = len(counting) - len(lines)
    lines += [f"  {more} more"] if more else []
    head = ["findings, whose fixes `lambdapack verify` and `--html FILE` tell:"] if lines else []
    return "\n".join((*head, *lines, *([""] if lines else []), human.render_summary(found.report)))


def _render_finding(found: Finding) -> str:
    where = found.path or found.package
    return f"{where}: {found.message}" if where else found.message


def _render_rows(
    rows: Sequence[T], most: int | None, shown: Callable[[T], str], rest: Callable[[Sequence[T]], str]
) -> Iterator[str]:
    """A rest of one takes no less room than the row itself."""
    cut = len(rows) if most is None or len(rows) <= most + 1 else most
    yield from map(shown, rows[:cut])
    if rows[cut:]:
        yield rest(rows[cut:])
