import json
from pathlib import Path
from typing import Any

from lambdapack.managers.lock import EdgeType, Lock, LockedPackage
from lambdapack.managers.npm.lockfile import make_lock, parse_lock, parse_locked_package, resolve_entry, root_package
from tests.projects import lock_of


def lock(*paths: str, root: LockedPackage | None = None) -> Lock:
    packages = {path: parse_locked_package(path, {"version": "1.0.0"}, 1) for path in ("", *paths)}
    return make_lock(Path("package-lock.json"), 3, packages, root)


def path_of(lockfile: Lock, start: str, name: str) -> str | None:
    found = resolve_entry(lockfile.packages, start, name)
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
    assert [(edge.name, edge.target) for edge in lock(root=root).walk(".", dev=True)] == [("a", None)]


def test_a_lock_has_edges_importers_and_lines_whoever_wrote_it() -> None:
    packages: dict[str, dict[str, Any]] = {
        "lib/x": {"version": "2.0.0", "dependencies": {"b": "^1"}},
        "node_modules/x": {"resolved": "lib/x", "link": True},
        "node_modules/a": {"version": "1.0.0", "optionalDependencies": {"gone": "1"}, "dependencies": {"in": "1"},
                           "bundleDependencies": ["in"]},
        "node_modules/b": {"version": "1.4.0", "peerDependencies": {"a": "*", "may": "*"},
                           "peerDependenciesMeta": {"may": {"optional": True}}},
        "node_modules/s": {"version": "1.0.0", "hasShrinkwrap": True, "dependencies": {"own": "1"}},
    }  # fmt: skip
    root = {"dependencies": {"x": "file:lib/x", "a": "1", "s": "1"}, "devDependencies": {"b": "1"}}
    document = lock_of(packages, root)
    found = parse_lock(json.dumps(document, indent=2), Path("package-lock.json"))
    assert list(found.importers) == [".", "lib/x"]
    assert [(edge.name, edge.need) for edge in found.edges["node_modules/a"]] == [("gone", EdgeType.OPTIONAL)]
    assert found.edges["node_modules/s"] == (), "its tarball says what it depends on"
    (peer,) = found.edges["node_modules/b"]
    assert (peer.spec, peer.target) == ("*", found.packages["node_modules/a"])
    walked = [edge.name for edge in found.walk(".", dev=False)]
    assert sorted(walked) == ["a", "a", "b", "gone", "s", "x"], "through the link to lib/x, and without devDependencies"
    assert found.packages["node_modules/a"].line > found.packages["node_modules/x"].line > 1
