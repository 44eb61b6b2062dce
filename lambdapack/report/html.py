"""Renders an inspection as one self-contained HTML page."""

import base64
import hashlib
import html
import json
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from lambdapack import __version__
from lambdapack.inspection.inspect import sum_by_category
from lambdapack.inspection.model import FileCategory, InspectedBinary, InspectedFile, Inspection, PackageWeight
from lambdapack.model import Finding, Severity
from lambdapack.report import inspection
from lambdapack.report.text import escape_controls, format_count
from lambdapack.rules.package.contents import MAX_UNZIPPED_BYTES

DATA_BUDGETS: Final = {"files": 500_000, "packages": 350_000, "binaries": 350_000, "rows": 120_000}
"""Characters of each part's data: with them no page of any tree has 2 MB."""

SORT_NAMES: Final = [file_category.value for file_category in FileCategory]

CHAIN_ARROW: Final = " \u203a "

PageRow = Mapping[str, Any]


def render_html(inspected: Inspection) -> str:
    """Return the page. Nothing in it is fetched, and its policy lets no other script or style run.

    Names are data, never markup: control and direction characters are written out. What is beyond a budget is counted.
    """
    page = files("lambdapack.report").joinpath("page.html").read_text(encoding="utf-8")
    return _fill_page(
        page,
        {
            "POLICY": _content_security_policy(page),
            "VERSION": html.escape(f"lambdapack {__version__}"),
            "TITLE": html.escape(f"{_page_title(inspected)} - lambdapack"),
            "PLAIN": html.escape(inspection.render_inspection(inspected).encode("utf-8", "replace").decode()),
            "DATA": _embed_json(page_data(inspected)),
        },
    )


def _fill_page(page: str, values: Mapping[str, str]) -> str:
    """Fill each place once: what is filled in is not looked at again."""
    return re.sub(r"__([A-Z]+)__", lambda match: values[match[1]], page)


def _content_security_policy(page: str) -> str:
    def digest(tag: str) -> str:
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = f"default-src 'none'; img-src data:; style-src {digest('style')}; script-src {digest('script')}"
    return f"{policy}; base-uri 'none'; form-action 'none'"


def _embed_json(value: Mapping[str, Any]) -> str:
    """Return JSON that ends no element: ASCII, and no sign that HTML knows."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _page_title(inspected: Inspection) -> str:
    path = escape_controls(inspected.report.subject.path)
    return posixpath.basename(path.rstrip("/").replace("\\", "/")) if not path.startswith("arn:") else path


def page_data(inspected: Inspection) -> dict[str, Any]:
    """Return what the page shows, in its own words: not the published inspection."""
    subject, target = inspected.report.subject, inspected.report.runtime.target
    packages, other = _package_rows(inspected.packages, {prunable_file.path for prunable_file in inspected.spares})
    return {
        "version": __version__,
        "title": _page_title(inspected) or escape_controls(subject.path),
        "where": escape_controls(subject.path),
        "verdict": inspected.report.verdict.value,
        "counts": _render_counts(inspected.report.findings),
        "target": str(target),
        "runtime": target.runtime,
        "arch": target.architecture.aws,
        "bytes": inspected.whole.size,
        "files": inspected.whole.files,
        "zip": subject.zip_bytes,
        "limit": MAX_UNZIPPED_BYTES,
        "named": sum(1 for package_weight in inspected.packages if package_weight.name),
        "natives": len(inspected.natives),
        "used": sum(inspected_binary.judgement.selected for inspected_binary in inspected.natives),
        "saving": inspected.saving,
        "spareCount": len(inspected.spares),
        "sorts": SORT_NAMES,
        "kinds": [{"kind": sort.value, "bytes": file_totals.size} for sort, file_totals in inspected.sorts.items()],
        "packages": packages,
        "otherPackages": other,
        **_budgeted_rows("binaries", "moreBinaries", map(_binary_row, inspected.natives), DATA_BUDGETS["binaries"]),
        **_budgeted_rows("copies", "moreCopies", _copy_rows(inspected), DATA_BUDGETS["rows"]),
        **_budgeted_rows("spares", "moreSpares", _spare_rows(inspected), DATA_BUDGETS["rows"]),
        **_budgeted_rows(
            "findings", "moreFindings", map(_finding_row, inspected.report.findings), DATA_BUDGETS["rows"]
        ),
    }


def _budgeted_rows(name: str, more: str, rows: Iterable[PageRow], budget: int) -> dict[str, Any]:
    every = list(rows)
    fitting = _take_within(every, budget)
    return {name: fitting, more: len(every) - len(fitting)}


def _take_within(rows: Sequence[Any], budget: int) -> list[Any]:
    """Return as many of the first as the budget lets in."""
    taken: list[Any] = []
    for row in rows:
        budget -= len(json.dumps(row, separators=(",", ":"))) + 1
        if budget < 0:
            break
        taken.append(row)
    return taken


def _render_counts(findings: Iterable[Finding]) -> str:
    counting = [finding.weight for finding in findings if finding.ignored is None]
    counts = [
        format_count(number, severity.value) for severity in reversed(Severity) if (number := counting.count(severity))
    ]
    return ", ".join(counts) or "no findings"


def _package_rows(
    packages: Sequence[PackageWeight], spares: Collection[str]
) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Return the packages, with their largest files as far as the budget goes, and number and bytes of the rest."""
    shown = _largest_files(packages)
    rows = _take_within(
        [_package_row(package_weight, shown.get(package_weight.path, []), spares) for package_weight in packages],
        DATA_BUDGETS["files"] + DATA_BUDGETS["packages"],
    )
    rest = packages[len(rows) :]
    return rows, (len(rest), sum(package_weight.size for package_weight in rest))


