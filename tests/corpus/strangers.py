"""Our verdict on packages that no rule was learned from, beside what really happens.

`python -m tests.corpus.strangers [LIST] --node 20 22 24 --build` prints the figures.

A list has one package a line (strangers.txt); every tree that npm makes of one is judged and tried in the lab's
bare images, with a runtime measured from the same image.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from lambdapack.binary.facts import Inventory
from lambdapack.binary.scan import scan_binaries
from lambdapack.model import Severity
from lambdapack.pipeline import verify
from lambdapack.pipeline.open import scan_trees
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Report, Subject
from lambdapack.tree.directory import DirectoryTree
from tests.corpus.trees import BUILT, Stranger, build, install, read_list, trees
from tests.corpus.witness import EITHER, Taken, Testimony, runtime_of, witness

LIST = Path(__file__).with_name("strangers.txt")

DAY = date(2026, 11, 21)

IMAGE = "lambdapack-lab/nodejs:{node}-{arch}"

TRIED: dict[str, tuple[tuple[int, str], ...]] = {
    "linux-x64": ((22, "x86_64"), (20, "x86_64"), (24, "x86_64")),
    "linux-arm64": ((22, "arm64"),),
    "darwin-arm64": ((22, "x86_64"),),
    "musl-x64": ((22, "x86_64"),),
    BUILT: ((22, "x86_64"), (24, "x86_64")),
}
"""The images in which each tree is tried. One without platform packages is tried on arm64 as well."""

ABSENT = frozenset({"missing-addon", "missing-program"})

INSTEAD = frozenset({"not-elf", "wrong-cpu", "musl", "no-exec-bit"})
"""Findings about what was installed in place of the absent file."""

NATIVE = re.compile(
    r"\.node\b|\.so\b|native|binding|binary|prebuil|node-gyp|addon|invalid ELF|GLIBC|NODE_MODULE_VERSION|platform|"
    r"optional dependenc|self-register|npm rebuild|ENOENT|EACCES|shared librar|_x64|linux|SIG(SEGV|ABRT|ILL|BUS)",
    re.IGNORECASE,
)
"""Words of an error that is about a native part; any other error is no matter of ours."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place where we and the world differ."""

    kind: str  # outcome, cause, not-selected, not-opened, false-pass, false-alarm, not-missing, missing
    case: str
    path: str
    ours: str
    theirs: str


