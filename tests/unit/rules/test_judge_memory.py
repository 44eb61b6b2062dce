from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.rules.verdict import Outcome
from tests import elf
from tests.world import World

ADDON = "addon.node"
TLS = (
    elf.NODE_API
    + '\nstatic __thread char block[SIZE] __attribute__((tls_model("initial-exec")));\nchar *f(void) { return block; }'
)


@pytest.mark.parametrize(("size", "cause"), [(1600, None), (1728, "static-tls")])
def test_static_thread_local_storage_has_to_fit(world: World, tmp_path: Path, size: int, cause: str | None) -> None:
    world.add(ADDON, elf.link(tmp_path, ADDON, TLS, "-DLEVEL=8", f"-DSIZE={size}"))
    assert world.judged(ADDON).cause == cause


def test_dynamic_thread_local_storage_may_be_large(world: World, tmp_path: Path) -> None:
    source = TLS.replace("initial-exec", "global-dynamic").replace("static __thread", "__thread")
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-DSIZE=9000"))
    assert world.judged(ADDON).cause in {None, "undefined-symbol"}


def test_relr_relocations_need_a_newer_glibc(world: World, tmp_path: Path) -> None:
    source = elf.NODE_API + "\nstatic int a, b, c;\nint *table[] = {&a, &b, &c};"
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-Wl,-z,pack-relative-relocs"))
    assert world.judged(ADDON).cause == "relocations"


@pytest.mark.parametrize(
    ("level", "severity", "outcome"),
    [
        ("x86-64-v2", None, Outcome.LOADS),
        ("x86-64-v3", Severity.WARNING, Outcome.UNKNOWN),
        ("x86-64-v4", Severity.ERROR, Outcome.FAILS),
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


def test_a_static_program_with_an_execute_bit_starts(world: World, tmp_path: Path) -> None:
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-static"), mode=0o755)
    judged = world.judged("bin/tool")
    assert (judged.outcome, judged.selected) == (Outcome.LOADS, True)


def test_a_program_without_an_execute_bit_gets_the_command(world: World, tmp_path: Path) -> None:
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-static"))
    finding = world.report().findings[0]
    assert finding.rule.name == "no-exec-bit"
    assert "chmod +x bin/tool" in finding.cure


@pytest.mark.parametrize(
    ("interpreter", "cause"),
    [
        ("/lib64/ld-linux-x86-64.so.2", None),
        ("/lib/ld-musl-x86_64.so.1", "musl"),
        ("/nix/store/ld.so", "missing-interpreter"),
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
