from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.install.request import dependency_key
from lambdapack.managers.interface import ImageFacts, ManagerSettings
from lambdapack.managers.registry import MANAGERS, read_dependencies
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.measure import ImageFactsFiles
from lambdapack.pipeline.package.plan import BuildPlan, InstallInputs, make_key, plan_builds
from lambdapack.project.function import Function, read_function
from tests.projects import lock_of, write_project

X86, ARM = Target("nodejs22.x", Architecture.X86_64), Target("nodejs22.x", Architecture.ARM64)
FACTS = ImageFacts("sha256:1", "22.23.3", "10.9.9", "/var/lang")
LOCK = lock_of({"node_modules/ms": {"version": "2.1.3"}}, {"dependencies": {"ms": "2.1.3"}})


@dataclass(frozen=True)
class Described:
    """A function's directory, read."""

    function: Function
    inputs: InstallInputs

    def plan(self, *others: Function, **facts: ImageFacts) -> BuildPlan:
        images = {(".", target): facts.get(str(target.architecture), FACTS) for target in (X86, ARM)}
        return plan_builds((self.function, *others), {".": self.inputs}, images)

    def parts(self, facts: ImageFacts | None = FACTS, target: Target = X86, **changes: Any) -> dict[str, str]:
        return dict(make_key(replace(self.inputs, **changes), target, facts).parts)


@pytest.fixture
def described(tmp_path: Path) -> Described:
    directory = write_project(tmp_path, {"dependencies": {"ms": "2.1.3"}}, LOCK)
    manager, source = MANAGERS[0], read_dependencies(directory)
    function = read_function(source.repository, directory, targets=(X86, ARM))
    return Described(function, InstallInputs(manager, source, ManagerSettings(), manager.inputs(source)))


def test_every_target_of_a_function_is_a_package_of_an_install(described: Described) -> None:
    plan = described.plan()
    assert [package.target for package in plan.packages] == [X86, ARM]
    assert [package.install for package in plan.packages] == list(plan.installs)
    assert [(job.target, job.importer) for job in plan.installs] == [(X86, "."), (ARM, ".")]


def test_functions_with_the_same_dependencies_share_their_installs(described: Described) -> None:
    other = replace(described.function, name="other", handler="other.handler")
    plan = described.plan(other)
    assert len(plan.packages) == 4
    assert len(plan.installs) == 2
    assert [package.function.name for package in plan.packages] == ["fn", "fn", "other", "other"]


def test_functions_of_one_cpu_with_other_dependencies_have_jobs_of_their_own(
    described: Described, tmp_path: Path
) -> None:
    directory = write_project(tmp_path / "b", {}, lock_of({}))
    source = read_dependencies(directory)
    other = replace(read_function(source.repository, directory, targets=(X86,)), importer="b")
    inputs = replace(described.inputs, source=source, tree=MANAGERS[0].inputs(source))
    functions = (replace(described.function, targets=(X86,)), other)
    plan = plan_builds(functions, {".": described.inputs, "b": inputs}, {(".", X86): FACTS})
    assert len({job.key.digest for job in plan.installs}) == 2


def test_a_function_without_inputs_is_packed_as_it_lies_there(described: Described) -> None:
    plan = plan_builds((described.function,), {}, {})
    assert [package.install for package in plan.packages] == [None, None]
    assert plan.installs == ()


def test_the_key_is_the_same_for_the_same_inputs_and_image(described: Described) -> None:
    assert described.plan() == described.plan()


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"digest": "sha256:2"}, {"image"}),
        ({"node": "22.24.0"}, {"node"}),
        ({"manager": "10.9.10"}, {"npm"}),
        ({"manager": "10.2.9"}, {"npm", "flags"}),
    ],
)
def test_another_image_is_another_key(described: Described, changed: dict[str, Any], parts: set[str]) -> None:
    plain, other = described.parts(), described.parts(replace(FACTS, **changed))
    assert {name for name in plain if plain[name] != other[name]} == parts


def test_target_script_policy_and_the_users_compiler_flags_are_in_the_key(described: Described) -> None:
    plain = described.parts()
    offline = described.parts(script_policy="offline")
    flagged = described.parts(settings=ManagerSettings(compiler_flags={"CXXFLAGS": "-O1"}))
    assert {name for name in plain if plain[name] != offline[name]} == {"scripts"}
    assert flagged.keys() - plain.keys() == {"CXXFLAGS"}
    assert described.parts(target=ARM)["target"] != plain["target"]


def test_neither_the_strategy_nor_a_secret_is_in_the_key(described: Described) -> None:
    secret = ManagerSettings(text=b"//r/:_authToken=x\n", has_credentials=True)
    assert described.parts(settings=secret) == described.parts()
    assert "strategy" not in described.parts()


def test_without_an_image_the_project_and_the_target_are_the_key(described: Described) -> None:
    assert set(described.parts(None)) == {"package.json", "package-lock.json", ".npmrc", "target", "scripts"}


def test_facts_of_an_image_are_remembered_by_its_digest(tmp_path: Path) -> None:
    files = ImageFactsFiles(tmp_path / "cache", "npm")
    assert files.get(FACTS.digest) is None
    files.put(FACTS)
    files.put(replace(FACTS, node="1"))
    assert files.get(FACTS.digest) == FACTS
    assert ImageFactsFiles(tmp_path / "cache", "other").get(FACTS.digest) is None
    assert files.get("sha256:2") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"digest": "sha256:1", "colour": 1}', '"x"'])
def test_damaged_facts_count_as_absent(tmp_path: Path, text: str) -> None:
    files = ImageFactsFiles(tmp_path, "npm")
    files.put(FACTS)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    assert files.get(FACTS.digest) is None


def test_facts_that_cannot_be_written_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = ImageFactsFiles(tmp_path / "file" / "cache", "npm")
    files.put(FACTS)
    assert files.get(FACTS.digest) is None
    nowhere = ImageFactsFiles(None, "npm")
    nowhere.put(FACTS)
    assert nowhere.get(FACTS.digest) is None


def test_a_key_is_made_of_its_parts(described: Described) -> None:
    key = make_key(described.inputs, X86, FACTS)
    assert key.digest != dependency_key({}).digest
    assert {"image", "node", "npm", "flags", "target"} < key.parts.keys()
