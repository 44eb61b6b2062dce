"""Which binaries a build need not pack. Apart from selection.py, which a package without binaries does not load."""

from collections.abc import Iterable

from lambdapack.binary.facts import Format
from lambdapack.rules.binary.check import WRONG_PLATFORM_CAUSES
from lambdapack.rules.model.report import Judgement, Outcome

PRUNABLE_FORMATS = frozenset((Format.ELF, Format.MACH_O, Format.PE))
"""A page of HTML under a binary's name is a defect, not weight."""


def prunable_binaries(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """Return the binaries of dependencies that are made for another system and that nobody would load."""
    return tuple(
        judgement
        for judgement in judgements
        if not judgement.selected
        and judgement.package
        and judgement.outcome is Outcome.FAILS
        and judgement.cause in WRONG_PLATFORM_CAUSES
        and judgement.binary.format in PRUNABLE_FORMATS
    )
