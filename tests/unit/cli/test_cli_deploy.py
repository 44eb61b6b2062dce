"""`deploy` from the command line: what does not fit is refused before anything is sent, and its cure is named."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from lambdapack.deploy.nouns import FunctionSettings, LocalZip, NewLayer
from tests import elf
from tests.cloud.deploying import ARM, NEW, X86, Site
from tests.cloud.world import ANSWER, BUCKET, zipped
from tests.projects import lock_of, write_project

MIB = 1 << 20
ADDON = "node_modules/addon/build/Release/addon.node"


@dataclass
class Said:
    """What a command left."""

    code: int
    out: str
    err: str


Deploy = Callable[..., Said]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", lambda *_arguments, **_place: made.aws.cloud())
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def deploy(site: Site, capsys: pytest.CaptureFixture[str]) -> Deploy:
    def call(*words: str, files: Mapping[str, str | bytes] | None = None, size: int = 0, packed: bool = False) -> Said:
        data = zipped({"index.js": ANSWER % '"new"', **(files or {})}, size, packed=packed)
        (site.directory / "app.zip").write_bytes(data)
        site.aws.line.forget()
        code = run_command(["deploy", "app.zip", "--function", "fn", "--alias", "live", *words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def addon(directory: Path, source: str, *flags: str) -> dict[str, str | bytes]:
    made = elf.with_machine(elf.link(directory, "addon.node", source, *flags).read_bytes(), elf.X86_64)
    return {ADDON: made, "node_modules/addon/package.json": '{"name": "addon", "main": "build/Release/addon.node"}'}


def is_refused(site: Site, said: Said, code: str, cure: str) -> bool:
    """Nothing was written, the alias is where it was, and the cure is on one line."""
    told = f"error[{code}]" in said.err and any(cure in line for line in said.err.splitlines())
    return told and (said.code, said.out, site.aws.line.writes, site.live) == (1, "", [], "1")


def test_an_x86_64_zip_for_an_arm64_function(site: Site, deploy: Deploy, tmp_path: Path) -> None:
    site.function(architecture=ARM)
    said = deploy(files=addon(tmp_path, elf.NODE_API, "-DLEVEL=8"))
    assert is_refused(site, said, "LP201", "lambdapack build --runtime nodejs22.x --arch arm64")


def test_an_abi_of_nodejs20_for_nodejs22(site: Site, deploy: Deploy, tmp_path: Path) -> None:
    site.function()
    said = deploy(files=addon(tmp_path, elf.V8_PLAIN, "-DABI=115"))
    assert is_refused(site, said, "LP210", "lambdapack build --runtime nodejs22.x --arch x86_64")


def test_a_stale_zip(site: Site, deploy: Deploy, tmp_path: Path) -> None:
    site.function()
    packages = {"node_modules/left": {"version": "2.0.0", "resolved": "https://registry.example/left.tgz"}}
    manifest = {"name": "fn", "dependencies": {"left": "2.0.0"}}
    write_project(tmp_path / "project", manifest, lock_of(packages, manifest))
    files = {"node_modules/left/package.json": '{"name": "left", "version": "1.0.0"}', "package.json": "{}"}
    said = deploy("--project", "project", files=files)
    assert is_refused(site, said, "LP320", "lambdapack build")


def test_a_zip_with_other_code_than_its_project(site: Site, deploy: Deploy, tmp_path: Path) -> None:
    site.function()
    write_project(tmp_path / "project", {"name": "fn"}, lock_of({}, {"name": "fn"}))
    (tmp_path / "project" / "index.js").write_text(ANSWER % '"newer"')
    files = {"package.json": (tmp_path / "project" / "package.json").read_text()}
    assert is_refused(site, deploy("--project", "project", files=files), "LP320", "lambdapack build")
    (tmp_path / "project" / "index.js").write_text(ANSWER % '"new"')
    assert deploy("--project", "project", files=files).code == 0


def test_60_mb_without_a_bucket(site: Site, deploy: Deploy) -> None:
    site.function()
    assert is_refused(site, deploy(size=60 * MIB), "LP452", "--bucket NAME")
    assert deploy("--bucket", BUCKET, size=60 * MIB).code == 0


def test_260_mb_with_layers(site: Site, deploy: Deploy, tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    path.write_bytes(zipped({"nodejs/node_modules/x/index.js": "1"}, 140 * MIB, packed=True, below="nodejs/"))
    arn = site.cloud.publish_layer(NewLayer("large", "", ("nodejs22.x",), (X86,)), LocalZip(path)).arn
    site.function(settings=FunctionSettings(layers=(arn,)))
    assert is_refused(site, deploy(size=120 * MIB, packed=True), "LP302", "lambdapack inspect")


def test_a_refusal_is_a_plan_for_programs(site: Site, deploy: Deploy) -> None:
    site.function(architecture=ARM)
    said = deploy("--arch", "x86_64", "--format", "json")
    document = json.loads(said.out)
    assert (said.code, document["refused"], document["schema"]) == (1, True, "lambdapack/plan/1")
    assert [each["name"] for each in document["functions"][0]["findings"]] == ["architecture-differs"]


def test_a_part_of_the_traffic_then_all_of_it_then_back(site: Site, deploy: Deploy) -> None:
    site.function()
    part = deploy("--canary", "10%", "--format", "json")
    (function,) = json.loads(part.out)["functions"]
    assert (function["version"], function["before"], function["weights"]) == ("2", "1", {"2": 0.1})
    assert site.live == "1"
    again = deploy("--canary", "10%")
    assert (again.code, site.aws.line.writes) == (0, [])
    whole = deploy()
    assert (whole.code, site.live, site.aws.line.writes) == (0, "2", ["PublishVersion", "UpdateAlias"])
    assert run_command(["rollback", "--function", "fn", "--alias", "live"]) == 0
    assert site.live == "1"


def test_an_ignored_code_that_does_not_exist_is_named_even_when_nothing_is_to_do(site: Site, deploy: Deploy) -> None:
    site.deploy(site.wanted(site.package("new"), creation_settings=NEW))
    assert deploy().code == 0
    said = deploy("--ignore", "LP999=because")
    assert (said.code, site.aws.line.operations) == (2, [])
    assert "LP999" in said.err
