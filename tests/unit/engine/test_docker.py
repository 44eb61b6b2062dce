import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambdapack.engine.containers import ContainerEngine
from lambdapack.engine.docker import _open_daemon, connect_engine
from lambdapack.engine.hosts import EngineAddress
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, NO_ENGINE, NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture
from tests.fakes import RecordingObserver
from tests.unit.engine.stub import Answer, HangUpError, StubEngine, answer, refusal

X86, ARM = Architecture.X86_64, Architecture.ARM64
NAME = "registry.test/nodejs:22"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    made = StubEngine(tmp_path / "engine.sock")
    yield made
    made.close()


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


class Naps:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def engine(stub: StubEngine, naps: Naps | None = None) -> ContainerEngine:
    return ContainerEngine(_open_daemon(EngineAddress(stub.url, "test")), naps or Naps())


def messages(*found: object) -> Callable[[], Answer]:
    return lambda: (200, [json.dumps(each).encode() + b"\n" for each in found])


def arrives(stub: StubEngine, machine: int, label: str) -> Callable[[], Answer]:
    """A pull that comes to its end: the image is there afterwards."""

    def pull() -> Answer:
        stub.held[NAME] = (machine, label)
        layers = [{"id": "a", "status": "Downloading", "progressDetail": {"current": size}} for size in (10, 30)]
        return messages(*layers, {"status": "Download complete"})()

    return pull


def refused(stub: StubEngine, observer: RecordingObserver, naps: Naps | None = None) -> LambdapackError:
    with pytest.raises(LambdapackError) as raised:
        engine(stub, naps).image(NAME, X86, observer)
    assert raised.value.failure is NO_IMAGE
    return raised.value


def test_an_engine_is_described_by_its_own_words(stub: StubEngine) -> None:
    found = connect_engine({"DOCKER_HOST": stub.url})
    assert (found.name, found.architecture, found.address) == ("Docker Engine 20.10 (linux/amd64)", X86, stub.url)
    stub.version |= {"Arch": "arm64", "Components": [{"Name": "Podman Engine"}]}
    assert connect_engine({}, hosts={ARM: stub.url}, architecture=ARM).name == "Podman Engine 20.10 (linux/arm64)"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"Os": "windows"}, "switch it to Linux containers"), ({"Arch": "riscv64"}, "riscv64 is none of Lambda's")],
)
def test_an_engine_that_cannot_serve_is_not_used(stub: StubEngine, change: dict[str, str], words: str) -> None:
    stub.version |= change
    with pytest.raises(LambdapackError, match=words) as raised:
        connect_engine({"DOCKER_HOST": stub.url})
    assert raised.value.failure is NO_ENGINE


def test_each_place_has_one_short_line(tmp_path: Path) -> None:
    (tmp_path / "file.sock").touch()
    with pytest.raises(LambdapackError) as raised:
        connect_engine({"DOCKER_HOST": f"unix://{tmp_path}/file.sock"}, home=tmp_path)
    assert raised.value.detail.splitlines()[1:] == [f"unix://{tmp_path}/file.sock (DOCKER_HOST): Connection refused"]
    assert "unset it" in raised.value.hint
    with pytest.raises(LambdapackError, match="there is no such context"):
        connect_engine({"DOCKER_CONTEXT": "gone"}, home=tmp_path)


@pytest.mark.parametrize("host", ["nonsense", "tcp://127.0.0.1:1", "http://[::1", "fd://x", "ssh://nobody@localhost:1"])
def test_a_host_that_is_no_address_is_one_failure(tmp_path: Path, host: str) -> None:
    with pytest.raises(LambdapackError) as raised:
        connect_engine({"DOCKER_HOST": host}, home=tmp_path)
    assert raised.value.failure is NO_ENGINE


@pytest.mark.skipif(importlib.util.find_spec("paramiko") is not None, reason="paramiko is installed")
def test_ssh_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError, match="pip install paramiko"):
        connect_engine({"DOCKER_HOST": "ssh://graviton"}, home=tmp_path)


