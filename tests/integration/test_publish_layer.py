"""Layers against real servers: what is published is then required by a function that really runs."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lambdapack.model import Architecture
from tests.cloud import servers
from tests.cloud.process import environment, killed
from tests.cloud.world import World, served, zipped
from tests.command import EXAMPLES, lambdapack

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture
def world(ministack: str, tmp_path: Path) -> World:
    return served("ministack", ministack, tmp_path)


@pytest.fixture
def run(world: World) -> Run:
    def call(*arguments: str | Path, **variables: str) -> CompletedProcess[str]:
        return lambdapack(*arguments, cwd=world.directory, env={**environment(world.endpoint), **variables})

    return call


def layer(world: World, text: str) -> Path:
    path = world.directory / f"layer-{text}.zip"
    manifest = '{"name": "greeting", "version": "1.0.0"}'
    files = {"index.js": f"module.exports = '{text}'\n", "package.json": manifest}
    path.write_bytes(zipped({f"nodejs/node_modules/greeting/{name}": data for name, data in files.items()}))
    return path


def test_a_function_requires_what_was_published(run: Run, world: World) -> None:
    name = world.fresh("greetings")
    published = run("publish-layer", layer(world, "hello"), "--name", name)
    assert published.returncode == 0, published.stderr
    arn = published.stdout.strip()
    assert arn.endswith(f":layer:{name}:1")
    archive = world.directory / "fn.zip"
    archive.write_bytes(zipped({"index.js": "exports.handler = async () => require('greeting')\n"}))
    function = world.fresh()
    words = ("--function", function, "--alias", "live", "--create", "--role", world.role, "--layer", arn)
    done = run("deploy", archive, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(world.cloud.invoke(function, "live", b"{}", 3).payload) == "hello"
    judged = run("verify", arn, "--format", "json")
    assert json.loads(judged.stdout)[0]["verdict"] == "pass"
    changed = run("publish-layer", layer(world, "bye"), "--name", name, "--keep", "1")
    assert changed.stdout == f"{arn.removesuffix('1')}2\n"
    assert f"version 1 stays: {function}:" in changed.stderr


@pytest.mark.parametrize("stop_at", [2, *(pytest.param(each, marks=pytest.mark.full) for each in (0, 1, 3, 4, 5, 6))])
@pytest.mark.parametrize("carried_out", [True, False], ids=["reply lost", "never done"])
def test_killed_at_a_call_the_next_run_goes_on(run: Run, world: World, stop_at: int, carried_out: bool) -> None:
    name = world.fresh("killed")
    words = ("--name", name, "--keep", "1", "--share", "123456789012")
    assert run("publish-layer", layer(world, "old"), *words[:4]).returncode == 0
    arguments = ["publish-layer", str(layer(world, "new")), *words]
    assert killed(world.endpoint, world.directory, arguments, stop_at, carried_out=carried_out)
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f":layer:{name}:2\n")
    assert [each.number for each in world.cloud.layer_versions(name)] == [2]
    assert [each.principal for each in world.cloud.layer_policy(name, 2)] == ["123456789012"]


@pytest.mark.engine
@pytest.mark.registry
def test_a_project_without_native_code_is_one_layer_for_all(run: Run, world: World, lab_engine: dict[str, str]) -> None:
    project = shutil.copytree(EXAMPLES / "plain", world.directory / "plain")
    words = ("publish-layer", project, "--name", world.fresh("plain"), "--arch", "all", "--runtime", "nodejs22.x")
    first = run(*words, **lab_engine)
    assert first.returncode == 0, first.stderr
    (arn,) = first.stdout.splitlines()
    found = world.cloud.layer_version(arn.rpartition(":")[0], 1)
    assert found is not None
    assert set(found.architectures) == set(Architecture)
    assert run(*words, **lab_engine).stdout == first.stdout
