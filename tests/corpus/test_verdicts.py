from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lambdapack.binary.facts import BinaryRole
from lambdapack.rules.model.report import Judgement
from lambdapack.rules.selection.tokens import parse_platform_tags
from tests.corpus.truth import SAMPLE, WHOLE, Corpus, Recorded, read
from tests.corpus.verdicts import judged

pytestmark = pytest.mark.registry

CONSTRUCTOR = "its own static constructor throws std::bad_alloc on this Node.js: no file says so"
EMULATOR = "recorded under qemu-user, which takes a program for x86_64 and misses its loader; an arm64 kernel does not"

DIFFERENCES: Mapping[tuple[str, str], str] = {
    ("bullseye-x64-node22", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bullseye-x64-node24", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bookworm-x64-node24", "node_modules/rocksdb/prebuilds/linux-x64/node.napi.glibc.node"): CONSTRUCTOR,
    ("bullseye-arm64-node22", "node_modules/@biomejs/cli-linux-x64/biome"): EMULATOR,
}
"""Every result in which the verdict is not the recording's, by image and path, with the reason."""

NEEDED = ("libduckdb.so", "libonnxruntime.so.1", "libvips-cpp.so.8.17.3", "libvips-cpp.so.42")
"""Libraries that an addon beside them needs. The recording gave every file to process.dlopen, so it says of these that
node found no addon in them. ld.so is what opens them, and it took them: in our words they load."""

CAUSES_AT_LEAST = 0.99

Judgements = Mapping[tuple[str, str], Mapping[str, Judgement]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A recording with our judgements."""

    corpus: Corpus
    judgements: Judgements

    def rows(self) -> list[tuple[Recorded, Judgement]]:
        every = ((each, self.judgements[each.tree, each.image][each.path]) for each in self.corpus.results())
        return [(recorded, judgement) for recorded, judgement in every if not _is_only_needed(recorded)]

    def needed(self) -> list[tuple[Recorded, Judgement]]:
        every = ((each, self.judgements[each.tree, each.image][each.path]) for each in self.corpus.results())
        return [(recorded, judgement) for recorded, judgement in every if _is_only_needed(recorded)]


@pytest.fixture(
    scope="module", params=[pytest.param(SAMPLE, id="sample"), pytest.param(WHOLE, id="whole", marks=pytest.mark.full)]
)
def compared(request: pytest.FixtureRequest) -> Compared:
    if not request.param.exists():
        pytest.skip(f"{request.param.name} is not beside the repository")
    corpus = read(request.param)
    found = Compared(corpus, judged(corpus))
    assert found.rows(), "a recording without results proves nothing"
    assert found.needed(), "nor does one without a library that an addon needs"
    assert any(_opened(package) for packages in corpus.require.values() for package in packages)
    return found


def test_the_trees_hold_the_files_of_the_recording(compared: Compared) -> None:
    assert [each.path for each, judgement in compared.rows() if judgement.binary.sha256 != each.sha256] == []


def test_every_outcome_is_what_the_loader_did(compared: Compared) -> None:
    wrong = [_said(recorded, judgement) for recorded, judgement in compared.rows() if not _agrees(recorded, judgement)]
    assert [each for each in wrong if each[:2] not in DIFFERENCES] == []


def test_a_library_that_an_addon_needs_loads_and_is_no_addon(compared: Compared) -> None:
    """For the loader that opens it; the recording's node wanted an addon, and only in this it differs."""
    for recorded, judgement in compared.needed():
        asking = [each.binary.elf for each in compared.judgements[recorded.tree, recorded.image].values()]
        assert any(elf and recorded.path.rpartition("/")[2] in elf.needed for elf in asking)
        assert (recorded.path, judgement.outcome.value, judgement.cause) == (recorded.path, "loads", None)
        assert judgement.binary.role is BinaryRole.LIBRARY


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
    if "musl" in parse_platform_tags(package["package"]).libcs:
        return []
    return [event["dlopen"] for event in package["events"] if "dlopen" in event]


def _is_only_needed(recorded: Recorded) -> bool:
    return recorded.word == "not-addon" and recorded.path.endswith(NEEDED)


def _agrees(recorded: Recorded, judgement: Judgement) -> bool:
    return judgement.outcome.value == recorded.expected()[0]


def _cause_agrees(recorded: Recorded, judgement: Judgement) -> bool:
    return judgement.cause in recorded.expected()[1]


def _said(recorded: Recorded, judgement: Judgement) -> tuple[str, str, str, str | None, str]:
    words = f"{recorded.result['outcome']}, {recorded.result.get('class')}, {recorded.result.get('rtld_now')}"
    return recorded.image, recorded.path, judgement.outcome.value, judgement.cause, words
