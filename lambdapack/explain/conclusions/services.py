"""What it means that Lambda or its API refuses code, and what a record of our own in a log means."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambdapack.explain.facts.nouns import FactKind, Slots, TextFacts
from lambdapack.explain.nouns import Conclusion, Meaning
from lambdapack.messages import Certainty
from lambdapack.rules.binary.loader_records import TRUNCATED, WRONG_CPU
from lambdapack.rules.package.records import TOO_BIG

if TYPE_CHECKING:
    from lambdapack.errors.record import Failure
    from lambdapack.model import Rule


def conclude_refused_size(slots: Slots, facts: TextFacts) -> Meaning | None:
    """Unzipped code and layers together; what a layer or a bundle says of it is the same limit."""
    del facts
    limit = f" of {slots['bytes']} bytes" if "bytes" in slots else ""
    says = f"AWS refuses the package: code and layers together are larger, unzipped, than the limit{limit}"
    return Meaning(TOO_BIG, Certainty.CERTAIN, says, package="")


def conclude_refused_code(slots: Slots, facts: TextFacts) -> Meaning | None:
    """A zip that does not open, or code for the other CPU."""
    del facts
    if "needs" in slots:
        says = "the function, its image and its layers do not have the same architecture"
        return Meaning(WRONG_CPU, Certainty.LIKELY, says, package="", fix=("{configuration}", "{build}", "{layer}"))
    says = "what was uploaded is no whole zip: an upload that was cut short, a directory, or another kind of archive"
    return Meaning(TRUNCATED, Certainty.POSSIBLE, says, package="")


def conclude_own_record(slots: Slots, facts: TextFacts) -> Meaning | None:
    """A failure or finding of our own is explained as itself; its fix is what its record says."""
    del facts
    from lambdapack.errors.registry import FAILURES  # noqa: PLC0415  # most texts name no record
    from lambdapack.rules.registry import RULES  # noqa: PLC0415  # every check comes with it

    records: tuple[Rule | Failure, ...] = (*FAILURES, *RULES)
    record = next((known for known in records if known.code == slots.get("code")), None)
    if record is None or slots.get("name", record.name) != record.name:
        return None
    return describe_own_record(record)


def find_titled_record(text: str) -> "Meaning | None":
    """Return what our own sentence means where it stands alone in a line, without its code."""
    from lambdapack.errors.registry import FAILURES  # noqa: PLC0415  # for a text that nothing else explains
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    lines = [line.strip(" .|") for line in text.splitlines()]
    records: tuple[Rule | Failure, ...] = (*FAILURES, *RULES)
    record = next(
        (known for known in records for line in lines if line == known.title or line.endswith(f": {known.title}")), None
    )
    return describe_own_record(record) if record else None


def describe_own_record(record: "Rule | Failure") -> Meaning:
    """A record's own commands, else those between the backticks of its fix, else the fix itself."""
    commands = tuple(command for command in re.findall(r"`([^`]+)`", record.fix) if re.match(r"[a-z]+ ", command))
    fix = () if record.remedy else commands or (record.fix,)
    fix = tuple(command.replace("{", "{{").replace("}", "}}") for command in fix)  # its words are no slots
    return Meaning(record, Certainty.CERTAIN, f"lambdapack says: {record.title}", fix=fix, prevent=record.why)


CONCLUSIONS: Mapping[FactKind, Conclusion] = {
    FactKind.SIZE_REFUSED: conclude_refused_size,
    FactKind.CODE_REFUSED: conclude_refused_code,
    FactKind.OWN_RECORD: conclude_own_record,
}
