import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, OUTPUT
from lambdapack.model import Architecture, Target
from lambdapack.runtimes.measure import measure_runtime, tighten_runtime
from lambdapack.runtimes.rootfs import RootFs, is_worth_indexing
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from lambdapack.runtimes.runtimefile import read_runtime, runtime_from_json, runtime_to_json, write_runtime
from lambdapack.tree.directory import DirectoryTree
from tests import elf
from tests.world import MemoryTree

HEADER = """
#define NODE_MAJOR_VERSION 22
#define NODE_MINOR_VERSION 23
#define NODE_PATCH_VERSION 1
# define NODE_MODULE_VERSION NODE_EMBEDDER_MODULE_VERSION
# define NODE_MODULE_VERSION 127
#define NODE_API_SUPPORTED_VERSION_MAX  10
"""

NODE = 'const char agent[] = "node.js/v22.13.1";\nint napi_create_object(void) { return 0; }\n'


@pytest.fixture
def image(tmp_path: Path) -> MemoryTree:
    libc = elf.library(tmp_path, "libc.so.6", "GLIBC_2.17", "GLIBC_2.36")
    deep = elf.library(tmp_path, "libdeep.so.1", symbol="deep")
    plain = elf.link(tmp_path, "libcurl.so.4", "int deep(void); int c(void) { return deep(); }",
                     "-Wl,-soname,libcurl.so.4", libraries=(deep,))  # fmt: skip
    extra = elf.library(tmp_path, "libgomp.so.1")
    node = elf.link(tmp_path, "node", NODE, "-Wl,--no-as-needed", libraries=(libc, plain))
    tree = MemoryTree()
    triplet = "usr/lib/x86_64-linux-gnu"
    tree.files = {
        "var/lang/bin/node": node.read_bytes(),
        f"{triplet}/libc.so.6": libc.read_bytes(),
        f"{triplet}/libdeep.so.1": deep.read_bytes(),
        f"{triplet}/libcurl.so.4.8.0": plain.read_bytes(),
        f"{triplet}/libgomp.so.1": extra.read_bytes(),
        f"{triplet}/libc.so": b"/* GNU ld script */",
        f"{triplet}/libempty.so.1": b"",
        f"{triplet}/libother.so.1": elf.with_machine(deep.read_bytes(), elf.ARM64),
        f"{triplet}/ld-linux-x86-64.so.2": libc.read_bytes(),
        "etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n",
        "etc/ld.so.conf.d/x.conf": b"# c\n/usr/lib/x86_64-linux-gnu\n",
    }
    tree.links = {
        "lib64": "usr/lib64",
        "lib": "usr/lib",
        "usr/lib64": "lib/x86_64-linux-gnu",
        f"{triplet}/libcurl.so.4": "libcurl.so.4.8.0",
        "usr/lib/loop": "loop",
    }
    return tree


X64 = parse_target("nodejs22.x", "x86_64")


def test_an_image_is_measured_from_its_files(image: MemoryTree) -> None:
    runtime = measure_runtime(image, X64, digest="sha256:1")
    assert (runtime.node, runtime.abi, runtime.node_api) == ("22.13.1", 127, 9)
    assert runtime.libraries["libc.so.6"].versions == {"GLIBC_2.17", "GLIBC_2.36"}
    assert runtime.libraries["libc.so.6"].path == "/lib64/libc.so.6"
    assert runtime.libraries["libcurl.so.4"].needed == ("libdeep.so.1",)
    assert runtime.libraries["libcurl.so.4"].exports == frozenset({"c"})
    assert {"libc.so", "libother.so.1", "libempty.so.1"}.isdisjoint(runtime.libraries)
    assert {"libc.so.6", "libcurl.so.4", "libdeep.so.1"} <= runtime.loaded
    assert runtime.node_exports is not None
    assert "napi_create_object" in runtime.node_exports
    assert runtime.interpreters == {"/lib64/ld-linux-x86-64.so.2"}
    assert runtime.floor == {}


def test_the_header_beside_node_is_believed_first(image: MemoryTree) -> None:
    image.files["var/lang/include/node/node_version.h"] = HEADER.encode()
    runtime = measure_runtime(image)
    assert (runtime.node, runtime.abi, runtime.node_api) == ("22.23.1", 127, 10)
    assert runtime.target == X64


@pytest.mark.parametrize(
    ("target", "words"),
    [(Target("nodejs22.x", Architecture.ARM64), "is for x86_64"), (parse_target("nodejs20.x", "x86_64"), "22.13.1")],
)
def test_an_image_for_another_target_is_refused(image: MemoryTree, target: Target, words: str) -> None:
    with pytest.raises(LambdapackError, match=words) as caught:
        measure_runtime(image, target)
    assert caught.value.failure is WRONG_IMAGE


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF", b"#!/bin/sh\n"])
def test_an_image_without_a_readable_node_is_refused(image: MemoryTree, content: bytes | None) -> None:
    del image.files["var/lang/bin/node"]
    if content is not None:
        image.files["var/lang/bin/node"] = content
    with pytest.raises(LambdapackError) as caught:
        measure_runtime(image, X64)
    assert caught.value.failure is WRONG_IMAGE


