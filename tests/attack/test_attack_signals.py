"""Signals at random moments, while zip and store are written too: nothing is left, and the next run is fine."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambdapack.pack.digest import code_digest
from tests.attack.packages import HostilePackage, write_project
from tests.command import containers

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
SAMPLE, ALL = 5, 60
"""Signals of the normal suite, and of --full."""


@dataclass(frozen=True)
class Bench:
    """A project, and places of its own for all that a run writes."""

    project: Path
    home: Path
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("tmp", "cache"):
            (self.home / name).mkdir(parents=True, exist_ok=True)

    @property
    def archive(self) -> Path:
        return self.home / "out" / "fn.zip"

    def start(self) -> "subprocess.Popen[str]":
        command = [
            sys.executable,
            "-m",
            "lambdapack",
            "build",
            str(self.project),
            "-o",
            str(self.archive),
            *self.options,
        ]
        places = {"TMPDIR": str(self.home / "tmp"), "LAMBDAPACK_CACHE": str(self.home / "cache")}
        return subprocess.Popen(
            command, env={**os.environ, **places}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self) -> float:
        """Build undisturbed; return how long that takes."""
        begun = time.monotonic()
        process = self.start()
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said
        return time.monotonic() - begun

    def interrupt(self, number: int, seconds: float, draw: random.Random) -> None:
        """Build, and send a signal after some seconds; say what is wrong afterwards."""
        for path in self.home.glob("out/*"):
            path.unlink()
        process = self.start()
        time.sleep(seconds)
        process.send_signal(number)
        if draw.random() < 0.3:  # somebody is impatient
            time.sleep(0.05)
            process.send_signal(draw.choice(SIGNALS))
        _, said = process.communicate(timeout=120)
        early = -number  # before Python has a handler
        assert process.returncode in {CODES[number], 0, early, *(-each for each in SIGNALS)}, said  # type: ignore[index]
        assert list((self.home / "tmp").iterdir()) == []
        assert [path for path in self.home.rglob("*") if path.name.endswith("-tmp")] == []
        if self.archive.exists():
            self.check_archive()

    def check_archive(self) -> None:
        """A zip that is there is whole."""
        with zipfile.ZipFile(self.archive) as archive:
            assert archive.testzip() is None
        manifest = self.archive.with_name(self.archive.name + ".lambdapack.json")
        if manifest.exists():
            assert json.loads(manifest.read_text())["code_digest"] == code_digest(self.archive)


def interrupt_often(bench: Bench, count: int, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # no secret
    whole = bench.run()
    for _ in range(count):
        bench.interrupt(draw.choice(SIGNALS), draw.uniform(0.1, 1.05) * whole, draw)
    bench.run()
    bench.check_archive()


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.full)])
def test_nothing_is_left_of_a_zip_and_a_store_that_were_being_written(count: int, tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop")
    modules = project / "node_modules"
    draw = random.Random(count)  # noqa: S311  # no secret
    for number in range(1500):
        place = modules / f"p{number % 60}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}.js").write_bytes(draw.randbytes(6000))
    for number in range(60):
        (modules / f"p{number}" / "package.json").write_text(json.dumps({"name": f"p{number}", "version": "1.0.0"}))
        (modules / f"p{number}" / "a.node").write_bytes(
            b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(4) + b"\x08" + bytes(19)
        )
    options = ("--no-install", "--no-load", "--ignore", "not-elf=they are for another system")
    interrupt_often(Bench(project, tmp_path / "home", options), count, count)


@pytest.mark.full
@pytest.mark.engine
def test_nothing_is_left_of_an_install_that_was_running(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    os.environ.update(lab_engine)
    slow = HostilePackage("slow", {"install": "setTimeout(() => 0, 3000)"})
    project = write_project(tmp_path / "shop", slow)
    before = set(containers())
    interrupt_often(Bench(project, tmp_path / "home", ("--no-load",)), 20, 1)
    assert set(containers()) <= before
