"""The examples of every `--help` do what they say: in a project, beside its zips, with a cloud that runs functions."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command  # noqa: TID251  # the only way to list typer's commands

from lambdapack.cli.app import app
from tests.cloud import servers
from tests.cloud.process import environment
from tests.cloud.world import served
from tests.command import EXAMPLES, containers, lambdapack

BASE = "registry.example.com/my-base:22"
STUB = "lambdapack-lab/stub:22-arm64"
FROM = """FROM lambdapack-lab/nodejs:22-arm64-build
RUN printf '#!/bin/sh\\n' >/bin/microdnf && chmod 755 /bin/microdnf
"""

Stage = tuple[Path, dict[str, str]]
"""The directory to stand in, and the environment."""


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name, each in inner.items():
        yield from commands(each, f"{path} {name}".strip())


EVERY = dict(commands(get_command(app)))


def examples(help_text: str) -> list[str]:
    paragraphs = [" ".join(each.split()) for each in inspect.cleandoc(help_text).split("\n\n")]
    return [each.removeprefix("Example: ") for each in paragraphs if each.startswith("Example: ")]


ALL = [(name, example) for name, command in EVERY.items() for example in examples(command.help or "")]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_an_example(name: str) -> None:
    found = examples(EVERY[name].help or "")
    assert found
    assert all(each.startswith(f"lambdapack {name}") for each in found)


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, lab_engine: dict[str, str]
) -> Iterator[tuple[Path, dict[str, str]]]:
    """Lend a project `app` with its zip under each name that an example uses, and a cloud that has its functions."""
    directory = tmp_path_factory.mktemp("examples") / "app"
    shutil.copytree(EXAMPLES / "plain", directory, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    manifest = json.loads((directory / "package.json").read_text())
    (directory / "package.json").write_text(json.dumps(manifest | {"name": "app"}))
    lock = json.loads((directory / "package-lock.json").read_text())
    lock["name"] = lock["packages"][""]["name"] = "app"
    (directory / "package-lock.json").write_text(json.dumps(lock))
    (directory / "lambdapack.toml").write_text('runtime = "nodejs22.x"\narch = "arm64"\n')
    _done("build", directory, env=lab_engine)
    for name in ("app.zip", "function.zip"):
        shutil.copy(directory / ".lambdapack" / "app-nodejs22.x-arm64.zip", directory / name)
    (directory / "events").mkdir()
    shutil.copy(directory / "event.json", directory / "events")
    layer = ("--layer", "--arch", "arm64", "--output", directory / "sharp-layer.zip")
    _done("build", EXAMPLES / "thumbnail", *layer, env=lab_engine)
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as address:
        env = {**lab_engine, **environment(address)}
        role = served("ministack", address, directory.parent).role
        for name in ("app", "my-function"):
            create = ("--function", name, "--alias", "live", "--create", "--role", role)
            _done("deploy", directory / "app.zip", *create, env=env, cwd=directory)
        _done("deploy", "app.zip", "--function", "app", "--alias", "live", "--timeout", "9", env=env, cwd=directory)
        yield directory, env


def _done(*arguments: str | Path, env: dict[str, str], cwd: Path | None = None) -> None:
    done = lambdapack(*arguments, env=env, cwd=cwd)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def images(lab_engine: dict[str, str]) -> Iterator[None]:  # noqa: ARG001  # there is an engine
    """Lend the image of one's own that an example measures, and a base with the stub of a package manager."""
    subprocess.run(["docker", "tag", "lambdapack-lab/nodejs:22-arm64", BASE], check=True)
    subprocess.run(["docker", "build", "-t", STUB, "-"], input=FROM, text=True, check=True, capture_output=True)
    yield
    made = (BASE, STUB, "lambdapack/nodejs:22-arm64-build")
    subprocess.run(["docker", "image", "rm", "-f", *made], check=True, capture_output=True)


@pytest.mark.engine
@pytest.mark.registry
@pytest.mark.parametrize(("name", "example"), ALL, ids=[example for _name, example in ALL])
def test_an_example_works_as_it_is_printed(
    name: str, example: str, stage: Stage, request: pytest.FixtureRequest
) -> None:
    directory, env = stage
    if name in ("images build", "runtimes measure"):
        request.getfixturevalue("images")
    if name == "images build":
        env = {**env, "LAMBDAPACK_IMAGE": "lambdapack-lab/stub:{node}-{arch}"}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-c", example],
        cwd=directory,
        env={**os.environ, **env, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for written in re.findall(r"(?:> |-o |--html )(\S+)", example):
        assert (directory / written).stat().st_size > 0
    assert "Traceback" not in done.stderr
    assert containers() == []
