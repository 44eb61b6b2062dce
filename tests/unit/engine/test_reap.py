import os
import subprocess
import sys

import pytest

from lambdapack.engine.container import (
    ABANDONED_SECONDS,
    KEPT_LABEL,
    OWNER_LABEL,
    ContainerOwner,
    current_owner,
    is_abandoned,
    is_alive,
    parse_owner,
)

ME = ContainerOwner("here", 10)
NOW = 1_800_000_000.0


def container(owner: str, *, state: str = "created", age: float = 1, kept: bool = False) -> dict[str, object]:
    return {
        "Labels": {OWNER_LABEL: owner} | ({KEPT_LABEL: "1"} if kept else {}),
        "State": state,
        "Created": int(NOW - age),
    }


def test_what_a_dead_process_of_this_host_created_is_abandoned() -> None:
    assert is_abandoned(container("here:11"), ME, NOW, lambda _pid: False)
    assert is_abandoned(container("here:11", state="exited"), ME, NOW, lambda _pid: False)


@pytest.mark.parametrize(
    ("found", "living"),
    [
        (container("here:11"), True),  # its owner lives
        (container("there:11"), False),  # nobody can tell from here
        (container("here:11", state="running"), False),  # the dead man's switch ends it
        (container("here:11", kept=True), False),  # the user wants to look at it
        (container("nonsense"), False),
        ({"State": "created", "Labels": None}, False),
        ({"State": "created", "Labels": {OWNER_LABEL: "there:1"}, "Created": "yesterday"}, False),
    ],
)
def test_what_may_be_somebodys_is_left_alone(found: dict[str, object], living: bool) -> None:
    assert not is_abandoned(found, ME, NOW, lambda _pid: living)


def test_what_is_very_old_is_nobodys() -> None:
    assert is_abandoned(container("there:11", age=ABANDONED_SECONDS + 1), ME, NOW, lambda _pid: True)


@pytest.mark.parametrize("text", ["", ":", "x:", ":1", "x:y", "x:-1", "x:\u0661"])
def test_another_label_is_no_owner(text: str) -> None:
    assert parse_owner(text) is None


def test_an_owner_reads_what_it_wrote() -> None:
    assert parse_owner(current_owner().text) == current_owner()
    assert current_owner().pid == os.getpid()


def test_a_process_is_alive_until_it_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_alive(process.pid)
    process.kill()
    process.communicate()
    assert not is_alive(process.pid) or sys.platform == "win32"
    assert is_alive(2**70)
