"""The local engine: sandboxes on this host, scripts confined, and packages built with no container engine at all."""

import json
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from lambdapack.engine.interface import CacheVolume, Command, Limits, SandboxSpec
from lambdapack.engine.local.confinement import find_bubblewrap
from lambdapack.engine.local.engine import LOCAL_REFERENCE, LocalEngine, LocalNode, host_architecture
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import TOO_LONG, WRONG_IMAGE
from lambdapack.errors.local import FOREIGN_CPU, UNCONFINED
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import TASK_ROOT, Architecture
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.spool import SpoolTree
from tests.command import lambdapack

REFERENCE = LOCAL_REFERENCE.format(node=22)
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CONFINED = pytest.mark.skipif(not find_bubblewrap(), reason="bubblewrap is not here")


class EmptyNodes:
    """A store of which no node is asked to run."""

    def __init__(self, directory: Path) -> None:
        self.node = LocalNode(directory, "sha256:" + "0" * 64)

    def find(self, reference: str) -> LocalNode | None:
        return self.node if reference == REFERENCE else None

    def obtain(self, reference: str, observer: Observer) -> LocalNode:  # noqa: ARG002  # of the protocol
        if reference != REFERENCE:
            raise LambdapackError(WRONG_IMAGE, reference)
        return self.node


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    (tmp_path / "node").mkdir()
    return LocalEngine(EmptyNodes(tmp_path / "node"), tmp_path / "volumes")


def spec(**changes: object) -> SandboxSpec:
    return SandboxSpec(REFERENCE, host_architecture(), "test", **changes)  # type: ignore[arg-type]


def said(engine: LocalEngine, script: str, **changes: object) -> list[str]:
    heard = Transcript(SILENT)
    with engine.open(spec(untrusted=True, **changes)) as sandbox:
        sandbox.run(Command(("/bin/sh", "-c", script), cwd=TASK_ROOT, user="1051:1051"), heard)
    heard.close()
    return list(heard.lines)


def test_what_is_put_comes_out_again_with_modes_and_links(engine: LocalEngine, tmp_path: Path) -> None:
    tree = MemoryTree({"bin/run": (b"#!/bin/sh\n", 0o755), "a.txt": b"text"}, links={"link": "a.txt"})
    with engine.open(spec()) as sandbox:
        sandbox.put(tree, TASK_ROOT)
        sandbox.get(TASK_ROOT, tmp_path / "out.tar", SILENT)
    with SpoolTree(tmp_path / "out.tar") as out:
        found = {path: (entry.mode, entry.size, entry.target) for path, entry in out.entries.items()}
    assert found["bin/run"] == (0o755, 10, "")
    assert found["a.txt"] == (0o644, 4, "")
    assert found["link"] == (0o777, 0, "a.txt")


