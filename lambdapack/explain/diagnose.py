"""Matches a passage with every known message pattern and merges the matches into diagnoses."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lambdapack.errors.record import Failure
from lambdapack.explain.ambiguous import loader, packages
from lambdapack.explain.causes import CAUSE_RECORDS, cause_of
from lambdapack.explain.conclusions import managers as manager_conclusions
from lambdapack.explain.conclusions import modules as module_conclusions
from lambdapack.explain.conclusions import programs as program_conclusions
from lambdapack.explain.conclusions import services as service_conclusions
from lambdapack.explain.cures import fill_remedy, render_book_advice
from lambdapack.explain.facts import managers, programs, services, statements
from lambdapack.explain.facts.nouns import FactKind, Slots, TextFacts
from lambdapack.explain.facts.place import read_facts
from lambdapack.explain.nouns import Conclusion, Diagnosis, Meaning, MessagePattern
from lambdapack.explain.owners import find_package_near, package_of_file, package_of_path
from lambdapack.explain.words import ExplainTarget, find_host_architecture, find_runtime
from lambdapack.messages import Certainty, Message, Rank, slots_of
from lambdapack.model import Rule

_WORD = r"[A-Za-z][A-Za-z-]{2,}"
MIN_SIMILARITY = 0.3
"""Share of words in common from which a message is worth naming."""


def find_nearest_message(text: str) -> str:
    """Return the known message that shares most words with a line of the text, "" when none is alike."""
    lines = [set(map(str.lower, re.findall(_WORD, line))) for line in text.splitlines()[:200]]
    best, found = MIN_SIMILARITY, ""
    for sign in MESSAGE_PATTERNS:
        words = set(map(str.lower, re.findall(_WORD, sign.example)))
        for line in lines:
            alike = len(words & line) / len(words | line) if words | line else 0.0
            if alike > best:
                best, found = alike, sign.example
    return found


def _message_pattern(record: Rule | Failure, message: Message) -> MessagePattern:
    meaning = Meaning(record, message.certainty, message.says, fix=message.fix)
    return MessagePattern(
        message.speaker, message.example, message.pattern, message.words, meaning, message.rank, message.package
    )


MESSAGE_PATTERNS: tuple[MessagePattern, ...] = (
    *loader.PATTERNS,
    *packages.PATTERNS,
    *statements.PATTERNS,
    *programs.PATTERNS,
    *managers.PATTERNS,
    *services.PATTERNS,
    *(_message_pattern(record, message) for record in CAUSE_RECORDS for message in record.messages),
)


CONCLUSIONS: Mapping[FactKind, Conclusion] = {
    **module_conclusions.CONCLUSIONS,
    **program_conclusions.CONCLUSIONS,
    **manager_conclusions.CONCLUSIONS,
    **service_conclusions.CONCLUSIONS,
}
"""Each kind of fact has one conclusion."""

MAX_MATCHES_PER_PATTERN = 200
"""Of one sign in one passage: a passage is a few dozen lines, or what a person pasted."""

MAX_WRAPPED_CHARS = 4096
"""Signs of a text that may have been copied out of a narrow window, with line ends inside words."""

MAX_QUOTE_CHARS = 300

_LAMBDA_ROOTS = ("/var/task/", "/opt/", "/var/runtime/")


def diagnose(text: str, aim: ExplainTarget, raw: str = "") -> tuple[Diagnosis, ...]:
    """Return what a passage says is wrong, best first; nothing when it is not about packaging.

    `raw`: the passage with its log markup, which tells more of the place that it is from.
    """
    facts = read_facts(text, raw)
    found = list(_find_matches(text, facts))
    if not found and len(text) < MAX_WRAPPED_CHARS:
        found = [*_find_titled_record(text)]
    if not found and len(text) < MAX_WRAPPED_CHARS:
        text = text.replace("\n", "")  # a narrow window broke its words; statements of several lines are none then
        found = [sighting for sighting in _find_matches(text, facts) if not isinstance(sighting[0].meaning, FactKind)]
    kept = [sighting for sighting in found if not _is_inside_another(sighting, found)]
    diagnoses = [
        made for sign, match, reading in kept for made in _build_diagnoses(text, sign, match, reading, (facts, aim))
    ]
    return tuple(_sort_diagnoses(_drop_symptoms(_add_missing_files(_merge_diagnoses(diagnoses)))))


PatternMatch = tuple[MessagePattern, re.Match[str], Meaning]


def _find_matches(text: str, facts: TextFacts) -> Iterator[PatternMatch]:
    for sign in MESSAGE_PATTERNS:
        for count, match in enumerate(sign.find(text)):
            if count >= MAX_MATCHES_PER_PATTERN:
                break
            reading = _read_match(sign, slots_of(match), facts)
            if reading is not None:
                yield sign, match, reading


def _find_titled_record(text: str) -> Iterator[PatternMatch]:
    """A sentence of our own that stands without its code."""
    meaning = service_conclusions.find_titled_record(text) if _LIKE_A_SENTENCE.search(text) else None
    if meaning is not None:
        sign = next(sign for sign in MESSAGE_PATTERNS if sign.meaning is FactKind.OWN_RECORD)
        match = re.search(re.escape(meaning.record.title), text)
        if match:
            yield sign, match, meaning


_LIKE_A_SENTENCE = re.compile(r"(?m)(?:^|: )\W{0,4}(?:[a-z]|AWS |ES |require)[^\n]{12,100}$")
"""How titles of records begin: a text without such a line needs no look at them."""


def _read_match(sign: MessagePattern, slots: Slots, facts: TextFacts) -> Meaning | None:
    match sign.meaning:
        case Meaning():
            return sign.meaning
        case FactKind():
            return CONCLUSIONS[sign.meaning](slots, facts)
        case decide:
            return decide(slots)


def _is_inside_another(one: PatternMatch, others: Sequence[PatternMatch]) -> bool:
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


def _build_diagnoses(
    text: str, sign: MessagePattern, match: re.Match[str], reading: Meaning, where: tuple[TextFacts, ExplainTarget]
) -> Iterator[Diagnosis]:
    slots = slots_of(match)
    file = _find_file(slots)
    package = _find_package(text, match, slots, (sign, reading))
    quote = _quote(match[0])
    facts, aim = where
    ran = facts.commands_before(match.end())
    for index, meaning in enumerate((reading, *reading.also)):
        remedy = fill_remedy(meaning, slots, facts, aim, package, ran)
        yield Diagnosis(
            cause=cause_of(meaning.record),
            record=meaning.record,
            file=_shorten_path(file) if file else None,
            package=package,
            certainty=meaning.certainty,
            says=_render_meaning(meaning.says, slots),
            quote=quote,
            evidence=(quote,),
            fix=remedy.fix,
            prevent=remedy.prevent,
            book=render_book_advice(package),
            slots=slots,
            rank=(meaning.rank or sign.rank) if index == 0 else Rank.SYMPTOM,
            runtime=find_runtime(slots, facts) or aim.runtime,
            architecture=find_host_architecture(cause_of(meaning.record), slots, facts) or aim.architecture,
        )


def _find_file(slots: Slots) -> str:
    """Return the path or library of a message; a program or a module counts where it is a path to a binary."""
    program, module = slots.get("program", ""), slots.get("module", "")
    named = program if "/" in program.strip("/") else module if module.endswith(".node") else ""
    return slots.get("file") or slots.get("library") or named


def _find_package(text: str, match: re.Match[str], slots: Slots, said: tuple[MessagePattern, Meaning]) -> str | None:
    sign, cause = said[0], cause_of(said[1].record)
    if said[1].package is not None:
        return said[1].package or None
    if named := slots.get("package"):
        return named
    for key in ("file", "library", "module", "needs", "program"):
        if found := _find_owner(slots.get(key, "")):
            return found
    if sign.package:
        return sign.package
    if cause in {"handler", "too-big", "api-conflict", "lock-out-of-step"}:
        return None
    known = package_of_file(slots.get("file") or slots.get("library", ""))
    return known or find_package_near(text, match.start(), match.end()) or None


def _find_owner(text: str) -> str:
    """The package of a path, or of the name of a platform package."""
    found = package_of_path(text)
    if not found and re.fullmatch(r"@[\w.-]+/[\w./-]+", text):
        found = package_of_path(f"node_modules/{text}")
    return found


def _shorten_path(path: str) -> str:
    """A path from its node_modules on: what stands before is another machine's."""
    plain = path.replace("\\", "/")
    start = plain.find("node_modules/")
    if start >= 0:
        return plain[start:]
    return next((plain.removeprefix(root) for root in _LAMBDA_ROOTS if plain.startswith(root)), plain)


