"""From a judged package to what is in it and why. Reads nothing but the bytes of files that may be copies."""

from collections.abc import Iterable, Iterator, Mapping

from lambdapack.binary.facts import Binary
from lambdapack.pack.droppings import droppings
from lambdapack.rules.facts import Facts
from lambdapack.rules.loader import is_musl
from lambdapack.rules.platforms import Installed
from lambdapack.rules.prunable import prunable
from lambdapack.rules.space import lay_out
from lambdapack.rules.verdict import Judgement, Report
from lambdapack.runtimes.versions import NUMBERED, order
from lambdapack.survey.chains import chains
from lambdapack.survey.copies import Digest, same_bytes, same_packages
from lambdapack.survey.nouns import Inspection, Native, Package, Spare
from lambdapack.survey.packages import packages_of, weights
from lambdapack.tree.entry import Kind


def survey(report: Report, facts: Facts, digest: Digest) -> Inspection:
    """Return what is in a package. What pruning would save is what the build's own rules say, and nothing else."""
    space = lay_out(facts)
    way = chains(facts, space, Installed(space, report.runtime))
    judged = {each.binary.path: each for each in report.judgements}
    packages = packages_of(facts, space, way, judged.keys())
    known = {path: each.binary.sha256 for path, each in judged.items()}
    return Inspection(
        report=report,
        sorts=weights(packages),
        packages=packages,
        natives=_natives(packages, judged),
        same_packages=same_packages(packages),
        same_bytes=same_bytes(packages, lambda path: known.get(path) or digest(path)),
        spares=tuple(sorted(_spares(report.judgements, facts), key=lambda each: (-each.size, each.path))),
    )


def _natives(packages: Iterable[Package], judged: Mapping[str, Judgement]) -> tuple[Native, ...]:
    owners = ((judged[each.path], package) for package in packages for each in package.files if each.path in judged)
    found = (Native(judgement, libc_of(judgement.binary), package) for judgement, package in owners)
    return tuple(sorted(found, key=lambda each: (-each.judgement.binary.size, each.judgement.binary.path)))


def libc_of(binary: Binary) -> str | None:
    """Return the C library that an ELF file is linked with, glibc with the newest version that it needs."""
    elf = binary.elf
    if elf is None:
        return None
    if any(is_musl(each) for each in elf.needed) or "ld-musl-" in (elf.interpreter or ""):
        return "musl"
    needs = (NUMBERED.match(each.version) for each in elf.version_needs)
    numbers = [each[2] for each in needs if each and each[1] == "GLIBC"]
    if numbers:
        return f"glibc {max(numbers, key=order)}"
    return "glibc" if "libc.so.6" in elf.needed else None


def _spares(judgements: Iterable[Judgement], facts: Facts) -> Iterator[Spare]:
    left = {path for path in droppings(facts.entries) if facts.entries[path].kind is Kind.FILE}
    yield from (Spare(path, facts.entries[path].size, "leftover") for path in left)
    for each in prunable(judgements):
        path = each.binary.path
        if path in facts.entries and path not in left:
            yield Spare(path, each.binary.size, "other-system")
