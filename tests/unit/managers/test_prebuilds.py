"""Install scripts that only look for a prebuild: what is decided from the files, and what has to run."""

import json

import pytest

from lambdapack.managers.interface import ScriptedPackage
from lambdapack.managers.prebuilds import find_undecided
from lambdapack.model import Architecture
from lambdapack.tree.compose import MemoryTree

ARM = Architecture.ARM64
ABI = 127
BUILD = {"install": "node-gyp-build"}


def undecided(
    scripts: dict[str, str], *files: str, name: str = "addon", optional: dict[str, str] | None = None
) -> bool:
    directory = f"node_modules/{name}"
    manifest = json.dumps({"name": name, "scripts": scripts, "optionalDependencies": optional or {}}).encode()
    tree = MemoryTree({f"{directory}/package.json": manifest, **dict.fromkeys(files, b"\x7fELF")})
    package = ScriptedPackage(f"{name}@1.0.0", directory, directory)
    return find_undecided([package], tree, ARM, ABI) == (package,)


@pytest.mark.parametrize(
    "prebuild",
    [
        "linux-arm64/addon.node",
        "linux-arm64/node.napi.node",
        "linux-arm64/node.napi.glibc.node",
        "linux-arm64/node.napi.armv8.node",
        "linux-arm64/node.abi127.node",
        "linux-arm64/node.abi93.napi.node",
        "linux-arm64+x64/node.napi.node",
        "linux-arm64/node.napi.uv1.node",
    ],
)
def test_a_prebuild_that_node_gyp_build_would_choose_is_enough(prebuild: str) -> None:
    assert not undecided(BUILD, f"node_modules/addon/prebuilds/{prebuild}")


@pytest.mark.parametrize(
    "prebuild",
    [
        "linux-x64/node.napi.node",
        "darwin-arm64/node.napi.node",
        "linux-arm64/node.napi.musl.node",
        "linux-arm64/electron.napi.node",
        "linux-arm64/node.abi93.node",
        "linux-arm64/node.napi.armv7.node",
        "linux-arm64/README.md",
        "linux-arm64/deeper/node.napi.node",
    ],
)
def test_a_prebuild_for_something_else_is_not(prebuild: str) -> None:
    assert undecided(BUILD, f"node_modules/addon/prebuilds/{prebuild}")


@pytest.mark.parametrize(
    "scripts",
    [
        {"install": "node-gyp rebuild"},
        {"install": "node-gyp-build && ./more.sh"},
        {"install": "node-gyp-build preinstall.js"},
        {"install": "node-gyp-build", "postinstall": "node setup.js"},
        {},
    ],
)
def test_a_script_that_does_anything_else_runs(scripts: dict[str, str]) -> None:
    assert undecided(scripts, "node_modules/addon/prebuilds/linux-arm64/node.napi.node")


def test_what_was_compiled_already_is_what_a_loader_takes_first() -> None:
    files = ("node_modules/addon/prebuilds/linux-arm64/node.napi.node", "node_modules/addon/build/Release/addon.node")
    assert undecided(BUILD, *files[:1]) is False
    tree = MemoryTree(
        {
            "node_modules/addon/package.json": json.dumps({"scripts": BUILD}).encode(),
            "node_modules/addon/build": b"",
            files[0]: b"",
        }
    )
    package = ScriptedPackage("addon@1.0.0", "node_modules/addon", "node_modules/addon")
    assert find_undecided([package], tree, ARM, ABI) == (package,)


OPTIONAL = {"@extract/extract-linux-arm64": "1.0.0"}


@pytest.mark.parametrize("place", ["node_modules", "node_modules/extract/node_modules"])
def test_a_prebuild_in_the_platforms_package_is_enough(place: str) -> None:
    files = [f"{place}/@extract/extract-linux-arm64/{name}" for name in ("package.json", "node.napi.glibc.node")]
    scripts = {"install": "node-gyp-build-optional-packages"}
    assert not undecided(scripts, *files, name="extract", optional=OPTIONAL)


def test_a_platforms_package_that_was_not_fetched_is_not() -> None:
    scripts = {"install": "node-gyp-build-optional-packages"}
    assert undecided(scripts, name="extract", optional=OPTIONAL)
    musl = [f"node_modules/@extract/extract-linux-arm64/{name}" for name in ("package.json", "node.napi.musl.node")]
    assert undecided(scripts, *musl, name="extract", optional=OPTIONAL)
