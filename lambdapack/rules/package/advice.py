"""Packages that are unmaintained or do not belong in a function, from the package book."""

from collections.abc import Iterator, Mapping

from lambdapack.book.book import BookEntry, PackageRole, find_book_entry
from lambdapack.model import Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import path_in_report

GIVEN_UP = Rule(
    "LP321",
    "given-up",
    "a package is no longer maintained",
    "Nobody will make its binary fit the next Node.js, and its security holes stay open.",
    "Replace it, or the package that depends on it: `npm explain NAME` shows which.",
    Severity.NOTE,
)
OUT_OF_PLACE = Rule(
    "LP322",
    "out-of-place",
    "a package is not useful in a function, or has a better alternative there",
    "It adds bytes and a binary to every deployment.",
    "Replace it, or move it to devDependencies: `npm install --save-dev NAME`.",
    Severity.NOTE,
)

MAX_NAMED_DEPENDENTS = 3
"""Packages that a message names as the ones that require it."""


def check_package_book(case: Case) -> Iterator[Finding]:
    """Yield a finding for each package that the book advises against, but not for those of LP318 (dev-packages)."""
    manifests = case.file_system.manifests
    packages: dict[str, PackageManifest] = {}
    for directory, package in manifests.items():
        if is_in_node_modules(directory) and directory not in case.dev_packages:
            packages.setdefault(package.name, package)
    for name, package in packages.items():
        entry = find_book_entry(name)
        if entry is not None and _has_advice(entry):
            yield _advice_finding(entry, package, case, _find_dependents(name, manifests))


def _has_advice(entry: BookEntry) -> bool:
    misplaced = entry.role in {PackageRole.BUILD_TOOL, PackageRole.ELSEWHERE}
    return misplaced or bool(entry.replacements) or not entry.is_maintained


def _advice_finding(entry: BookEntry, package: PackageManifest, case: Case, dependents: tuple[str, ...]) -> Finding:
    late = entry.last_node is not None and case.runtime.node_major > entry.last_node
    by = f", required by {', '.join(dependents[:MAX_NAMED_DEPENDENTS])}" if dependents else ""
    return Finding(
        OUT_OF_PLACE if entry.is_maintained else GIVEN_UP,
        path_in_report(case.facts.root, package.directory),
        f"{package.name} {package.version} is {_describe_state(entry, late=late)}{by}",
        package=package.name,
        fix=_advice_fix(entry, dependents),
        severity=Severity.WARNING if late and not entry.is_maintained else None,
        evidence=(
            ("status", entry.status.value),
            ("instead", list(entry.alternatives)),
            ("last_node", entry.last_node),
            ("source", entry.source),
            ("read", entry.read_on.isoformat()),
        ),
    )


def _describe_state(entry: BookEntry, *, late: bool) -> str:
    state = {
        PackageRole.BUILD_TOOL: "a build tool",
        PackageRole.ELSEWHERE: "for what Lambda does not have",
        PackageRole.OPTIONAL: "optional",
        PackageRole.LIBRARY: "maintained, and has a successor that suits Lambda better",
    }[entry.role]
    if not entry.is_maintained:
        state = "deprecated by its authors" if entry.status.value == "deprecated" else "no longer maintained"
    return f"{state}; its newest version, {entry.newest}, works up to Node.js {entry.last_node}" if late else state


def _advice_fix(entry: BookEntry, dependents: tuple[str, ...]) -> str:
    """One sentence: what to take instead, or the book's own advice."""
    if entry.is_maintained and entry.role is PackageRole.BUILD_TOOL and not dependents:
        return f"Run `npm install --save-dev {entry.name}`: {entry.advice[:1].lower()}{entry.advice[1:]}"
    if entry.replacements and not dependents:
        advice = f" {entry.advice}" if entry.advice else ""
        return f"Run `npm uninstall {entry.name} && npm install {' '.join(entry.replacements)}`.{advice}"
    return entry.advice or f"Use {' or '.join(entry.alternatives)}."


def _find_dependents(name: str, manifests: Mapping[str, PackageManifest]) -> tuple[str, ...]:
    """Return the installed packages that ask for one; none when only the function's own package.json does."""
    asking = (
        manifest.name
        for directory, manifest in manifests.items()
        if is_in_node_modules(directory) and name in manifest.dependencies | manifest.optional_dependencies
    )
    return tuple(sorted(set(asking)))