def test_a_tree_writes_nothing_outside_its_directory_through_a_link(engine: LocalEngine, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    with engine.open(spec()) as sandbox:
        sandbox.put(MemoryTree({}, links={"out": str(victim)}), TASK_ROOT)
        with pytest.raises(LambdapackError):
            sandbox.put(MemoryTree({"out/planted": b"x"}), TASK_ROOT)
    assert not list(victim.iterdir())


@CONFINED
def test_a_script_sees_neither_home_nor_processes_nor_variables(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-host")
    home = Path.home()
    lines = said(engine, f"ls -A {home} /root /home 2>/dev/null; env; ls -d /proc/[0-9]* | wc -l; ls -A /tmp; id -u")
    assert not [line for line in lines if "of-the-host" in line or ".ssh" in line or ".npmrc" in line]
    assert lines[-1] == "1051"
    assert int(lines[-2]) < 8


@CONFINED
def test_a_sandbox_without_a_network_has_none(engine: LocalEngine) -> None:
    assert said(engine, "ls /sys/class/net 2>/dev/null; cat /proc/net/dev | grep -c :", network=False) == ["1"]


@CONFINED
def test_code_of_a_read_only_sandbox_is_not_changed(engine: LocalEngine) -> None:
    lines = said(engine, "echo x > planted || echo refused; echo y > /tmp/mine && echo fine", read_only=True)
    assert lines[-2:] == ["refused", "fine"]


@CONFINED
def test_a_tool_volume_cannot_be_written(engine: LocalEngine) -> None:
    volume = CacheVolume("tools", "/opt/tools", read_only=True)
    assert said(engine, "echo x > /opt/tools/cc || echo refused", volumes=(volume,))[-1] == "refused"


def test_scripts_do_not_run_where_nothing_confines_them(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lambdapack.engine.local.engine.find_bubblewrap", lambda: "")
    with pytest.raises(LambdapackError) as caught, engine.open(spec(untrusted=True)):
        pass
    assert caught.value.failure is UNCONFINED
    allowing = LocalEngine(EmptyNodes(tmp_path / "node"), tmp_path / "volumes", allow_unconfined=True)
    assert said(allowing, "pwd; echo $HOME; : > /var/task/x 2>/dev/null; echo done")[-1] == "done"


def test_nothing_is_left_of_a_command_that_takes_too_long(engine: LocalEngine) -> None:
    limits = Limits(wall_seconds=1.0, silence_seconds=1.0)
    mark = f"31.{os.getpid()}"
    with pytest.raises(LambdapackError) as caught, engine.open(spec(limits=limits)) as sandbox:
        sandbox.run(Command(("/bin/sh", "-c", f"sleep {mark} & sleep {mark}")), Transcript(SILENT))
    assert caught.value.failure is TOO_LONG
    time.sleep(0.3)
    assert mark not in subprocess.run(["ps", "ax", "-o", "args"], check=True, capture_output=True, text=True).stdout


def test_secrets_are_private_and_gone_at_the_end(engine: LocalEngine) -> None:
    with engine.open(spec(secrets="/run/lambdapack")) as sandbox:
        sandbox.secrets({"/run/lambdapack/npmrc": b"token"})
        places = sandbox._places.places  # type: ignore[attr-defined]  # where it lies is the question
        file = places["/run/lambdapack"].outside / "npmrc"
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o077 == 0
    assert not file.exists()


def test_another_cpu_and_container_images_are_refused(engine: LocalEngine) -> None:
    other = next(cpu for cpu in Architecture if cpu is not host_architecture())
    for reference, cpu, failure in (
        (REFERENCE, other, FOREIGN_CPU),
        ("public.ecr.aws/lambda/nodejs:22-x86_64", host_architecture(), WRONG_IMAGE),
    ):
        with pytest.raises(LambdapackError) as caught:
            engine.image(reference, cpu)
        assert caught.value.failure is failure


HIDDEN = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def thumbnail(tmp_path: Path) -> Path:
    project = tmp_path / "thumbnail"
    shutil.copytree(EXAMPLES / "thumbnail", project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return project


def test_a_build_without_any_engine_serves_both_cpus_and_the_handler_answers(thumbnail: Path) -> None:
    ran = lambdapack("build", "--arch", "all", "--runtime", "nodejs22.x", cwd=thumbnail, env=HIDDEN)
    assert ran.returncode == 0, ran.stderr
    assert "no container engine answers" in " ".join(ran.stderr.split())
    zips = [thumbnail / line for line in ran.stdout.splitlines()]
    assert len(zips) == 2
    for path in zips:
        manifest = json.loads(Path(f"{path}.lambdapack.json").read_text("utf-8"))
        assert (manifest["install"]["engine"], manifest["install"]["compiler"]) == ("local", None)
        cpu = "arm64" if "arm64" in path.name else "x64"
        assert f"node_modules/@img/sharp-linux-{cpu}/package.json" in zipfile.ZipFile(path).namelist()
    own = next(path for path in zips if host_architecture().aws in path.name)
    answered = lambdapack("invoke", str(own), "--event", "event.json", cwd=thumbnail, env=HIDDEN)
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout)["arch"] == host_architecture().node
    assert "runs on this host" in " ".join(answered.stderr.split())


@pytest.mark.registry
def test_a_function_is_invoked_unconfined_where_nothing_confines_and_that_is_said(tmp_path: Path) -> None:
    project = tmp_path / "plain"
    shutil.copytree(EXAMPLES / "plain", project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "bwrap":
            (programs / program.name).symlink_to(program)
    bare = {**HIDDEN, "PATH": str(programs), "AWS_SECRET_ACCESS_KEY": "of-the-host"}
    (project / "index.js").write_text("exports.handler = async () => process.env.AWS_SECRET_ACCESS_KEY ?? 'none'\n")
    built = lambdapack("build", "--runtime", "nodejs22.x", "--engine", "local", cwd=project, env=bare)
    assert built.returncode == 0, built.stderr
    answered = lambdapack("invoke", built.stdout.strip(), "--engine", "local", cwd=project, env=bare)
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout) == "none"
    assert "nothing confines the function" in " ".join(answered.stderr.split())


@pytest.mark.engine
def test_the_bytes_are_a_containers_where_nothing_is_compiled(thumbnail: Path, tmp_path: Path) -> None:
    local = lambdapack(
        "build", "--arch", "arm64", "--engine", "local", "-o", str(tmp_path / "l.zip"), cwd=thumbnail, env=HIDDEN
    )
    assert local.returncode == 0, local.stderr
    images = {
        f"LAMBDAPACK_{kind}IMAGE": f"lambdapack-lab/nodejs:{{node}}-{{arch}}{suffix}"
        for kind, suffix in (("", ""), ("BUILD_", "-build"))
    }
    words = ("build", "--arch", "arm64", "--engine", "docker", "-o", str(tmp_path / "d.zip"))
    ran = lambdapack(*words, cwd=thumbnail, env=images)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "l.zip").read_bytes() == (tmp_path / "d.zip").read_bytes()
