"""NAME=VALUE: parsed alike for `deploy`, for `invoke` and out of a file; what AWS takes is narrower, and said."""

from pathlib import Path

import pytest

from lambdapack.cli.input.variables import read_function_variables, read_variables
from lambdapack.errors.record import LambdapackError


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("STAGE=test", ("STAGE", "test")),
        ("URL=https://x/?a=b", ("URL", "https://x/?a=b")),
        ("EMPTY=", ("EMPTY", "")),
        ("QUOTED='x'", ("QUOTED", "'x'")),
        ("HERE", ("HERE", "host")),
    ],
)
def test_both_commands_read_a_pair_alike(monkeypatch: pytest.MonkeyPatch, text: str, pair: tuple[str, str]) -> None:
    monkeypatch.setenv("HERE", "host")
    assert read_function_variables((), [text]) == (pair,)
    assert read_variables([], [text]) == dict([pair])


@pytest.mark.parametrize("text", ["", "=x", "NOT_HERE", "A B=1", "1A=1", "\u00c4=1", "a.b=1"])
def test_both_commands_refuse_what_is_no_pair(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.delenv("NOT_HERE", raising=False)
    for parse in (lambda texts: read_function_variables((), texts), lambda texts: read_variables([], texts)):
        with pytest.raises(LambdapackError, match="NAME=VALUE is expected"):
            parse([text])


@pytest.mark.parametrize("text", ["_X=1", "X=1", "_X"])
def test_a_function_in_aws_takes_fewer_names_than_a_container(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("_X", "1")
    assert list(read_variables([], [text]).values()) == ["1"]
    with pytest.raises(LambdapackError) as refused:
        read_function_variables((), [text])
    assert "begins with a letter" in refused.value.hint


def test_a_secret_value_is_not_repeated_in_the_error() -> None:
    with pytest.raises(LambdapackError) as refused:
        read_function_variables((), ["TOKEN-X=hunter2"])
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def test_a_later_value_wins_and_a_file_gives_way(tmp_path: Path) -> None:
    file = tmp_path / "vars"
    file.write_text("export A = 'one'\nB=two\nA=three\n# C=4\n", encoding="utf-8")
    assert read_variables([file], ["B=5", "B=6"]) == {"A": "three", "B": "6"}
