"""An inspection for people: what weighs most first, the rest summed up, 80 columns."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from lambdapack.binary.facts import RegistrationKind
from lambdapack.model import Finding
from lambdapack.report import human
from lambdapack.report.text import WIDTH, joined, paragraph, plural, printable, size
from lambdapack.runtimes.versions import FAMILIES
from lambdapack.survey.nouns import Inspection, Native, Package

SHOWN = 10
"""Rows of a list before the rest is summed up."""

COPIES = FINDINGS = 5

COLUMNS = f"{'SIZE':>10}{'SHARE':>7}{'FILES':>7}  "
LEAD = " " * 12

ROLES = {"addon": "addon", "library": "library", "executable": "program"}

T = TypeVar("T")


def render(found: Inspection, *, verbose: bool = False) -> str:
    """Return what is in it, sorted by weight; `verbose` shows every row."""
    most = None if verbose else SHOWN
    parts = (
        _head(found),
        _kinds(found),
        _packages(found, most),
        _natives(found, most),
        _duplicates(found, most),
        _pruning(found, most),
        _findings(found, None if verbose else FINDINGS),
    )
    return "\n\n".join(each for each in parts if each) + "\n"


def _head(found: Inspection) -> str:
    subject, whole = found.report.subject, found.whole
    count = sum(1 for each in found.packages if each.name)
    zipped = f"zip {size(subject.zip_bytes)}" if subject.zip_bytes is not None else ""
    said = [f"{size(whole.size)} in {plural(whole.files, 'file')}", plural(count, "package"), zipped]
    layers = f"with {plural(len(subject.layers), 'layer')}" if subject.layers else ""
    target = f"looked at for {found.report.runtime.target}"
    return f"{printable(subject.path)}\n  {joined([each for each in (*said, layers, target) if each], ' - ')}"


def _kinds(found: Inspection) -> str:
    rows = (_figures(found, weight.size, weight.files) + sort.value for sort, weight in found.sorts.items())
    return "\n".join((f"{COLUMNS}KIND", *rows))


def _figures(found: Inspection, part: int, files: int) -> str:
    return f"{size(part):>10}{_share(part, found.whole.size):>7}{files:>7}  "


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole if whole else 0
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def _packages(found: Inspection, most: int | None) -> str:
    def row(each: Package) -> str:
        return paragraph(_figures(found, each.size, len(each.files)), f"{called(each)}{_wanted(each)}")

    def rest(others: Sequence[Package]) -> str:
        figures = _figures(found, sum(each.size for each in others), sum(len(each.files) for each in others))
        return f"{figures}{len(others)} more (-v)"

    return "\n".join((f"{COLUMNS}PACKAGE <- WHO ASKED FOR IT", *_rows(found.packages, most, row, rest)))


def called(package: Package) -> str:
    """Return how people call a package, or what is in none."""
    if package.name:
        return f"{package.name} {package.version}".rstrip()
    if package.path.endswith("node_modules"):
        return f"({package.path})"
    return "(layer)" if package.path == "/opt" else "(own files)"


def _wanted(package: Package) -> str:
    if not package.name:
        return ""
    if package.chain is None:
        return " - nothing asks for it"
    names = [each.name for each in package.chain[:-1]]
    word = " - for development" if package.dev else ""
    return f"{word} <- {' <- '.join(reversed(names))}" if names else word


def _natives(found: Inspection, most: int | None) -> str:
    if not found.natives:
        return "no native files"

    def row(each: Native) -> str:
        path = placed(f"{size(each.judgement.binary.size):>10}  ", each.judgement.binary.path)
        return f"{path}\n{_facts(each)}"

    def rest(others: Sequence[Native]) -> str:
        return f"{size(sum(each.judgement.binary.size for each in others)):>10}  {len(others)} more (-v)"

    return "\n".join((f"{'SIZE':>10}  NATIVE FILE", *_rows(found.natives, most, row, rest)))


def _facts(native: Native) -> str:
    binary = native.judgement.binary
    words = [
        cpu_of(native),
        ROLES.get(binary.role.value, ""),
        native.libc or "",
        registration_of(native),
        fate_of(native),
    ]
    needs = [each for each in (binary.elf.needed if binary.elf else ()) if not FAMILIES["GLIBC"].match(each)]
    lines = [paragraph(LEAD, "; ".join(each for each in words if each))]
    lines += [paragraph(LEAD, f"needs {', '.join(needs)}")] if needs else []
    lines += [paragraph(LEAD, f"from {called(native.owner)}{_wanted(native.owner)}")] if native.owner.name else []
    return "\n".join(lines)


def placed(lead: str, path: str) -> str:
    """Return a path behind a lead, broken after a slash where it would reach beyond the width; nothing is left out."""
    lines = [lead]
    for part in re.split(r"(?<=/)", printable(path)):
        if len(lines[-1]) + len(part) > WIDTH and len(lines[-1]) > len(lead):
            lines.append(f"{'':{len(lead)}}  ")
        lines[-1] += part
    return "\n".join(lines)


def cpu_of(native: Native) -> str:
    """Return the CPUs that it is for, or what it is instead of a binary."""
    return "+".join(native.judgement.binary.machines) or native.judgement.binary.format.value


def registration_of(native: Native) -> str:
    """Return how an addon registers, "" for what is none."""
    elf = native.judgement.binary.elf
    found = elf.registration if elf else None
    if found is None or found.kind is RegistrationKind.NONE:
        return ""
    if found.kind is RegistrationKind.V8:
        return f"V8, ABI {found.abi}" if found.abi else "V8"
    return f"Node-API {found.node_api}" if found.node_api else "Node-API"


def fate_of(native: Native) -> str:
    """Return what becomes of it on the target."""
    judgement = native.judgement
    outcome = judgement.outcome.value.replace("-", " ")
    cause = f" ({judgement.cause})" if judgement.cause else ""
    return f"{outcome}{cause}{'' if judgement.selected else ', not in use'}"


def _duplicates(found: Inspection, most: int | None) -> str:
    packages = ((each.spare, f"{each.name} {each.version}, {len(each.paths)} times") for each in found.same_packages)
    files = ((each.spare, f"{each.paths[0]}, {len(each.paths)} times") for each in found.same_bytes)
    copies = sorted((*packages, *files), key=lambda each: (-each[0], each[1]))

    def row(each: tuple[int, str]) -> str:
        return placed(f"{size(each[0]):>10}  ", each[1])

    def rest(others: Sequence[tuple[int, str]]) -> str:
        return f"{size(sum(each[0] for each in others)):>10}  {len(others)} more (-v)"

    head = f"{'SPARE':>10}  PACKAGE OR FILE THAT IS THERE SEVERAL TIMES"
    return "\n".join((head, *_rows(copies, most and COPIES, row, rest))) if copies else ""


def _pruning(found: Inspection, most: int | None) -> str:
    foreign = sum(each.reason == "other-system" for each in found.spares)
    left = len(found.spares) - foreign
    if not found.spares:
        return "pruning would save nothing"
    parts = [f"{plural(foreign, 'binary')} for other systems"] if foreign else []
    parts += [f"{plural(left, 'leftover')} of the install"] if left else []
    said = f"pruning would save {size(found.saving)}: {' and '.join(parts)} (`lambdapack build` leaves them out)"
    rows = (placed(f"{size(each.size):>10}  ", each.path) for each in (found.spares if most is None else ()))
    return "\n".join((paragraph("", said), *rows))


def _findings(found: Inspection, most: int | None) -> str:
    counting = [each for each in found.report.findings if each.ignored is None]
    lines = [paragraph(f"  {each.weight.value:<8}{each.rule.code}  ", _said(each)) for each in islice(counting, most)]
    more = len(counting) - len(lines)
    lines += [f"  {more} more"] if more else []
    head = ["findings, whose fixes `lambdapack verify` and `--html FILE` tell:"] if lines else []
    return "\n".join((*head, *lines, *([""] if lines else []), human.summary(found.report)))


def _said(found: Finding) -> str:
    where = found.path or found.package
    return f"{where}: {found.message}" if where else found.message


def _rows(
    rows: Sequence[T], most: int | None, shown: Callable[[T], str], rest: Callable[[Sequence[T]], str]
) -> Iterator[str]:
    """A rest of one takes no less room than the row itself."""
    cut = len(rows) if most is None or len(rows) <= most + 1 else most
    yield from map(shown, rows[:cut])
    if rows[cut:]:
        yield rest(rows[cut:])
