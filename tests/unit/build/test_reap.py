import os
import subprocess
import sys

import pytest

from lambdapack.build.reap import KEPT, OLD_SECONDS, OWNER, Owner, abandoned, alive, myself, parse

ME = Owner("here", 10)
NOW = 1_800_000_000.0


def container(owner: str, *, state: str = "created", age: float = 1, kept: bool = False) -> dict[str, object]:
    return {"Labels": {OWNER: owner} | ({KEPT: "1"} if kept else {}), "State": state, "Created": int(NOW - age)}


def test_what_a_dead_process_of_this_host_created_is_abandoned() -> None:
    assert abandoned(container("here:11"), ME, NOW, lambda _pid: False)
    assert abandoned(container("here:11", state="exited"), ME, NOW, lambda _pid: False)


@pytest.mark.parametrize(
    ("found", "living"),
    [
        (container("here:11"), True),  # its owner lives
        (container("there:11"), False),  # nobody can tell from here
        (container("here:11", state="running"), False),  # the dead man's switch ends it
        (container("here:11", kept=True), False),  # the user wants to look at it
        (container("nonsense"), False),
        ({"State": "created", "Labels": None}, False),
        ({"State": "created", "Labels": {OWNER: "there:1"}, "Created": "yesterday"}, False),
    ],
)
def test_what_may_be_somebodys_is_left_alone(found: dict[str, object], living: bool) -> None:
    assert not abandoned(found, ME, NOW, lambda _pid: living)


def test_what_is_very_old_is_nobodys() -> None:
    assert abandoned(container("there:11", age=OLD_SECONDS + 1), ME, NOW, lambda _pid: True)


@pytest.mark.parametrize("text", ["", ":", "x:", ":1", "x:y", "x:-1", "x:\u0661"])
def test_another_label_is_no_owner(text: str) -> None:
    assert parse(text) is None


def test_an_owner_reads_what_it_wrote() -> None:
    assert parse(myself().text) == myself()
    assert myself().pid == os.getpid()


def test_a_process_is_alive_until_it_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert alive(process.pid)
    process.kill()
    process.communicate()
    assert not alive(process.pid) or sys.platform == "win32"
    assert alive(2**70)
