"""An inspection as one page of HTML that needs nothing else: template, style and script are page.html."""

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
from lambdapack.model import Finding, Severity
from lambdapack.report import inspection
from lambdapack.report.text import plural, printable
from lambdapack.rules.contents import UNZIPPED_MOST
from lambdapack.survey.nouns import File, Inspection, Native, Package, Sort
from lambdapack.survey.packages import weights

BUDGETS: Final = {"files": 500_000, "packages": 350_000, "binaries": 350_000, "rows": 120_000}
"""Characters of each part's data: with them no page of any tree has 2 MB."""

SORTS: Final = [each.value for each in Sort]

ARROW: Final = " \u203a "

Row = Mapping[str, Any]


def render(found: Inspection) -> str:
    """Return the page. Nothing in it is fetched, and its policy lets no other script or style run.

    Names are data, never markup: control and direction characters are written out. What is beyond a budget is counted.
    """
    page = files("lambdapack.report").joinpath("page.html").read_text(encoding="utf-8")
    return _filled(
        page,
        {
            "POLICY": _policy(page),
            "VERSION": html.escape(f"lambdapack {__version__}"),
            "TITLE": html.escape(f"{_title(found)} - lambdapack"),
            "PLAIN": html.escape(inspection.render(found).encode("utf-8", "replace").decode()),
            "DATA": _embedded(document(found)),
        },
    )


def _filled(page: str, values: Mapping[str, str]) -> str:
    """Fill each place once: what is filled in is not looked at again."""
    return re.sub(r"__([A-Z]+)__", lambda found: values[found[1]], page)


def _policy(page: str) -> str:
    def digest(tag: str) -> str:
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = f"default-src 'none'; img-src data:; style-src {digest('style')}; script-src {digest('script')}"
    return f"{policy}; base-uri 'none'; form-action 'none'"


def _embedded(value: Mapping[str, Any]) -> str:
    """Return JSON that ends no element: ASCII, and no sign that HTML knows."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _title(found: Inspection) -> str:
    path = printable(found.report.subject.path)
    return posixpath.basename(path.rstrip("/").replace("\\", "/")) if not path.startswith("arn:") else path


def document(found: Inspection) -> dict[str, Any]:
    """Return what the page shows, in its own words: not the published inspection."""
    subject, target = found.report.subject, found.report.runtime.target
    packages, other = _packages(found.packages, {each.path for each in found.spares})
    return {
        "version": __version__,
        "title": _title(found) or printable(subject.path),
        "where": printable(subject.path),
        "verdict": found.report.verdict.value,
        "counts": _counts(found.report.findings),
        "target": str(target),
        "runtime": target.runtime,
        "arch": target.architecture.aws,
        "bytes": found.whole.size,
        "files": found.whole.files,
        "zip": subject.zip_bytes,
        "limit": UNZIPPED_MOST,
        "named": sum(1 for each in found.packages if each.name),
        "natives": len(found.natives),
        "used": sum(each.judgement.selected for each in found.natives),
        "saving": found.saving,
        "spareCount": len(found.spares),
        "sorts": SORTS,
        "kinds": [{"kind": sort.value, "bytes": each.size} for sort, each in found.sorts.items()],
        "packages": packages,
        "otherPackages": other,
        **_rows("binaries", "moreBinaries", map(_binary, found.natives), BUDGETS["binaries"]),
        **_rows("copies", "moreCopies", _copies(found), BUDGETS["rows"]),
        **_rows("spares", "moreSpares", _spares(found), BUDGETS["rows"]),
        **_rows("findings", "moreFindings", map(_finding, found.report.findings), BUDGETS["rows"]),
    }


def _rows(name: str, more: str, rows: Iterable[Row], budget: int) -> dict[str, Any]:
    every = list(rows)
    fitting = _within(every, budget)
    return {name: fitting, more: len(every) - len(fitting)}


def _within(rows: Sequence[Any], budget: int) -> list[Any]:
    """Return as many of the first as the budget lets in."""
    taken: list[Any] = []
    for each in rows:
        budget -= len(json.dumps(each, separators=(",", ":"))) + 1
        if budget < 0:
            break
        taken.append(each)
    return taken


def _counts(findings: Iterable[Finding]) -> str:
    counting = [each.weight for each in findings if each.ignored is None]
    counts = [plural(number, each.value) for each in reversed(Severity) if (number := counting.count(each))]
    return ", ".join(counts) or "no findings"


def _packages(packages: Sequence[Package], spares: Collection[str]) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Return the packages, with their largest files as far as the budget goes, and number and bytes of the rest."""
    shown = _largest(packages)
    rows = _within(
        [_package(each, shown.get(each.path, []), spares) for each in packages], BUDGETS["files"] + BUDGETS["packages"]
    )
    rest = packages[len(rows) :]
    return rows, (len(rest), sum(each.size for each in rest))


