"""From a passage to its diagnoses: every sign is tried, what follows from something else is dropped."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lambdapack.explain.causes import code_of
from lambdapack.explain.counsel import counsel
from lambdapack.explain.cures import Aim, cure
from lambdapack.explain.nouns import Certainty, Diagnosis, Rank, Reading, Sign, Slots, World
from lambdapack.explain.owners import near, of_file, of_path
from lambdapack.explain.registry import SIGNS
from lambdapack.explain.world import world_of

MOST_MATCHES = 200
"""Of one sign in one passage: a passage is a few dozen lines, or what a person pasted."""

WRAPPED = 4096
"""Signs of a text that may have been copied out of a narrow window, with line ends inside words."""

QUOTE_SIGNS = 300

_PLACES = ("/var/task/", "/opt/", "/var/runtime/")


def diagnose(text: str, aim: Aim) -> tuple[Diagnosis, ...]:
    """Return what a passage says is wrong, best first; nothing when it is not about packaging."""
    world = world_of(text)
    found = list(_sightings(text))
    if not found and len(text) < WRAPPED:
        text = text.replace("\n", "")
        found = list(_sightings(text))
    kept = [each for each in found if not _inside_another(each, found)]
    diagnoses = [made for sign, match, reading in kept for made in _made(text, sign, match, reading, (world, aim))]
    return tuple(_ordered(_without_symptoms(_completed(_merged(diagnoses)))))


Sighting = tuple[Sign, re.Match[str], Reading]


def _sightings(text: str) -> Iterator[Sighting]:
    for sign in SIGNS:
        for count, match in enumerate(sign.pattern.finditer(text)):
            if count >= MOST_MATCHES:
                break
            reading = sign.meaning if isinstance(sign.meaning, Reading) else sign.meaning(slots_of(match))
            if reading is not None:
                yield sign, match, reading


def slots_of(match: re.Match[str]) -> Slots:
    """Return what stands in the places of a message; "file2" is another place for a file."""
    return {name.rstrip("0123456789"): text for name, text in match.groupdict().items() if text}


def _inside_another(one: Sighting, others: Sequence[Sighting]) -> bool:
    """Tell whether a longer message of equal or better rank holds this one."""
    start, end = one[1].span()
    return any(
        other is not one
        and other[1].start() <= start
        and end <= other[1].end()
        and (other[1].end() - other[1].start()) > end - start
        and other[0].rank.value <= one[0].rank.value
        for other in others
    )


def _made(
    text: str, sign: Sign, match: re.Match[str], reading: Reading, where: tuple[World, Aim]
) -> Iterator[Diagnosis]:
    slots = slots_of(match)
    file = slots.get("file") or slots.get("library")
    package = _package(text, match, slots, (sign, reading))
    quote = _quote(match[0])
    for index, each in enumerate((reading, *reading.also)):
        remedy = cure(each, slots, *where, package)
        yield Diagnosis(
            cause=each.cause,
            code=code_of(each.cause, each.record),
            file=_short(file) if file else None,
            package=package,
            certainty=each.certainty,
            says=_said(each.says, slots),
            quote=quote,
            evidence=(quote,),
            fix=remedy.fix,
            prevent=remedy.prevent,
            book=counsel(package),
            slots=slots,
            rank=sign.rank if index == 0 else Rank.SYMPTOM,
        )


_ABSENT = frozenset({"missing-package"})


def _package(text: str, match: re.Match[str], slots: Slots, said: tuple[Sign, Reading]) -> str | None:
    sign, cause = said[0], said[1].cause
    if cause in _ABSENT:
        return _required(slots.get("module", ""))
    if named := slots.get("package"):
        return named
    for key in ("file", "library", "module", "needs"):
        if found := _owner(slots.get(key, "")):
            return found
    if sign.package:
        return sign.package
    if cause in {"handler", "too-big", "api-conflict", "lock-out-of-step"}:
        return None
    known = of_file(slots.get("file") or slots.get("library", ""))
    return known or near(text, match.start(), match.end()) or None


def _owner(text: str) -> str:
    """The package of a path, or of the name of a platform package."""
    found = of_path(text)
    if not found and re.fullmatch(r"@[\w.-]+/[\w./-]+", text):
        found = of_path(f"node_modules/{text}")
    return found


def _required(module: str) -> str | None:
    if not module or module.startswith((".", "/")) or ":" in module:
        return None
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])


def _short(path: str) -> str:
    """A path from its node_modules on: what stands before is another machine's."""
    plain = path.replace("\\", "/")
    start = plain.find("node_modules/")
    if start >= 0:
        return plain[start:]
    return next((plain.removeprefix(each) for each in _PLACES if plain.startswith(each)), plain)


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _NAMELESS.get(key, "")


