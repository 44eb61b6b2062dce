from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.binary.facts import VersionNeed
from lambdapack.binary.scan import scan_binaries
from lambdapack.model import Severity
from lambdapack.rules.binary.judge import judge_binary
from lambdapack.rules.model.file_system import merge_layers
from lambdapack.rules.model.report import Outcome
from lambdapack.runtimes.runtime import Library, Runtime, parse_target, shipped_runtime
from tests import elf
from tests.world import World

ADDON = "addon.node"
TLS = (
    elf.NODE_API
    + '\nstatic __thread char block[SIZE] __attribute__((tls_model("initial-exec")));\nchar *f(void) { return block; }'
)


def with_libc(*versions: str) -> Runtime:
    runtime = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    libc = Library("libc.so.6", "", frozenset(versions))
    return replace(runtime, libraries={**runtime.libraries, "libc.so.6": libc}, floor={}, ceiling={})


@pytest.mark.parametrize(
    ("size", "cause"),
    [
        pytest.param(1600, None, marks=pytest.mark.spares("static-tls")),
        pytest.param(1728, "static-tls", marks=pytest.mark.proves("static-tls")),
    ],
)
def test_static_thread_local_storage_has_to_fit(world: World, tmp_path: Path, size: int, cause: str | None) -> None:
    world.add(ADDON, elf.link(tmp_path, ADDON, TLS, "-DLEVEL=8", f"-DSIZE={size}"))
    assert world.judged(ADDON).cause == cause


def test_dynamic_thread_local_storage_may_be_large(world: World, tmp_path: Path) -> None:
    source = TLS.replace("initial-exec", "global-dynamic").replace("static __thread", "__thread")
    loader = elf.library(tmp_path, "ld-linux-x86-64.so.2", "GLIBC_2.3", symbol="__tls_get_addr")
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-DSIZE=9000", libraries=(loader,)))
    assert (world.judged(ADDON).cause, world.judged(ADDON).outcome) == (None, Outcome.LOADS)


@pytest.mark.proves("relocations")
def test_relr_relocations_need_a_newer_glibc(world: World, tmp_path: Path) -> None:
    source = elf.NODE_API + "\nstatic int a, b, c;\nint *table[] = {&a, &b, &c};"
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-Wl,-z,pack-relative-relocs"))
    assert world.judged(ADDON).cause == "relocations"


@pytest.mark.parametrize(
    ("level", "severity", "outcome"),
    [
        pytest.param("x86-64-v2", None, Outcome.LOADS, marks=pytest.mark.spares("cpu-level")),
        pytest.param("x86-64-v3", Severity.WARNING, Outcome.UNKNOWN, marks=pytest.mark.proves("cpu-level")),
        pytest.param("x86-64-v4", Severity.ERROR, Outcome.FAILS, marks=pytest.mark.proves("cpu-level")),
    ],
)
def test_a_cpu_level_above_lambdas_is_named(
    world: World, tmp_path: Path, level: str, severity: Severity | None, outcome: Outcome
) -> None:
    world.add(ADDON, elf.link(tmp_path, ADDON, elf.NODE_API, "-DLEVEL=8", f"-Wl,-z,{level}"))
    judged = world.judged(ADDON)
    assert judged.outcome is outcome
    assert (judged.finding.weight if judged.finding else None) is severity


PROGRAM = "void _start(void) { for (;;) {} }"


@pytest.mark.spares("no-exec-bit")
def test_a_static_program_with_an_execute_bit_starts(world: World, tmp_path: Path) -> None:
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-static"), mode=0o755)
    judged = world.judged("bin/tool")
    assert (judged.outcome, judged.selected) == (Outcome.LOADS, True)


@pytest.mark.proves("no-exec-bit")
def test_a_program_without_an_execute_bit_gets_the_command(world: World, tmp_path: Path) -> None:
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-static"))
    finding = world.report().findings[0]
    assert finding.rule.name == "no-exec-bit"
    assert "chmod 755 bin/tool" in finding.cure


