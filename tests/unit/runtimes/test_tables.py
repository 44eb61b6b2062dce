"""The shipped tables of runtimes are what images/runtimes makes of its facts, and facts that contradict are refused."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from images.lab.recipe import RELEASES, Cpu
from images.runtimes.__main__ import DATA_DIRECTORY
from images.runtimes.tables import FACTS_PATH, FactsError, make_tables, read_facts, render_table
from lambdapack.model import Target
from lambdapack.runtimes import runtime as shipped
from lambdapack.runtimes.runtime import NodeBehaviour, node_behaviour, runtime_architectures, runtime_ids
from lambdapack.runtimes.versions import node_api_of_release

FACTS = read_facts(FACTS_PATH)


@pytest.mark.parametrize("name", ["runtimes.json", "systems.json", "node.json"])
def test_the_shipped_tables_are_made_of_the_facts(name: str) -> None:
    text = render_table(make_tables(FACTS)[name])
    assert (DATA_DIRECTORY / name).read_text(encoding="utf-8") == text, "make runtimes"


def block(facts: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in facts["runtimes"] if row["id"] == name)


def set_field(name: str, field: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        block(facts, name)[field] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_field("nodejs22.x", "os", "al2027"), "runs on al2027, which has no table for x86_64"),
        (set_field("nodejs22.x", "node", 40), "Node.js 40, of which no ABI number is known"),
        (set_field("nodejs22.x", "id", "nodejs24.x"), "nodejs24.x has two blocks"),
        (set_field("nodejs22.x", "architectures", ["sparc"]), "'sparc' is not one of"),
        (set_field("nodejs22.x", "flags", ["no-dashes"]), "'no-dashes' does not match"),
        (set_field("nodejs22.x", "block_create", date(2030, 1, 1)), "updates are blocked before"),
        (lambda facts: block(facts, "nodejs22.x").pop("provided"), "there is no provided"),
        (lambda facts: facts["sources"]["runtimes"].pop("flags"), "'flags' is a required property"),
        (lambda facts: facts["node"]["lines"]["22"].update(abi=115), "two lines of Node.js have one ABI number"),
        (lambda facts: facts["systems"]["al2023"]["arm64"].update(floor={"GLIBC": "new"}), "'new' does not match"),
    ],
)  # fmt: skip
def test_facts_that_cannot_be_true_are_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    facts = copy.deepcopy(dict(FACTS))
    change(facts)
    with pytest.raises(FactsError, match=message):
        make_tables(facts)


def test_a_new_runtime_needs_one_file_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = copy.deepcopy(dict(FACTS))
    newest = {**block(facts, "nodejs26.x"), "id": "nodejs28.x", "node": 28, "generally_available": date(2028, 11, 1)}
    facts["runtimes"].insert(-3, newest)
    facts["node"]["lines"]["28"] = {"abi": 160, "release": "28.1.0", "node_api": 10, "npm": "13.0.0"}
    tables = make_tables(facts)
    rows = {row["id"]: row for row in tables["runtimes.json"]["runtimes"]}
    monkeypatch.setattr(shipped, "_runtime_rows", lambda: rows)
    runtime = shipped.shipped_runtime(shipped.parse_target("28", "arm64"))
    assert (runtime.target.runtime, runtime.abi, runtime.npm) == ("nodejs28.x", 160, "13.0.0")
    assert runtime.behaviour.layer_modules[0] == "/opt/nodejs/node28/node_modules"
    assert shipped.newest_runtime(date(2028, 12, 1)) == "nodejs28.x"


def behaviour_of(name: str) -> NodeBehaviour:
    return shipped.shipped_runtime(Target(name, runtime_architectures(name)[0])).behaviour


def test_every_runtime_behaves_as_the_documentation_says() -> None:
    behaviours = {name: behaviour_of(name) for name in runtime_ids()}
    assert {name for name, row in behaviours.items() if row.flags} == {"nodejs20.x", "nodejs22.x"}
    assert "--no-experimental-detect-module" in behaviours["nodejs22.x"].flags
    detecting = {name for name, row in behaviours.items() if row.detects_module_syntax}
    assert detecting == {name for name, row in behaviours.items() if row.imports_handler}
    assert detecting == {"nodejs24.x", "nodejs26.x"}
    assert min(name for name, row in behaviours.items() if row.import_searches_node_path) == "nodejs18.x"
    assert behaviours["nodejs18.x"].provides("@aws-sdk/client-s3")
    assert not behaviours["nodejs18.x"].provides("aws-sdk")
    assert behaviours["nodejs16.x"].provides("aws-sdk")
    assert not behaviours["nodejs16.x"].provides("aws-sdk-mock")


def test_an_image_of_another_line_behaves_as_the_runtime_before_it() -> None:
    assert node_behaviour(23) == behaviour_of("nodejs22.x")
    assert node_behaviour(99) == behaviour_of("nodejs26.x")


def test_the_lab_runs_the_releases_that_the_facts_were_read_from() -> None:
    lines = FACTS["node"]["lines"]
    assert {release.major: release.npm.version for release in RELEASES} == {
        release.major: lines[str(release.major)]["npm"] for release in RELEASES
    }
    assert all(release.node[Cpu.X86_64].version == lines[str(release.major)]["release"] for release in RELEASES)


def test_the_level_of_a_line_is_that_of_its_last_release() -> None:
    lines = [line for line in FACTS["node"]["lines"].values() if "release" in line]
    assert len(lines) >= 9
    assert all(node_api_of_release(line["release"]) == line["node_api"] for line in lines)
