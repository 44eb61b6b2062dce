"""The command against real servers: moto in this process for what it sends, ministack for what then runs."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lambdapack.cli.app import run_command as cli
from lambdapack.deploy.nouns import Alias
from tests.cloud import servers
from tests.cloud.process import environment, killed
from tests.cloud.world import BUCKET, World, served, zipped
from tests.command import lambdapack

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with servers.moto() as address:
        yield address


@pytest.fixture
def world(ministack: str, tmp_path: Path) -> World:
    return served("ministack", ministack, tmp_path)


@pytest.fixture
def run(world: World) -> Run:
    def call(*arguments: str | Path, address: str = world.endpoint) -> CompletedProcess[str]:
        return lambdapack(*arguments, cwd=world.directory, env=environment(address))

    return call


def live(world: World, name: str) -> str:
    alias = world.cloud.alias(name, "live")
    assert alias is not None
    return alias.version


def answer(world: World, name: str) -> str:
    return str(json.loads(world.cloud.invoke(name, "live", b"{}", 3).payload)["version"])


def created(run: Run, world: World) -> tuple[str, Path]:
    """Make a function that serves "old" and return its name and zip."""
    name, archive = world.fresh(), world.archive("old")
    made = run("deploy", archive, "--function", name, "--alias", "live", "--create", "--role", world.role)
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith(f":function:{name}:1\n")
    return name, archive


def test_a_life_of_a_function(run: Run, world: World) -> None:
    name, _old = created(run, world)
    new = world.archive("new")
    event = world.directory / "event.json"
    event.write_text('{"x": 1}')
    planned = run("deploy", new, "--function", name, "--alias", "live", "--dry-run", "--smoke", event)
    assert planned.returncode == 0
    assert [line.split()[0] for line in planned.stdout.splitlines()[1:]] == [
        "update-code", "publish", "smoke", "point",
    ]  # fmt: skip
    assert answer(world, name) == "old"
    done = run("deploy", new, "--function", name, "--alias", "live", "--smoke", event, "--format", "json")
    assert json.loads(done.stdout)["functions"][0]["before"] == "1"
    assert answer(world, name) == "new"
    again = run("deploy", new, "--function", name, "--alias", "live")
    assert (again.returncode, again.stdout) == (0, json.loads(done.stdout)["functions"][0]["arn"] + "\n")
    assert "nothing to do, live is at version 2" in again.stderr
    back = run("rollback", "--function", name, "--alias", "live")
    assert (back.returncode, back.stdout.endswith(f":{name}:1\n")) == (0, True)
    assert answer(world, name) == "old"


def test_a_version_that_breaks_is_not_served(run: Run, world: World) -> None:
    name, _old = created(run, world)
    broken = world.directory / "broken.zip"
    broken.write_bytes(zipped({"index.js": "exports.handler = async () => { throw new Error('boom') }\n"}))
    event = world.directory / "event.json"
    event.write_text("{}")
    done = run("deploy", broken, "--function", name, "--alias", "live", "--smoke", event)
    assert done.returncode == 1
    assert "error[LP425]" in done.stderr
    assert "boom" in done.stderr
    assert "version 2 was published, and alias live still points at version 1" in done.stderr
    assert answer(world, name) == "old"


def test_several_functions_and_a_large_zip(run: Run, world: World) -> None:
    names = [created(run, world)[0] for _ in range(2)]
    large = world.archive("large", size=53_000_000)
    functions = [word for name in names for word in ("--function", name)]
    refused = run("deploy", large, *functions, "--alias", "live", "--format", "json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["refused"] is True
    assert "error[LP452] bucket-missing" in refused.stderr
    assert [answer(world, name) for name in names] == ["old", "old"]
    done = run("deploy", large, *functions, "--alias", "live", "--bucket", BUCKET)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert [answer(world, name) for name in names] == ["large", "large"]


def killed_at(run: Run, world: World, stop_at: int, *, carried_out: bool) -> bool:
    """Kill a deployment at a request and hold the promise; False when it ended before that."""
    made = world.function("old")
    first = world.cloud.publish_version(made.name, made.code_digest, "")
    world.cloud.create_alias(made.name, Alias("live", "", first.version))
    new = world.archive("new")
    arguments = ["deploy", str(new), "--function", made.name, "--alias", "live", "--timeout", "9"]
    stopped = killed(world.endpoint, world.directory, arguments, stop_at, carried_out=carried_out)
    assert answer(world, made.name) in ({"old", "new"} if stopped else {"new"})
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert (answer(world, made.name), live(world, made.name)) == ("new", "2")
    assert "nothing to do" in run(*arguments).stderr
    return stopped


@pytest.mark.parametrize(("stop_at", "carried_out"), [(6, True), (9, False)])
def test_killed_at_a_call_the_alias_serves_and_a_second_run_converges(
    run: Run, world: World, stop_at: int, carried_out: bool
) -> None:
    assert killed_at(run, world, stop_at, carried_out=carried_out)


@pytest.mark.full
@pytest.mark.parametrize("carried_out", [True, False], ids=["reply lost", "never done"])
def test_killed_at_each_call_in_turn_the_alias_serves_and_a_second_run_converges(
    run: Run, world: World, carried_out: bool
) -> None:
    calls = next(each for each in itertools.count() if not killed_at(run, world, each, carried_out=carried_out))
    assert calls >= 12


def test_moto_takes_what_is_sent(moto: str, tmp_path: Path) -> None:
    world = served("moto", moto, tmp_path)

    def call(*arguments: str | Path) -> CompletedProcess[str]:
        return lambdapack(*arguments, cwd=tmp_path, env=environment(moto))

    name, first = "fn", world.archive("one")
    base = ("--function", name, "--alias", "live")
    assert call("deploy", first, *base, "--create", "--role", world.role).returncode == 0
    second = call("deploy", world.archive("two"), *base, "--env", "STAGE=test")
    assert second.returncode == 0, second.stderr
    found = world.cloud.function(name, "live")
    assert found is not None
    assert (found.version, dict(found.environment)) == ("2", {"STAGE": "test"})


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("--function", "fn:live"), "LP001", 2),
        (("--function", "fn", "--canary", "10%"), "LP001", 2),
        (("--function", "fn", "--alias", "live", "--canary", "100%"), "LP001", 2),
        (("--function", "fn", "--smoke", "nothing.json"), "LP001", 2),
        (("--function", "fn", "--smoke-status", "200"), "LP001", 2),
        (("--function", "fn", "--env", "A"), "LP001", 2),
        (("--function", "fn", "--create", "--role", "lambda"), "LP001", 2),
        (("--function", "fn", "--profile", "nobody"), "LP404", 3),
        (("--function", "fn", "--endpoint-url", "http://127.0.0.1:9"), "LP405", 3),
        (("--function", "fn", "--endpoint-url", "nowhere"), "LP404", 3),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else str(each),
)
def test_a_slip_costs_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: str,
    exit_code: int,
) -> None:
    empty(tmp_path, monkeypatch, environment("http://127.0.0.1:9"))
    assert cli(["deploy", "x.zip", *words]) == exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert f"error[{code}]" in said.err


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AWS_REGION": ""}, "LP403"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "LP401"),
    ],
    ids=["region", "credentials"],
)
def test_without_region_or_credentials_it_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    code: str,
) -> None:
    base = {**environment("http://127.0.0.1:9"), "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    empty(tmp_path, monkeypatch, {**base, **changes})
    assert cli(["deploy", "x.zip", "--function", "fn"]) == 3
    assert f"error[{code}]" in capsys.readouterr().err


def empty(directory: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Stand in a directory with a zip that has nothing in it."""
    (directory / "x.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    monkeypatch.chdir(directory)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
