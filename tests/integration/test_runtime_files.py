"""A runtime measured from an image, a tar and a directory is the same, and judges alone."""

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.command import EXAMPLES, lambdapack

pytestmark = pytest.mark.engine

IMAGE = "lambdapack-lab/nodejs:22-x86_64"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, lab_engine: dict[str, str]) -> Path:
    del lab_engine  # asked for so that there is an engine
    tar = tmp_path_factory.mktemp("root") / "root.tar"
    container = subprocess.run(["docker", "create", IMAGE], capture_output=True, text=True, check=True).stdout.strip()
    try:
        with tar.open("wb") as file:
            subprocess.run(["docker", "export", container], stdout=file, check=True)
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True, check=True)
    return tar


def measured(source: str | Path, into: Path) -> dict[str, object]:
    done = lambdapack("runtimes", "measure", source, "-o", into)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{into}\n"
    document: dict[str, object] = json.loads(into.read_text())
    return document


def test_an_image_a_tar_and_a_directory_measure_alike(exported: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with tarfile.open(exported) as archive:
        archive.extractall(root, filter="tar")
    (tmp_path / "root.json").touch()
    by_tar = measured(exported, tmp_path / "tar.json")
    by_directory = measured(root, tmp_path / "directory.json")
    by_image = measured(IMAGE, tmp_path / "image.json")
    assert by_tar == by_directory
    assert {**by_image, "source": "file", "digest": ""} == by_tar
    assert by_tar | {"runtime": "nodejs22.x", "arch": "x86_64", "abi": 127, "node_api": 10} == by_tar


def test_a_runtime_file_stands_for_runtime_and_architecture(exported: Path, tmp_path: Path) -> None:
    file = tmp_path / "runtime.json"
    measured(exported, file)
    done = lambdapack("verify", EXAMPLES / "plain", "--runtime-file", file, "--format", "json")
    target = json.loads(done.stdout)["target"]
    assert (target["runtime"], target["arch"], target["source"]) == ("nodejs22.x", "x86_64", "file")
    clash = lambdapack("verify", EXAMPLES / "plain", "--runtime-file", file, "--arch", "arm64")
    assert clash.returncode == 2
    assert "x86_64" in clash.stderr


def test_what_is_no_root_file_system_is_named(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    done = lambdapack("runtimes", "measure", tmp_path, "-o", tmp_path / "x.json", env=lab_engine)
    assert done.returncode == 3
    assert "LP103" in done.stderr
    assert not (tmp_path / "x.json").exists()