@pytest.mark.parametrize(
    ("interpreter", "cause"),
    [
        pytest.param("/lib64/ld-linux-x86-64.so.2", None, marks=pytest.mark.spares("missing-interpreter")),
        ("/lib/ld-musl-x86_64.so.1", "musl"),
        pytest.param("/nix/store/ld.so", "missing-interpreter", marks=pytest.mark.proves("missing-interpreter")),
    ],
)
def test_a_programs_loader_has_to_be_there(world: World, tmp_path: Path, interpreter: str, cause: str | None) -> None:
    made = elf.program(tmp_path, "tool", PROGRAM, "-pie", "-fPIE", f"-Wl,--dynamic-linker={interpreter}")
    world.add("bin/tool", made, mode=0o755)
    assert world.judged("bin/tool").cause == cause


def test_a_program_for_the_other_cpu_is_refused(world: World, tmp_path: Path) -> None:
    made = elf.program(tmp_path, "tool", PROGRAM, "-static").read_bytes()
    world.add("bin/tool", elf.with_machine(made, elf.ARM64), mode=0o755)
    assert world.found() == [("wrong-cpu", "bin/tool")]


@pytest.mark.parametrize(
    ("versions", "cause"),
    [(("GLIBC_2.17",), "relocations"), (("GLIBC_2.17", "GLIBC_ABI_DT_RELR"), None), ((), None)],
)
def test_relr_without_the_marker_that_libc_wants_is_refused(
    world: World, tmp_path: Path, versions: tuple[str, ...], cause: str | None
) -> None:
    source = elf.NODE_API + "\nstatic int a, b, c;\nint *table[] = {&a, &b, &c};"
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-Wl,-z,pack-relative-relocs"))
    binary = scan_binaries(world).binaries[0]
    assert binary.elf is not None
    needs = tuple(VersionNeed("libc.so.6", each) for each in versions)
    asking = replace(binary, elf=replace(binary.elf, needed=("libc.so.6",), version_needs=needs))
    runtime = with_libc("GLIBC_2.17", "GLIBC_ABI_DT_RELR")
    defect = judge_binary(f"/var/task/{ADDON}", asking, merge_layers(world.facts()), runtime).defect
    assert (defect.word if defect else None) == cause


@pytest.mark.parametrize(
    ("version", "outcome", "cause", "severity"),
    [("GLIBC_2.34", Outcome.LOADS, None, Severity.WARNING), ("GLIBC_2.41", Outcome.FAILS, "bad-elf", Severity.ERROR)],
)
@pytest.mark.proves("executable-stack")
def test_an_executable_stack_loads_until_glibc_2_41(
    world: World, tmp_path: Path, version: str, outcome: Outcome, cause: str | None, severity: Severity
) -> None:
    world.runtime = with_libc(version)
    world.add(ADDON, elf.link(tmp_path, ADDON, elf.NODE_API, "-DLEVEL=8", "-Wl,-z,execstack"))
    judged = world.judged(ADDON)
    assert (judged.outcome, judged.cause) == (outcome, cause)
    assert judged.finding is not None
    assert (judged.finding.rule.name, judged.finding.weight) == ("executable-stack", severity)


@pytest.mark.spares("executable-stack")
def test_an_ordinary_stack_says_nothing(world: World, tmp_path: Path) -> None:
    world.add(ADDON, elf.link(tmp_path, ADDON, elf.NODE_API, "-DLEVEL=8", "-Wl,-z,noexecstack"))
    assert world.judged(ADDON).finding is None


@pytest.mark.parametrize(
    ("source", "flags", "outcome", "cause"),
    [
        ("shipped", ("-static",), Outcome.FAILS, "wrong-class"),
        ("image", ("-static",), Outcome.FAILS, "wrong-class"),
        ("file", ("-static",), Outcome.LOADS, None),
        ("file", ("-pie", "-fPIE", "-Wl,--dynamic-linker=/lib/ld-linux.so.2"), Outcome.FAILS, "wrong-class"),
    ],
)
def test_an_i386_program_runs_where_a_measured_machine_may_and_never_on_lambda(
    world: World, tmp_path: Path, source: str, flags: tuple[str, ...], outcome: Outcome, cause: str | None
) -> None:
    world.runtime = replace(shipped_runtime(parse_target("nodejs22.x", "x86_64")), source=source)
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-m32", *flags), mode=0o755)
    judged = world.judged("bin/tool")
    assert (judged.outcome, judged.cause) == (outcome, cause)
    assert judged.finding is not None
    assert world.report().verdict.value == ("warn" if outcome is Outcome.LOADS else "fail")