@dataclass
class Figures:
    """Counts over all cases, and each disagreement."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Disagreement] = field(default_factory=list)

    def add(self, kind: str, agrees: bool, *said: str) -> None:
        self.counts[kind] += 1
        self.counts[f"{kind} right"] += agrees
        if not agrees:
            self.differences.append(Disagreement(kind, *said))

    def share(self, kind: str) -> float:
        """Return the share that agrees; of nothing, all of it."""
        return self.counts[f"{kind} right"] / self.counts[kind] if self.counts[kind] else 1.0


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """One tree in one image."""

    stranger: Stranger
    tree: str
    place: Path
    node: int
    arch: str

    def __str__(self) -> str:
        return f"{self.stranger.spec} {self.tree} on {self.node}-{self.arch}"

    @property
    def image(self) -> str:
        return IMAGE.format(node=self.node, arch=self.arch)


def cases(stranger: Stranger, nodes: Iterable[int]) -> Iterator[JudgedCase]:
    """Yield every tree of a package with every image that it is tried in."""
    there = dict(trees(stranger))
    for tree, place in there.items():
        images = list(TRIED[tree])
        if tree == "linux-x64" and "linux-arm64" not in there:
            images.append((22, "arm64"))
        for node, arch in images:
            if node in nodes and (node == 22 or _is_abi_bound(place)):
                yield JudgedCase(stranger, tree, place, node, arch)


def _is_abi_bound(place: Path) -> bool:
    with_abi = re.compile(r"abi\d+|node-v?\d+|-\d{2,3}\.node$|build/Release")
    return any(with_abi.search(str(each.relative_to(place))) for each in place.rglob("*.node"))


def facts_of(place: Path) -> PackageFacts:
    """Return what a check wants of a tree on disk."""
    tree = DirectoryTree(place)
    return verify.read_package_facts(tree, scan_trees((tree,)), layer=False, handler=None)


def bins_of(place: Path, name: str) -> list[str]:
    """Return the first two programs that the package puts into node_modules/.bin."""
    declared = json.loads((place / "node_modules" / name / "package.json").read_text("utf-8")).get("bin") or {}
    names = list(declared) if isinstance(declared, dict) else [name.rpartition("/")[2]]
    found = [f"node_modules/.bin/{each}" for each in names]
    return [each for each in found if (place / each).exists()][:2]


def compare(case: JudgedCase, figures: Figures) -> None:
    """Add to the figures what a case shows."""
    facts = facts_of(case.place)
    runtime = runtime_of(case.image)
    report = check_package(Subject("directory", str(case)), facts, runtime, Policy(DAY))
    module = (case.stranger.name, case.stranger.use)
    told = witness(case.place, case.image, facts.inventory, module, bins_of(case.place, case.stranger.name))
    figures.counts["cases"] += 1
    _compare_files(case, report, told, figures)
    _compare_selection(case, report, told, figures)
    _compare_verdict(case, report, told.taken[0], figures)


def _compare_files(case: JudgedCase, report: Report, told: Testimony, figures: Figures) -> None:
    for each in report.judgements:
        truth = told.files.get(each.binary.path)
        if truth is None:
            continue
        figures.counts["binaries"] += 1
        figures.counts["libraries with two readings"] += truth.outcomes == EITHER
        ours = f"{each.outcome.value} {each.cause}"
        theirs = f"{'/'.join(sorted(truth.outcomes))} {'/'.join(sorted(map(str, truth.causes)))}: {truth.said[:300]}"
        agrees = each.outcome.value in truth.outcomes
        figures.add("outcome", agrees, str(case), each.binary.path, ours, theirs)
        if agrees:
            figures.add("cause", each.cause in truth.causes, str(case), each.binary.path, ours, theirs)


def _compare_selection(case: JudgedCase, report: Report, told: Testimony, figures: Figures) -> None:
    judgements = {each.binary.path: each for each in report.judgements}
    opened = {real for each in told.taken for path in each.opened if (real := _real(case.place, path)) in judgements}
    for path in sorted(opened):
        figures.add("opened is selected", judgements[path].selected, str(case), path, "not selected", "opened")
    owners = {(judgements[path].package, judgements[path].version) for path in opened if path.endswith(".node")}
    for path, each in judgements.items():
        if each.selected and path.endswith(".node") and (each.package, each.version) in owners:
            figures.add("selected is opened", path in opened, str(case), path, "selected", "not opened")


def _real(place: Path, path: str) -> str:
    real = (place / path).resolve()
    return real.relative_to(place.resolve()).as_posix() if real.is_relative_to(place.resolve()) else path


def _compare_verdict(case: JudgedCase, report: Report, taken: Taken, figures: Figures) -> None:
    """An error about anything but the native part (a browser only, a service to talk to) tells nothing."""
    broken = taken.exit != 0
    if broken and not NATIVE.search(taken.said):
        figures.counts["broken for reasons of its own"] += 1
        return
    errors = [each for each in report.findings if each.weight is Severity.ERROR and each.rule.code.startswith("LP2")]
    said = "; ".join(f"{each.rule.name} {each.package}: {each.message}" for each in errors)[:400]
    warned = any(each.rule.name in ABSENT and each.weight is Severity.WARNING for each in report.findings)
    kind = "broken is refused" if broken else "working passes"
    figures.add(
        kind,
        bool(errors) == broken or (broken and warned),
        str(case),
        case.stranger.name,
        said or "pass",
        taken.said[:500],
    )
    absent = broken and not taken.tried and not (set(taken.opened) & {each.binary.path for each in report.judgements})
    missing = [each for each in report.findings if each.rule.name in ABSENT and each.weight is not Severity.NOTE]
    instead = [each for each in errors if each.rule.name in INSTEAD]
    if absent or missing:
        kind = "absent is found missing" if absent else "found missing is absent"
        alike = bool(missing or instead) if absent else broken
        figures.add(kind, alike, str(case), case.stranger.name, said or "pass", taken.said[:500])


def main(argv: list[str]) -> int:
    """Print the figures, and write every disagreement to a file of JSON lines."""
    parser = argparse.ArgumentParser(prog="tests.corpus.strangers", description=__doc__)
    parser.add_argument("list", nargs="?", type=Path, default=LIST)
    parser.add_argument("--node", type=int, nargs="+", default=[22])
    parser.add_argument("--only", default="", help="packages whose name holds this")
    parser.add_argument("--arch", default="", help="images for this architecture alone")
    parser.add_argument("--build", action="store_true", help="run the install scripts in the build image first")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args(argv)
    strangers = [each for each in read_list(arguments.list) if arguments.only in each.spec]
    figures = gather(strangers, arguments.node, arch=arguments.arch, with_scripts=arguments.build)
    for kind, count in sorted(figures.counts.items()):
        if not kind.endswith(" right"):
            right = figures.counts.get(f"{kind} right")
            print(f"{kind:32}{count:7}" + (f"{right:7}  {100 * right / count:.2f} %" if right is not None else ""))
    if arguments.output:
        lines = [json.dumps(asdict(each)) for each in figures.differences]
        arguments.output.write_text("\n".join([*lines, ""]), "utf-8")
    return 0


def gather(strangers: list[Stranger], nodes: list[int], *, arch: str = "", with_scripts: bool = False) -> Figures:
    """Install, try and judge each package; one that npm cannot install counts as refused."""
    figures = Figures()
    with ThreadPoolExecutor(2) as threads:
        refused = list(threads.map(install, strangers))
        if with_scripts:
            list(threads.map(build, strangers))
        every = [
            case
            for stranger, said in zip(strangers, refused, strict=True)
            if not said
            for case in cases(stranger, nodes)
            if arch in {"", case.arch}
        ]
        for image in sorted({each.image for each in every}):
            runtime_of(image)
        list(threads.map(ask, every))
    figures.counts["packages"] = sum(not each for each in refused)
    figures.counts["refused by npm"] = sum(bool(each) for each in refused)
    for case in every:
        compare(case, figures)
    return figures


def ask(case: JudgedCase) -> None:
    """Let the image witness; remembered, so that comparing asks again for nothing."""
    inventory = Inventory(scan_binaries(DirectoryTree(case.place)).binaries)
    module = (case.stranger.name, case.stranger.use)
    witness(case.place, case.image, inventory, module, bins_of(case.place, case.stranger.name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
