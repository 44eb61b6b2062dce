"""What is left of a sandbox: nothing, on any way out; and of a secret, nowhere."""

import contextlib
import gc
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdapack.engine import container
from lambdapack.engine import container as reap
from lambdapack.engine.containers import ContainerEngine
from lambdapack.engine.docker import connect_engine
from lambdapack.engine.interface import Command, SandboxSpec
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED, NO_ENGINE, WRONG_IMAGE
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.events import SILENT
from lambdapack.model import Architecture
from lambdapack.tree.compose import MemoryTree
from tests.contract.conftest import IMAGE
from tests.contract.relay import Relay
from tests.fakes import RecordingObserver

pytestmark = pytest.mark.engine

CLIENT = Path(__file__).with_name("client.py")
ROOT = Path(__file__).resolve().parents[2]
SOON = 15.0
"""Seconds in which the engine removes a container whose client is dead: far less on an idle machine."""

CANARY = b"canary-5f0c3c62e9a7"


@pytest.fixture(params=["docker", pytest.param("podman", marks=pytest.mark.podman)])
def engine(request: pytest.FixtureRequest) -> ContainerEngine:
    found: ContainerEngine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def label() -> str:
    """A purpose of this test's own: other runs share the engine."""
    return f"t{uuid.uuid4().hex[:12]}"


def spec(label: str, **changes: object) -> SandboxSpec:
    return SandboxSpec(IMAGE, Architecture.X86_64, label, **changes)  # type: ignore[arg-type]


def left(engine: ContainerEngine, label: str) -> list[str]:
    """Podman refuses the whole list while one of its containers is being removed, by whomever."""
    for _ in range(20):
        with contextlib.suppress(LambdapackError):
            return [str(each["State"]) for each in engine._daemon.containers(f"{reap.PURPOSE_LABEL}={label}")]
        time.sleep(0.05)
    pytest.fail("the engine does not list its containers")


def gone(engine: ContainerEngine, label: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while left(engine, label):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def volumes(engine: ContainerEngine) -> set[str]:
    return {each["Name"] for each in engine._daemon._client.volumes()["Volumes"] or ()}  # type: ignore[attr-defined]


def test_an_exception_leaves_nothing(engine: ContainerEngine, label: str) -> None:
    def fail() -> None:
        assert left(engine, label) == ["running"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), engine.open(spec(label, writable=("/var/task",))):
        fail()
    assert left(engine, label) == []


def test_an_interrupt_while_output_is_passed_on_leaves_nothing(engine: ContainerEngine, label: str) -> None:
    def interrupt(_source: str, _data: bytes, /) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), engine.open(spec(label)) as sandbox:
        sandbox.run(Command(("/bin/sh", "-c", "while :; do echo line; done")), interrupt)
    assert left(engine, label) == []


def test_an_anonymous_volume_goes_with_its_container(docker: ContainerEngine, label: str) -> None:
    with docker.open(spec(label, writable=("/var/task",))) as sandbox:
        sandbox.put(MemoryTree({"file": b"x"}), "/var/task")
        found = docker._daemon.containers(f"{reap.PURPOSE_LABEL}={label}")[0]["Mounts"]
        (volume,) = (mount["Name"] for mount in found)
        assert volume in volumes(docker)
    assert volume not in volumes(docker)


def client(url: str, label: str, until: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, CLIENT, url, label], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    while process.stdout.readline().strip() != until:
        assert process.poll() is None, process.stderr and process.stderr.read()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)


def test_a_killed_client_takes_its_container_along(engine: ContainerEngine, label: str) -> None:
    process = client(engine.address, label, "open")
    assert left(engine, label) == ["running"]
    process.kill()
    assert gone(engine, label, SOON)
    end(process)


@pytest.mark.parametrize("after", [0.02, 0.15, 0.25, 0.5])
def test_ctrl_c_at_any_step_leaves_nothing(docker: ContainerEngine, label: str, after: float) -> None:
    process = client(docker.address, label, "connected")
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    end(process)
    assert process.returncode in {-signal.SIGINT, 1, 130}
    assert gone(docker, label, SOON)


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_run_created_is_reaped_by_the_next(docker: ContainerEngine, label: str, dead_pid: int) -> None:
    daemon, me = docker._daemon, reap.current_owner()
    dead, living = reap.ContainerOwner(me.host, dead_pid).text, me.text
    names = []
    for owner, keep in ((dead, False), (living, False), (dead, True)):
        body = container.sandbox_config(spec(label, keep=keep), IMAGE, owner)
        names.append(daemon.create(body, container.container_name(label), None))
    try:
        with ContainerEngine(daemon).open(spec(f"{label}x")):
            assert [daemon.state(name) for name in names] == ["", "created", "created"]
    finally:
        for name in names:
            daemon.remove(name)


def test_a_secret_is_found_nowhere(docker: ContainerEngine, label: str) -> None:
    api = docker._daemon._client  # type: ignore[attr-defined]
    with docker.open(spec(label, secrets="/run/lambdapack", writable=("/var/task",))) as sandbox:
        sandbox.secrets({"/run/lambdapack/npmrc": CANARY})
        done = sandbox.run(Command(("/bin/sh", "-c", f"grep -q {CANARY.decode()[:8]} /run/lambdapack/npmrc")), _ignore)
        assert done.ok
        found = docker._daemon.containers(f"{reap.PURPOSE_LABEL}={label}")[0]["Id"]
        executions = [api.exec_inspect(each) for each in api.inspect_container(found)["ExecIDs"] or ()]
        traces = [
            json.dumps([api.inspect_container(found), api.diff(found), executions, api.top(found)]).encode(),
            api.logs(found),
            b"".join(api.export(found)),
            *_volume_bytes(api, found),
            *_committed(api, found),
        ]
    assert all(CANARY not in trace for trace in traces)
    assert "/run/lambdapack/npmrc" not in traces[0].decode()


