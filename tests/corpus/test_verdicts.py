from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lambdapack.rules.tokens import tags
from lambdapack.rules.verdict import Judgement
from tests.corpus.truth import SAMPLE, WHOLE, Corpus, Recorded, read
from tests.corpus.verdicts import judged

pytestmark = pytest.mark.registry

IA32 = "the recording's kernel ran a static i386 program; whether Lambda's does is not known, so it counts as foreign"
CONSTRUCTOR = "its own static constructor throws std::bad_alloc on this Node.js: no file says so"
EMULATOR = "recorded under qemu-user, which takes a program for x86_64 and misses its loader; an arm64 kernel does not"

DIFFERENCES: Mapping[tuple[str, str], str] = {
    ("bullseye-x64-node22", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bullseye-x64-node24", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bookworm-x64-node24", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bullseye-x64-node18", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bullseye-x64-node20", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bullseye-x64-node22", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bullseye-x64-node24", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bookworm-x64-node20", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bookworm-x64-node24", "node_modules/ffprobe-static/bin/linux/ia32/ffprobe"): IA32,
    ("bullseye-arm64-node22", "node_modules/@biomejs/cli-linux-x64/biome"): EMULATOR,
}
"""Every result in which the verdict is not the recording's, by image and path, with the reason."""

CAUSES_AT_LEAST = 0.99

Judgements = Mapping[tuple[str, str], Mapping[str, Judgement]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A recording with our judgements."""

    corpus: Corpus
    judgements: Judgements

    def rows(self) -> list[tuple[Recorded, Judgement]]:
        return [(each, self.judgements[each.tree, each.image][each.path]) for each in self.corpus.results()]


@pytest.fixture(
    scope="module", params=[pytest.param(SAMPLE, id="sample"), pytest.param(WHOLE, id="whole", marks=pytest.mark.full)]
)
def compared(request: pytest.FixtureRequest) -> Compared:
    if not request.param.exists():
        pytest.skip(f"{request.param.name} is not beside the repository")
    corpus = read(request.param)
    return Compared(corpus, judged(corpus))


def test_the_trees_hold_the_files_of_the_recording(compared: Compared) -> None:
    assert [each.path for each, judgement in compared.rows() if judgement.binary.sha256 != each.sha256] == []


def test_every_outcome_is_what_the_loader_did(compared: Compared) -> None:
    wrong = [_said(recorded, judgement) for recorded, judgement in compared.rows() if not _agrees(recorded, judgement)]
    assert [each for each in wrong if each[:2] not in DIFFERENCES] == []


def test_every_listed_difference_still_is_one(compared: Compared) -> None:
    alike = {
        (recorded.image, recorded.path)
        for recorded, judgement in compared.rows()
        if _agrees(recorded, judgement) and _cause_agrees(recorded, judgement)
    }
    assert sorted(alike & DIFFERENCES.keys()) == []


def test_the_causes_are_what_the_loader_said(compared: Compared) -> None:
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    wrong = []
    for recorded, judgement in compared.rows():
        every[recorded.image] += 1
        if _cause_agrees(recorded, judgement):
            right[recorded.image] += 1
        elif (recorded.image, recorded.path) not in DIFFERENCES:
            wrong.append(_said(recorded, judgement))
    assert wrong == []
    assert right.total() >= CAUSES_AT_LEAST * (every.total() - len(DIFFERENCES))


def test_what_a_package_opens_is_what_is_selected(compared: Compared) -> None:
    """And nothing else of the same package, when it opens anything at all on require()."""
    for image, packages in compared.corpus.require.items():
        judgements = compared.judgements["linux-x64-glibc", image]
        opened = {path for package in packages for path in _opened(package) if path in judgements}
        owners = {(judgements[path].package, judgements[path].version) for path in opened}
        addons = [each for each in judgements.values() if each.binary.path.endswith(".node")]
        selected = {each.binary.path for each in addons if each.selected and (each.package, each.version) in owners}
        assert (image, sorted(opened)) == (image, sorted(selected))


def test_what_require_could_not_open_is_not_called_good(compared: Compared) -> None:
    for image, packages in compared.corpus.require.items():
        judgements = compared.judgements["linux-x64-glibc", image]
        for event in (event for package in packages for event in package["events"] if "dlopen" in event):
            judgement = judgements.get(event["dlopen"])
            if judgement is not None and (image, event["dlopen"]) not in DIFFERENCES:
                loads = judgement.outcome.value in {"loads", "dies-later"}
                assert (image, event["dlopen"], loads) == (image, event["dlopen"], event["ok"])


def _opened(package: Mapping[str, Any]) -> list[str]:
    """The recording asked for every package by name, for those made for musl too, which nobody does on glibc."""
    if "musl" in tags(package["package"]).libcs:
        return []
    return [event["dlopen"] for event in package["events"] if "dlopen" in event]


def _agrees(recorded: Recorded, judgement: Judgement) -> bool:
    return judgement.outcome.value == recorded.expected(judgement.binary.role)[0]


def _cause_agrees(recorded: Recorded, judgement: Judgement) -> bool:
    return judgement.cause in recorded.expected(judgement.binary.role)[1]


def _said(recorded: Recorded, judgement: Judgement) -> tuple[str, str, str, str | None, str]:
    words = f"{recorded.result['outcome']}, {recorded.result.get('class')}, {recorded.result.get('rtld_now')}"
    return recorded.image, recorded.path, judgement.outcome.value, judgement.cause, words
