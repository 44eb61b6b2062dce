import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lambdapack.cli.app import app, run_command
from lambdapack.rules.registry import RULES


def names(command: object, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield before
    for name, each in getattr(command, "commands", {}).items():
        yield from names(each, (*before, name))


def every() -> list[tuple[str, ...]]:
    from typer.main import get_command  # noqa: PLC0415, TID251  # the only way to list typer's commands

    return sorted(names(get_command(app)))


COMMANDS = every()


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_a_terminal_and_is_the_product(
    command: Sequence[str], flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*command, flag]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.isascii()
    assert [line for line in said.out.splitlines() if len(line) > 80] == []
    assert said.out.startswith(f"Usage: {' '.join(('lambdapack', *command))} ")


@pytest.mark.parametrize("command", [(), ("runtimes",), ("images",), ("cache",)], ids=" ".join)
def test_what_a_command_does_is_not_cut_off_in_the_list(
    command: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*command, "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if len(each) == 2 or each[:1] in {("build",), ("verify",)}]
)
def test_every_command_has_an_example(command: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*command, "--help"]) == 0
    assert f"Example: lambdapack {' '.join(command)}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [(), ("images",)], ids=" ".join)
def test_without_a_command_the_help_is_a_usage_error(
    command: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Usage: lambdapack")
    assert "error[" not in said.err


WRONG: Sequence[Sequence[str]] = (
    ("frobnicate",),
    ("runtimes", "frobnicate"),
    ("build", "--frobnicate"),
    ("build", "--arch"),
    ("build", "a", "b"),
    ("build", "--format", "xml"),
    ("verify",),
    ("verify", ""),
    ("verify", ".", "--ignore", "LP201"),
    ("verify", ".", "--ignore", "LP201="),
    ("verify", ".", "--ignore", "LP998=there is none such"),
    ("invoke", ".", "--timeout", "0"),
    ("invoke", ".", "--timeout", "901"),
    ("invoke", ".", "--env", "NAME_THAT_IS_NOT_SET"),
    ("invoke", ".", "--env", "=x"),
    ("invoke", ".", "--event", "absent.json"),
    ("runtimes", "show"),
)


@pytest.mark.parametrize("argv", WRONG, ids=" ".join)
def test_a_mistake_is_exit_2_and_says_what_to_do(argv: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error[LP001]: ")
    assert "\n  = help: " in said.err


@pytest.mark.parametrize(
    "argv",
    [("verify", "a" * 5000), ("invoke", "a" * 5000), ("build", ".", "--output", "a" * 300)],
    ids=lambda each: each[0],
)
def test_a_name_that_no_file_system_takes_is_a_mistake(argv: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*argv, "--runtime", "nodejs22.x"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error[LP001]: ")
    assert f"\n  | {'a' * 60}...: " in said


@pytest.mark.parametrize("argv", [each for each in WRONG if each[0] != "invoke" and "xml" not in each], ids=" ".join)
@pytest.mark.parametrize("style", [("--format", "json"), ("--format=json",)], ids=len)
def test_a_mistake_is_json_when_json_is_wanted(
    argv: Sequence[str], style: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([argv[0], *style, *argv[1:]]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["code"] == "LP001"


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("verify", ".", "--runtime", "nodejs22.y"), "LP004", "nodejs22.x"),
        (("verify", ".", "--arch", "sparc"), "LP005", "--arch arm64"),
        (("verify", ".", "--fail-on", "sometimes"), "LP006", "error, warning, note, never"),
        (("verify", "absent"), "LP007", "absent: there is no such file"),
        (("verify", "."), "LP007", "no file in it"),
        (("build",), "LP002", "npm init"),
        (("invoke", "absent"), "LP007", "absent: there is no such file"),
        (("runtimes", "show", "nodejs23.x"), "LP004", "nodejs22.x"),
        (("runtimes", "show", "nodejs10.x", "--arch", "arm64"), "LP005", "arm64"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_used_is_named_with_its_cure(
    argv: Sequence[str], code: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(argv) == 2
    said = capsys.readouterr().err
    assert f"error[{code}]: " in said
    assert words in " ".join(said.split())


def test_a_defect_of_ours_is_exit_70_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_style: object) -> int:
        secret = "hunter2"  # noqa: S105, F841  # a local that must not be shown
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lambdapack.cli.run.runtimes.run_runtimes_list", broken)
    assert run_command(["runtimes"]) == 70
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("LAMBDAPACK_DEBUG", "1")
    assert run_command(["runtimes"]) == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "hunter2" not in said


def test_version_is_the_product(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lambdapack 0.")


def test_runtimes_alone_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    listings = []
    for argv in (["runtimes"], ["runtimes", "list"]):
        assert run_command(argv) == 0
        listings.append(capsys.readouterr().out)
    assert listings[0] == listings[1]
    assert listings[0].startswith("RUNTIME")


def test_runtimes_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["runtimes", "--format", "json"], ["runtimes", "list", "--format", "json"]):
        assert run_command(argv) == 0
        assert {"nodejs22.x", "nodejs24.x"} <= {
            each["runtime"] for each in json.loads(capsys.readouterr().out)["runtimes"]
        }
    assert run_command(["runtimes", "show", "nodejs22.x", "--arch", "arm64", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["arch"] == "arm64"


def test_every_code_can_be_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "index.js").write_text("exports.handler = async () => 1\n")
    ignored = [word for rule in RULES for word in ("--ignore", f"{rule.code}=known")]
    assert ignored
    assert run_command(["verify", str(tmp_path), *ignored]) == 0
    capsys.readouterr()
