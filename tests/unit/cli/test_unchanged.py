"""A run of which nothing has changed repeats its output; whatever is lost, altered or new is noticed."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from lambdapack.cli.unchanged.place import is_repeatable, user_cache_directory
from lambdapack.cli.unchanged.recording import RunRecorder
from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of change that nobody can set")

MANIFEST = {"name": "plain", "version": "1.0.0"}
LOCK = {**MANIFEST, "lockfileVersion": 3, "packages": {"": MANIFEST}}
Changes = dict[str, Callable[[], object]]
"""What is done, by its name."""

SAID = "unchanged: nothing"


class Place:
    """A project without dependencies, and commands about it in processes of their own."""

    def __init__(self, directory: Path) -> None:
        self.project, self.home = directory / "work" / "fn", directory / "home"
        (self.project / "lib").mkdir(parents=True)
        self.home.mkdir()
        self.write("package.json", json.dumps(MANIFEST))
        self.write("package-lock.json", json.dumps(LOCK))
        self.write("index.js", "exports.handler = async () => require('./lib/a')\n")
        self.write("lib/a.js", "module.exports = 1\n")
        self.variables = {"HOME": str(self.home), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    @property
    def archive(self) -> Path:
        return self.project / ".lambdapack" / "plain-nodejs22.x-x86_64.zip"

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text, encoding="utf-8")

    def run(self, *argv: str, **variables: str) -> tuple[bool, int, str]:
        """Run a command; return whether it was repeated from its record, its exit code and its stdout."""
        command = [sys.executable, "-m", "lambdapack", *(argv or ("build",)), "--runtime", "nodejs22.x"]
        ended = subprocess.run(
            command,
            cwd=self.project,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return SAID in ended.stderr, ended.returncode, ended.stdout

    def repeats(self, *argv: str, **variables: str) -> bool:
        return self.run(*argv, **variables)[0]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_unchanged_build_is_repeated_and_every_change_is_noticed(place: Place) -> None:
    first = place.run()
    assert first[:2] == (False, 0)
    assert place.run() == (True, 0, first[2])

    def young() -> None:  # the same size and, on purpose, the same time of the last write
        path = place.project / "lib" / "a.js"
        before = path.stat()
        path.write_text("module.exports = 2\n", encoding="utf-8")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    changes: Changes = {
        "altered": young,
        "new": lambda: place.write("lib/b.js", ""),
        "lost": (place.project / "lib" / "b.js").unlink,
        "settings": lambda: place.write("lambdapack.toml", 'fail-on = "warning"\n'),
        "ignore file": lambda: place.write(".lambdapackignore", "lib/c*\n"),
        "settings of npm": lambda: (place.home / ".npmrc").write_text("fund=false\n"),
        "repository above": lambda: (place.project.parent / "package.json").write_text('{"workspaces": ["fn"]}'),
        "damaged archive": lambda: place.archive.write_bytes(place.archive.read_bytes()[:-1] + b"x"),
        "lost archive": place.archive.unlink,
        "lost manifest": place.archive.with_name(f"{place.archive.name}.lambdapack.json").unlink,
    }
    for name, change in changes.items():
        change()
        assert not place.repeats(), name
        assert place.archive.exists(), name
    assert place.repeats()
    assert not place.repeats("build", LAMBDAPACK_HANDLER="lib/a.handler")


def test_a_verdict_is_repeated_whatever_it_is(place: Place) -> None:
    (place.project / "node_modules" / "x").mkdir(parents=True)
    place.write("node_modules/x/package.json", '{"name": "x", "version": "1.0.0"}')
    first = place.run("verify", ".")
    assert place.run("verify", ".") == (True, *first[1:])
    place.write("node_modules/x/a.node", "no binary")
    changed = place.run("verify", ".")
    assert not changed[0]
    assert place.run("verify", ".") == (True, *changed[1:])
    assert not place.repeats("verify", ".", "--no-cache")


def test_bytecode_that_the_first_run_of_a_new_installation_makes_changes_nothing(place: Place, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(ROOT / "lambdapack", new / "lambdapack", ignore=shutil.ignore_patterns("__pycache__"))
    assert not place.repeats("verify", ".", PYTHONPATH=str(new))
    assert list(new.rglob("*.pyc"))
    assert place.repeats("verify", ".", PYTHONPATH=str(new))
    rule = new / "lambdapack" / "rules" / "check.py"
    rule.write_text(rule.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert not place.repeats("verify", ".", PYTHONPATH=str(new))


def test_a_damaged_record_is_no_record(place: Place) -> None:
    place.run()
    (record,) = (place.home / ".cache" / "lambdapack" / "runs").iterdir()
    record.write_bytes(record.read_bytes().replace(b"pass", b"fail", 1))
    assert not place.repeats()
    assert place.repeats()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("build",), True),
        (("verify", "x.zip", "--format", "json"), True),
        (("build", "--into=out"), False),
        (("build", "--refresh"), False),
        (("build", "--format", "github"), False),
        (("deploy",), False),
        ((), False),
    ],
)
def test_what_does_more_than_print_is_never_repeated(argv: tuple[str, ...], expected: bool) -> None:
    assert is_repeatable(argv) == expected


def test_the_cache_directory_is_the_one_of_platformdirs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LAMBDAPACK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for variables in ({}, {"XDG_CACHE_HOME": str(tmp_path)}, {"HOME": str(tmp_path)}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert user_cache_directory(os.environ) == str(user_cache_path("lambdapack", appauthor=False))
    assert not user_cache_directory({"LAMBDAPACK_CACHE": "off"})


def test_a_file_that_changes_while_it_is_read_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "read.txt"
    path.write_text("before")
    for changes, records in ((True, 0), (False, 1)):
        time.sleep(0.05)
        recorder = RunRecorder(("verify", str(path)))
        recorder.audit("open", (str(path), "r", 0))
        if changes:
            path.write_text("after")
        recorder.save(0)
        assert len(list(tmp_path.glob("cache/runs/*"))) == records
