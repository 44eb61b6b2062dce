"""Packages that somebody has given up, or that have no place in a function. Advice out of the package book."""

from collections.abc import Iterator, Mapping

from lambdapack.book import Page, Role, page
from lambdapack.model import Finding, Rule, Severity
from lambdapack.project.installed import PackageManifest
from lambdapack.project.nouns import in_node_modules
from lambdapack.rules.facts import Facts
from lambdapack.rules.space import Space, seen_from
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

BRINGERS = 3
"""Packages that are named as the ones that want it."""


def advice_findings(facts: Facts, space: Space, runtime: Runtime, spared: frozenset[str]) -> Iterator[Finding]:
    """Yield one finding for each name in the book that is worth one; `spared` are directories told of elsewhere."""
    first: dict[str, PackageManifest] = {}
    for directory, package in space.manifests.items():
        if in_node_modules(directory) and directory not in spared:
            first.setdefault(package.name, package)
    for name, package in first.items():
        known = page(name)
        if known is not None:
            yield from _advice(known, package, facts, runtime, _bringers(name, space.manifests))


def _advice(
    known: Page, package: PackageManifest, facts: Facts, runtime: Runtime, bringers: tuple[str, ...]
) -> Iterator[Finding]:
    if known.alive and not known.instead and known.role not in {Role.BUILD_TOOL, Role.ELSEWHERE}:
        return
    late = known.last_node is not None and runtime.node_major > known.last_node
    by = f", wanted by {', '.join(bringers[:BRINGERS])}" if bringers else ""
    yield Finding(
        OUT_OF_PLACE if known.alive else GIVEN_UP,
        seen_from(facts.root, package.directory),
        f"{package.name} {package.version} is {_state(known, late=late)}{by}",
        package=package.name,
        fix=_fix(known, bringers),
        severity=Severity.WARNING if late and not known.alive else None,
        evidence=(
            ("status", known.status.value),
            ("instead", list(known.alternatives)),
            ("last_node", known.last_node),
            ("source", known.source),
            ("read", known.read.isoformat()),
        ),
    )


def _state(known: Page, *, late: bool) -> str:
    state = {
        Role.BUILD_TOOL: "a build tool",
        Role.ELSEWHERE: "for what Lambda does not have",
        Role.OPTIONAL: "optional",
        Role.LIBRARY: "maintained, and has a successor that suits Lambda better",
    }[known.role]
    if not known.alive:
        state = "deprecated by its authors" if known.status.value == "deprecated" else "no longer maintained"
    return f"{state}; its newest version, {known.newest}, works up to Node.js {known.last_node}" if late else state


def _fix(known: Page, bringers: tuple[str, ...]) -> str:
    """One sentence: what to take instead, or the book's own advice."""
    if known.alive and known.role is Role.BUILD_TOOL and not bringers:
        return f"Run `npm install --save-dev {known.name}`: {known.advice[:1].lower()}{known.advice[1:]}"
    if known.instead and not bringers:
        advice = f" {known.advice}" if known.advice else ""
        return f"Run `npm uninstall {known.name} && npm install {' '.join(known.instead)}`.{advice}"
    return known.advice or f"Use {' or '.join(known.alternatives)}."


def _bringers(name: str, manifests: Mapping[str, PackageManifest]) -> tuple[str, ...]:
    """Return the installed packages that ask for one; none when only the function's own package.json does."""
    asking = (
        each.name
        for directory, each in manifests.items()
        if in_node_modules(directory) and name in each.dependencies | each.optional_dependencies
    )
    return tuple(sorted(set(asking)))
