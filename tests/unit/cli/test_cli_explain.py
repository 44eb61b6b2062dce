"""`explain`: a line, a log in all its forms, a code, a package; and a look at the files."""

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests import elf, npm_trees

CANVAS = "/var/task/node_modules/canvas/build/Release/canvas.node: invalid ELF header"
REQUEST = "6bc28136-4f7e-4d4c-9d6f-3a2f5a4f7b11"
ERROR = {
    "errorType": "Error",
    "errorMessage": CANVAS,
    "code": "ERR_DLOPEN_FAILED",
    "stack": [f"Error: {CANVAS}", "    at Object..node (node:internal/modules/cjs/loader:1921:18)"],
}
STACK = f"Error: {CANVAS}\n    at Object..node (node:internal/modules/cjs/loader:1921:18)\n    at Module.load"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The diagnoses of one run."""
    assert run_command(["explain", *arguments, "--format", "json"]) == code
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["diagnoses"]
    return found


FORMS = {
    "the line": CANVAS,
    "a line of the text log": f"2026-11-20T10:00:00.000Z\t{REQUEST}\tERROR\tInvoke Error \t{json.dumps(ERROR)}",
    "Uncaught Exception": f"2026-11-20T10:00:00.000Z\tundefined\tERROR\tUncaught Exception \t{json.dumps(ERROR)}",
    "the JSON log format": json.dumps(
        {"timestamp": "2026-11-20T10:00:00Z", "level": "ERROR", "requestId": REQUEST, "message": ERROR}
    ),
    "a stack of several lines": STACK,
    "filter-log-events": json.dumps(
        {"events": [{"logStreamName": "2026/11/20/[$LATEST]0", "timestamp": 1, "message": f"{STACK}\n"}]}, indent=4
    ),
    "get-log-events": json.dumps({"events": [{"timestamp": 1, "message": json.dumps(ERROR)}], "nextForwardToken": "f"}),
    "aws logs tail": f"2026-11-20T10:00:00.000000+00:00 2026/11/20/[$LATEST]0f {STACK}",
    "Insights as JSON": json.dumps([{"@timestamp": "2026-11-20 10:00:00.000", "@message": json.dumps(ERROR)}]),
    "Insights as CSV": '@timestamp,@message\n2026-11-20 10:00:00.000,"' + STACK.replace('"', '""') + '"\n',
    "the console's CSV": f'timestamp,message\n1763632800000,"{STACK}\n"\n',
    "colours": f"\x1b[31mError:\x1b[0m {CANVAS}\x1b[39m",
    "the source of a page": "Error: " + CANVAS.replace("/", "&#47;").replace("Error", "&quot;Error&quot;"),
    "line ends of Windows": STACK.replace("\n", "\r\n"),
    "a wrapped window": "Error: /var/task/node_modules/canvas/build/Rel\nease/canvas.node: invalid ELF header",
    "docker compose": "\n".join(f"api-1  | {line}" for line in STACK.split("\n")),
    "an action's log": "\n".join(f"2026-11-20T10:00:00.0000000Z {line}" for line in STACK.split("\n")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_message_is_read_in_the_form_of_whoever_passed_it_on(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.log"
    path.write_bytes(FORMS[form].encode())
    found = answer(capsys, str(path))
    assert [(each["cause"], each["package"]) for each in found] == [("not-elf", "canvas")]
    assert found[0]["file"] == "node_modules/canvas/build/Release/canvas.node"
    assert found[0]["code"] == "LP202"
    assert found[0]["certainty"] == "certain"


def test_an_export_to_a_bucket_is_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "000000.gz"
    path.write_bytes(gzip.compress(f"2026-11-20T10:00:00.000Z {STACK}\n".encode()) * 2)
    assert answer(capsys, str(path))[0]["count"] >= 1


def test_a_log_comes_on_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["-"], []):
        piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(STACK.encode())))
        monkeypatch.setattr("sys.stdin", piped)
        assert answer(capsys, *arguments)[0]["package"] == "canvas"


def test_words_need_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, *CANVAS.split(" "))[0]["cause"] == "not-elf"


def test_the_same_trouble_in_a_long_log_is_said_once_with_its_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = "".join(f"2026-11-20T10:00:00.{n % 1000:03}Z\t{REQUEST}\tINFO\titem {n} stored\n" for n in range(3000))
    (tmp_path / "long.log").write_text((quiet + STACK + "\n") * 7)
    found = answer(capsys, "long.log")
    assert [(each["cause"], each["count"]) for each in found] == [("not-elf", 7)]


def test_a_text_of_another_trade_is_answered_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "Task timed out after 3.00 seconds"]) == 1
    assert capsys.readouterr().out.startswith("no diagnosis: the text has no known packaging error\n")


def test_what_reads_nearly_like_a_known_message_is_named_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "the specified modul could not be located", "--format", "json"]) == 1
    assert "module could not be found" in json.loads(capsys.readouterr().out)["nearest"]


def test_a_code_and_a_name_give_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("LP201", "lp201", "wrong-cpu"):
        assert run_command(["explain", word]) == 0
        assert capsys.readouterr().out.startswith("LP201 wrong-cpu (error): ")
    assert run_command(["explain", "LP101", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["exit"] == 3


def test_a_package_that_the_book_has_not_is_said_to_be_none_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "left-pad"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "= book: no entry for left-pad: the package book covers packages with native code =" in said
    assert run_command(["explain", "Task timed out after 3.00 seconds"]) == 1
    assert "= book:" not in capsys.readouterr().out


def test_a_package_gives_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("node-sass", "node-sass@4.14.1"):
        assert run_command(["explain", word]) == 0
        assert "sass" in capsys.readouterr().out.partition("instead:")[2]
    assert run_command(["explain", "@img/sharp-linux-x64"]) == 0
    assert capsys.readouterr().out.startswith("sharp ")
    assert run_command(["explain", "bcrypt", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["javascript"] == ["bcryptjs"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["LP899"],
        ["build.log"],
        ["."],
        [""],
        ["-f", "app", "text"],
        ["-f", "app", "--since", "soon"],
        ["x.bin"],
        ["cut.gz"],
        ["invalid ELF header", "--project", "nowhere"],
    ],
    ids=" ".join,
)
def test_a_slip_is_exit_2_with_the_way_out(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x7fELF\2\1\1")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(STACK.encode() * 9)[:-12])
    assert run_command(["explain", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "= help: " in said.err


MACH_O = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x08\0\0\0" + bytes(64)
"""The header of an arm64 bundle (mach-o/loader.h)."""


def project(directory: Path, addon: bytes) -> Path:
    package = directory / "node_modules" / "canvas"
    place = package / "build" / "Release" / "canvas.node"
    place.parent.mkdir(parents=True)
    place.write_bytes(addon)
    (package / "package.json").write_text('{"name": "canvas", "version": "2.11.2", "main": "index.js"}')
    (package / "index.js").write_text("module.exports = require('./build/Release/canvas.node')\n")
    (directory / "package.json").write_text('{"name": "fn", "dependencies": {"canvas": "2.11.2"}}')
    return directory


def test_the_file_is_looked_at_where_we_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, MACH_O)
    said = answer(capsys, CANVAS)[0]["found"]
    assert said.startswith("yes: node_modules/canvas/build/Release/canvas.node is Mach-O arm64, made for macOS")


def test_the_file_is_looked_at_in_a_zip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = npm_trees.zipped(project(tmp_path / "fn", MACH_O), tmp_path / "fn.zip")
    assert answer(capsys, CANVAS, "--project", str(archive))[0]["found"].startswith("yes: ")


def test_a_vague_text_gets_the_file_from_the_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, MACH_O)
    found = answer(capsys, "Error: invalid ELF header")[0]
    assert (found["package"], found["certainty"]) == ("canvas", "certain")
    assert found["file"].endswith("canvas.node")


def test_a_file_that_loads_tells_of_an_old_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, elf.link(tmp_path, "canvas.node", elf.NODE_API, "-DLEVEL=8").read_bytes())
    said = answer(capsys, CANVAS, "--runtime", "nodejs22.x", "--arch", "x86_64")[0]["found"]
    assert said.startswith("no: ")
    assert "deploy this one anew" in said


def test_without_a_cpu_the_other_one_may_be_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, elf.link(tmp_path, "canvas.node", elf.NODE_API, "-DLEVEL=8").read_bytes())
    text = CANVAS.replace("invalid ELF header", "cannot open shared object file: No such file or directory")
    assert "it loads on x86_64 alone" in answer(capsys, text)[0]["found"]
    assert "yes: " in answer(capsys, text, "--arch", "arm64")[0]["found"]
    assert "no: " in answer(capsys, text, "--arch", "x86_64")[0]["found"]


def test_a_project_that_cannot_be_read_does_not_take_the_answer_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, MACH_O)
    os.mkfifo(tmp_path / "node_modules" / "pipe")
    assert run_command(["explain", CANVAS]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("certain[LP202] not-elf")
    assert "this project was not checked: LP008" in said.err
