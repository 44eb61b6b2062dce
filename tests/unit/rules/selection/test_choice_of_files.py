from typing import Any

import pytest

from lambdapack.packages.manifests import PackageBuild, PackageManifest
from lambdapack.rules.selection.selection import choose_files, expected_addon_path
from lambdapack.rules.selection.tokens import find_contradiction, parse_platform_tags
from lambdapack.runtimes.runtime import Runtime, parse_target, shipped_runtime

X64 = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
ARM64 = shipped_runtime(parse_target("nodejs22.x", "arm64"))
NODE_20 = shipped_runtime(parse_target("nodejs20.x", "x86_64"))


def selected(*files: str, runtime: Runtime = X64, **fields: Any) -> list[str]:
    manifest = PackageManifest("node_modules/native", fields.pop("name", "native"), "1.0.0", **fields)
    chosen = choose_files(manifest, files, runtime)
    assert set(chosen) == set(files)
    return sorted(path for path, choice in chosen.items() if choice.selected)


PREBUILDS = (
    "prebuilds/darwin-x64+arm64/bcrypt.node",
    "prebuilds/linux-arm64/bcrypt.glibc.node",
    "prebuilds/linux-arm64/bcrypt.musl.node",
    "prebuilds/linux-x64/bcrypt.glibc.node",
    "prebuilds/linux-x64/bcrypt.musl.node",
    "prebuilds/win32-x64/bcrypt.node",
)


def test_node_gyp_build_picks_platform_and_libc() -> None:
    assert selected(*PREBUILDS) == ["prebuilds/linux-x64/bcrypt.glibc.node"]
    assert selected(*PREBUILDS, runtime=ARM64) == ["prebuilds/linux-arm64/bcrypt.glibc.node"]


def test_what_was_compiled_in_place_comes_before_every_prebuild() -> None:
    assert selected(*PREBUILDS, "build/Release/bcrypt_lib.node") == ["build/Release/bcrypt_lib.node"]


def test_only_the_first_of_build_release_is_loaded_by_node_gyp_build() -> None:
    files = ("build/Release/a.node", "build/Release/test_extension.node")
    assert selected(*files, dependencies=frozenset({"node-gyp-build"})) == ["build/Release/a.node"]


@pytest.mark.parametrize(
    ("files", "picked"),
    [
        (("electron.abi125.node", "node.abi115.node", "node.abi127.node"), "node.abi127.node"),
        (("node.abi115.node", "node.napi.node"), "node.napi.node"),
        (("node.abi127.node", "node.napi.node"), "node.abi127.node"),
        (("node.napi.glibc.node", "node.napi.node"), "node.napi.glibc.node"),
        (("electron.napi.node", "node.napi.uv1.node"), "node.napi.uv1.node"),
    ],
)
def test_tags_in_the_file_name_decide_as_in_node_gyp_build(files: tuple[str, ...], picked: str) -> None:
    assert selected(*(f"prebuilds/linux-x64/{each}" for each in files)) == [f"prebuilds/linux-x64/{picked}"]


def test_untagged_prebuilds_side_by_side_are_each_asked_for_by_name() -> None:
    files = ("prebuilds/linux-x64/hid.node", "prebuilds/linux-x64/hidraw.node")
    assert selected(*files) == sorted(files)


def test_a_directory_for_one_cpu_comes_before_one_for_several() -> None:
    files = ("prebuilds/linux-x64+arm64/a.node", "prebuilds/linux-x64/a.node")
    assert selected(*files) == ["prebuilds/linux-x64/a.node"]


def test_node_gyp_build_3_names_the_libc_in_the_directory() -> None:
    files = ("prebuilds/linuxglibc-x64/node-127.node", "prebuilds/linuxmusl-x64/node-127.node")
    assert selected(*files) == ["prebuilds/linuxglibc-x64/node-127.node"]


def test_node_gyp_build_3_takes_one_abi_of_many() -> None:
    files = tuple(f"prebuilds/linuxglibc-x64/node-{abi}.node" for abi in (93, 115, 127, 131))
    assert selected(*files) == ["prebuilds/linuxglibc-x64/node-127.node"]


def test_a_64_in_a_name_is_a_cpu_and_no_abi() -> None:
    assert selected("bin/tool.node", name="tool-linux-64") == ["bin/tool.node"]
    assert selected("bin/tool.node", name="tool-linux-64", runtime=ARM64) == []


def test_optional_packages_keep_tagged_files_at_the_top() -> None:
    files = ("node.abi115.glibc.node", "node.abi127.glibc.node", "node.napi.glibc.node", "node.napi.musl.node")
    assert selected(*files, name="@lmdb/lmdb-linux-x64") == ["node.abi127.glibc.node"]
    assert selected(*files, name="@lmdb/lmdb-linux-x64", runtime=NODE_20) == ["node.abi115.glibc.node"]


@pytest.mark.parametrize(
    "fields",
    [
        {"os": ("darwin",)},
        {"os": ("!linux",)},
        {"cpu": ("arm64",)},
        {"libc": ("musl",)},
        {"name": "@img/sharp-linuxmusl-x64"},
        {"name": "lightningcss-darwin-x64"},
    ],
)
def test_a_package_for_another_platform_is_foreign_as_a_whole(fields: dict[str, Any]) -> None:
    assert selected("index.node", **fields) == []


