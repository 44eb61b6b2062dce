"""What only a process of its own shows: imports, pipes, terminals, signals."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import products
from tests.command import lambdapack

HEAVY = {
    "--version": {"typer", "docker", "elftools", "tqdm", "yaml", "deflate", "pathspec", "json", "dataclasses"},
    "--help": {"docker", "elftools", "tqdm", "yaml", "deflate", "pathspec", "zipfile", "lambdapack.engine.interface"},
    "runtimes": {"docker", "yaml"},
    "verify": {"docker", "requests", "urllib3", "yaml", "lambdapack.engine.docker"},
    "explain": {
        *("docker", "elftools", "tqdm", "yaml", "gzip", "html", "tree_sitter", "ahocorasick_rs", "zipfile"),
        *("lambdapack.rules.registry", "lambdapack.engine.interface", "lambdapack.explain.passages"),
    },
}
"""What a command must not wait for."""

posix = pytest.mark.skipif(os.name == "nt", reason="a terminal or device of POSIX")


@pytest.fixture
def function(tmp_path: Path) -> Path:
    (tmp_path / "index.js").write_text("exports.handler = async () => 1\n")
    return tmp_path


@pytest.mark.parametrize("command", HEAVY)
def test_a_command_imports_nothing_that_it_does_not_use(command: str, function: Path) -> None:
    subjects = {"verify": [str(function)], "explain": ["/var/task/node_modules/a/a.node: invalid ELF header"]}
    arguments = [command, *subjects.get(command, [])]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lambdapack", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=function,
    )
    imported = set(re.findall(r"^import time:[\s\d|]+\|\s+(\S+)$", done.stderr, re.MULTILINE))
    assert "lambdapack" in imported
    assert imported & HEAVY[command] == set()


def test_only_the_report_goes_to_a_pipe_and_no_bars_to_a_file(function: Path) -> None:
    done = lambdapack("verify", function, "--runtime", "nodejs22.x")
    assert done.returncode == 0
    assert re.match(r"(pass|warn): nodejs22\.x/x86_64 - no native code", done.stdout.splitlines()[-1])
    assert done.stderr == "Reading every native file\n"
    assert "\r" not in done.stderr


@posix
@pytest.mark.parametrize("redirection", ["", "2>&1"])
def test_a_reader_that_goes_away_is_no_error(redirection: str) -> None:
    shown = f'"{sys.executable}" -m lambdapack runtimes show nodejs22.x --format json {redirection}'
    script = f'{shown} | head -c 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\{(0|141)\n", done.stdout)
    assert done.stderr == ""


@posix
@pytest.mark.parametrize("redirection", ["", "2>&1"])
@pytest.mark.parametrize("arguments", ["runtimes", "--help", "verify absent --format json"])
def test_a_reader_that_was_never_there_is_141(arguments: str, redirection: str) -> None:
    shown = f'"{sys.executable}" -m lambdapack {arguments} {redirection}'
    script = f'{{ sleep 0.2; {shown}; }} | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "141\n"
    assert "Traceback" not in done.stderr


@posix
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["runtimes"], 3, "error[LP009]"), (["verify", "absent", "--format", "json"], 2, "error[LP007]")],
)
def test_a_full_disk_behind_stdout_is_named(arguments: list[str], code: int, words: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    command = [sys.executable, "-m", "lambdapack", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_any_encoding_of_stdout_does(encoding: str, tmp_path: Path) -> None:
    place = tmp_path / "gr\u00fc\u00dfe \u96ea"
    place.mkdir()
    (place / "\u96ea.node").write_bytes(b"MZ" + bytes(100))
    for style in ("human", "json"):
        command = [sys.executable, "-m", "lambdapack", "verify", str(place), "--runtime", "nodejs22.x"]
        done = subprocess.run(
            [*command, "--all-binaries", "--format", style],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert b"LP202" in done.stdout
        if style == "json":
            products.check(done.stdout.decode("ascii"), ours=True)


@posix
def test_a_terminal_is_left_clean(function: Path) -> None:
    import pty  # noqa: PLC0415  # POSIX alone

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "lambdapack", "verify", str(function), "--runtime", "nodejs22.x"]
    with subprocess.Popen(command, stdout=slave, stderr=slave, close_fds=True) as process:
        os.close(slave)
        said = b""
        while part := _read(master):
            said += part
    os.close(master)
    assert process.returncode == 0
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", said.replace(b"\r\n", b"\n"))
    left = [line.rpartition(b"\r")[2] for line in plain.splitlines()]
    assert said.count(b"\x1b[") == 2 * said.count(b"\x1b[0m")  # each colour ends
    assert left[0].startswith((b"pass: nodejs22.x/x86_64", b"warn"))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says EIO when the other end is closed
        return b""


@posix
def test_a_user_without_a_home_can_verify(function: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "lambdapack", "verify", str(function)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@posix
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [("explain -", 1, "no diagnosis"), ("explain", 1, "no diagnosis"), ("invoke . --event -", 2, "it is not JSON")],
)
def test_a_closed_stdin_has_no_text(arguments: str, code: int, words: str, function: Path) -> None:
    script = f'"{sys.executable}" -m lambdapack {arguments} <&-'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=function)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr


BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
"""root, who may enter any directory, as everybody else (util-linux)."""


@posix
@pytest.mark.parametrize(
    "arguments",
    [("verify", "a.zip"), ("inspect", ""), ("invoke", "a.zip"), ("publish-layer", "--name", "x", "a"), ("init", "a")],
    ids=" ".join,
)
def test_a_path_below_a_directory_that_one_may_not_enter_is_named(arguments: Sequence[str], function: Path) -> None:
    as_root = os.geteuid() == 0
    if as_root and not shutil.which("setpriv"):
        pytest.skip("root may enter any directory, and setpriv is not here")
    locked = function / "locked"
    locked.mkdir(mode=0)
    named = [*arguments[:-1], str(locked / arguments[-1])]
    bound = BOUND if as_root else ()
    run = [*bound, sys.executable, "-m", "lambdapack", *named]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=function)
    assert done.returncode == 2, done.stderr
    assert "error[LP007]" in done.stderr
    assert str(locked) in done.stderr
    assert "Permission denied" in done.stderr
