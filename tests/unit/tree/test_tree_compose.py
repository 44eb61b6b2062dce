import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import HOSTILE_ARCHIVE
from lambdapack.tree.compose import FilteredTree, MemoryTree, OverlayTree, PrefixedTree, TransformedTree
from lambdapack.tree.entry import Entry, EntryKind, read_file


def test_memory_holds_files_links_and_directories() -> None:
    tree = MemoryTree({"b/x": (b"1", 0o755), "a": b"22"}, links={"l": "b/x"}, directories=["b"])
    assert list(tree.entries) == ["a", "b", "b/x", "l"]
    assert tree.entries["a"] == Entry("a", EntryKind.FILE, 0o644, 2)
    assert tree.entries["l"].target == "b/x"
    assert read_file(tree, "b/x") == b"1"
    for path in ("l", "b", "absent"):
        with pytest.raises(KeyError), tree.view(path):
            pass


def test_memory_refuses_what_no_archive_may_hold() -> None:
    with pytest.raises(LambdapackError):
        MemoryTree({"../x": b""})
    with pytest.raises(LambdapackError):
        MemoryTree({}, links={"x": ""})


def test_the_later_tree_wins_on_files_and_directories_merge() -> None:
    low = MemoryTree({"d/a": b"low", "d/b": b"low", "l": b"file"}, directories=["d"])
    high = MemoryTree({"d/a": b"high", "c": b"high"}, links={"l": "c"})
    tree = OverlayTree(low, high)
    assert list(tree.entries) == ["c", "d", "d/a", "d/b", "l"]
    assert (read_file(tree, "d/a"), read_file(tree, "d/b")) == (b"high", b"low")
    assert tree.entries["l"].kind is EntryKind.SYMLINK


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (MemoryTree({"lib": b""}), MemoryTree({"lib/x": b""})),
        (MemoryTree({"lib": b""}), MemoryTree({}, directories=["lib"])),
        (MemoryTree({}, links={"lib": "src"}), MemoryTree({"lib/deep/x": b""})),
    ],
)
def test_a_file_where_another_tree_has_a_directory_names_it(one: MemoryTree, two: MemoryTree) -> None:
    for trees in ((one, two), (two, one)):
        with pytest.raises(LambdapackError, match="'lib'") as caught:
            OverlayTree(*trees)
        assert caught.value.failure is HOSTILE_ARCHIVE
        assert "Rename" in caught.value.hint


def test_a_prefix_is_put_before_every_path_and_no_target() -> None:
    tree = MemoryTree({"x/a": b"1"}, links={"l": "x"})
    below = PrefixedTree(tree, "node_modules")
    assert list(below.entries) == ["node_modules/l", "node_modules/x/a"]
    assert below.entries["node_modules/l"].target == "x"
    assert read_file(below, "node_modules/x/a") == b"1"
    with pytest.raises(KeyError), below.view("x/a"):
        pass
    with pytest.raises(LambdapackError):
        PrefixedTree(tree, "../x")


def test_a_filter_hides_entries_and_their_bytes() -> None:
    tree = FilteredTree(MemoryTree({"a": b"1", "b": b"2"}), lambda entry: entry.path == "a")
    assert list(tree.entries) == ["a"]
    assert read_file(tree, "a") == b"1"
    with pytest.raises(KeyError), tree.view("b"):
        pass


def test_entries_can_be_remade() -> None:
    tree = TransformedTree(MemoryTree({"a": b"1"}), lambda entry: Entry(entry.path, entry.kind, 0o700, entry.size))
    assert tree.entries["a"].mode == 0o700
    assert read_file(tree, "a") == b"1"
