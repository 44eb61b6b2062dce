"""What is in a package: trees with real ELF files, read as a directory or zip would be."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.inspection.inspect import build_inspection
from lambdapack.inspection.model import FileCategory, Inspection, categorize_file
from lambdapack.pipeline.open import scan_trees
from lambdapack.pipeline.verify import read_package_facts
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.rules.selection.prune import prunable_files
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import TODAY, MemoryTree, World

ADDON = "node_modules/addon/build/Release/addon.node"


def looked_at(world: World, *layers: MemoryTree, arch: str = "x86_64") -> Inspection:
    facts = read_package_facts(
        world, scan_trees((world, *layers)), layer=world.kind == "layer", handler=None, layers=layers
    )
    runtime = shipped_runtime(parse_target("nodejs22.x", arch))
    report = check_package(Subject(world.kind, "."), facts, runtime, Policy(TODAY))
    files = {f"/opt/{path}": data for layer in layers for path, data in layer.files.items()} | world.files
    return build_inspection(report, facts, lambda path: hashlib.sha256(files[path]).hexdigest())


def weights(found: Inspection) -> dict[str, int]:
    return {each.name or each.path: each.size for each in found.packages}


def ways(found: Inspection) -> dict[str, list[str] | None]:
    return {
        each.name: None if each.chain is None else [step.name for step in each.chain]
        for each in found.packages
        if each.name
    }


@pytest.fixture(scope="module")
def addon(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return elf.link(tmp_path_factory.mktemp("addon"), "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()


def test_every_file_counts_once_for_the_package_it_lies_in() -> None:
    world = World()
    world.package("", dependencies={"a": "1"})
    world.add("src/index.js", "12345")
    world.package("node_modules/a", dependencies={"b": "1"})
    world.add("node_modules/a/dist/esm/package.json", "{}")
    world.package("node_modules/a/node_modules/b")
    world.add("node_modules/a/node_modules/b/index.js", "123")
    world.add("node_modules/lost/data.bin", "1234567")
    world.add("node_modules/.package-lock.json", "{}")
    found = looked_at(world)
    a, b = (len(world.files[f"node_modules/{path}/package.json"]) for path in ("a", "a/node_modules/b"))
    own = len(world.files["package.json"]) + 5
    assert weights(found) == {"a": a + 2, "b": b + 3, "": own, "lost": 7, "node_modules": 2}
    assert found.whole.size == sum(map(len, world.files.values()))
    assert [each.size for each in found.packages] == sorted(weights(found).values(), reverse=True)


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        ("lib/index.js", FileCategory.JS),
        ("lib/index.MJS", FileCategory.JS),
        ("lib/index.js.map", FileCategory.MAPS),
        ("types/index.d.ts", FileCategory.TYPES),
        ("index.d.mts", FileCategory.TYPES),
        ("src/index.ts", FileCategory.TYPES),
        ("README.md", FileCategory.DOCS),
        ("LICENSE", FileCategory.DOCS),
        ("LICENSE-MIT.txt", FileCategory.DOCS),
        ("docs/logo.png", FileCategory.DOCS),
        ("test/index.js", FileCategory.TESTS),
        ("lib/__tests__/a.js.map", FileCategory.TESTS),
        ("lib/a.spec.js", FileCategory.TESTS),
        ("latest/index.js", FileCategory.JS),
        ("contest.js", FileCategory.JS),
        ("history.js", FileCategory.JS),
        ("examples/index.js", FileCategory.DOCS),
        ("package.json", FileCategory.OTHER),
        ("Makefile", FileCategory.OTHER),
    ],
)
def test_a_file_is_for_what_its_name_and_place_say(path: str, sort: FileCategory) -> None:
    assert categorize_file(path, native=False, dependency=True) is sort


def test_typescript_is_code_in_the_function_and_dead_text_in_a_package() -> None:
    assert categorize_file("src/index.ts", native=False, dependency=False) is FileCategory.JS
    assert categorize_file("src/index.ts", native=False, dependency=True) is FileCategory.TYPES


def test_native_is_what_the_bytes_say_wherever_it_lies(addon: bytes) -> None:
    world = World()
    world.add("node_modules/addon/test/addon.node", addon)
    world.add("node_modules/addon/test/data.bin", addon)
    assert looked_at(world).sorts[FileCategory.NATIVE].files == 2


def test_the_shortest_way_to_a_package_is_told() -> None:
    world = World()
    world.package("", dependencies={"web": "1", "image": "1"}, devDependencies={"jest": "1"})
    world.package("node_modules/web", dependencies={"deep": "1"})
    world.package("node_modules/deep", dependencies={"native": "1"})
    world.package("node_modules/image", optionalDependencies={"native": "1"})
    world.package("node_modules/native")
    world.package("node_modules/jest", dependencies={"chalk": "1"})
    world.package("node_modules/chalk")
    world.package("node_modules/stray")
    found = looked_at(world)
    assert ways(found) == {
        "web": ["web"],
        "deep": ["web", "deep"],
        "image": ["image"],
        "native": ["image", "native"],
        "jest": ["jest"],
        "chalk": ["jest", "chalk"],
        "stray": None,
    }
    assert {each.name for each in found.packages if each.dev} == {"jest", "chalk"}


def test_a_nested_copy_belongs_to_who_finds_it() -> None:
    world = World()
    world.package("", dependencies={"a": "1", "b": "2"})
    world.package("node_modules/a", dependencies={"b": "1"})
    world.package("node_modules/a/node_modules/b", version="1.0.0")
    world.package("node_modules/b", version="2.0.0")
    chains = {each.path: each.chain for each in looked_at(world).packages}
    assert [step.name for step in chains["node_modules/a/node_modules/b"] or ()] == ["a", "b"]
    assert [step.version for step in chains["node_modules/b"] or ()] == ["2.0.0"]


def test_links_are_followed_as_node_does() -> None:
    world = World()
    world.package("", dependencies={"a": "1"})
    world.links["node_modules/a"] = ".pnpm/a@1.0.0/node_modules/a"
    world.package("node_modules/.pnpm/a@1.0.0/node_modules/a", dependencies={"b": "1"})
    world.links["node_modules/.pnpm/a@1.0.0/node_modules/b"] = "../../b@1.0.0/node_modules/b"
    world.package("node_modules/.pnpm/b@1.0.0/node_modules/b")
    assert ways(looked_at(world)) == {"a": ["a"], "b": ["a", "b"]}


def test_without_package_json_the_lockfile_says_who_asks() -> None:
    world = World()
    world.package("node_modules/a", dependencies={"b": "1"})
    world.package("node_modules/b")
    assert ways(looked_at(world)) == {"a": ["a"], "b": ["a", "b"]}
    root = {"name": "fn", "dependencies": {"b": "1"}}
    packages = {"": root, "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"}}
    world.add("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}))
    assert ways(looked_at(world)) == {"a": ["a"], "b": ["b"]}


def test_a_layer_is_looked_at_with_its_function() -> None:
    world, layer = World(), World()
    world.package("", dependencies={"a": "1"})
    world.package("node_modules/a", dependencies={"b": "1"})
    layer.package("nodejs/node_modules/b")
    layer.add("lib/libx.so", "12345")
    found = looked_at(world, layer)
    assert ways(found)["b"] == ["a", "b"]
    assert {each.path for each in found.packages} >= {"/opt", "/opt/nodejs/node_modules/b"}


def test_a_native_file_has_its_libc_needs_and_owner(tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libmine.so.1", "MINE_1")
    needing = elf.using(tmp_path, "needing.node", library)
    libc = elf.library(tmp_path, "libc.musl-x86_64.so.1", "ANY_1")
    alpine = elf.using(tmp_path, "alpine.node", libc)
    world = World()
    world.package("", dependencies={"addon": "1"})
    world.package("node_modules/addon")
    world.add(ADDON, needing)
    world.add("node_modules/addon/alpine.node", alpine)
    world.add("node_modules/addon/page.node", b"<!DOCTYPE html><title>404</title>")
    found = {each.judgement.binary.path: each for each in looked_at(world).natives}
    assert (found[ADDON].libc or "glibc").startswith("glibc")
    assert "libmine.so.1" in (found[ADDON].judgement.binary.elf or pytest.fail("no ELF")).needed
    assert found["node_modules/addon/alpine.node"].libc == "musl"
    assert found["node_modules/addon/page.node"].libc is None
    assert {each.owner.name for each in found.values()} == {"addon"}


def test_copies_are_told_by_what_they_waste() -> None:
    world = World()
    for place, size in (("node_modules/a", 5000), ("node_modules/b/node_modules/a", 5000), ("node_modules/c", 3000)):
        world.package(place, version="1.0.0")
        world.add(f"{place}/data.bin", b"x" * size)
    world.add("node_modules/c/other.bin", b"y" * 3000)
    world.add("tiny/a", b"z")
    world.add("tiny/b", b"z")
    found = looked_at(world)
    (package,) = found.same_packages
    assert (package.name, package.paths) == ("a", ("node_modules/a", "node_modules/b/node_modules/a"))
    assert package.spare == next(each.size for each in found.packages if each.name == "a")
    (same,) = found.same_bytes
    assert (same.spare, [path.rpartition("/")[2] for path in same.paths]) == (5000, ["data.bin", "data.bin"])


def test_what_pruning_saves_is_what_a_build_leaves_out(addon: bytes) -> None:
    world = World()
    world.package("node_modules/addon", version="1.0.0", dependencies={"node-gyp-build": "4"})
    for cpu, data in (("x64", addon), ("arm64", elf.with_machine(addon, elf.ARM64))):
        world.add(f"node_modules/addon/prebuilds/linux-{cpu}/addon.node", data)
    world.add("node_modules/other/build/config.gypi", "{}")
    world.add("node_modules/other/build/Release/obj.target/x.o", b"123")
    found = looked_at(world)
    assert [(each.reason, each.path) for each in found.spares] == [
        ("other-system", "node_modules/addon/prebuilds/linux-arm64/addon.node"),
        ("leftover", "node_modules/other/build/Release/obj.target/x.o"),
        ("leftover", "node_modules/other/build/config.gypi"),
    ]
    assert [file.path for file in prunable_files(found.report)] == [found.spares[0].path]
    assert found.saving == len(addon) + 5


def test_the_findings_are_those_of_verify(addon: bytes) -> None:
    world = World()
    world.package("node_modules/addon")
    world.add(ADDON, addon)
    assert looked_at(world, arch="arm64").report == replace(
        world.report(arch="arm64"), subject=Subject("directory", ".")
    )


def test_what_is_broken_breaks_nothing() -> None:
    world = World()
    world.add("package.json", "[")
    world.add("node_modules/a/package.json", '{"name": 1, "dependencies": ["b"]}')
    world.add("node_modules/@scope/package.json", "{}")
    world.links["node_modules/loop"] = "loop"
    found = looked_at(world)
    assert found.whole.files == 3
    assert ways(found) == {"a": ["a"]}
