"""Versions and ranges as npm reads them (node-semver 7). Never fetches; what is no range is a tag: None."""

import re
from collections.abc import Collection
from dataclasses import dataclass

_PARTS = (
    r"[v=\s]*(\d+|[xX*])(?:\.(\d+|[xX*])(?:\.(\d+|[xX*])(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?)?)?"
)
_VERSION = re.compile(r"[v=\s]*(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?")
_COMPARATOR = re.compile(rf"(<=|>=|<|>|=|\^|~>?)?{_PARTS}")
_HYPHEN = re.compile(rf"\s*({_PARTS})\s+-\s+({_PARTS})\s*")
_LONGEST = 256  # node-semver's MAX_LENGTH, internal/constants.js

Identifier = tuple[int, int, str]
Version = tuple[int, int, int, tuple[int, tuple[Identifier, ...]]]
"""Ordered as semver orders: a pre-release sorts before its release."""

_RELEASE: tuple[int, tuple[Identifier, ...]] = (1, ())
_LOWEST: tuple[int, tuple[Identifier, ...]] = (0, ())


@dataclass(frozen=True, slots=True)
class Comparator:
    """One bound: the operator is ">=", "<", ">", "<=" or "="."""

    operator: str
    version: Version

    def admits(self, version: Version) -> bool:
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


Range = tuple[tuple[Comparator, ...], ...]
"""Any of the sets, and in a set all of the comparators."""


def parse_version(text: str) -> Version | None:
    """Return a version, None when the text is none."""
    found = _VERSION.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        return None
    return int(found[1]), int(found[2]), int(found[3]), _prerelease(found[4])


def _prerelease(text: str | None) -> tuple[int, tuple[Identifier, ...]]:
    if not text:
        return _RELEASE
    return 0, tuple((0, int(each), "") if each.isdigit() else (1, 0, each) for each in text.split("."))


def parse_range(text: str) -> Range | None:
    """Return a range, None when the text is none (a tag such as "latest")."""
    if len(text) > _LONGEST:
        return None
    sets = [_set(each) for each in text.split("||")]
    return None if any(each is None for each in sets) else tuple(each for each in sets if each is not None)


def _set(text: str) -> tuple[Comparator, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        return _span(hyphen[1], hyphen[6])
    words = re.sub(r"(<=|>=|<|>|=|\^|~>?)\s+", r"\1", text).split()
    comparators: list[Comparator] = []
    for word in words:
        found = _COMPARATOR.fullmatch(word)
        if found is None:
            return None
        comparators += _desugared(found[1] or "", (found[2], found[3], found[4]), found[5])
    return tuple(comparators)


def _span(low: str, high: str) -> tuple[Comparator, ...]:
    first, last = _COMPARATOR.fullmatch(low.strip()), _COMPARATOR.fullmatch(high.strip())
    if first is None or last is None:  # the hyphen expression holds the same parts
        return ()
    return (
        *_desugared(">=", (first[2], first[3], first[4]), first[5]),
        *_desugared("<=", (last[2], last[3], last[4]), last[5]),
    )


def _desugared(operator: str, parts: tuple[str | None, str | None, str | None], pre: str | None) -> list[Comparator]:
    numbers: list[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    if not numbers:
        return [_below((0, 0, 0))] if operator in {"<", ">"} else []
    if operator in {"^", "~", "~>"}:
        return [_from(numbers, pre), _below(_ceiling(operator, numbers))]
    if len(numbers) == len(parts):
        return [Comparator(operator or "=", (numbers[0], numbers[1], numbers[2], _prerelease(pre)))]
    return _partial(operator, numbers)


def _partial(operator: str, numbers: list[int]) -> list[Comparator]:
    """Return what "1", "1.2.x", ">1" and "<=1.2" stand for."""
    after = _bumped(numbers, len(numbers) - 1)
    match operator:
        case ">":
            return [Comparator(">=", (*after, _RELEASE))]
        case ">=":
            return [_from(numbers, None)]
        case "<":
            return [_below(_padded(numbers))]
        case "<=":
            return [_below(after)]
        case _:
            return [_from(numbers, None), _below(after)]


def _ceiling(operator: str, numbers: list[int]) -> tuple[int, int, int]:
    if operator != "^":
        return _bumped(numbers, min(1, len(numbers) - 1))
    for place, number in enumerate(numbers):
        if number:
            return _bumped(numbers, place)
    return _bumped(numbers, len(numbers) - 1)


def _padded(numbers: list[int]) -> tuple[int, int, int]:
    full = [*numbers, 0, 0]
    return full[0], full[1], full[2]


def _bumped(numbers: list[int], place: int) -> tuple[int, int, int]:
    return _padded([*numbers[:place], numbers[place] + 1])


def _from(numbers: list[int], pre: str | None) -> Comparator:
    return Comparator(">=", (*_padded(numbers), _prerelease(pre)))


def _below(version: tuple[int, int, int]) -> Comparator:
    return Comparator("<", (*version, _LOWEST))


def satisfies(version: str, spec: str) -> bool | None:
    """Tell whether npm takes a version for a range; None when one of them is not what it should be."""
    parsed, wanted = parse_version(version), parse_range(spec)
    if parsed is None or wanted is None:
        return None
    return any(_in_set(parsed, comparators) for comparators in wanted)


def _in_set(version: Version, comparators: tuple[Comparator, ...]) -> bool:
    if not all(each.admits(version) for each in comparators):
        return False
    # A pre-release counts only where the range itself names one of the same release.
    return version[3] == _RELEASE or any(
        each.version[:3] == version[:3] and each.version[3] not in {_RELEASE, _LOWEST} for each in comparators
    )


def admitted_majors(spec: str, majors: Collection[int]) -> tuple[int, ...] | None:
    """Return those of the majors of which a range takes some release, sorted; None when it is no range."""
    wanted = parse_range(spec)
    if wanted is None:
        return None
    return tuple(sorted(each for each in majors if any(_meets(comparators, each) for comparators in wanted)))


def _meets(comparators: tuple[Comparator, ...], major: int) -> bool:
    lows = [(each.version, each.operator != ">") for each in comparators if each.operator in {">=", ">", "="}]
    highs = [(each.version, each.operator != "<") for each in comparators if each.operator in {"<=", "<", "="}]
    low, low_in = max([*lows, ((major, 0, 0, _RELEASE), True)], key=lambda bound: (bound[0], not bound[1]))
    high, high_in = min([*highs, ((major + 1, 0, 0, _LOWEST), False)], key=lambda bound: (bound[0], bound[1]))
    return low < high or (low == high and low_in and high_in)
