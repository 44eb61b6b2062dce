"""Many processes build one project at once, and some are killed: every archive is right, and nothing is left."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdapack.aws.cloud import connect_cloud
from lambdapack.pack.digest import code_digest
from tests.cloud import servers
from tests.house.source import ROOT
from tests.store_worker import BUCKET
from tests.unit.pipeline.workshop import Workshop

PROCESSES = 10
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with servers.moto() as found:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in KEYS.items():
                patch.setenv(name, value)
            connect_cloud(KEYS, endpoint=found, region="us-east-1").calls.client("s3").create_bucket(Bucket=BUCKET)
        yield found


def play_round(place: Path, store: str, dice: random.Random) -> None:
    """Start all, kill one, and hold the others to one digest."""
    place.mkdir()
    project = Workshop(place).project  # written before anybody reads it
    environment = {**os.environ, **KEYS, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.store_worker", str(place)]
    started = [
        subprocess.Popen(
            [*command, str(number), store], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        for number in range(PROCESSES)
    ]
    time.sleep(dice.uniform(0.5, 4.0))
    killed = dice.randrange(PROCESSES)
    started[killed].send_signal(signal.SIGKILL)
    digests = set()
    for number, process in enumerate(started):
        out, err = process.communicate(timeout=300)
        if process.returncode == 0:
            digests.add(out.decode().split()[0])
            assert code_digest(place / "out" / f"{number}.zip") == out.decode().split()[0]
        else:
            assert number == killed, err.decode()
    assert len(digests) == 1
    last = subprocess.run(
        [*command, str(killed), store], env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert last.stdout.split()[0] in digests
    assert project.exists()
    left = [path.name for path in place.glob("trees/**/*") if path.name.endswith((".tmp", ".lock"))]
    assert len(left) <= (0 if store == "local" else 2), left  # a killed process' own store is swept by its next put


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_processes_share_a_store_while_one_is_killed(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    dice = random.Random(7)  # noqa: S311  # when to kill
    play_round(tmp_path / "round", "local" if kind == "local" else request.getfixturevalue("endpoint"), dice)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["local", "s3"])
def test_fifty_rounds(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    dice = random.Random(11)  # noqa: S311  # when to kill
    for number in range(50):
        play_round(tmp_path / f"{number}", "local" if kind == "local" else request.getfixturevalue("endpoint"), dice)