def test_a_measured_image_only_tightens_what_is_shipped(image: MemoryTree) -> None:
    known = shipped_runtime(X64)
    runtime = tighten_runtime(known, measure_runtime(image, X64, digest="sha256:1"))
    assert runtime.floor == known.floor
    assert runtime.node_api == 9
    assert (runtime.source, runtime.digest, runtime.node) == ("image", "sha256:1", "22.13.1")
    assert set(runtime.libraries) <= set(known.libraries)
    assert "libgomp.so.1" not in runtime.libraries
    assert "libz.so.1" not in runtime.libraries
    assert not runtime.libraries["libcurl.so.4"].certain
    assert runtime.libraries["libc.so.6"].versions == {"GLIBC_2.17", "GLIBC_2.36"}
    assert runtime.lifecycle == known.lifecycle


def test_links_of_the_root_are_followed_inside_the_root(image: MemoryTree) -> None:
    root = RootFs(image)
    assert root.real("/lib64/libcurl.so.4") == "usr/lib/x86_64-linux-gnu/libcurl.so.4.8.0"
    assert root.real("/../../lib64") == "usr/lib/x86_64-linux-gnu"
    assert root.real("/usr/lib/loop") is None
    assert root.real("/nowhere") is None


def test_a_runtime_file_reads_back_as_what_was_measured(image: MemoryTree, tmp_path: Path) -> None:
    runtime = measure_runtime(image, X64, digest="sha256:1")
    assert runtime_from_json(json.loads(json.dumps(runtime_to_json(runtime)))) == runtime
    write_runtime(runtime, tmp_path / "rt.json")
    assert read_runtime(tmp_path / "rt.json") == replace(runtime, source="file")
    assert [each.name for each in tmp_path.glob("*.tmp")] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "lambdapack/runtime/9"}', "\x00"])
def test_what_is_no_runtime_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rt.json"
    path.write_text(text)
    with pytest.raises(LambdapackError) as caught:
        read_runtime(path)
    assert caught.value.failure is BAD_CONFIG


def test_a_runtime_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError, match="No such file"):
        read_runtime(tmp_path / "rt.json")


def test_a_runtime_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    runtime = shipped_runtime(X64)
    with pytest.raises(LambdapackError) as caught:
        write_runtime(runtime, tmp_path / "no" / "rt.json")
    assert caught.value.failure is OUTPUT
    (tmp_path / "rt.json").mkdir()
    with pytest.raises(LambdapackError):
        write_runtime(runtime, tmp_path / "rt.json")
    assert [each.name for each in tmp_path.iterdir()] == ["rt.json"]


@pytest.mark.parametrize("place", ["usr/local/bin/node", "usr/bin/node", "opt/node-v22/bin/node"])
def test_a_root_that_is_no_lambda_image_has_its_own_node_and_no_library_path(image: MemoryTree, place: str) -> None:
    image.files[place] = image.files.pop("var/lang/bin/node")
    runtime = measure_runtime(image, X64)
    assert (runtime.node, runtime.library_path) == ("22.13.1", ())
    assert runtime.default_path[0] == "/usr/lib/x86_64-linux-gnu"
    assert runtime.libraries["libc.so.6"].path == "/usr/lib/x86_64-linux-gnu/libc.so.6"


def test_the_header_is_looked_for_beside_the_node_that_was_found(image: MemoryTree) -> None:
    image.files["usr/local/bin/node"] = image.files.pop("var/lang/bin/node")
    image.files["usr/local/include/node/node_version.h"] = HEADER.encode()
    assert measure_runtime(image).node == "22.23.1"


def test_two_nodes_in_odd_places_are_no_runtime(image: MemoryTree) -> None:
    image.files["opt/a/bin/node"] = image.files["opt/b/bin/node"] = image.files.pop("var/lang/bin/node")
    with pytest.raises(LambdapackError, match="several") as caught:
        measure_runtime(image)
    assert caught.value.failure is WRONG_IMAGE


def test_a_directory_with_pipes_and_devices_can_be_measured(image: MemoryTree, tmp_path: Path) -> None:
    for path, content in image.files.items():
        place = tmp_path / "root" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for path in ("dev", "run", "tmp"):
        (tmp_path / "root" / path).mkdir()
        os.mkfifo(tmp_path / "root" / path / "pipe")
    tree = DirectoryTree(tmp_path / "root", keep=is_worth_indexing)
    assert measure_runtime(tree, X64).node == "22.13.1"
