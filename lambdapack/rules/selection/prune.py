"""Which binaries a build need not pack. Apart from selection.py, which a package without binaries does not load."""

from lambdapack.binary.facts import Format
from lambdapack.rules.binary.check import WRONG_PLATFORM_CAUSES
from lambdapack.rules.model.report import Judgement, Outcome, PrunedFile, Report
from lambdapack.rules.selection.prisma import parse_engine_name

PRUNABLE_FORMATS = frozenset((Format.ELF, Format.MACH_O, Format.PE))
"""A page of HTML under a binary's name is a defect, not weight."""


def prunable_files(report: Report) -> tuple[PrunedFile, ...]:
    """Return the files that nobody would load: those for another system, and those that another one stands in for."""
    binaries = (
        PrunedFile(judgement.binary.path, judgement.binary.size, judgement.cause or "not opened here")
        for judgement in report.judgements
        if not judgement.selected and (judgement.spare or _is_for_another_system(judgement))
    )
    return (*binaries, *report.fallbacks)


def _is_for_another_system(judgement: Judgement) -> bool:
    """Prisma's engines for other systems stay where the right one is absent: they are the evidence of that."""
    return (
        bool(judgement.package)
        and parse_engine_name(judgement.binary.path) is None
        and judgement.outcome is Outcome.FAILS
        and judgement.cause in WRONG_PLATFORM_CAUSES
        and judgement.binary.format in PRUNABLE_FORMATS
    )
