from lambdapack.install.changes import COMPARED_BYTES, find_changes
from lambdapack.tree.compose import MemoryTree

LONG = bytes(COMPARED_BYTES)


def test_names_links_and_bytes_are_compared_and_modes_are_not() -> None:
    before = MemoryTree(
        {"same": b"1", "mode": (b"1", 0o644), "bytes": b"1", "long": LONG + b"1", "gone": b"1", "kind": b"1"},
        links={"link": "same", "turned": "same"},
    )
    after = MemoryTree(
        {"same": b"1", "mode": (b"1", 0o755), "bytes": b"2", "long": LONG + b"2", "new": b"1"},
        links={"link": "same", "turned": "bytes"},
        directories=("kind", "empty"),
    )
    assert dict(find_changes(before, after)) == {
        "bytes": "changed",
        "long": "changed",
        "turned": "changed",
        "kind": "changed",
        "new": "made",
        "gone": "removed",
    }
