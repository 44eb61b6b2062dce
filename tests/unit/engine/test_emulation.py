import pytest

from lambdapack.engine.emulation import PROBE_SECONDS, EngineHost, emulator_hint, probe_seconds, prove_emulator
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED, NO_EMULATOR, TOO_LONG
from lambdapack.errors.install import CRASHED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.model import Architecture
from tests.fakes import FakeEngine, Process

ARM = Architecture.ARM64
IMAGE = "lambdapack-lab/nodejs:22-arm64-build"
LINUX = EngineHost("Docker Engine 27.1 (linux/amd64)")


def engine_saying(said: bytes, code: int = 0) -> FakeEngine:
    def node(process: Process) -> int:
        assert process.argv == ("/var/lang/bin/node", "-p", "process.arch")
        process.out(said)
        return code

    return FakeEngine(programs={"node": node})


def engine_raising(error: LambdapackError) -> FakeEngine:
    def node(_process: Process) -> int:
        raise error

    return FakeEngine(programs={"node": node})


def refused(engine: FakeEngine) -> LambdapackError:
    with pytest.raises(LambdapackError) as caught:
        prove_emulator(engine, IMAGE, ARM, LINUX)
    return caught.value


def test_the_right_answer_is_enough() -> None:
    prove_emulator(engine_saying(b"arm64\n"), IMAGE, ARM, LINUX)


def test_the_probe_has_seconds_and_no_network() -> None:
    engine = engine_saying(b"arm64\n")
    prove_emulator(engine, IMAGE, ARM, LINUX)
    (sandbox,) = engine.opened
    assert sandbox.spec.limits.wall_seconds == PROBE_SECONDS
    assert not sandbox.spec.network


def test_an_emulator_that_hangs_is_broken() -> None:
    def node(process: Process) -> int:
        process.sleep(PROBE_SECONDS + 1)
        return 0

    error = refused(FakeEngine(programs={"node": node}))
    assert error.failure is NO_EMULATOR
    assert "hangs" in error.detail


@pytest.mark.parametrize(
    ("said", "code", "failure", "words"),
    [
        (b"exec /var/lang/bin/node: exec format error", 1, NO_EMULATOR, "no emulator is registered"),
        (b"exec /var/lang/bin/node: no such file or directory", 1, NO_EMULATOR, "without the flag F"),
        (b"Error: Cannot find module '/var/task/0'", 1, NO_EMULATOR, "without the flag P"),
        (b"", 139, NO_EMULATOR, "the emulator itself crashes"),
        (b"qemu: uncaught target signal 11", 139, CRASHED, "SIGSEGV"),
        (b"qemu: uncaught target signal 4", 132, CRASHED, "SIGILL"),
        (b"", 132, CRASHED, "SIGILL"),
        (b"", 0, NO_EMULATOR, "no answer"),
        (b"x64\n", 0, NO_EMULATOR, "answered something else than arm64: x64"),
        (b"arm64\n", 1, NO_EMULATOR, "answered something else"),
    ],
)
def test_every_broken_state_is_named(said: bytes, code: int, failure: Failure, words: str) -> None:
    error = refused(engine_saying(said, code))
    assert error.failure is failure
    assert words in error.detail
    assert "binfmt" in error.hint


@pytest.mark.parametrize(
    ("raised", "failure"),
    [
        (LambdapackError(TOO_LONG, "stopped"), NO_EMULATOR),
        (LambdapackError(ENGINE_LOST, "the container is not running: exec /bin/cat: exec format error"), NO_EMULATOR),
        (LambdapackError(ENGINE_REFUSED, "OCI runtime exec failed: no such file or directory"), NO_EMULATOR),
        (LambdapackError(ENGINE_LOST, "connection refused"), ENGINE_LOST),
        (LambdapackError(DISK_FULL, "no space left"), DISK_FULL),
    ],
)
def test_what_the_engine_raises_is_translated_when_it_means_the_emulator(
    raised: LambdapackError, failure: Failure
) -> None:
    assert refused(engine_raising(raised)).failure is failure


@pytest.mark.parametrize(
    ("host", "command"),
    [
        (EngineHost("Docker Engine 27.1"), "docker run --privileged --rm tonistiigi/binfmt --install arm64"),
        (
            EngineHost("Docker Engine 27.1", debian=True, emulators=frozenset(("aarch64",))),
            "sudo update-binfmts --enable qemu-aarch64",
        ),
        (
            EngineHost("Docker Engine 27.1", debian=True, emulators=frozenset(("x86_64",))),
            "sudo apt-get install qemu-user-static binfmt-support",
        ),
        (EngineHost("Docker Engine 27.1", debian=True), "sudo apt-get install qemu-user-static binfmt-support"),
        (
            EngineHost("Docker Engine 27.1", environ={"DOCKER_HOST": "ssh://build"}, debian=True),
            "tonistiigi/binfmt --install arm64",
        ),
        (EngineHost("Docker Engine 27.1", environ={"CI": "true"}, debian=True), "tonistiigi/binfmt --install arm64"),
        (EngineHost("Docker Engine 27.1", environ={"GITHUB_ACTIONS": "true"}), "docker/setup-qemu-action"),
        (EngineHost("Docker Desktop 4.40", "Darwin"), "docker desktop restart"),
        (EngineHost("Docker Engine 27.1", "Darwin", {"DOCKER_HOST": "unix:///u/.colima/docker.sock"}), "colima start"),
        (EngineHost("Rancher Desktop 1.19", "Darwin"), "tonistiigi/binfmt --install arm64"),
        (EngineHost("Podman Engine 5.4", "Darwin"), "podman machine ssh sudo systemctl restart systemd-binfmt"),
        (EngineHost("Podman Engine 4.3", debian=True), "sudo apt-get install qemu-user-static"),
        (EngineHost("Podman Engine 5.4"), "sudo dnf install qemu-user-static"),
    ],
)
def test_each_engine_gets_its_own_single_command(host: EngineHost, command: str) -> None:
    sentence = emulator_hint(host, ARM)
    assert command in sentence
    assert sentence.endswith((".", ")."))


def test_the_environment_of_this_machine_is_never_shown() -> None:
    assert "hunter2" not in repr(EngineHost("Docker Engine 27.1", environ={"TOKEN": "hunter2"}))


def test_the_other_direction_asks_for_the_other_emulator() -> None:
    assert "--install amd64" in emulator_hint(EngineHost("Docker Engine 27.1", "Linux"), Architecture.X86_64)


@pytest.mark.parametrize(("load", "seconds"), [(0.0, 8), (0.9, 8), (2.0, 16), (30.0, 60)])
def test_a_probe_is_as_patient_as_its_machine_is_loaded(load: float, seconds: float) -> None:
    assert probe_seconds(EngineHost("Docker Engine", load=load)) == seconds


def test_a_machine_elsewhere_may_take_the_whole_time() -> None:
    assert probe_seconds(EngineHost("Docker Engine", environ={"DOCKER_HOST": "ssh://x"})) == 60
