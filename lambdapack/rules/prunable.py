"""Which files of a package no loader on the target could ever open: dead weight. Never one that might be picked."""

from collections.abc import Iterable

from lambdapack.binary.facts import Format
from lambdapack.rules.verdict import Judgement, Outcome

FOREIGN = frozenset(("wrong-cpu", "wrong-class", "not-elf", "musl"))
"""Causes that no runtime of the target, newer or older, would cure."""

NATIVE = frozenset((Format.ELF, Format.MACH_O, Format.PE))
"""A page of HTML under a binary's name is a defect, not weight."""


def prunable(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """Return the binaries of dependencies that are made for another system and that nobody would load."""
    return tuple(
        each
        for each in judgements
        if not each.selected
        and each.package
        and each.outcome is Outcome.FAILS
        and each.cause in FOREIGN
        and each.binary.format in NATIVE
    )
