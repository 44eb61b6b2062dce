import hashlib
import json
from pathlib import Path

import pytest

from images.lab import apt
from images.lab.cache import LabError
from images.lab.recipe import Cpu

SOURCES = """\
https://mirror.example/debian/ bookworm main
https://mirror.example/debian/ bookworm-updates main
https://mirror.example/debian-security/ bookworm-security main
https://docker.example/linux/debian bookworm stable
https://node.example/node_20.x nodistro main
"""


@pytest.fixture
def apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that prints the file beside it."""
    program = tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/sources\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv(apt.MIRROR_VARIABLE, raising=False)
    return tmp_path / "sources"


def test_the_hosts_own_mirror_is_used_and_third_parties_are_not(apt_get: Path) -> None:
    apt_get.write_text("".join(reversed(SOURCES.splitlines(keepends=True))))
    assert apt.mirrors() == ("https://mirror.example/debian/", "https://mirror.example/debian-security/")


def test_without_a_security_archive_it_is_beside_the_main_one(apt_get: Path) -> None:
    apt_get.write_text(SOURCES.splitlines()[0])
    assert apt.mirrors()[1] == "https://mirror.example/debian-security"


def test_a_host_without_debian_sources_is_told_the_variable(apt_get: Path) -> None:
    apt_get.write_text("https://mirror.example/ubuntu noble main\n")
    with pytest.raises(LabError, match="LAMBDAPACK_LAB_DEBIAN"):
        apt.mirrors()


def test_the_variable_names_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(apt.MIRROR_VARIABLE, "https://mirror.example/debian/")
    assert apt.mirrors() == ("https://mirror.example/debian", "https://mirror.example/debian-security")


def test_a_host_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(apt.MIRROR_VARIABLE, raising=False)
    with pytest.raises(LabError, match="needs apt-get"):
        apt.mirrors()


def kept(cache: Path, content: bytes) -> None:
    folder = cache / "debs" / "arm64"
    folder.mkdir(parents=True)
    (folder / "make_4.3_arm64.deb").write_bytes(content)
    index = {"make": ["make_4.3_arm64.deb", hashlib.sha256(b"a package").hexdigest()]}
    (folder / "index.json").write_text(json.dumps(index))


def test_packages_in_the_cache_need_no_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kept(tmp_path, b"a package")
    assert [package.read() for package in apt.debs(("make",), Cpu.ARM64, tmp_path)] == [b"a package"]


def test_a_package_that_changed_in_the_cache_is_refused(tmp_path: Path) -> None:
    kept(tmp_path, b"another one")
    with pytest.raises(LabError, match="--refresh"):
        apt.debs(("make",), Cpu.ARM64, tmp_path)[0].read()
