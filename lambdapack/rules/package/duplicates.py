"""Packages that are installed several times in the same version. Reads names and sizes only."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from lambdapack.model import Finding, Rule, Severity, is_in_node_modules
from lambdapack.rules.model.case import Case

DUPLICATE_PACKAGES = Rule(
    "LP334",
    "duplicate-packages",
    "packages are installed several times in the same version",
    "npm keeps a lockfile's layout as it grew; each copy is packed, loaded and cached on its own.",
    "Run `npm dedupe`, and commit package-lock.json.",
    Severity.NOTE,
)

MIN_WASTED_BYTES: Final = 256 * 1024
"""Bytes of the spare copies together from which the note is worth reading."""

MAX_NAMED_DUPLICATES: Final = 3
"""Packages that the message names, the largest first."""


def check_duplicates(case: Case) -> Iterator[Finding]:
    """Yield one note for all spare copies, where they take much space."""
    directories = defaultdict[tuple[str, str], list[str]](list)
    for directory, manifest in case.facts.manifests.items():
        if is_in_node_modules(directory) and manifest.name and manifest.version:
            directories[manifest.name, manifest.version].append(directory)
    several = {package: sorted(places) for package, places in directories.items() if len(places) > 1}
    if not several:
        return
    sizes = _sizes(case, {place for places in several.values() for place in places})
    wasted = {package: sum(sorted(sizes[place] for place in places)[:-1]) for package, places in several.items()}
    total = sum(wasted.values())
    if total < MIN_WASTED_BYTES:
        return
    largest = sorted(wasted, key=lambda package: (-wasted[package], package))[:MAX_NAMED_DUPLICATES]
    names = ", ".join(f"{name} {version} ({len(several[name, version])} times)" for name, version in largest)
    more = f" and {len(several) - len(largest)} more" if len(several) > len(largest) else ""
    yield Finding(
        DUPLICATE_PACKAGES,
        several[largest[0]][0],
        f"spare copies take {total} bytes: {names}{more}",
        package=largest[0][0],
        evidence=(("bytes", total), ("paths", tuple(place for package in largest for place in several[package]))),
    )


def _sizes(case: Case, places: set[str]) -> dict[str, int]:
    """Return the bytes of each directory, without those of packages inside it."""
    sizes = dict.fromkeys(places, 0)
    for path, entry in case.facts.entries.items():
        head, found, rest = path.rpartition("node_modules/")
        parts = rest.split("/", 2 if rest.startswith("@") else 1)
        directory = f"{head}{found}{'/'.join(parts[:-1])}" if len(parts) > 1 else ""
        if directory in sizes:
            sizes[directory] += entry.size
    return sizes
