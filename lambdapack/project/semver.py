"""Versions and ranges as node-semver 7 reads them. Never fetches; a tag such as "latest" is None."""

import re
from collections.abc import Collection
from dataclasses import dataclass

_PARTS = (
    r"[v=\s]*(\d+|[xX*])(?:\.(\d+|[xX*])(?:\.(\d+|[xX*])(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?)?)?"
)
_VERSION = re.compile(r"[v=\s]*(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?")
_COMPARATOR = re.compile(rf"(<=|>=|<|>|=|\^|~>?)?{_PARTS}")
_HYPHEN = re.compile(rf"\s*({_PARTS})\s+-\s+({_PARTS})\s*")
_MAX_LENGTH = 256  # node-semver's MAX_LENGTH, internal/constants.js

Identifier = tuple[int, int, str]
SemanticVersion = tuple[int, int, int, tuple[int, tuple[Identifier, ...]]]
"""Ordered as semver orders: a pre-release sorts before its release."""

_RELEASE: tuple[int, tuple[Identifier, ...]] = (1, ())
_LOWEST: tuple[int, tuple[Identifier, ...]] = (0, ())


@dataclass(frozen=True, slots=True)
class Comparator:
    """One bound: the operator is ">=", "<", ">", "<=" or "="."""

    operator: str
    version: SemanticVersion

    def admits(self, version: SemanticVersion) -> bool:
        """Tell whether a version lies on the right side of the bound."""
        match self.operator:
            case ">=":
                return version >= self.version
            case "<":
                return version < self.version
            case ">":
                return version > self.version
            case "<=":
                return version <= self.version
            case _:
                return version == self.version


VersionRange = tuple[tuple[Comparator, ...], ...]
"""Any of the sets, and in a set all of the comparators."""


def parse_version(text: str) -> SemanticVersion | None:
    """Return a version, None when the text is none."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3]), _parse_prerelease(match[4])


def _parse_prerelease(text: str | None) -> tuple[int, tuple[Identifier, ...]]:
    if not text:
        return _RELEASE
    return 0, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in text.split("."))


def parse_range(text: str) -> VersionRange | None:
    """Return a range, None when the text is none (a tag such as "latest")."""
    if len(text) > _MAX_LENGTH:
        return None
    sets = [_parse_set(part) for part in text.split("||")]
    return None if any(parsed is None for parsed in sets) else tuple(parsed for parsed in sets if parsed is not None)


def _parse_set(text: str) -> tuple[Comparator, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        return _parse_hyphen_range(hyphen[1], hyphen[6])
    words = re.sub(r"(<=|>=|<|>|=|\^|~>?)\s+", r"\1", text).split()
    comparators: list[Comparator] = []
    for word in words:
        match = _COMPARATOR.fullmatch(word)
        if match is None:
            return None
        comparators += _desugar(match[1] or "", (match[2], match[3], match[4]), match[5])
    return tuple(comparators)


def _parse_hyphen_range(low: str, high: str) -> tuple[Comparator, ...]:
    first, last = _COMPARATOR.fullmatch(low.strip()), _COMPARATOR.fullmatch(high.strip())
    if first is None or last is None:  # the hyphen expression holds the same parts
        return ()
    return (
        *_desugar(">=", (first[2], first[3], first[4]), first[5]),
        *_desugar("<=", (last[2], last[3], last[4]), last[5]),
    )


def _desugar(operator: str, parts: tuple[str | None, str | None, str | None], pre: str | None) -> list[Comparator]:
    numbers: list[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    if not numbers:
        return [_below((0, 0, 0))] if operator in {"<", ">"} else []
    if operator in {"^", "~", "~>"}:
        return [_at_least(numbers, pre), _below(_upper_bound(operator, numbers))]
    if len(numbers) == len(parts):
        return [Comparator(operator or "=", (numbers[0], numbers[1], numbers[2], _parse_prerelease(pre)))]
    return _desugar_partial(operator, numbers)


def _desugar_partial(operator: str, numbers: list[int]) -> list[Comparator]:
    """Return what "1", "1.2.x", ">1" and "<=1.2" stand for."""
    after = _bump_version(numbers, len(numbers) - 1)
    match operator:
        case ">":
            return [Comparator(">=", (*after, _RELEASE))]
        case ">=":
            return [_at_least(numbers, None)]
        case "<":
            return [_below(_pad_version(numbers))]
        case "<=":
            return [_below(after)]
        case _:
            return [_at_least(numbers, None), _below(after)]


def _upper_bound(operator: str, numbers: list[int]) -> tuple[int, int, int]:
    if operator != "^":
        return _bump_version(numbers, min(1, len(numbers) - 1))
    for place, number in enumerate(numbers):
        if number:
            return _bump_version(numbers, place)
    return _bump_version(numbers, len(numbers) - 1)


def _pad_version(numbers: list[int]) -> tuple[int, int, int]:
    full = [*numbers, 0, 0]
    return full[0], full[1], full[2]


def _bump_version(numbers: list[int], place: int) -> tuple[int, int, int]:
    return _pad_version([*numbers[:place], numbers[place] + 1])


def _at_least(numbers: list[int], pre: str | None) -> Comparator:
    return Comparator(">=", (*_pad_version(numbers), _parse_prerelease(pre)))


def _below(version: tuple[int, int, int]) -> Comparator:
    return Comparator("<", (*version, _LOWEST))


def satisfies(version: str, spec: str) -> bool | None:
    """Tell whether npm takes a version for a range; None when one of them is not what it should be."""
    parsed, sets = parse_version(version), parse_range(spec)
    if parsed is None or sets is None:
        return None
    return any(_is_in_set(parsed, comparators) for comparators in sets)


def _is_in_set(version: SemanticVersion, comparators: tuple[Comparator, ...]) -> bool:
    if not all(comparator.admits(version) for comparator in comparators):
        return False
    # A pre-release counts only where the range itself names one of the same release.
    return version[3] == _RELEASE or any(
        comparator.version[:3] == version[:3] and comparator.version[3] not in {_RELEASE, _LOWEST}
        for comparator in comparators
    )


def admitted_majors(spec: str, majors: Collection[int]) -> tuple[int, ...] | None:
    """Return those of the majors of which a range takes some release, sorted; None when it is no range."""
    sets = parse_range(spec)
    if sets is None:
        return None
    return tuple(
        sorted(major for major in majors if any(_is_major_admitted(comparators, major) for comparators in sets))
    )


def _is_major_admitted(comparators: tuple[Comparator, ...], major: int) -> bool:
    lows = [
        (comparator.version, comparator.operator != ">")
        for comparator in comparators
        if comparator.operator in {">=", ">", "="}
    ]
    highs = [
        (comparator.version, comparator.operator != "<")
        for comparator in comparators
        if comparator.operator in {"<=", "<", "="}
    ]
    low, low_in = max([*lows, ((major, 0, 0, _RELEASE), True)], key=lambda bound: (bound[0], not bound[1]))
    high, high_in = min([*highs, ((major + 1, 0, 0, _LOWEST), False)], key=lambda bound: (bound[0], bound[1]))
    return low < high or (low == high and low_in and high_in)