def _largest_files(packages: Sequence[PackageWeight]) -> Mapping[str, list[InspectedFile]]:
    every = sorted(
        ((inspected_file, package.path) for package in packages for inspected_file in package.files),
        key=lambda pair: -pair[0].size,
    )
    budget, taken = DATA_BUDGETS["files"], dict[str, list[InspectedFile]]()
    for inspected_file, owner in every:
        budget -= len(json.dumps(inspected_file.path)) + 16
        if budget < 0:
            break
        taken.setdefault(owner, []).append(inspected_file)
    return taken


def _package_row(package: PackageWeight, shown: Sequence[InspectedFile], spares: Collection[str]) -> dict[str, Any]:
    below = f"{package.path}/" if package.path else ""
    rest = package.size - sum(inspected_file.size for inspected_file in shown)
    return {
        "name": escape_controls(package.name),
        "label": escape_controls(inspection.package_label(package)) + inspection.package_loading_label(package),
        "path": escape_controls(package.path),
        "bytes": package.size,
        "files": len(package.files),
        "kind": next(iter(sum_by_category([package]))).value,
        "chain": None
        if package.chain is None
        else [escape_controls(dependent_step.name) for dependent_step in package.chain],
        "dev": package.dev,
        "top": [_file_row(inspected_file, below, spares) for inspected_file in shown],
        "rest": [len(package.files) - len(shown), rest],
    }


def _file_row(file: InspectedFile, below: str, spares: Collection[str]) -> list[str | int]:
    """As short as can be: there are thousands."""
    row: list[str | int] = [
        escape_controls(file.path.removeprefix(below)),
        file.size,
        SORT_NAMES.index(file.sort.value),
    ]
    return [*row, 1] if file.path in spares else row


def _binary_row(native: InspectedBinary) -> PageRow:
    judgement, binary = native.judgement, native.judgement.binary
    role = inspection.ROLE_LABELS.get(binary.role.value, "")
    chain = [escape_controls(dependent_step.name) for dependent_step in native.owner.chain or ()]
    version = escape_controls(native.owner.version)
    by = escape_controls(inspection.loading_label(native.loading))
    return {
        "path": escape_controls(binary.path),
        "from": "; ".join(
            part
            for part in (
                " ".join((CHAIN_ARROW.join(chain), version)).strip()
                if chain
                else escape_controls(inspection.package_label(native.owner)),
                by,
            )
            if part
        ),
        "bytes": binary.size,
        "cpu": inspection.cpu_label(native),
        "libc": native.libc or "",
        "what": ", ".join(needed for needed in (role, inspection.registration_label(native)) if needed),
        "needs": [escape_controls(needed) for needed in (binary.elf.needed if binary.elf else ())],
        "fate": inspection.outcome_label(native),
        "outcome": judgement.outcome.value,
        "used": judgement.selected,
    }


def _copy_rows(inspected: Inspection) -> list[PageRow]:
    packages = [
        (f"{duplicate_package.name} {duplicate_package.version}", duplicate_package.paths, duplicate_package.spare)
        for duplicate_package in inspected.same_packages
    ]
    contents = [
        (posixpath.basename(duplicate_files.paths[0]), duplicate_files.paths, duplicate_files.spare)
        for duplicate_files in inspected.same_bytes
    ]
    ordered = sorted((*packages, *contents), key=lambda row: -row[2])
    return [
        {
            "what": escape_controls(what),
            "times": len(paths),
            "spare": spare,
            "paths": [escape_controls(row) for row in paths],
        }
        for what, paths, spare in ordered
    ]


def _spare_rows(inspected: Inspection) -> list[PageRow]:
    return [
        {"path": escape_controls(prunable_file.path), "bytes": prunable_file.size, "reason": prunable_file.reason}
        for prunable_file in inspected.spares
    ]


def _finding_row(finding: Finding) -> PageRow:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    return {
        "code": finding.rule.code,
        "severity": finding.weight.value,
        "title": finding.rule.title,
        "path": escape_controls(place),
        "package": escape_controls(finding.package),
        "message": escape_controls(finding.message),
        "why": finding.rule.why,
        "fix": escape_controls(finding.cure),
        "ignored": finding.ignored,
    }
