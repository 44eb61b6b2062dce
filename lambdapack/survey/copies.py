"""What is there more than once."""

from collections.abc import Callable, Iterable, Iterator

from lambdapack.survey.nouns import File, Package, SameBytes, SamePackage

SMALLEST = 1024
"""Bytes below which a copy is not told: each costs about as much in names and headers of the zip."""

Digest = Callable[[str], str]
"""SHA-256 in hex of a file, by the path that a report has for it."""


def same_packages(packages: Iterable[Package]) -> tuple[SamePackage, ...]:
    """Return names and versions that lie in several places, what wastes most first."""
    places: dict[tuple[str, str], list[Package]] = {}
    for each in packages:
        if each.name and each.version:
            places.setdefault((each.name, each.version), []).append(each)
    found = (
        SamePackage(name, version, tuple(sorted(each.path for each in several)), _spare(several))
        for (name, version), several in places.items()
        if len(several) > 1
    )
    return tuple(sorted(found, key=lambda each: (-each.spare, each.name, each.version)))


def _spare(several: list[Package]) -> int:
    sizes = [each.size for each in several]
    return sum(sizes) - max(sizes)


def same_bytes(packages: Iterable[Package], digest: Digest) -> tuple[SameBytes, ...]:
    """Return files that are equal, what wastes most first. Only those of one size are read."""
    sizes: dict[int, list[File]] = {}
    for package in packages:
        for each in package.files:
            if each.size >= SMALLEST:
                sizes.setdefault(each.size, []).append(each)
    found = (same for alike in sizes.values() if len(alike) > 1 for same in _equal(alike, digest))
    return tuple(sorted(found, key=lambda each: (-each.spare, each.paths)))


def _equal(alike: list[File], digest: Digest) -> Iterator[SameBytes]:
    paths: dict[str, list[str]] = {}
    for each in alike:
        paths.setdefault(digest(each.path), []).append(each.path)
    for sha256, several in paths.items():
        if len(several) > 1:
            yield SameBytes(sha256, alike[0].size, tuple(sorted(several)))
