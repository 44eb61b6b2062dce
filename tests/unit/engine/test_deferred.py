from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdapack.engine.hosts import EngineAddress
from lambdapack.engine.interface import EngineKind, SandboxSpec
from lambdapack.engine.known.deferred import DeferredEngine, FrozenEngine
from lambdapack.engine.known.probe import NoAnswerError, probe_image, probe_version
from lambdapack.errors.build import FROZEN
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.model import Architecture
from lambdapack.store.engines import EngineRecords
from lambdapack.store.records import Store
from tests.fakes import FakeEngine, RecordingObserver
from tests.unit.engine.stub import StubEngine, answer

X86 = Architecture.X86_64
IMAGE = "lambdapack-lab/nodejs:22-x86_64"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[StubEngine]:
    stub = StubEngine(tmp_path / "engine.sock")
    stub.held[IMAGE] = (62, "linux/amd64")
    yield stub
    stub.close()


class Place:
    """An engine's address, its memory, and how often the real engine was reached."""

    def __init__(self, directory: Path, url: str) -> None:
        self.memory = EngineRecords(Store(directory / "store", "code"))
        self.url = url
        self.reached = 0

    def engine(self, *, refresh: bool = False) -> DeferredEngine:
        def reach() -> FakeEngine:
            self.reached += 1
            return FakeEngine()

        return DeferredEngine((EngineAddress(self.url, "setting"),), reach, self.memory, refresh=refresh)


def test_the_real_engine_is_reached_for_a_new_image_alone(daemon: StubEngine, tmp_path: Path) -> None:
    place = Place(tmp_path, daemon.url)
    first = place.engine().image(IMAGE, X86, SILENT)
    assert place.reached == 1
    engine = place.engine()
    assert engine.image(IMAGE, X86, SILENT) == first
    assert engine.find_image(IMAGE, X86) == first
    assert (engine.architecture, engine.kind) == (X86, EngineKind.DOCKER)
    assert place.reached == 1


def test_an_image_with_another_id_is_looked_at_again(daemon: StubEngine, tmp_path: Path) -> None:
    place = Place(tmp_path, daemon.url)
    place.engine().image(IMAGE, X86, SILENT)
    daemon.held[IMAGE] = (62, "linux/amd64 newer")
    place.engine().image(IMAGE, X86, SILENT)
    assert place.reached == 2
    place.engine().image(IMAGE, X86, SILENT)
    assert place.reached == 2


def test_refresh_asks_the_engine(daemon: StubEngine, tmp_path: Path) -> None:
    place = Place(tmp_path, daemon.url)
    place.engine().image(IMAGE, X86, SILENT)
    engine = place.engine(refresh=True)
    engine.image(IMAGE, X86, SILENT)
    engine.image(IMAGE, X86, SILENT)
    assert place.reached == 2


def test_while_the_engine_is_down_what_it_said_counts_and_that_is_told(daemon: StubEngine, tmp_path: Path) -> None:
    place = Place(tmp_path, daemon.url)
    image = place.engine().image(IMAGE, X86, SILENT)
    daemon.close()
    (tmp_path / "engine.sock").unlink()
    observer, engine = RecordingObserver(), place.engine()
    assert engine.image(IMAGE, X86, observer) == image
    assert "counts as it was last seen" in observer.notes[0]
    assert place.reached == 1


def test_what_can_only_be_asked_by_the_sdk_counts_as_it_was(tmp_path: Path) -> None:
    place = Place(tmp_path, "tcp://engine.example:2376")
    place.engine().image(IMAGE, X86, SILENT)
    assert place.reached == 1  # the address of the fake is unknown, so nothing is remembered
    place.engine().image(IMAGE, X86, SILENT)
    assert place.reached == 2


def test_to_work_it_is_reached(daemon: StubEngine, tmp_path: Path) -> None:
    place = Place(tmp_path, daemon.url)
    engine = place.engine()
    with engine.open(SandboxSpec(IMAGE, X86, "look"), SILENT) as sandbox:
        assert sandbox.native
    assert engine.caches() == []
    assert place.reached == 1


def test_a_probe_reads_what_the_engine_says(daemon: StubEngine) -> None:
    socket = daemon.url.removeprefix("unix://")
    assert probe_version(socket)["Arch"] == "amd64"
    assert probe_image(socket, IMAGE) == "62 linux/amd64"
    assert probe_image(socket, "absent:1") == ""


def test_what_is_no_engine_gives_no_answer(daemon: StubEngine, tmp_path: Path) -> None:
    socket = daemon.url.removeprefix("unix://")
    daemon.overrides["GET /version"] = lambda: (200, [b"<html>"])
    with pytest.raises(NoAnswerError):
        probe_version(socket)
    daemon.overrides["GET /version"] = lambda: answer({}, 500)
    with pytest.raises(NoAnswerError):
        probe_version(socket)
    with pytest.raises(NoAnswerError):
        probe_version(str(tmp_path / "absent.sock"))


def test_a_frozen_engine_opens_nothing(daemon: StubEngine, tmp_path: Path) -> None:
    engine = FrozenEngine(Place(tmp_path, daemon.url).engine())
    assert engine.image(IMAGE, X86, SILENT).reference == IMAGE
    with pytest.raises(LambdapackError) as caught:
        engine.open(SandboxSpec(IMAGE, X86, "build"), SILENT)
    assert caught.value.failure is FROZEN
