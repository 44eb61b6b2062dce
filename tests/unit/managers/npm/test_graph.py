from pathlib import Path

from lambdapack.managers.npm.lockfile import parse_locked_package, resolve_package, root_package, walk_edges
from lambdapack.project.project import Lockfile


def lock(*paths: str) -> Lockfile:
    return Lockfile(
        Path("package-lock.json"),
        3,
        {path: parse_locked_package(path, {"version": "1.0.0"}, 1) for path in ("", *paths)},
    )


def path_of(lockfile: Lockfile, start: str, name: str) -> str | None:
    found = resolve_package(lockfile, start, name)
    return found.path if found else None


def test_a_lookup_climbs_from_the_innermost_place() -> None:
    lockfile = lock("node_modules/b", "node_modules/a/node_modules/b", "lib/x/node_modules/b")
    assert path_of(lockfile, "", "b") == "node_modules/b"
    assert path_of(lockfile, "node_modules/a", "b") == "node_modules/a/node_modules/b"
    assert path_of(lockfile, "node_modules/a/node_modules/c", "b") == "node_modules/a/node_modules/b"
    assert path_of(lockfile, "node_modules/@s/c", "b") == "node_modules/b"
    assert path_of(lockfile, "lib/x", "b") == "lib/x/node_modules/b"
    assert path_of(lockfile, "lib/y", "b") == "node_modules/b"
    assert path_of(lockfile, "", "c") is None


def test_a_place_outside_finds_only_its_own() -> None:
    lockfile = lock("node_modules/b", "../x/node_modules/c")
    assert path_of(lockfile, "../x", "b") is None
    assert path_of(lockfile, "../x", "c") == "../x/node_modules/c"


def test_what_the_root_bundles_needs_an_entry_all_the_same() -> None:
    root = root_package({"dependencies": {"a": "1"}, "bundleDependencies": ["a"]})
    assert [(edge.name, found) for edge, found in walk_edges(lock(), root, dev=True)] == [("a", None)]
