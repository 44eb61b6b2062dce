import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lambdapack.errors.build import FROZEN
from lambdapack.errors.record import LambdapackError
from lambdapack.install.request import InstallResult
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.package.dependencies import ReusePolicy
from lambdapack.store.install_facts import UNSTORED_FIELDS, facts_of_result
from lambdapack.store.records import Store
from lambdapack.store.trees import LocalTrees
from lambdapack.tree.compose import MemoryTree
from tests.fakes import Process
from tests.unit.pipeline.workshop import Workshop

ARM = Target("nodejs22.x", Architecture.ARM64)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def reuse(workshop: Workshop, **changes: object) -> ReusePolicy:
    policy = ReusePolicy(lambda: LocalTrees(workshop.place / "trees"))
    return replace(policy, **changes)  # type: ignore[arg-type]


def build(workshop: Workshop, *targets: Target, **changes: object) -> str:
    """Build once and return the zip's digest."""
    store = Store(workshop.place / "store", "code")
    (built,) = workshop.build(*targets, reuse=reuse(workshop, **changes), store=store)
    assert built.archive is not None
    return built.archive.code_digest


def opened(workshop: Workshop) -> int:
    """Return how many sandboxes were opened since the last call."""
    count = len(workshop.engine.opened)
    workshop.engine.opened.clear()
    return count


def test_a_second_build_starts_no_container_and_gives_the_same_bytes(workshop: Workshop) -> None:
    first = build(workshop)
    assert opened(workshop) > 0
    assert build(workshop) == first
    assert opened(workshop) == 0


def test_without_a_store_the_bytes_are_the_same(workshop: Workshop) -> None:
    (built,) = workshop.build()
    assert built.archive is not None
    assert build(workshop) == built.archive.code_digest


def test_a_change_of_the_code_starts_no_container(workshop: Workshop) -> None:
    first = build(workshop)
    opened(workshop)
    (workshop.project / "index.js").write_text("exports.handler = async () => 2\n")
    assert build(workshop) != first
    assert opened(workshop) == 0


def test_a_change_of_the_lock_starts_one(workshop: Workshop) -> None:
    build(workshop)
    opened(workshop)
    path = workshop.project / "package-lock.json"
    document = json.loads(path.read_text())
    document["packages"]["node_modules/ms"]["integrity"] = "sha512-AAAA"
    path.write_text(json.dumps(document))
    build(workshop)
    assert opened(workshop) > 0


def test_refresh_installs_again(workshop: Workshop) -> None:
    build(workshop)
    opened(workshop)
    build(workshop, refresh=True)
    assert opened(workshop) > 0


def test_frozen_fails_rather_than_start_a_container(workshop: Workshop) -> None:
    with pytest.raises(LambdapackError) as caught:
        build(workshop, frozen=True)
    assert caught.value.failure is FROZEN
    build(workshop)
    opened(workshop)
    build(workshop, frozen=True)
    assert opened(workshop) == 0


def test_each_cpu_has_a_tree_of_its_own(workshop: Workshop) -> None:
    build(workshop)
    opened(workshop)
    build(workshop, ARM)
    assert opened(workshop) > 0
    build(workshop)
    assert opened(workshop) == 0


def test_a_damaged_tree_is_installed_again(workshop: Workshop) -> None:
    first = build(workshop)
    opened(workshop)
    for file in (workshop.place / "trees" / "members").iterdir():
        file.write_bytes(b"x" + file.read_bytes()[1:])
    assert build(workshop) == first
    assert opened(workshop) > 0
    assert any("not used" in note for note in workshop.observer.notes)


def test_a_verdict_that_fails_keeps_the_tree(tmp_path: Path) -> None:
    def broken(process: Process) -> None:
        process.write("/var/task/node_modules/ms/build/Release/a.node", b"\x7fELF")

    workshop = Workshop(tmp_path, ship=broken)
    for starts in (True, False):
        workshop.build(reuse=reuse(workshop))
        assert (opened(workshop) > 0) == starts


def test_why_says_what_has_changed(workshop: Workshop) -> None:
    def said() -> str:
        workshop.observer.notes.clear()
        build(workshop, why=True)
        return "\n".join(workshop.observer.notes)

    assert "no earlier build" in said()
    assert "nothing that decides the dependencies has changed" in said()
    workshop.dependencies = {"ms": {"version": "2.1.4"}}
    for name in ("package.json", "package-lock.json"):
        path = workshop.project / name
        path.write_text(path.read_text().replace("2.1.3", "2.1.4"))
    text = said()
    assert "package-lock.json: ms 2.1.3 -> 2.1.4" in text
    assert "package.json: dependencies changed" in text


def test_every_field_of_a_result_is_stored_or_made_anew() -> None:
    stored = facts_of_result(InstallResult(MemoryTree({}), ()))
    assert {field.name for field in fields(InstallResult)} == {*stored, *UNSTORED_FIELDS}
