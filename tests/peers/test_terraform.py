"""Terraform's `external` protocol, and its own hash, with what `lambdapack init --terraform` writes."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.command import lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

pytestmark = [pytest.mark.engine, pytest.mark.registry]


def program(directory: Path) -> list[str]:
    """Return the command that Terraform would run in this directory."""
    with (directory / "lambdapack.tf").open() as file:
        parsed: dict[str, Any] = hcl2.load(file)
    source = next(iter(next(iter(parsed["data"][0].values())).values()))
    return [str(each).strip('"').replace("${path.module}", ".") for each in source["program"]]


def test_the_data_source_gets_strings_and_terraforms_own_hash(project: Copy, lab_engine: dict[str, str]) -> None:
    directory = project("plain")
    assert lambdapack("init", "--terraform", "--arch", "arm64", cwd=directory).returncode == 0
    done = tools.run(program(directory), directory, lab_engine, text="{}")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert all(isinstance(value, str) for value in answer.values())
    content = (directory / answer["filename"]).read_bytes()
    assert answer["source_code_hash"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert (answer["runtime"], answer["architecture"], answer["handler"]) == ("nodejs22.x", "arm64", "index.handler")
    assert tools.run(program(directory), directory, lab_engine).stdout == done.stdout, "nothing to apply"


def test_what_would_not_load_is_an_error_for_terraform(project: Copy, lab_engine: dict[str, str]) -> None:
    directory = project("plain")
    assert lambdapack("init", "--terraform", cwd=directory).returncode == 0
    (directory / "index.js").unlink()
    done = tools.run(program(directory), directory, lab_engine, text="{}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "handler-missing" in done.stderr


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_itself_reads_the_file_and_gets_the_same_hash(project: Copy, lab_engine: dict[str, str]) -> None:
    directory = project("plain")
    assert lambdapack("init", "--terraform", cwd=directory).returncode == 0
    subprocess.run(["terraform", "fmt", "-check", "lambdapack.tf"], cwd=directory, check=True, capture_output=True)
    built = lambdapack("build", "--format", "terraform-external", cwd=directory, env=lab_engine)
    answer = json.loads(built.stdout)
    asked = f'filebase64sha256("{answer["filename"]}")\n'
    alone = directory / "empty"
    alone.mkdir()
    shutil.copytree(directory / ".lambdapack", alone / ".lambdapack")
    said = subprocess.run(["terraform", "console"], cwd=alone, input=asked, capture_output=True, text=True, check=True)
    assert said.stdout.strip().strip('"') == answer["source_code_hash"]
