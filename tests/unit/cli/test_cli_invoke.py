import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lambdapack.cli.app import run
from tests.fakes import Process
from tests.unit.pipeline.workshop import IMAGE, X86, Workshop

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
        process.out(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(self.answer).encode())
        return 0

    @property
    def event(self) -> bytes:
        return self.played[-1].command.stdin.partition(b"\r\n\r\n")[2]

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
    for module in ("building", "invoking"):
        monkeypatch.setattr(f"lambdapack.cli.{module}.connector", lambda _settings: shop.connect)
    monkeypatch.setenv("LAMBDAPACK_IMAGE", IMAGE)
    monkeypatch.setenv("LAMBDAPACK_BUILD_IMAGE", f"{IMAGE}-build")
    monkeypatch.setenv("LAMBDAPACK_RUNTIME", "nodejs22.x")
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "absent"))
    monkeypatch.chdir(shop.project)

    def call(*argv: str | Path, command: str = "invoke") -> Said:
        code = run([command, *map(str, argv)])
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
    assert "which was built before" in " ".join(err.split())


def test_an_archive_for_another_target_is_not_taken_for_this_one(invoke: Invoke, shop: Workshop) -> None:
    assert invoke("--output", "fn.zip", "--arch", "arm64", command="build")[0] == 0
    Path("lambdapack.toml").write_text('output = "fn.zip"\n')
    _, out, err = invoke("--arch", "x86_64")
    assert out == '{"ok": true}\n'
    assert "which was built before" not in err
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
