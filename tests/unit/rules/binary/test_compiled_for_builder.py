from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import CpuFlag
from lambdapack.rules.model.report import Outcome, Report, Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import TODAY, World

BUILT = "node_modules/native/build/Release/native.node"
OTHER = "node_modules/other/build/Release/other.node"


def report(world: World, *compiled: CpuFlag, arch: str = "x86_64", ready: str = "") -> Report:
    runtime = shipped_runtime(parse_target("nodejs22.x", arch))
    facts = replace(world.facts(), cpu_flags=compiled, own_files=frozenset({ready}))
    return check_package(Subject("zip", "."), facts, runtime, Policy(TODAY))


def for_arm64(world: World) -> World:
    for path, data in world.files.items():
        world.files[path] = elf.with_machine(data, elf.ARM64) if path.endswith(".node") else data
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World()
    made = elf.link(tmp_path, "native.node", elf.V8_SYMBOL, "-DABI=127", "-march=native")
    for name, path in (("native", BUILT), ("other", OTHER)):
        found.package(f"node_modules/{name}")
        found.add(path, made)
    return found


@pytest.mark.proves("cpu-level")
@pytest.mark.parametrize(
    ("flag", "words"), [("-march=native", "CFLAGS=-march="), ("-C target-cpu=native", "RUSTFLAGS")]
)
def test_what_was_compiled_for_the_builders_cpu_is_unknown_with_its_cure(world: World, flag: str, words: str) -> None:
    found = report(world, CpuFlag("native", flag))
    outcomes = {each.binary.path: (each.outcome, each.cause) for each in found.judgements}
    assert outcomes == {BUILT: (Outcome.UNKNOWN, "cpu-level"), OTHER: (Outcome.LOADS, None)}
    (finding,) = found.findings
    assert (finding.rule.code, finding.path, finding.weight.value) == ("LP219", BUILT, "warning")
    assert flag in finding.message
    assert words in finding.cure


@pytest.mark.spares("cpu-level")
def test_without_such_a_line_nothing_is_said(world: World) -> None:
    assert report(world).findings == ()


@pytest.mark.parametrize(
    ("arch", "flag", "above"),
    [
        ("x86_64", "-march=x86-64-v2", False),
        ("x86_64", "-march=ivybridge", False),
        ("x86_64", "-mcpu=native", False),  # means -mtune there
        ("x86_64", "-march=x86-64-v3", True),
        ("x86_64", "-march=sapphirerapids", True),
        ("x86_64", "-mavx512f", True),
        ("arm64", "-march=armv8.2-a+crypto+fp16", False),
        ("arm64", "-mcpu=neoverse-n1+nocrypto", False),
        ("arm64", "-march=armv8.2-a+sve", True),
        ("arm64", "-mcpu=neoverse-v1", True),
        ("arm64", "-march=armv9-a", True),
    ],
)
def test_a_cpu_by_its_name_is_held_against_what_lambda_has(world: World, arch: str, flag: str, *, above: bool) -> None:
    found = report(for_arm64(world) if arch == "arm64" else world, CpuFlag("native", flag), arch=arch)
    assert [each.rule.name for each in found.findings] == ["cpu-level"] * above


def test_what_only_some_sources_were_compiled_for_is_a_note_and_loads(world: World) -> None:
    found = report(world, CpuFlag("native", "-march=skylake-avx512", everywhere=False))
    assert [each.weight for each in found.findings] == [Severity.NOTE]
    assert {each.outcome for each in found.judgements} == {Outcome.LOADS}


def test_the_cure_for_arm64_names_its_own_baseline(world: World) -> None:
    (finding,) = report(for_arm64(world), CpuFlag("native", "-mcpu=native"), arch="arm64").findings
    assert finding.cure == ("Run `CFLAGS=-march=armv8.2-a CXXFLAGS=-march=armv8.2-a lambdapack build --arch arm64`.")


def test_what_fails_anyway_keeps_its_own_cause(world: World) -> None:
    assert {each.cause for each in report(world, CpuFlag("native", "-march=native"), arch="arm64").judgements} == {
        "wrong-cpu"
    }


@pytest.mark.parametrize("path", ["node_modules/native/prebuilds/linux-x64/native.node", "bin/native.node"])
def test_what_came_ready_made_was_not_compiled_here(tmp_path: Path, path: str) -> None:
    world = World()
    world.package("node_modules/native")
    world.add(path, elf.link(tmp_path, "native.node", elf.V8_SYMBOL, "-DABI=127"))
    compiled = (CpuFlag("native", "-march=native"), CpuFlag("", "-march=native"))
    assert report(world, *compiled, ready="bin/native.node").findings == ()
