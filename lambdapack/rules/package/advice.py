"""Packages that are unmaintained or do not belong in a function, from the package book."""

from collections.abc import Iterator, Mapping

from lambdapack.book.book import BookEntry, PackageRole, find_book_entry
from lambdapack.model import Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.binary.file_system import LambdaFileSystem, path_in_report
from lambdapack.rules.model.case import Case
from lambdapack.runtimes.runtime import Runtime

GIVEN_UP = Rule(
    "LP321",
    "given-up",
    "a package is no longer maintained",
    "Nobody will make its binary fit the next Node.js, and its security holes stay open.",
    "Replace it, or the package that brings it: `npm explain NAME` says which.",
    Severity.NOTE,
)
OUT_OF_PLACE = Rule(
    "LP322",
    "out-of-place",
    "a package has no work in a function, or another does it better there",
    "It adds bytes and a binary to every deployment.",
    "Replace it, or move it to devDependencies: `npm install --save-dev NAME`.",
    Severity.NOTE,
)

MAX_NAMED_DEPENDENTS = 3
"""Packages that are named as the ones that want it."""


def advice_findings(
    facts: Case, space: LambdaFileSystem, runtime: Runtime, spared: frozenset[str]
) -> Iterator[Finding]:
    """Yield one finding for each name in the book that is worth one; `spared` are directories told of elsewhere."""
    first: dict[str, PackageManifest] = {}
    for directory, package in space.manifests.items():
        if is_in_node_modules(directory) and directory not in spared:
            first.setdefault(package.name, package)
    for name, package in first.items():
        known = find_book_entry(name)
        if known is not None:
            yield from _advice_findings(known, package, facts, runtime, _find_dependents(name, space.manifests))


def _advice_findings(
    known: BookEntry, package: PackageManifest, facts: Case, runtime: Runtime, bringers: tuple[str, ...]
) -> Iterator[Finding]:
    if (
        known.is_maintained
        and not known.replacements
        and known.role not in {PackageRole.BUILD_TOOL, PackageRole.ELSEWHERE}
    ):
        return
    late = known.last_node is not None and runtime.node_major > known.last_node
    by = f", wanted by {', '.join(bringers[:MAX_NAMED_DEPENDENTS])}" if bringers else ""
    yield Finding(
        OUT_OF_PLACE if known.is_maintained else GIVEN_UP,
        path_in_report(facts.root, package.directory),
        f"{package.name} {package.version} is {_describe_state(known, late=late)}{by}",
        package=package.name,
        fix=_advice_fix(known, bringers),
        severity=Severity.WARNING if late and not known.is_maintained else None,
        evidence=(
            ("status", known.status.value),
            ("instead", list(known.alternatives)),
            ("last_node", known.last_node),
            ("source", known.source),
            ("read", known.read_on.isoformat()),
        ),
    )


def _describe_state(known: BookEntry, *, late: bool) -> str:
    state = {
        PackageRole.BUILD_TOOL: "a build tool",
        PackageRole.ELSEWHERE: "for what Lambda does not have",
        PackageRole.OPTIONAL: "optional",
        PackageRole.LIBRARY: "maintained, and has a successor that suits Lambda better",
    }[known.role]
    if not known.is_maintained:
        state = "deprecated by its authors" if known.status.value == "deprecated" else "no longer maintained"
    return f"{state}; its newest version, {known.newest}, works up to Node.js {known.last_node}" if late else state


def _advice_fix(known: BookEntry, bringers: tuple[str, ...]) -> str:
    """One sentence: what to take instead, or the book's own advice."""
    if known.is_maintained and known.role is PackageRole.BUILD_TOOL and not bringers:
        return f"Run `npm install --save-dev {known.name}`: {known.advice[:1].lower()}{known.advice[1:]}"
    if known.replacements and not bringers:
        advice = f" {known.advice}" if known.advice else ""
        return f"Run `npm uninstall {known.name} && npm install {' '.join(known.replacements)}`.{advice}"
    return known.advice or f"Use {' or '.join(known.alternatives)}."


def _find_dependents(name: str, manifests: Mapping[str, PackageManifest]) -> tuple[str, ...]:
    """Return the installed packages that ask for one; none when only the function's own package.json does."""
    asking = (
        manifest.name
        for directory, manifest in manifests.items()
        if is_in_node_modules(directory) and name in manifest.dependencies | manifest.optional_dependencies
    )
    return tuple(sorted(set(asking)))
