"""Real addons out of npm tarballs, as a cross-check of what our own compiler cannot make here: arm64 and V8."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Elf, Registration, RegistrationKind

pytestmark = pytest.mark.registry

NODE_API, V8 = RegistrationKind.NODE_API, RegistrationKind.V8
ADDONS = {
    "bcrypt@6.0.0": {
        "prebuilds/linux-x64/bcrypt.glibc.node": Registration(NODE_API, struct_abi=-1),
        "prebuilds/linux-arm64/bcrypt.musl.node": Registration(NODE_API, struct_abi=-1),
    },
    "better-sqlite3@13.2.0": {
        "prebuilds/linux-x64.node": Registration(NODE_API, node_api=10),
        "prebuilds/linux-arm64.node": Registration(NODE_API, node_api=10),
    },
    "@img/sharp-linux-arm64@0.35.5": {
        "lib/sharp-linux-arm64-0.35.5.node": Registration(NODE_API, node_api=9),
    },
    "isolated-vm@6.2.0": {
        "prebuilds/linux-x64/isolated-vm.abi127.glibc.node": Registration(V8, abis=(127,), struct_abi=127),
        "prebuilds/linux-arm64/isolated-vm.abi137.musl.node": Registration(V8, abis=(137,), struct_abi=137),
    },
    "@datadog/pprof@5.20.0": {
        "prebuilds/linux-arm64/dd_pprof.node.abi115.node": Registration(V8, abis=(115,), struct_abi=115),
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("npm")


def _packed(npm: str, place: Path, package: str) -> Path:
    command = [npm, "pack", "--silent", "--prefer-offline", package]
    done = subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
    return place / done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("package", ADDONS)
def test_real_addons_register_as_their_makers_say(npm: str, place: Path, package: str) -> None:
    with tarfile.open(_packed(npm, place, package)) as archive:
        for path, expected in ADDONS[package].items():
            found = _facts(archive, f"package/{path}")
            assert found.damage == ""
            assert found.registration == expected
            assert ("libc.so.6" in found.needed) is ("musl" not in path)


def _facts(archive: tarfile.TarFile, member: str) -> Elf:
    stream = archive.extractfile(member)
    assert stream is not None
    return read.read_elf(memoryview(stream.read()))