_NAMELESS: Mapping[str, str] = {
    "file": "a native addon",
    "package": "a package",
    "library": "a library",
    "handler": "the handler",
    "needs": "what this platform needs",
    "has": "something else",
    "system": "this system",
    "cpu": "",
    "provider": "C library",
    "target": "this target",
    "call": "a command",
}


def _said(template: str, slots: Slots) -> str:
    named = {key: posixpath.basename(each.replace("\\", "/")) if key == "file" else each for key, each in slots.items()}
    return re.sub(r"\s+", " ", template.format_map(_Named(named))).strip().removesuffix(":")


def _quote(text: str) -> str:
    words = re.sub(r"\s+", " ", text).strip(" ,")
    return words if len(words) <= QUOTE_SIGNS else words[: QUOTE_SIGNS - 3] + "..."


def _merged(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Put together what is one trouble: the same cause, and nothing that tells the two apart."""
    kept: list[Diagnosis] = []
    for each in sorted(diagnoses, key=_goodness):
        index = next((at for at, one in enumerate(kept) if _same(one, each)), None)
        if index is None:
            kept.append(each)
        else:
            kept[index] = _joined(kept[index], each)
    return kept


def _goodness(each: Diagnosis) -> tuple[int, int, bool, bool]:
    return (each.rank.value, each.certainty.rank, each.file is None, each.package is None)


def _same(one: Diagnosis, other: Diagnosis) -> bool:
    if one.cause != other.cause:
        return False
    files = one.file is None or other.file is None or _base(one.file) == _base(other.file)
    packages = one.package is None or other.package is None or one.package == other.package
    return files and packages


def _base(path: str) -> str:
    return posixpath.basename(path)


def _joined(one: Diagnosis, other: Diagnosis) -> Diagnosis:
    again = other.quote == one.quote
    fuller = one if one.package or not other.package else replace(one, fix=other.fix, book=other.book)
    return replace(
        fuller,
        file=one.file or other.file,
        package=one.package or other.package,
        evidence=tuple(dict.fromkeys((*one.evidence, *other.evidence))),
        count=one.count + (other.count if again else 0),
    )


def _completed(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Give the root of the trouble the file that the messages beside it name."""
    return [replace(each, file=each.file or _file_beside(each, diagnoses)) for each in diagnoses]


def _file_beside(one: Diagnosis, diagnoses: Sequence[Diagnosis]) -> str | None:
    if one.rank is not Rank.ROOT or one.package is None:
        return None
    return next((each.file for each in diagnoses if each.file and each.package in {one.package, None}), None)


def _without_symptoms(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """A symptom counts only when nothing else explains the passage."""
    causes = [each for each in diagnoses if each.rank is not Rank.SYMPTOM]
    sure = [each for each in causes if each.certainty is not Certainty.POSSIBLE]
    if any(each.rank is Rank.ROOT for each in causes) or any(each.certainty is Certainty.CERTAIN for each in causes):
        return causes
    if sure:
        return [*causes, *(each for each in diagnoses if each.rank is Rank.SYMPTOM and _beside(each, sure))]
    return list(diagnoses)


def _beside(symptom: Diagnosis, causes: Sequence[Diagnosis]) -> bool:
    """Another reading of the very same words stays, as a possibility."""
    return any(symptom.quote == each.quote for each in causes)


def _ordered(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    return sorted(diagnoses, key=lambda each: (each.rank.value, each.certainty.rank))
