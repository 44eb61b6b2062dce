import os
import sys
import time
from pathlib import Path

import pytest

from lambdapack.store.records import RECORD_KINDS, USE_MARK_SECONDS, Store, StoreUsage

KEY, OTHER = "a" * 64, "b" * 64


def store(directory: Path, code: str = "1") -> Store:
    return Store(directory / "cache", code)


def record(directory: Path, key: str = KEY) -> Path:
    return directory / "cache" / "binaries" / f"{key}.record"


def sizes(directory: Path) -> dict[str, int]:
    return {each.kind: each.entries for each in store(directory).usage() if each.entries}


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store(tmp_path).put("binaries", KEY, b"facts\nof two lines")
    assert store(tmp_path).get("binaries", KEY) == b"facts\nof two lines"
    assert store(tmp_path).get("binaries", OTHER) is None
    assert store(tmp_path).get("definitions", KEY) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: data.replace(b"facts", b"faces"),
        lambda data: data.replace(b"store/1", b"store/9"),
        lambda data: b"\xff" * len(data),
        lambda _data: b"\n" * 9,
    ],
    ids=["empty", "cut", "longer", "altered", "another version", "noise", "blank"],
)
def test_a_damaged_record_is_none_and_is_written_anew(tmp_path: Path, damage: object) -> None:
    kept = store(tmp_path)
    kept.put("binaries", KEY, b"facts")
    place = record(tmp_path)
    place.write_bytes(damage(place.read_bytes()))  # type: ignore[operator]
    assert kept.get("binaries", KEY) is None
    kept.put("binaries", KEY, b"facts")
    assert kept.get("binaries", KEY) == b"facts"


def test_a_record_under_another_name_or_kind_is_none(tmp_path: Path) -> None:
    store(tmp_path).put("binaries", KEY, b"facts")
    record(tmp_path).rename(record(tmp_path, OTHER))
    assert store(tmp_path).get("binaries", OTHER) is None


def test_other_code_does_not_read_it(tmp_path: Path) -> None:
    store(tmp_path, "old").put("binaries", KEY, b"facts")
    assert store(tmp_path, "new").get("binaries", KEY) is None
    assert store(tmp_path, "old").get("binaries", KEY) == b"facts"


def test_a_key_is_never_a_path(tmp_path: Path) -> None:
    for kind, key in (("binaries", "../x"), ("binaries", KEY[1:]), ("..", KEY), ("binaries", KEY + "\n")):
        with pytest.raises(ValueError, match="is not the name of a record"):
            store(tmp_path).get(kind, key)


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    kept = store(tmp_path)
    kept.put("binaries", KEY, b"facts")
    kept.trim()
    assert kept.get("binaries", KEY) is None
    assert {each.entries for each in kept.clear()} == {0}
    assert (tmp_path / "cache").read_text() == "a file"


def test_a_directory_where_a_record_should_be_is_none(tmp_path: Path) -> None:
    record(tmp_path).mkdir(parents=True)
    kept = store(tmp_path)
    kept.put("binaries", KEY, b"facts")
    assert kept.get("binaries", KEY) is None
    assert list(record(tmp_path).parent.iterdir()) == [record(tmp_path)]  # nothing temporary is left


def test_what_was_unused_for_longest_goes_first(tmp_path: Path) -> None:
    kept = store(tmp_path)
    keys = [f"{number:064x}" for number in range(8)]
    for age, key in enumerate(reversed(keys)):
        kept.put("binaries", key, bytes(1000))
        then = time.time() - USE_MARK_SECONDS * (10 - age)
        os.utime(record(tmp_path, key), (then, then))
    assert kept.get("binaries", keys[-1]) is not None  # the oldest, but used now
    size = record(tmp_path, keys[0]).stat().st_size
    kept.trim(largest=4 * size)
    assert {key for key in keys if kept.get("binaries", key) is not None} == {keys[-1], keys[0], keys[1]}


def test_below_the_limit_nothing_goes(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put("binaries", KEY, bytes(1000))
    kept.trim(largest=2000)
    assert sizes(tmp_path) == {"binaries": 1}


def test_clearing_removes_records_and_nothing_else(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put("binaries", KEY, b"facts")
    kept.put("trees", KEY, b"{}")
    (tmp_path / "cache" / "runtimes").mkdir()
    (tmp_path / "cache" / "runtimes" / "measured.json").write_text("{}")
    (tmp_path / "cache" / "mine.txt").write_text("the user's")
    gone = kept.clear()
    counts = {usage.kind: usage.entries for usage in gone if usage.entries}
    assert counts == {"binaries": 1, "trees": 1, "runtimes": 1}
    assert sum(each.size for each in gone) > 0
    assert sorted(path.name for path in (tmp_path / "cache").rglob("*")) == ["mine.txt"]
    assert kept.clear() == tuple(StoreUsage(kind, 0, 0) for kind in RECORD_KINDS)


def test_clearing_an_absent_cache_makes_none(tmp_path: Path) -> None:
    store(tmp_path).clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links and modes")
def test_records_are_the_users_own_and_links_are_left_alone(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put("binaries", KEY, b"facts")
    assert record(tmp_path).parent.stat().st_mode & 0o077 == 0
    outside = tmp_path / "outside.json"
    outside.write_text("precious")
    record(tmp_path, OTHER).symlink_to(outside)
    kept.clear()
    assert outside.read_text() == "precious"
