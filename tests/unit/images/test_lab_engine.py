import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from images.lab import engine, making
from images.lab.cache import LabError
from images.lab.making import Order
from images.lab.recipe import RELEASES, Cpu

SCRIPTS = Path(engine.__file__).parent
TOOLS = ("sh", "dirname", "uname", "id", "cat", "grep", "mktemp", "tail")

Program = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Add a shell script to a PATH that has nothing else but a few tools of POSIX."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:  # scripts that call the real ones, never links: to write to a link is to write to the system
        real = shutil.which(tool)
        assert real is not None
        (folder / tool).write_text(f'#!{shutil.which("sh")}\nexec {real} "$@"\n')
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


def script(name: str, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(["sh", str(SCRIPTS / name), *arguments], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_an_image_of_another_recipe_is_made_again(program: Program) -> None:
    order = Order(RELEASES[1], Cpu.ARM64)
    program("docker", f"echo {making.recipe_digest()}")
    assert making.missing([order]) == ()
    assert making.missing([Order(RELEASES[1], Cpu.ARM64, refresh=True)]) != ()
    program("docker", "echo 0123")
    assert making.missing([order]) == (order,)
    program("docker", "exit 1")
    assert making.missing([order]) == (order,)


def test_the_variants_without_headers_are_made_on_request() -> None:
    names = Order(RELEASES[1], Cpu.X86_64, noheaders=True).names
    assert [name.partition(":22-x86_64")[2] for name in names] == ["", "-build", "-noheaders", "-build-noheaders"]


def test_what_is_loaded_arrives_whole(program: Program, tmp_path: Path) -> None:
    program("docker", f"cat > {tmp_path}/loaded")
    engine.load(lambda stream: print(stream.write(b"x" * 300_000)))
    assert (tmp_path / "loaded").stat().st_size == 300_000


def test_a_refused_load_shows_the_engines_words(program: Program) -> None:
    program("docker", "echo no space left on device >&2; exit 1")
    with pytest.raises(LabError, match="no space left on device"):
        engine.load(lambda stream: print(stream.write(b"x" * 300_000)))


def test_without_docker_the_script_is_named(program: Program) -> None:
    program("other", "")
    with pytest.raises(LabError, match=r"engine\.sh"):
        engine.require()


def test_an_engine_that_answers_is_left_alone(program: Program) -> None:
    program("docker", "echo 20.10")
    program("uname", "echo Darwin")
    assert script("engine.sh") == (0, "engine: ready: 20.10\n")


@pytest.mark.parametrize(
    ("docker", "host", "words"),
    [
        ("echo permission denied >&2; exit 1", "", "but not for"),
        ("exit 1", "tcp://127.0.0.1:1", "nothing answers at DOCKER_HOST=tcp://127.0.0.1:1"),
        ("exit 1", "", "missing here: docker.io iptables"),
    ],
)
def test_what_is_missing_is_said(
    program: Program, monkeypatch: pytest.MonkeyPatch, docker: str, host: str, words: str
) -> None:
    program("docker", docker)
    program("uname", "echo Linux")
    monkeypatch.setenv("DOCKER_HOST", host)
    code, said = script("engine.sh")
    assert code == 3
    assert words in said


def test_packages_are_announced_before_they_are_installed(program: Program) -> None:
    program("id", "echo 0")
    program("rm", "")
    program("apt-get", 'echo "$@" >&2; test "$1" = update')
    code, said = script("packages.sh", "sh", "left-pad")
    assert code == 3
    assert re.search(r"installing .*: left-pad\n(.*\n)*install -y --no-install-recommends left-pad\n", said)


def test_nobody_but_root_installs(program: Program) -> None:
    program("id", "echo 1000")
    program("apt-get", "echo called")
    assert script("packages.sh", "left-pad") == (3, "packages: missing here: run as root: apt-get install left-pad\n")
