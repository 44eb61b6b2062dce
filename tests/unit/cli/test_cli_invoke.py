import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from lambdapack.cli.input.events import example_names
from tests.fakes import Process
from tests.unit.pipeline.workshop import ARM, IMAGE, X86, Workshop

Said = tuple[int, str, str]
Invoke = Callable[..., Said]


class Function:
    """Plays the function behind the emulator: answers with a document, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answer: object = {"ok": True}
        self.played: list[Process] = []

    def __call__(self, process: Process) -> int:
        self.played.append(process)
        process.err("hello from the function\n")
        for _ in process.argv[8:]:
            process.out(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(self.answer).encode())
            process.out(f"\n{process.argv[7]}\n")
        return 0

    @property
    def event(self) -> bytes:
        return self.played[-1].command.stdin.partition(b"\r\n\r\n")[2]

    @property
    def events(self) -> list[str]:
        """What came with every request of the last run."""
        requests = self.played[-1].command.stdin.decode().split("POST /")[1:]
        return [each.partition("\r\n\r\n")[2] for each in requests]

    @property
    def env(self) -> Mapping[str, str]:
        return self.played[-1].command.env


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def shop(tmp_path: Path, function: Function) -> Workshop:
    shop = Workshop(tmp_path)
    shop.engine.programs["bash"] = function
    return shop


@pytest.fixture
def invoke(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Invoke:
    for module in ("run.build", "run.invoke"):
        monkeypatch.setattr(f"lambdapack.cli.{module}.engine_connector", lambda *_args, **_options: shop.connect)
    monkeypatch.setenv("LAMBDAPACK_IMAGE", IMAGE)
    monkeypatch.setenv("LAMBDAPACK_BUILD_IMAGE", f"{IMAGE}-build")
    monkeypatch.setenv("LAMBDAPACK_RUNTIME", "nodejs22.x")
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "absent"))
    monkeypatch.chdir(shop.project)

    def call(*argv: str | Path, command: str = "invoke") -> Said:
        code = run_command([command, *map(str, argv)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_answer_is_the_product_and_the_log_is_not(invoke: Invoke) -> None:
    code, out, err = invoke()
    assert (code, out) == (0, '{"ok": true}\n')
    assert "    hello from the function\n" in err


def test_a_project_is_built_once(invoke: Invoke, shop: Workshop) -> None:
    invoke()
    before = len(shop.engine.opened)
    _, out, err = invoke()
    assert out == '{"ok": true}\n'
    assert len(shop.engine.opened) == before + 1
    assert "invoking the existing" in " ".join(err.split())


def test_without_a_target_it_is_the_zip_that_was_built_for_its_own_cpu(invoke: Invoke, shop: Workshop) -> None:
    assert invoke("--arch", "arm64", command="build")[0] == 0
    _, out, err = invoke()
    assert out == '{"ok": true}\n'
    assert "invoking the existing" in err
    assert "arm64" in err
    assert shop.engine.opened[-1].spec.architecture is ARM


def test_an_archive_for_another_target_is_not_taken_for_this_one(invoke: Invoke, shop: Workshop) -> None:
    assert invoke("--output", "fn.zip", "--arch", "arm64", command="build")[0] == 0
    Path("lambdapack.toml").write_text('output = "fn.zip"\n')
    _, out, err = invoke("--arch", "x86_64")
    assert out == '{"ok": true}\n'
    assert "invoking the existing" not in err
    assert json.loads(Path("fn.zip.lambdapack.json").read_text())["target"]["arch"] == "x86_64"
    assert shop.engine.opened[-1].spec.architecture is X86


def test_a_refused_project_is_not_run(invoke: Invoke, shop: Workshop, function: Function) -> None:
    Path("index.js").unlink()
    code, out, err = invoke()
    assert (code, out) == (1, "")
    assert "error[LP301]" in err
    assert function.played == []
    assert shop.engine.living == []


def test_an_error_is_printed_as_lambda_would_and_is_exit_1(invoke: Invoke, function: Function) -> None:
    function.answer = {"errorType": "TypeError", "errorMessage": "x is not a function", "trace": []}
    code, out, err = invoke()
    assert code == 1
    assert json.loads(out) == function.answer
    assert "error[LP121]" in err
    assert "TypeError: x is not a function" in err


def test_the_event_is_a_file_or_stdin_or_an_empty_object(
    invoke: Invoke, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("event.json").write_text('{"from": "a file"}')
    invoke("--event", "event.json")
    assert function.event == b'{"from": "a file"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"from": "stdin"}')))
    invoke("--event", "-")
    assert function.event == b'{"from": "stdin"}'
    invoke()
    assert function.event == b"{}"


def test_an_event_that_is_no_json_is_a_usage_error(invoke: Invoke) -> None:
    Path("event.json").write_text("{")
    code, out, err = invoke("--event", "event.json")
    assert (code, out) == (2, "")
    assert "event.json: it is not JSON" in err


def test_an_event_may_stand_on_the_command_line(invoke: Invoke, function: Function) -> None:
    assert invoke("--event", '{"from": "the line"}', "--event", "[1]")[0] == 0
    assert function.events == ['{"from": "the line"}', "[1]"]
    Path("{odd.json").write_text("7")
    invoke("--event", "{odd.json")
    assert function.event == b"7"


def test_the_events_of_aws_have_names(invoke: Invoke, function: Function) -> None:
    assert invoke("--example", "s3-put", "--example", "sqs")[0] == 0
    sources = [json.loads(event)["Records"][0]["eventSource"] for event in function.events]
    assert sources == ["aws:s3", "aws:sqs"]
    code, out, err = invoke("--example", "s3-putt")
    assert (code, out) == (2, "")
    assert "--example s3-putt: unknown event" in err
    assert "s3-put, schedule" in " ".join(err.split())


def test_help_names_every_example(invoke: Invoke) -> None:
    text = "".join(invoke("--help")[1].split())
    assert [name for name in example_names() if name not in text] == []


def test_a_byte_order_mark_of_an_event_is_taken_off(invoke: Invoke) -> None:
    Path("event.json").write_bytes(b"\xef\xbb\xbf{}")
    assert invoke("--event", "event.json")[0] == 0


def test_variables_are_given_or_taken_from_here(
    invoke: Invoke, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "here")
    invoke("--env", "STAGE", "--env", "A=b=c", "--env", "EMPTY=")
    assert {name: function.env[name] for name in ("STAGE", "A", "EMPTY")} == {"STAGE": "here", "A": "b=c", "EMPTY": ""}


def test_a_zip_is_run_for_the_target_that_it_was_made_for(invoke: Invoke, shop: Workshop) -> None:
    code, out, _ = invoke("--arch", "arm64", command="build")
    assert code == 0
    assert invoke(out.strip())[0] == 0
    assert str(shop.engine.opened[-1].spec.architecture) == "arm64"


def test_layers_are_put_where_lambda_has_them(invoke: Invoke, shop: Workshop) -> None:
    layer = shop.place / "layer"
    (layer / "nodejs" / "node_modules" / "x").mkdir(parents=True)
    (layer / "nodejs" / "node_modules" / "x" / "index.js").write_text("")
    assert invoke("--layer", layer)[0] == 0
    assert "/opt/nodejs/node_modules/x/index.js" in shop.engine.opened[-1].files


def test_a_layer_has_no_handler_to_invoke(invoke: Invoke) -> None:
    Path("lambdapack.toml").write_text("layer = true\n")
    code, _, err = invoke()
    assert code == 2
    assert "a layer has no handler" in err


def test_an_assumption_is_said_once(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, shop: Workshop) -> None:
    monkeypatch.delenv("LAMBDAPACK_RUNTIME")
    shop.engine.images |= {"lambdapack-lab/nodejs:24-x86_64": X86}
    code, _, err = invoke()
    assert code == 0
    assert err.count("no runtime is set") == 1


def test_events_come_from_several_files_directories_and_lines(
    invoke: Invoke, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("events").mkdir()
    for name, text in (("b.json", '"b"'), ("a.json", '"a"'), ("c.jsonl", "1\n\n2\n"), ("notes.txt", "no")):
        (Path("events") / name).write_text(text)
    code, out, _ = invoke("--event", "events", "--event", "events/b.json")
    assert (code, out) == (0, '{"ok": true}\n' * 5)
    assert function.events == ['"a"', '"b"', "1", "2", '"b"']
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}\n{"a": 2}\n')))
    invoke("--event", "-")
    assert function.events == ['{"a": 1}', '{"a": 2}']
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{\n "a": 1\n}\n')))
    invoke("--event", "-")
    assert json.loads(function.events[0]) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("e.jsonl", "{}\n{\n", "e.jsonl:2: it is not JSON"),
        ("e.json", "", "not JSON"),
        ("none", None, "No such file"),
        ('{"a": 1', None, '--event {"a": 1: it is not JSON'),
    ],
)
def test_what_is_no_event_is_said_with_its_place(invoke: Invoke, name: str, text: str | None, said: str) -> None:
    if text is not None:
        Path(name).write_text(text)
    code, out, err = invoke("--event", name)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_an_empty_directory_has_no_events(invoke: Invoke) -> None:
    Path("empty").mkdir()
    code, _, err = invoke("--event", "empty")
    assert (code, "the directory has no .json or .jsonl file" in " ".join(err.split())) == (2, True)


def test_each_error_is_told_with_its_event(invoke: Invoke, function: Function) -> None:
    function.answer = {"errorType": "TypeError", "errorMessage": "oh", "trace": []}
    Path("e.jsonl").write_text("1\n2\n")
    code, out, err = invoke("--event", "e.jsonl")
    assert (code, len(out.splitlines())) == (1, 2)
    assert "e.jsonl:1: TypeError: oh" in err
    assert "e.jsonl:2: TypeError: oh" in err


def test_variables_of_a_file_come_before_those_of_the_line(
    invoke: Invoke, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "host")
    monkeypatch.delenv("NOT_HERE", raising=False)
    lines = ["# a note", "", "A=1", "export B = two words ", "C='# kept'", 'D=""', "HERE", "NOT_HERE", "E=a=b", "F=x"]
    Path(".env.test").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    assert invoke("--env-file", ".env.test", "--env", "F=line")[0] == 0
    found = {name: function.env.get(name) for name in ("A", "B", "C", "D", "HERE", "NOT_HERE", "E", "F")}
    assert found == {
        "A": "1",
        "B": "two words",
        "C": "# kept",
        "D": "",
        "HERE": "host",
        "NOT_HERE": None,
        "E": "a=b",
        "F": "line",
    }


@pytest.mark.parametrize("text", ["1A=x", "A B=x", "=x", "{}"])
def test_a_line_that_is_no_variable_is_said_with_its_number(invoke: Invoke, text: str) -> None:
    Path("vars").write_text(f"A=1\n{text}\n")
    code, _, err = invoke("--env-file", "vars")
    assert (code, "vars:2: NAME=VALUE is expected" in err) == (2, True)


def test_memory_and_time_are_told_to_the_function(invoke: Invoke, function: Function, shop: Workshop) -> None:
    assert invoke("--memory", "256", "--timeout", "7")[0] == 0
    told = ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_TIMEOUT")
    assert [function.env[each] for each in told] == ["256", "7"]
    assert shop.engine.opened[-1].spec.limits.memory_bytes >= 256 * 1024 * 1024
    assert invoke("--memory", "64")[0] == 2


def test_a_debugged_function_has_time_and_says_where_it_waits(
    invoke: Invoke, function: Function, shop: Workshop
) -> None:
    code, _, err = invoke("--debug", "9230")
    assert (code, "127.0.0.1:9230" in err) == (0, True)
    assert function.env["AWS_LAMBDA_FUNCTION_TIMEOUT"] == "900"
    assert shop.engine.opened[-1].spec.publish == ((9230, 9229),)


def test_a_path_and_a_deployed_function_are_too_much(invoke: Invoke) -> None:
    code, _, err = invoke("fn.zip", "--function", "fn")
    assert (code, "exclude each other" in " ".join(err.split())) == (2, True)
    assert invoke("--function", "")[0] == 2
    assert invoke("--function", "no name")[0] == 2


def test_an_emulated_cpu_is_given_more_time(invoke: Invoke, function: Function) -> None:
    seconds = []
    for given in ((), ("--arch", "arm64"), ("--arch", "arm64", "--timeout", "5")):
        assert invoke(*given)[0] == 0
        seconds.append(function.env["AWS_LAMBDA_FUNCTION_TIMEOUT"])
    assert seconds == ["30", "300", "5"]