def _largest(packages: Sequence[Package]) -> Mapping[str, list[File]]:
    every = sorted(
        ((each, package.path) for package in packages for each in package.files), key=lambda pair: -pair[0].size
    )
    budget, taken = BUDGETS["files"], dict[str, list[File]]()
    for each, owner in every:
        budget -= len(json.dumps(each.path)) + 16
        if budget < 0:
            break
        taken.setdefault(owner, []).append(each)
    return taken


def _package(package: Package, shown: Sequence[File], spares: Collection[str]) -> dict[str, Any]:
    below = f"{package.path}/" if package.path else ""
    rest = package.size - sum(each.size for each in shown)
    return {
        "name": printable(package.name),
        "label": printable(inspection.called(package)),
        "path": printable(package.path),
        "bytes": package.size,
        "files": len(package.files),
        "kind": next(iter(weights([package]))).value,
        "chain": None if package.chain is None else [printable(each.name) for each in package.chain],
        "dev": package.dev,
        "top": [_file(each, below, spares) for each in shown],
        "rest": [len(package.files) - len(shown), rest],
    }


def _file(file: File, below: str, spares: Collection[str]) -> list[str | int]:
    """As short as can be: there are thousands."""
    told: list[str | int] = [printable(file.path.removeprefix(below)), file.size, SORTS.index(file.sort.value)]
    return [*told, 1] if file.path in spares else told


def _binary(native: Native) -> Row:
    judgement, binary = native.judgement, native.judgement.binary
    role = inspection.ROLES.get(binary.role.value, "")
    chain = [printable(each.name) for each in native.owner.chain or ()]
    version = printable(native.owner.version)
    return {
        "path": printable(binary.path),
        "from": " ".join((ARROW.join(chain), version)).strip() if chain else printable(inspection.called(native.owner)),
        "bytes": binary.size,
        "cpu": inspection.cpu_of(native),
        "libc": native.libc or "",
        "what": ", ".join(each for each in (role, inspection.registration_of(native)) if each),
        "needs": [printable(each) for each in (binary.elf.needed if binary.elf else ())],
        "fate": inspection.fate_of(native),
        "outcome": judgement.outcome.value,
        "used": judgement.selected,
    }


def _copies(found: Inspection) -> list[Row]:
    packages = [(f"{each.name} {each.version}", each.paths, each.spare) for each in found.same_packages]
    contents = [(posixpath.basename(each.paths[0]), each.paths, each.spare) for each in found.same_bytes]
    ordered = sorted((*packages, *contents), key=lambda each: -each[2])
    return [
        {"what": printable(what), "times": len(paths), "spare": spare, "paths": [printable(each) for each in paths]}
        for what, paths, spare in ordered
    ]


def _spares(found: Inspection) -> list[Row]:
    return [{"path": printable(each.path), "bytes": each.size, "reason": each.reason} for each in found.spares]


def _finding(found: Finding) -> Row:
    place = f"{found.path}:{found.line}" if found.line else found.path
    return {
        "code": found.rule.code,
        "severity": found.weight.value,
        "title": found.rule.title,
        "path": printable(place),
        "package": printable(found.package),
        "message": printable(found.message),
        "why": found.rule.why,
        "fix": printable(found.cure),
        "ignored": found.ignored,
    }
