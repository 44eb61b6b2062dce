from dataclasses import replace

import pytest

from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.world import TODAY, World


def kept(world: World, *paths: tuple[str, str]) -> list[tuple[str, str]]:
    facts = replace(world.facts(), kept_sources=paths)
    runtime = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    report = check_package(Subject("zip", "."), facts, runtime, Policy(TODAY))
    return [(finding.path, finding.message) for finding in report.findings if finding.rule.name == "source-kept"]


@pytest.mark.proves("source-kept")
def test_a_file_that_a_script_wrote_over_the_source_is_named_with_its_script(world: World) -> None:
    found = kept(world, ("index.js", "postinstall script of this project"))
    words = "the postinstall script of this project wrote index.js; the one of the source is packed"
    assert found == [("index.js", words)]


@pytest.mark.spares("source-kept")
def test_a_package_whose_scripts_wrote_nothing_there_has_no_such_finding(world: World) -> None:
    assert kept(world) == []