def _ignore(_source: str, _data: bytes, /) -> None:
    pass


def _volume_bytes(api: Any, found: str) -> Iterator[bytes]:
    for mount in api.inspect_container(found)["Mounts"]:
        yield b"".join(api.get_archive(found, mount["Destination"])[0])


def _committed(api: Any, found: str) -> Iterator[bytes]:
    """Every file of the image that `docker commit` makes of the container: the new layer, that is."""
    image = api.commit(found)["Id"]
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(api.get_image(image)))) as tar:
            yield from (file.read() for member in tar if (file := tar.extractfile(member)))
    finally:
        api.remove_image(image)


def test_a_kept_container_can_be_entered_and_has_no_secret_left(engine: ContainerEngine, label: str) -> None:
    observer = RecordingObserver()
    with engine.open(spec(label, keep=True, secrets="/run/lambdapack"), observer) as sandbox:
        sandbox.secrets({"/run/lambdapack/npmrc": CANARY})
    (name,) = (each["Names"][0].lstrip("/") for each in engine._daemon.containers(f"{reap.PURPOSE_LABEL}={label}"))
    try:
        assert left(engine, label) == ["running"]
        assert observer.notes == [
            f"the container is kept: docker exec -it {name} sh; remove it: docker rm -f -v {name}"
        ]
        api = engine._daemon._client  # type: ignore[attr-defined]
        made = api.exec_create(name, ["ls", "/run/lambdapack"])
        assert api.exec_start(made["Id"]) == b""
    finally:
        engine._daemon.remove(name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_dies_is_told(docker: ContainerEngine, label: str, tmp_path: Path) -> None:
    observer = RecordingObserver()
    assert _engine_dies(docker, label, tmp_path, observer) is ENGINE_LOST
    assert "docker rm -f -v" in observer.notes[0]
    assert gone(docker, label, SOON)
    gc.collect()  # the SDK forgets to close the sockets that could not be connected, and warnings are errors here


def _engine_dies(docker: ContainerEngine, label: str, tmp_path: Path, observer: RecordingObserver) -> Failure:
    relay = Relay(tmp_path / "engine.sock", docker.address.removeprefix("unix://"))
    engine = connect_engine({"DOCKER_HOST": relay.url})
    command = Command(("/bin/sh", "-c", "echo begun; sleep 60"))
    with pytest.raises(LambdapackError) as raised, engine.open(spec(label), observer) as sandbox:
        sandbox.run(command, lambda _source, _data: relay.cut())
    return raised.value.failure


def test_a_container_that_somebody_removed_is_told(engine: ContainerEngine, label: str) -> None:
    with engine.open(spec(label)) as sandbox:
        engine._daemon.remove(engine._daemon.containers(f"{reap.PURPOSE_LABEL}={label}")[0]["Id"])
        with pytest.raises(LambdapackError) as raised:
            sandbox.run(Command(("true",)), _ignore)
    assert raised.value.failure is ENGINE_LOST


@pytest.fixture
def empty_image(docker: ContainerEngine) -> Iterator[str]:
    """An image with nothing but a file that looks like node for x86_64."""
    name = f"lambdapack/test-{uuid.uuid4().hex[:8]}:x"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("var/lang/bin/node")
        elf = (b"\x7fELF\x02\x01\x01" + bytes(11) + (62).to_bytes(2, "little")).ljust(64, b"\0")
        member.size = len(elf)
        tar.addfile(member, io.BytesIO(elf))
        link = tarfile.TarInfo("other/link")
        link.type, link.linkname = tarfile.SYMTYPE, "../var/lang/bin/node"
        tar.addfile(link)
    subprocess.run(["docker", "import", "-", name], input=buffer.getvalue(), check=True, capture_output=True)
    yield name
    docker._daemon._client.remove_image(name)  # type: ignore[attr-defined]


def test_an_image_without_programs_is_told_in_the_engines_words(docker: ContainerEngine, empty_image: str) -> None:
    with pytest.raises(LambdapackError) as raised, docker.open(SandboxSpec(empty_image, Architecture.X86_64, "none")):
        pass
    assert raised.value.failure is ENGINE_REFUSED
    assert "cat" in raised.value.detail
    with pytest.raises(LambdapackError) as wrong:
        docker.image(empty_image, Architecture.ARM64)
    assert wrong.value.failure is WRONG_IMAGE


def test_a_directory_of_an_image_is_read_without_starting_it(engine: ContainerEngine, tmp_path: Path) -> None:
    image = engine.image(IMAGE, Architecture.X86_64)
    engine.file_system(image, "/lib64", tmp_path / "spool")
    with tarfile.open(tmp_path / "spool") as tar:
        assert "libc.so.6" in {name.removeprefix("./") for name in tar.getnames()}
    with pytest.raises(LambdapackError) as raised:
        engine.file_system(image, "/no/such", tmp_path / "none")
    assert raised.value.failure is WRONG_IMAGE
    assert not (tmp_path / "none").exists()


def test_a_full_disk_of_the_host_is_told_and_leaves_no_spool(
    docker: ContainerEngine, label: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    spool.symlink_to("/dev/full")
    with docker.open(spec(label)) as sandbox, pytest.raises(LambdapackError) as raised:
        sandbox.get("/var/runtime", spool, SILENT)
    assert raised.value.failure is DISK_FULL
    assert not spool.is_symlink()


def test_when_nothing_answers_every_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError) as raised:
        connect_engine({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert raised.value.failure is NO_ENGINE
    assert raised.value.detail == (
        f"nothing answered at\nunix://{tmp_path}/none.sock (DOCKER_HOST): there is no such socket"
    )
