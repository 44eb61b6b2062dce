"""What every engine must do, asked of each of them with the same words."""

import secrets
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lambdapack.engine.interface import CacheVolume, Command, CommandResult, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.errors.build import ENGINE_REFUSED, NO_IMAGE, TOO_LONG, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.model import MIB, Architecture
from tests.contract.conftest import IMAGE, OTHER
from tests.contract.scripts import (
    CAT,
    CHATTER,
    COMPUTE,
    COUNT_LEFT,
    CRASH,
    EAT,
    HANG,
    INTERFACES,
    LEAVE,
    LIKE_THE_ENTRYPOINT,
    OWNERS,
    POWERS,
    READ_SECRET,
    SCRIPTS,
    SPEAK,
    WHO,
    WRITE,
    WRITE_TMP,
)
from tests.fakes import FakeEngine, FakeTree, Process, RecordingObserver


def _sh(process: Process) -> int:
    return SCRIPTS[process.argv[2]](process)


@pytest.fixture(
    params=[
        "fake",
        pytest.param("docker", marks=pytest.mark.engine),
        pytest.param("podman", marks=[pytest.mark.engine, pytest.mark.podman]),
    ]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "fake":
        return FakeEngine(programs={"sh": _sh})
    found: Engine = request.getfixturevalue(request.param)
    return found


def spec(**changes: object) -> SandboxSpec:
    return SandboxSpec(IMAGE, Architecture.X86_64, "contract", **changes)  # type: ignore[arg-type]


def test_a_cache_is_listed_and_goes_when_nobody_uses_it(engine: Engine) -> None:
    name = f"lambdapack-test-{secrets.token_hex(4)}"
    with engine.open(spec(volumes=(CacheVolume(name, "/cache"),)), SILENT):
        assert name in [each.name for each in engine.caches()]
        assert not engine.drop_cache(name)
    (kept,) = [each for each in engine.caches() if each.name == name]
    assert kept.size is None or kept.size >= 0
    assert engine.drop_cache(name)
    assert name not in [each.name for each in engine.caches()]
    assert engine.drop_cache(name)  # gone already is gone


@pytest.fixture
def sandbox(engine: Engine) -> Iterator[Sandbox]:
    with engine.open(spec(secrets="/run/lambdapack", network=False), SILENT) as opened:
        yield opened


class Heard:
    def __init__(self) -> None:
        self.by_source: dict[str, bytes] = {}

    def __call__(self, source: str, data: bytes, /) -> None:
        self.by_source[source] = self.by_source.get(source, b"") + data


def run(sandbox: Sandbox, text: str, **changes: object) -> tuple[CommandResult, Heard]:
    heard = Heard()
    command = Command(("/bin/sh", "-c", text), **changes)  # type: ignore[arg-type]
    return sandbox.run(command, heard), heard


def members(spool: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(spool) as tar:
        named = {member.name.removeprefix("./"): member for member in tar.getmembers()}
    return {name: member for name, member in named.items() if name != "."}


def content(spool: Path, name: str) -> bytes:
    with tarfile.open(spool) as tar:
        found = next(member for member in tar.getmembers() if member.name.removeprefix("./") == name)
        file = tar.extractfile(found)
        assert file is not None
        return file.read()


def test_exit_code_and_both_streams_come_back_apart(sandbox: Sandbox) -> None:
    done, heard = run(sandbox, SPEAK)
    assert (done, heard.by_source) == (CommandResult(3), {"stdout": b"out\n", "stderr": b"err\n"})


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_000])
def test_standard_input_arrives_whole_and_ends(sandbox: Sandbox, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    done, heard = run(sandbox, CAT, stdin=data)
    assert done.ok
    assert heard.by_source.get("stdout", b"") == data


def test_user_directory_and_environment_are_the_commands_own(sandbox: Sandbox) -> None:
    _, heard = run(sandbox, WHO, user="1051:1052", cwd="/tmp", env={"GREETING": "gr\u00fc\u00df $dich"})
    assert heard.by_source["stdout"].decode().split("\n")[:4] == ["1051", "1052", "/tmp", "gr\u00fc\u00df $dich"]


def test_a_program_that_is_not_there_is_an_exit_code(sandbox: Sandbox) -> None:
    done = sandbox.run(Command(("/nowhere/program",)), Heard())
    assert done.exit_code in {126, 127}


def test_a_deadly_signal_is_told_apart_from_an_exit_code(sandbox: Sandbox) -> None:
    assert run(sandbox, CRASH)[0] == CommandResult(139, signal=11)
    assert run(sandbox, LIKE_THE_ENTRYPOINT)[0].exit_code == 142


def test_a_tree_comes_back_as_it_went_in(sandbox: Sandbox, tmp_path: Path) -> None:
    tree = FakeTree(
        {
            "bin": None,
            "bin/tool": (0o755, b"#!/bin/sh\n"),
            "d\u00e9p\u00f4t/\u65e5\u672c \u201cx\u201d.txt": (0o640, b"unicode"),
            "link": "bin/tool",
            "dangling": "../../out",
            "empty": (0o644, b""),
            "l" * 150 + "/" + "m" * 120: (0o644, b"long"),
        }
    )
    sandbox.put(tree, "/var/task/deep/down")
    observer = RecordingObserver()
    sandbox.get("/var/task/deep/down", tmp_path / "spool", observer)
    found = members(tmp_path / "spool")
    assert {name for name, member in found.items() if not member.isdir()} == {
        name for name, value in tree.content.items() if value is not None
    }
    assert (found["bin/tool"].mode & 0o777, found["empty"].size) == (0o755, 0)
    assert (found["link"].linkname, found["dangling"].linkname) == ("bin/tool", "../../out")
    assert content(tmp_path / "spool", "d\u00e9p\u00f4t/\u65e5\u672c \u201cx\u201d.txt") == b"unicode"
    assert content(tmp_path / "spool", "l" * 150 + "/" + "m" * 120) == b"long"
    assert observer.tasks == ["Copying /var/task/deep/down out of the sandbox"]


def test_a_tree_can_be_handed_to_another_user(sandbox: Sandbox) -> None:
    sandbox.put(FakeTree({"a": (0o644, b"a")}), "/var/task/own", owner=(1051, 1052))
    assert run(sandbox, OWNERS)[1].by_source["stdout"] == b"1051:1052\n1051:1052\n"


def test_what_a_user_left_running_is_ended_and_nothing_else(sandbox: Sandbox) -> None:
    run(sandbox, LEAVE, user="1051:1051")
    assert run(sandbox, COUNT_LEFT)[1].by_source["stdout"] != b"0\n"
    sandbox.end_processes("1052:1052")
    assert run(sandbox, COUNT_LEFT)[1].by_source["stdout"] != b"0\n"
    sandbox.end_processes("1051:1051")
    assert run(sandbox, COUNT_LEFT)[1].by_source["stdout"] == b"0\n"
    with pytest.raises(ValueError, match="root"):
        sandbox.end_processes("0:0")


def test_what_is_not_there_cannot_be_copied_and_leaves_no_file(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(LambdapackError) as raised:
        sandbox.get("/var/task/nothing/here", tmp_path / "spool", SILENT)
    assert raised.value.failure is ENGINE_REFUSED
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_readable_by_root_alone(sandbox: Sandbox) -> None:
    sandbox.secrets(
        {"/run/lambdapack/other": b"x" * 300_000, "/run/lambdapack/npmrc": b"//registry/:_authToken=t\xc3\xb6p\n"}
    )
    done, heard = run(sandbox, READ_SECRET)
    assert done.ok
    assert heard.by_source["stdout"] == b"//registry/:_authToken=t\xc3\xb6p\n600 0\n700 0\n"


@pytest.mark.parametrize("path", ["/etc/npmrc", "/run/lambdapack", "/run/lambdapackx/npmrc"])
def test_a_secret_is_written_to_its_tmpfs_only(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(ValueError, match="not below"):
        sandbox.secrets({path: b"x"})


def test_nothing_in_a_sandbox_has_privileges_or_a_network(sandbox: Sandbox) -> None:
    powers = run(sandbox, POWERS)[1].by_source["stdout"].decode().split()
    assert powers == ["CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]
    assert run(sandbox, INTERFACES)[1].by_source["stdout"].split() == [b"lo"]


def test_the_sandbox_says_what_it_is(engine: Engine, sandbox: Sandbox) -> None:
    assert sandbox.image == engine.find_image(IMAGE, Architecture.X86_64)
    assert sandbox.native is (engine.architecture is Architecture.X86_64)


def test_a_read_only_root_can_be_written_only_where_it_was_asked_for(engine: Engine) -> None:
    with engine.open(spec(read_only=True, writable=("/var/task", "/opt")), SILENT) as opened:
        opened.put(FakeTree({"index.js": (0o644, b"1")}), "/var/task")
        assert run(opened, WRITE)[0].ok


def test_a_tmp_that_is_a_volume_is_everybodys(engine: Engine) -> None:
    with engine.open(spec(read_only=True, writable=("/tmp",)), SILENT) as opened:
        done, heard = run(opened, WRITE_TMP, user="1051:1051")
        assert (done.ok, heard.by_source["stdout"]) == (True, b"1051\n")


@pytest.mark.parametrize(
    ("text", "limits", "words"),
    [
        (HANG, Limits(silence_seconds=1, wall_seconds=60), ("printed nothing for 1 s", "begun")),
        (CHATTER, Limits(silence_seconds=60, wall_seconds=1), ("ran longer than 1 s", "again")),
    ],
)
def test_a_command_is_stopped_at_its_limits(engine: Engine, text: str, limits: Limits, words: Sequence[str]) -> None:
    with pytest.raises(LambdapackError) as raised, engine.open(spec(limits=limits), SILENT) as opened:
        run(opened, text)
    assert raised.value.failure is TOO_LONG
    assert all(word in raised.value.detail for word in words)


def test_a_silent_command_that_computes_is_not_stopped(engine: Engine) -> None:
    with engine.open(spec(limits=Limits(silence_seconds=1, wall_seconds=60)), SILENT) as opened:
        assert run(opened, COMPUTE)[0].ok


def test_want_of_memory_is_recognised_and_the_sandbox_survives_it(engine: Engine) -> None:
    with engine.open(spec(limits=Limits(memory_bytes=128 * MIB)), SILENT) as opened:
        assert run(opened, EAT)[0] == CommandResult(137, 9, out_of_memory=True)
        assert run(opened, SPEAK)[0] == CommandResult(3)


def test_an_image_that_is_not_there_is_not_pulled_when_it_is_ours(engine: Engine) -> None:
    with pytest.raises(LambdapackError) as raised:
        engine.image("lambdapack-lab/nodejs:7-x86_64", Architecture.X86_64, SILENT)
    assert raised.value.failure is NO_IMAGE
    assert "make lab" in raised.value.hint
    assert engine.find_image("lambdapack-lab/nodejs:7-x86_64", Architecture.X86_64) is None


def test_an_image_for_another_cpu_is_refused(engine: Engine) -> None:
    with pytest.raises(LambdapackError) as raised:
        engine.image(OTHER, Architecture.X86_64, SILENT)
    assert raised.value.failure is WRONG_IMAGE
    assert engine.find_image(OTHER, Architecture.X86_64) is None
    held = engine.find_image(OTHER, Architecture.ARM64)
    assert held is not None
    assert held.architecture is Architecture.ARM64
