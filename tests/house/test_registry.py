"""The registry is the one list of checks: each rule stands in it once, and what runs and is told derives from it."""

import ast
import importlib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import lambdapack
from lambdapack.binary.facts import Inventory
from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Rule, Severity, Target
from lambdapack.rules import check as runner
from lambdapack.rules.check import check_lockfile, check_package
from lambdapack.rules.model.case import Case, Check, LockCase, Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Subject
from lambdapack.rules.registry import CHECKS, LOCK_CHECKS, RULES, STAGE_RULES
from lambdapack.runtimes.runtime import shipped_runtime
from tests.projects import write_project

PACKAGE = Path(lambdapack.__file__).parent
ROOMS = {
    "lockfile": range(150, 200),
    "binary": range(200, 300),
    "function": range(300, 450),
    "package": range(300, 450),
    "modules": range(300, 450),
    "model": range(450, 480),
}
"""The codes of each room of rules/."""

NATIVE_RULES_ELSEWHERE = {"LP221": "package", "LP228": "package", "LP223": "function", "LP224": "function"}
"""Rules about native files that other rooms report: packages that lack one, and the load test of the handler's room."""

NEW = Rule("LP399", "new-rule", "a rule of a test", "It is found.", "Leave it.", Severity.WARNING)
TARGET = Target("nodejs22.x", Architecture.X86_64)


def rules_of_checks() -> Iterator[Rule]:
    yield from (rule for check in CHECKS for rule in check.rules)
    yield from (rule for check in LOCK_CHECKS for rule in check.rules)
    yield from STAGE_RULES


def written_rules() -> Iterator[tuple[str, Rule]]:
    """Yield every module-level `NAME = Rule(...)` of the program, with the module that it is written in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=constant)], value=ast.Call(func=ast.Name(id="Rule"))):
                    yield name, getattr(importlib.import_module(name), constant)
                case _:
                    pass


def test_each_rule_is_in_exactly_one_check() -> None:
    counts = Counter(rule.code for rule in rules_of_checks())
    assert [code for code, count in counts.items() if count != 1] == []


def test_the_rules_are_those_of_the_checks_in_code_order() -> None:
    assert sorted(RULES, key=lambda rule: rule.code) == list(RULES)
    assert {rule.code: rule for rule in rules_of_checks()} == {rule.code: rule for rule in RULES}


def test_every_rule_that_is_written_is_registered() -> None:
    written = dict(written_rules())
    assert len(RULES) > 60
    assert {rule.code for _, rule in written_rules()} == {rule.code for rule in RULES}
    assert all(name.startswith("lambdapack.rules.") for name in written)


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(("module", "rule"), list(written_rules()), ids=lambda value: getattr(value, "code", ""))
def test_a_rule_has_a_code_of_its_room(module: str, rule: Rule) -> None:
    room = module.split(".")[2]
    number = int(rule.code.removeprefix("LP"))
    assert number in ROOMS[room] or NATIVE_RULES_ELSEWHERE[rule.code] == room


def test_a_package_is_checked_by_each_check_with_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[Case] = []

    def find(case: Case) -> Iterator[Finding]:
        cases.append(case)
        yield Finding(NEW, f"{len(cases)}", "it is here")

    monkeypatch.setattr(runner, "CHECKS", tuple(Check((NEW,), find) for _ in range(3)))
    policy = Policy(date(2026, 11, 30))
    report = check_package(
        Subject("zip", "a.zip"), PackageFacts({}, Inventory(()), {}), shipped_runtime(TARGET), policy
    )
    assert [(finding.rule, finding.path) for finding in report.findings] == [(NEW, "1"), (NEW, "2"), (NEW, "3")]
    assert cases[0] is cases[1] is cases[2]
    assert (cases[0].policy, cases[0].subject.path) == (policy, "a.zip")
    assert cases[0].file_system is cases[0].file_system


def test_a_lockfile_is_checked_by_each_check_until_the_first_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, {"name": "fn"}, {"lockfileVersion": 3, "packages": {"": {"name": "fn"}}})
    project = read_dependencies(tmp_path)

    def refuse(case: LockCase) -> Iterator[Finding]:
        yield Finding(NEW, str(case.npm_version), "refused")

    def find(case: LockCase) -> Iterator[Finding]:
        yield Finding(NEW, case.architecture.aws, "found")

    def accept(_case: LockCase) -> tuple[Finding, ...]:
        return ()

    monkeypatch.setattr(runner, "LOCK_CHECKS", (Check((), accept), Check((NEW,), find), Check((NEW,), find)))
    assert [finding.path for finding in check_lockfile(project, TARGET, "11.19.0", ManagerSettings())] == ["x86_64"] * 2
    monkeypatch.setattr(runner, "LOCK_CHECKS", (Check((NEW,), refuse), Check((NEW,), find)))
    assert [finding.path for finding in check_lockfile(project, TARGET, "11.19.0", ManagerSettings())] == ["11.19.0"]
