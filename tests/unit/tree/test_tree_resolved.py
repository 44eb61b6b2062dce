import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.tree.compose import DereferencedTree, MemoryTree
from lambdapack.tree.entry import read_file

TASK = "/var/task"


def resolved(files: dict[str, bytes], links: dict[str, str], root: str = TASK) -> dict[str, bytes]:
    tree = DereferencedTree(MemoryTree(files, links=links), root)
    return {path: read_file(tree, path) for path, entry in tree.entries.items() if entry.kind.value == "file"}


def test_a_link_to_a_file_becomes_a_copy_of_it() -> None:
    assert resolved({"lib/a.js": b"a"}, {"node_modules/.bin/a": "../../lib/a.js"}) == {
        "lib/a.js": b"a",
        "node_modules/.bin/a": b"a",
    }


def test_a_link_to_a_directory_becomes_a_copy_of_all_that_is_in_it() -> None:
    assert resolved({"lib/x/index.js": b"x", "lib/x/deep/y.js": b"y"}, {"node_modules/x": "../lib/x"}) == {
        "lib/x/index.js": b"x",
        "lib/x/deep/y.js": b"y",
        "node_modules/x/index.js": b"x",
        "node_modules/x/deep/y.js": b"y",
    }


def test_links_are_followed_through_links_and_upwards_from_where_they_really_lead() -> None:
    files = {"store/x/1/lib.js": b"1", "store/x/other.js": b"other"}
    links = {"current": "store/x/1", "up": "current/../other.js", "again": "current/lib.js"}
    found = resolved(files, links)
    assert (found["up"], found["again"], found["current/lib.js"]) == (b"other", b"1", b"1")


@pytest.mark.parametrize(
    ("root", "target"), [(TASK, "/var/task/a.js"), ("/opt", "/opt/a.js"), ("/opt", "/opt//./a.js")]
)
def test_an_absolute_link_to_where_lambda_puts_the_tree_stays_in_it(root: str, target: str) -> None:
    assert resolved({"a.js": b"a"}, {"b.js": target}, root)["b.js"] == b"a"


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ({"b": "missing.js"}, "b: it points to 'missing.js', which does not exist"),
        ({"b": "../../etc/passwd"}, "b: it points outside the package"),
        ({"b": "/opt/lib/x.so"}, "b: it points outside the package, to '/opt/lib/x.so'"),
        ({"b": "/var/tasks/a.js"}, "b: it points outside the package, to '/var/tasks/a.js'"),
        ({"b": "c", "c": "b"}, "b: its links form a loop"),
        ({"d/self": "."}, "d/self: it points to a directory that contains it"),
        ({"d/up": ".."}, "d/up: it points to a directory that contains it"),
        ({"b": "a.js/deeper"}, "b: it points to 'a.js/deeper', which does not exist"),
    ],
)
def test_a_link_that_cannot_become_a_copy_is_refused_by_name(links: dict[str, str], said: str) -> None:
    with pytest.raises(LambdapackError) as refused:
        resolved({"a.js": b"a", "d/file.js": b""}, links)
    assert refused.value.failure.code == "LP012"
    assert refused.value.detail == said


def test_links_that_multiply_are_stopped_before_they_fill_the_memory() -> None:
    """Twenty levels of two links each are a million files of one."""
    links = {f"l{level}/{name}": f"../l{level + 1}" for level in range(20) for name in "ab"}
    with pytest.raises(LambdapackError, match="more than 200000 files"):
        resolved({"l20/file.js": b""}, links)


def test_modes_and_empty_directories_stay() -> None:
    tree = DereferencedTree(MemoryTree({"run.sh": (b"#!", 0o755)}, links={"x": "run.sh"}, directories=["empty"]), TASK)
    assert {path: entry.mode for path, entry in tree.entries.items()} == {"empty": 0o755, "run.sh": 0o755, "x": 0o755}
