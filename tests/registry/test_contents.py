"""What package managers really put down, held against lockfiles: no false alarm, and every real one."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.model import Finding
from lambdapack.pipeline.origin import find_package_origin
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.rules.model.case import Policy
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.npm_trees import DEV_OF_MANIFEST, manager, npm, project, run, zipped
from tests.world import TODAY

pytestmark = pytest.mark.registry

RUNTIME = shipped_runtime(parse_target("nodejs22.x", "x86_64"))


def found(path: Path, origin: Path | None = None) -> Mapping[str, Finding]:
    project_of = find_package_origin(path, origin) if path.is_file() else None
    report = verify_package(VerificationTarget(path, "index.handler", origin=project_of), RUNTIME, Policy(TODAY))
    return {each.rule.name: each for each in report.findings}


def evidence(finding: Finding) -> Mapping[str, Any]:
    return dict(finding.evidence)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tools")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = project(tmp_path_factory.mktemp("installed"))
    npm(made, "install")
    return made


@pytest.fixture
def fn(installed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(installed, tmp_path / "fn", symlinks=True)


@pytest.mark.proves("dev-packages")
def test_packages_for_development_are_named_with_what_they_weigh(fn: Path, tmp_path: Path) -> None:
    for subject in (fn, zipped(fn, tmp_path / "fn.zip")):
        told = evidence(found(subject)["dev-packages"])
        assert set(told["packages"]) == DEV_OF_MANIFEST
        assert told["bytes"] > 10_000


def test_package_json_alone_tells_them_too_and_nothing_is_said_where_nothing_is_known(fn: Path) -> None:
    (fn / "package-lock.json").unlink()
    (fn / "node_modules" / ".package-lock.json").unlink()
    assert set(evidence(found(fn)["dev-packages"])["packages"]) == DEV_OF_MANIFEST
    (fn / "package.json").unlink()
    assert "dev-packages" not in found(fn)


def test_npms_own_note_tells_them_when_there_is_nothing_but_node_modules(fn: Path) -> None:
    assert set(evidence(found(fn / "node_modules")["dev-packages"])["packages"]) == DEV_OF_MANIFEST


@pytest.mark.spares("dev-packages", "modules-stale")
def test_what_production_needs_too_is_not_for_development_alone(tmp_path: Path) -> None:
    fn = project(tmp_path / "fn", dependencies={"chalk": "4.1.2"}, devDependencies={"supports-color": "7.2.0"})
    npm(fn, "install")
    assert found(fn) == {}


@pytest.mark.proves("modules-stale")
def test_versions_that_moved_on_and_packages_that_nobody_locked_are_named(fn: Path) -> None:
    npm(fn, "install", "--no-save", "ms@2.0.0", "isarray@2.0.5")
    stale = found(fn)["modules-stale"]
    assert evidence(stale)["differing"] == {"ms": ["2.0.0", "2.1.2"]}
    assert evidence(stale)["extra"] == {"isarray": "2.0.5"}
    assert "ms 2.0.0 in node_modules, 2.1.2 in package-lock.json" in stale.message


def test_what_the_lock_gained_after_the_install_is_missing(fn: Path) -> None:
    npm(fn, "install", "--package-lock-only", "isarray@2.0.5")
    assert evidence(found(fn)["modules-stale"])["missing"] == {"isarray": "2.0.5"}


@pytest.mark.parametrize("strategy", ["nested", "shallow", "linked"])
def test_no_install_strategy_of_npm_is_an_alarm(tmp_path: Path, strategy: str) -> None:
    fn = project(tmp_path / "fn")
    npm(fn, "install", f"--install-strategy={strategy}", "--omit=dev")
    assert found(fn) == {}


def test_workspaces_and_local_packages_are_no_alarm(tmp_path: Path) -> None:
    fn = project(tmp_path / "fn", workspaces=["packages/*"], dependencies={"local": "file:lib/local", "ms": "2.1.2"})
    project(fn / "lib" / "local", name="local", dependencies={"isarray": "2.0.5"}, devDependencies={})
    project(fn / "packages" / "a", name="a", dependencies={"ms": "2.0.0"}, devDependencies={"chalk": "4.1.2"})
    npm(fn, "install")
    assert "modules-stale" not in found(fn)
    assert set(evidence(found(fn)["dev-packages"])["packages"]) == DEV_OF_MANIFEST
    (fn / "lib" / "local" / "package.json").write_text('{"name": "local", "version": "9.0.0"}')
    assert "modules-stale" not in found(zipped(fn, tmp_path / "fn.zip"))


def test_what_a_tarball_bundles_is_no_alarm(tmp_path: Path) -> None:
    inner = project(tmp_path / "inner", name="inner", dependencies={"ms": "2.0.0"}, bundleDependencies=["ms"])
    npm(inner, "install", "--omit=dev")
    npm(inner, "pack")
    fn = project(tmp_path / "fn", dependencies={"inner": "file:../inner/inner-1.0.0.tgz"}, devDependencies={})
    npm(fn, "install")
    assert found(fn) == {}


@pytest.mark.parametrize("spec", ["pnpm@9.15.9", "yarn@1.22.22"])
def test_trees_of_other_managers_are_read_by_package_json_and_never_held_against_npms_lock(
    tools: Path, tmp_path: Path, installed: Path, spec: str
) -> None:
    program = manager(tools, spec)
    fn = project(tmp_path / "fn", dependencies={"debug": "4.3.4", "ms": "2.1.3"})
    run([program, "install"], fn)
    shutil.copy(installed / "package-lock.json", fn)
    judged = found(fn)
    assert set(judged) == {"dev-packages"}
    assert set(evidence(judged["dev-packages"])["packages"]) == DEV_OF_MANIFEST
    run([program, "install", "--prod"], fn)
    assert found(fn) == {}


@pytest.mark.spares("zip-stale")
def test_a_zip_of_the_project_as_it_is_has_nothing_stale(fn: Path, tmp_path: Path) -> None:
    npm(fn, "prune", "--omit=dev")
    assert found(zipped(fn, tmp_path / "fn.zip"), fn) == {}


@pytest.mark.proves("zip-stale")
def test_a_zip_is_held_against_the_project_of_today_and_the_lock_inside_against_the_zip(
    fn: Path, tmp_path: Path
) -> None:
    archive = zipped(fn, tmp_path / "fn.zip")
    npm(fn, "install", "--save-exact", "ms@2.1.3")
    told = found(archive, fn)
    assert "ms 2.1.2 in the zip, 2.1.3 in package-lock.json" in told["zip-stale"].message
    assert "modules-stale" not in told
    lock = json.loads((fn / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/ms"]["version"] == "2.1.3"