class _NamedSlots(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _DEFAULT_SLOTS.get(key, "")


_DEFAULT_SLOTS: Mapping[str, str] = {
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


def _render_meaning(template: str, slots: Slots) -> str:
    named = {key: posixpath.basename(slot.replace("\\", "/")) if key == "file" else slot for key, slot in slots.items()}
    values = _NamedSlots(named)
    # Not format(): a sentence may hold words of the text already, with braces of their own.
    filled = re.sub(r"\{([a-z]+)\}", lambda match: str(values[match[1]]), template)
    return re.sub(r"\s+", " ", filled).strip().removesuffix(":")


def _quote(text: str) -> str:
    words = re.sub(r"\s+", " ", text).strip(" ,")
    return words if len(words) <= MAX_QUOTE_CHARS else words[: MAX_QUOTE_CHARS - 3] + "..."


def _merge_diagnoses(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Put together what is one trouble: the same cause, and nothing that tells the two apart."""
    kept: list[Diagnosis] = []
    for diagnosis in sorted(diagnoses, key=_sort_key):
        index = next((at for at, one in enumerate(kept) if _is_same_problem(one, diagnosis)), None)
        if index is None:
            kept.append(diagnosis)
        else:
            kept[index] = _join_diagnoses(kept[index], diagnosis)
    return kept


def _sort_key(diagnosis: Diagnosis) -> tuple[int, int, bool, bool]:
    return (diagnosis.rank.value, diagnosis.certainty.rank, diagnosis.file is None, diagnosis.package is None)


def _is_same_problem(one: Diagnosis, other: Diagnosis) -> bool:
    if one.cause != other.cause:
        return False
    files = one.file is None or other.file is None or _base_name(one.file) == _base_name(other.file)
    packages = one.package is None or other.package is None or one.package == other.package
    return files and packages


def _base_name(path: str) -> str:
    return posixpath.basename(path)


_LACKED = ("header", "library")


def _join_diagnoses(one: Diagnosis, other: Diagnosis) -> Diagnosis:
    again = other.quote == one.quote
    fuller = one if one.package or not other.package else replace(one, fix=other.fix, book=other.book)
    if any(slot in other.slots for slot in _LACKED) and not any(slot in one.slots for slot in (*_LACKED, "file")):
        fuller = replace(fuller, fix=other.fix, says=other.says, slots=other.slots)  # it names what is missing
    return replace(
        fuller,
        file=one.file or other.file,
        package=one.package or other.package,
        evidence=tuple(dict.fromkeys((*one.evidence, *other.evidence))),
        count=one.count + (other.count if again else 0),
    )


def _add_missing_files(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Give the root of the trouble the file that the messages beside it name."""
    return [
        replace(diagnosis, file=diagnosis.file or _find_file_beside(diagnosis, diagnoses)) for diagnosis in diagnoses
    ]


def _find_file_beside(one: Diagnosis, diagnoses: Sequence[Diagnosis]) -> str | None:
    if one.rank is not Rank.ROOT or one.package is None:
        return None
    return next(
        (diagnosis.file for diagnosis in diagnoses if diagnosis.file and diagnosis.package in {one.package, None}), None
    )


def _drop_symptoms(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """A symptom counts only when nothing else explains the passage."""
    causes = [diagnosis for diagnosis in diagnoses if diagnosis.rank is not Rank.SYMPTOM]
    sure = [diagnosis for diagnosis in causes if diagnosis.certainty is not Certainty.POSSIBLE]
    if any(diagnosis.rank is Rank.ROOT for diagnosis in causes) or any(
        diagnosis.certainty is Certainty.CERTAIN for diagnosis in causes
    ):
        return causes
    if sure:
        return [
            *causes,
            *(
                diagnosis
                for diagnosis in diagnoses
                if diagnosis.rank is Rank.SYMPTOM and _has_same_quote(diagnosis, sure)
            ),
        ]
    return list(diagnoses)


def _has_same_quote(symptom: Diagnosis, causes: Sequence[Diagnosis]) -> bool:
    """Another reading of the very same words stays, as a possibility."""
    return any(symptom.quote == diagnosis.quote for diagnosis in causes)


def _sort_diagnoses(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    return sorted(diagnoses, key=lambda diagnosis: (diagnosis.rank.value, diagnosis.certainty.rank))