def test_proxies_and_bundles_of_the_environment_are_not_for_the_engine(
    stub: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert not _open_daemon(EngineAddress(stub.url, "test"))._client.trust_env


def test_an_image_that_is_there_is_not_pulled(stub: StubEngine, observer: RecordingObserver) -> None:
    stub.held[NAME] = (62, "linux/amd64")
    found = engine(stub).image(NAME, X86, observer)
    assert (found.reference, found.architecture) == (NAME, X86)
    assert stub.pulled == []


def test_the_containers_that_are_looked_into_are_removed(stub: StubEngine, observer: RecordingObserver) -> None:
    stub.held[NAME] = (62, "linux/amd64")
    engine(stub).image(NAME, X86, observer)
    created = [each for each in stub.asked if each.startswith("POST /containers/create")]
    removed = [each for each in stub.asked if each.startswith("DELETE /containers/lambdapack-look-")]
    assert (len(created), len(removed)) == (1, 1)


def test_a_pull_is_told_in_bytes(stub: StubEngine, observer: RecordingObserver) -> None:
    stub.pulls = [arrives(stub, 62, "linux/amd64")]
    assert engine(stub).image(NAME, X86, observer).architecture is X86
    assert (stub.pulled, observer.tasks, observer.advanced) == ([(NAME, "linux/amd64")], [f"Pulling {NAME}"], 30)


def test_throttling_is_waited_for(stub: StubEngine, observer: RecordingObserver) -> None:
    naps = Naps()
    stub.pulls = [
        lambda: refusal(500, "toomanyrequests: Rate exceeded"),
        messages({"errorDetail": {}, "error": "received unexpected HTTP status: 429 Too Many Requests"}),
        arrives(stub, 62, "linux/amd64"),
    ]
    engine(stub, naps).image(NAME, X86, observer)
    assert len(naps.seconds) == len(observer.notes) == 2
    assert 1 <= naps.seconds[0] <= 3
    assert 2 <= naps.seconds[1] <= 6
    assert observer.notes[0].startswith("registry.test says: toomanyrequests: Rate exceeded; trying again in")


def test_throttling_is_not_waited_for_for_ever(stub: StubEngine, observer: RecordingObserver) -> None:
    naps = Naps()
    stub.pulls = [lambda: refusal(500, "toomanyrequests: Rate exceeded")] * 9
    assert "docker login registry.test" in refused(stub, observer, naps).hint
    assert (len(naps.seconds), len(stub.pulls)) == (4, 4)


@pytest.mark.parametrize("status", [404, 500, 200])
def test_a_denied_pull_is_told_at_once(stub: StubEngine, observer: RecordingObserver, status: int) -> None:
    words = "pull access denied for registry.test/nodejs, repository does not exist or may require 'docker login'"
    stub.pulls = [lambda: refusal(status, words) if status != 200 else answer({"error": words})]
    error = refused(stub, observer)
    assert error.detail == f"{NAME}: {words}"
    assert "docker login registry.test" in error.hint


def test_a_pull_that_brings_nothing_is_told(stub: StubEngine, observer: RecordingObserver) -> None:
    stub.pulls = [messages({"status": "done"})]
    assert "does not hold it" in refused(stub, observer).detail


def test_our_own_images_are_never_asked_of_a_registry(stub: StubEngine, observer: RecordingObserver) -> None:
    with pytest.raises(LambdapackError) as raised:
        engine(stub).image("lambdapack/build:22", X86, observer)
    assert "lambdapack images build" in raised.value.hint
    assert stub.pulled == []


def test_a_tag_that_is_here_for_the_other_cpu_is_pulled_for_this_one(
    stub: StubEngine, observer: RecordingObserver
) -> None:
    stub.held[NAME] = (62, "linux/amd64")
    stub.pulls = [arrives(stub, 183, "linux/arm64")]
    found = engine(stub)
    assert found.find_image(NAME, ARM) is None
    assert found.image(NAME, ARM, observer).architecture is ARM
    assert stub.pulled == [(NAME, "linux/arm64")]
    assert "for x86_64 only" in observer.notes[0]


def test_a_label_that_lies_does_not_count(stub: StubEngine) -> None:
    stub.held[NAME] = (183, "linux/amd64")
    found = engine(stub).find_image(NAME, ARM)
    assert found is not None
    assert found.architecture is ARM


def test_an_image_without_node_is_refused(stub: StubEngine, observer: RecordingObserver) -> None:
    stub.held[NAME] = (8, "linux/amd64")
    with pytest.raises(LambdapackError, match="not a Node") as raised:
        engine(stub).image(NAME, X86, observer)
    assert raised.value.failure is WRONG_IMAGE


def test_an_engine_that_hangs_up_in_the_middle_is_lost(stub: StubEngine) -> None:
    def dies() -> Iterator[bytes]:
        yield b"x" * 100
        raise HangUpError

    stub.overrides["GET /containers/c1/archive"] = lambda: (200, dies())
    daemon = _open_daemon(EngineAddress(stub.url, "test"))
    with pytest.raises(LambdapackError) as raised, daemon.download("c1", "/x") as chunks:
        list(chunks)
    assert raised.value.failure is ENGINE_LOST


def test_a_full_disk_of_the_engine_is_told(stub: StubEngine) -> None:
    stub.overrides["PUT /containers/c1/archive"] = lambda: refusal(500, "write /x: no space left on device")
    with pytest.raises(LambdapackError) as raised:
        _open_daemon(EngineAddress(stub.url, "test")).upload("c1", "/", iter([b"x" * 100]))
    assert raised.value.failure is DISK_FULL


def test_what_the_host_cannot_read_is_not_blamed_on_the_engine(stub: StubEngine) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise PermissionError(13, "Permission denied", "index.js")

    stub.overrides["PUT /containers/c1/archive"] = lambda: answer({})
    with pytest.raises(PermissionError, match="index"):
        _open_daemon(EngineAddress(stub.url, "test")).upload("c1", "/", chunks())