def test_a_package_for_this_platform_is_not() -> None:
    fields: dict[str, Any] = {"os": ("linux",), "cpu": ("x64", "arm64"), "libc": ("glibc",)}
    assert selected("index.node", **fields) == ["index.node"]


NAPI_RS = ("x.darwin-arm64.node", "x.linux-arm64-gnu.node", "x.linux-x64-gnu.node", "x.linux-x64-musl.node")


def test_napi_rs_names_the_triple_in_the_file() -> None:
    assert selected(*NAPI_RS) == ["x.linux-x64-gnu.node"]
    assert selected(*NAPI_RS, runtime=ARM64) == ["x.linux-arm64-gnu.node"]


def test_words_of_the_path_tell_abi_and_major() -> None:
    files = ("lib/binding/node-v115-linux-x64/a.node", "lib/binding/node-v127-linux-x64/a.node")
    assert selected(*files) == ["lib/binding/node-v127-linux-x64/a.node"]
    files = ("bin/linux-x64-node-20/a.node", "bin/linux-x64-node-22/a.node")
    assert selected(*files) == ["bin/linux-x64-node-22/a.node"]


def test_node_pre_gyps_template_is_filled_for_the_target() -> None:
    template = "./lib/binding/napi-v{napi_build_version}-{platform}-{libc}-{arch}"
    fields: dict[str, Any] = {"module_name": "a", "module_path": template, "napi_versions": (3, 6, 12)}
    manifest = PackageManifest("node_modules/a", "a", "1.0.0", **fields)
    expected = "lib/binding/napi-v6-linux-glibc-x64/a.node"
    assert expected_addon_path(manifest, X64) == expected
    assert selected(expected, "lib/binding/napi-v3-linux-glibc-x64/a.node", **fields) == [expected]


def test_cmake_ts_takes_the_highest_abi_whatever_the_runtime_has() -> None:
    builds = tuple(
        PackageBuild(f"build/{cpu}-{libc}-{abi}/a.node", "linux", cpu, libc, abi)
        for cpu in ("x64", "arm64")
        for libc in ("glibc", "musl")
        for abi in (115, 127)
    )
    assert selected(*(each.path for each in builds), builds=builds, runtime=NODE_20) == ["build/x64-glibc-127/a.node"]


def test_half_built_copies_are_nobodys() -> None:
    files = ("build/Release/a.node", "build/Release/obj.target/a.node", "build-tmp-napi-v3/Release/a.node")
    assert selected(*files) == ["build/Release/a.node"]


def test_an_electron_build_is_for_another_program() -> None:
    assert selected("bin/electron/linux-x64/a.node", "bin/node/linux-x64/a.node") == ["bin/node/linux-x64/a.node"]


@pytest.mark.parametrize(
    ("files", "picked"),
    [
        (("addon-ubuntu22.04-x64.node", "addon-amzn2023-x64.node", "addon-alpine-x64.node"), "addon-amzn2023-x64.node"),
        (("addon-debian-x64.node", "addon-rhel8-x64.node"), "addon-rhel8-x64.node"),
        (("bin/centos7/addon.node", "bin/debian11/addon.node", "bin/linux/addon.node"), "bin/centos7/addon.node"),
        (("addon-debian11.node", "addon-linux.node"), "addon-linux.node"),
        (
            ("prebuilt/ubuntu-latest-x64/addon.node", "prebuilt/macos-x64/addon.node"),
            "prebuilt/ubuntu-latest-x64/addon.node",
        ),
        (
            ("addon-linux-x64-openssl-1.1.x.node", "addon-linux-x64-openssl-3.0.x.node"),
            "addon-linux-x64-openssl-3.0.x.node",
        ),
        (("a-linux-x64-openssl1.node", "a-linux-x64-openssl3.node"), "a-linux-x64-openssl3.node"),
        (("lib/linuxmusl-x64/a.node", "lib/linux-arm64v8/a.node", "lib/linux-x64/a.node"), "lib/linux-x64/a.node"),
    ],
)
def test_words_of_distributions_and_of_openssl_decide(files: tuple[str, ...], picked: str) -> None:
    assert selected(*files) == [picked]


def test_the_openssl_of_amazon_linux_2_is_an_older_one() -> None:
    files = ("a-linux-x64-openssl-1.0.x.node", "a-linux-x64-openssl-1.1.x.node", "a-linux-x64-openssl-3.0.x.node")
    old = shipped_runtime(parse_target("nodejs18.x", "x86_64"))
    assert selected(*files, runtime=old) == ["a-linux-x64-openssl-1.0.x.node"]
    assert selected("a-linux-x64-openssl1.node", "a-linux-x64-openssl3.node", runtime=old) == [
        "a-linux-x64-openssl1.node"
    ]


def test_sharps_vendor_directory_names_docker_style_cpus() -> None:
    assert find_contradiction(parse_platform_tags("vendor/8.14.5/linux-arm64v8/lib/libvips-cpp.so.42"), X64)
    assert not find_contradiction(parse_platform_tags("vendor/8.14.5/linux-arm64v8/lib/libvips-cpp.so.42"), ARM64)
