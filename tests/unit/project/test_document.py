from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.project.document import key_lines, parse_object, read_text


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(LambdapackError) as caught:
        parse_object(read_text(path), path)
    assert caught.value.failure.code == "LP003"
    return caught.value.detail


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(b'\xef\xbb\xbf{"name": "caf\xc3\xa9"}')
    assert parse_object(read_text(path), path) == {"name": "caf\xe9"}


def test_broken_json_is_named_with_line_column_and_the_parsers_words(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    detail = refusal(path, b'{\n  "name": "x"\n  "version": "1"\n}')
    assert detail == f"{path}:3:3: Expecting ',' delimiter"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "1:1: the file is empty"),
        (b"[]", "an object is expected, not an array"),
        (b"null", "an object is expected, not null"),
        (b"7", "an object is expected, not a number"),
        (b'{"a": "\xff"}', "not UTF-8 (byte 7)"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b"[" * 200_000, "recursion"),
        (b'{"a": ' + b"9" * 6000 + b"}", "digits"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_cause(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in refusal(tmp_path / "package.json", data)


def test_merge_conflict_markers_are_called_that(tmp_path: Path) -> None:
    text = b'{\n<<<<<<< HEAD\n  "a": 1\n=======\n  "a": 2\n>>>>>>> main\n}\n'
    path = tmp_path / "package-lock.json"
    assert refusal(path, text) == f"{path}:2:1: the file holds merge-conflict markers"


def test_a_file_that_cannot_be_read_is_a_failure_with_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError, match="LP003") as caught:
        read_text(tmp_path)
    assert str(tmp_path) in caught.value.detail


def test_lines_of_keys_are_those_of_the_file() -> None:
    text = (
        '{\n "x": 1,\n "packages": {\n  "": {},\n  "node_modules/a" : {\n   "v": 1\n  },\n\n  "node_modules/b": {}\n}}'
    )
    assert key_lines(text, "packages", ["", "node_modules/a", "node_modules/b"]) == {
        "": 4,
        "node_modules/a": 5,
        "node_modules/b": 9,
    }


def test_a_key_that_is_not_found_keeps_the_line_before_it() -> None:
    text = '{\n"packages": {\n"a": {},\n"\\u0062": {},\n"c": {}\n}}'
    assert key_lines(text, "packages", ["a", "b", "c"]) == {"a": 3, "b": 3, "c": 5}
