import json
from pathlib import Path

import pytest

from lambdapack.errors.build import NOT_REPRODUCIBLE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Target
from lambdapack.pipeline.package.reproduce import build_twice
from lambdapack.pipeline.package.write import with_emptied_directories
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import MemoryTree
from tests.fakes import Process
from tests.unit.pipeline.workshop import ARM, X86, Workshop


def ship(process: Process) -> None:
    for name in ("README.md", "index.js", "types/index.d.ts", "types/deep/a.d.ts"):
        process.write(f"/var/task/node_modules/ms/{name}", b"// text\n")


def test_pruned_files_do_not_ship_and_leave_no_empty_directory(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, ship=ship)
    (built,) = workshop.build(prune_kinds=("types", "docs"))
    assert built.archive is not None
    with ZipTree(built.archive.path) as tree:
        assert [path for path in tree.entries if path.startswith("node_modules")] == [
            "node_modules/ms/index.js",
            "node_modules/ms/package.json",
        ]
    assert {file.reason for file in built.pruned} == {"--prune types", "--prune docs"}


def test_a_directory_with_anything_left_stays() -> None:
    tree = MemoryTree({"a/b/c": b"", "a/b/d": b"", "a/e/f": b""}, directories=("a", "a/b", "a/e", "a/empty"))
    assert with_emptied_directories(tree, {"a/b/c", "a/e/f"}) == {"a/b/c", "a/e/f", "a/e"}


def test_a_bill_of_materials_names_packages_and_is_the_same_each_time(tmp_path: Path) -> None:
    workshop, file = Workshop(tmp_path), tmp_path / "bom.json"
    texts = []
    for _ in range(2):
        workshop.build(sbom=file)
        texts.append(file.read_text())
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "fn")
    assert [component["purl"] for component in document["components"]] == ["pkg:npm/ms@2.1.3"]


def test_two_builds_that_are_the_same_pass(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    (built,) = build_twice(workshop.wanted(), workshop.connect, workshop.observer)
    assert built.archive is not None
    assert built.archive.path.exists()


def test_the_first_difference_is_named_with_its_package(tmp_path: Path) -> None:
    made = iter(range(10))

    def count(process: Process) -> None:
        process.write("/var/task/node_modules/ms/built.json", f'{{"at": {next(made)}}}'.encode())

    workshop = Workshop(tmp_path, ship=count)
    with pytest.raises(LambdapackError) as caught:
        build_twice(workshop.wanted(), workshop.connect, workshop.observer)
    assert caught.value.failure is NOT_REPRODUCIBLE
    assert "node_modules/ms/built.json (package ms): from byte 7 on" in caught.value.detail
    assert workshop.written == []


def test_of_several_targets_each_has_a_document(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    targets = (Target("nodejs22.x", X86), Target("nodejs22.x", ARM))
    workshop.build(*targets, sbom=tmp_path / "bom.json")
    assert sorted(path.name for path in tmp_path.glob("bom*")) == ["bom-arm64.json", "bom-x86_64.json"]
