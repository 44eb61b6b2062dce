"""Which of a Prisma client's engines is opened, and what is said when it is not there."""

from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.rules.model.report import Verdict
from lambdapack.rules.selection.prisma import engine_target
from lambdapack.rules.selection.prune import prunable_files
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import World

CLIENT = "node_modules/.prisma/client"


@pytest.fixture
def engine(tmp_path: Path) -> bytes:
    return elf.link(tmp_path, "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()


def client(world: World, engine: bytes, *names: str, directory: str = CLIENT) -> None:
    world.package("", dependencies={"@prisma/client": "6.19.0"})
    world.package("node_modules/@prisma/client", scripts={"postinstall": "node scripts/postinstall.js"})
    world.add("node_modules/@prisma/client/index.js", "module.exports = require('.prisma/client/default')")
    for name in names:
        content = elf.with_machine(engine, elf.ARM64) if "arm64" in name else engine
        world.add(f"{directory}/{name}", content, mode=0o755)


def library(*targets: str) -> tuple[str, ...]:
    return tuple(f"libquery_engine-{target}.so.node" for target in targets)


@pytest.mark.parametrize(
    ("runtime", "arch", "target"),
    [
        ("nodejs22.x", "x86_64", "rhel-openssl-3.0.x"),
        ("nodejs22.x", "arm64", "linux-arm64-openssl-3.0.x"),
        ("nodejs18.x", "x86_64", "rhel-openssl-1.0.x"),
        ("nodejs18.x", "arm64", "linux-arm64-openssl-1.0.x"),
    ],
)
@pytest.mark.spares("missing-addon")
def test_the_engine_of_the_target_is_the_one_that_counts(
    world: World, engine: bytes, runtime: str, arch: str, target: str
) -> None:
    others = ("debian-openssl-1.1.x", "debian-openssl-3.0.x", "linux-musl-openssl-3.0.x", "rhel-openssl-1.1.x")
    foreign = ("query_engine-windows.dll.node", "libquery_engine-darwin.dylib.node")
    client(world, engine, *library(target, *others), *foreign)
    assert engine_target(shipped_runtime(parse_target(runtime, arch))) == target
    report = world.report(runtime, arch)
    assert [(each.rule.name, each.path) for each in report.findings if each.rule.name == "missing-addon"] == []
    assert [each.binary.path for each in report.judgements if each.selected] == [f"{CLIENT}/{library(target)[0]}"]
    assert len(prunable_files(report)) == len((*others, *foreign))


@pytest.mark.parametrize(
    "directory",
    [CLIENT, "generated/prisma", "node_modules/.pnpm/@prisma+client@6.19.0/node_modules/.prisma/client", "src/db"],
)
@pytest.mark.parametrize(
    "names",
    [
        library("debian-openssl-3.0.x"),
        library("debian-openssl-3.0.x", "rhel-openssl-1.0.x", "linux-musl"),
        ("libquery_engine-darwin-arm64.dylib.node",),
        ("query_engine-windows.dll.node",),
        library("linux-arm64-openssl-3.0.x"),
    ],
)
@pytest.mark.proves("missing-addon")
def test_a_client_without_the_engine_of_the_target_is_refused(
    world: World, engine: bytes, directory: str, names: tuple[str, ...]
) -> None:
    client(world, engine, *names, directory=directory)
    (finding,) = world.report().findings
    assert (finding.rule.name, finding.path, finding.weight) == ("missing-addon", directory, Severity.ERROR)
    assert 'binaryTargets = ["native", "rhel-openssl-3.0.x"]' in finding.cure
    assert "npx prisma generate" in finding.cure
    assert prunable_files(world.report()) == ()


@pytest.mark.parametrize("name", ["query-engine-rhel-openssl-3.0.x", "query-engine-linux-static-x64"])
def test_the_engine_that_is_a_program_of_its_own_counts_as_well(world: World, tmp_path: Path, name: str) -> None:
    program = elf.program(tmp_path, "ffmpeg", "void _start(void) { for (;;) {} }", "-static").read_bytes()
    client(world, program, name, "query-engine-debian-openssl-3.0.x")
    report = world.report()
    assert report.verdict is Verdict.PASS
    assert [file.path for file in prunable_files(report)] == [f"{CLIENT}/query-engine-debian-openssl-3.0.x"]
    del world.files[f"{CLIENT}/{name}"]
    assert world.found() == [("missing-addon", CLIENT)]


def test_the_engines_that_prismas_tools_keep_are_no_clients(world: World, engine: bytes, tmp_path: Path) -> None:
    client(world, engine, *library("rhel-openssl-3.0.x"))
    world.package("node_modules/@prisma/engines", scripts={"postinstall": "node scripts/postinstall.js"})
    directory = "node_modules/@prisma/engines"
    world.add(f"{directory}/libquery_engine-debian-openssl-1.1.x.so.node", engine)
    program = elf.program(tmp_path, "ffmpeg", "void _start(void) { for (;;) {} }", "-static")
    world.add(f"{directory}/schema-engine-debian-openssl-1.1.x", program, mode=0o755)
    report = world.report()
    assert report.findings == ()
    assert len(prunable_files(report)) == 2


def test_a_client_that_a_bundler_left_behind_is_a_warning(world: World, engine: bytes) -> None:
    client(world, engine, *library("debian-openssl-3.0.x"))
    world.add("dist/libquery_engine-rhel-openssl-3.0.x.so.node", engine)
    assert [(each.rule.name, each.weight) for each in world.report().findings] == [("missing-addon", Severity.WARNING)]


def test_a_client_that_needs_no_engine_lacks_none(world: World, engine: bytes) -> None:
    client(world, engine)
    world.add(f"{CLIENT}/query_compiler_bg.wasm", b"\0asm\1\0\0\0")
    world.add(f"{CLIENT}/schema.prisma", 'generator client { provider = "prisma-client-js" engineType = "client" }')
    assert world.found() == []


def test_a_webassembly_build_beside_an_addon_that_loads_is_weight(world: World, engine: bytes) -> None:
    names = ("@img/sharp-linux-x64", "@img/sharp-linux-arm64", "@img/sharp-wasm32")
    world.package("", dependencies={"sharp": "1"})
    world.package("node_modules/sharp", optionalDependencies=dict.fromkeys(names, "1"))
    world.package("node_modules/@img/sharp-linux-x64", os=["linux"], cpu=["x64"])
    world.add("node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", engine)
    world.package("node_modules/@img/sharp-wasm32", cpu=["wasm32"])
    world.add("node_modules/@img/sharp-wasm32/lib/sharp-wasm32.node.wasm", b"\0asm\1\0\0\0" + bytes(999))
    report = world.report()
    assert report.findings == ()
    assert [file.path for file in prunable_files(report)] == [
        "node_modules/@img/sharp-wasm32/lib/sharp-wasm32.node.wasm"
    ]
    assert not [file for file in prunable_files(world.report(arch="arm64")) if "wasm" in file.path]
