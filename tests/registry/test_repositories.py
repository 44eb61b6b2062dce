"""One shop in four workspaces: npm, pnpm, yarn 1 and yarn 4, each with the lock that its own manager made."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from lambdapack.managers.registry import MANAGERS, read_dependency_source
from lambdapack.project.repository import read_repository
from tests.command import lambdapack

REPOSITORIES = Path(__file__).parent / "repositories"

CLOSURE = {
    "node_modules/@shop/shared": "1.2.0",
    "node_modules/@shop/shared/node_modules/ms": "2.1.3",
    "node_modules/bcrypt": "6.0.0",
    "node_modules/is-number": "6.0.0",
    "node_modules/ms": "2.0.0",
    "node_modules/odd": "3.0.1",
}
"""What each manager installs for production below packages/thumb; node-addon-api's version is whatever was newest."""

NAMES = ("npm", "pnpm", "yarn", "berry")


@pytest.fixture(params=NAMES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return shutil.copytree(REPOSITORIES / request.param, tmp_path / "shop")


@pytest.mark.registry
def test_a_member_is_built_and_answers(shop: Path, lab_engine: dict[str, str]) -> None:
    member = shop / "packages" / "thumb"
    env = {**lab_engine, "LAMBDAPACK_RUNTIME": "nodejs22.x"}
    built = lambdapack("build", member, "--handler", "src/thumb.handler", env=env)
    assert built.returncode == 0, built.stderr
    archive = built.stdout.strip()
    with zipfile.ZipFile(archive) as packed:
        manifests = [name for name in packed.namelist() if name.endswith("/package.json")]
        versions = {name.removesuffix("/package.json"): json.loads(packed.read(name))["version"] for name in manifests}
        names = set(packed.namelist())
    assert {path: version for path, version in versions.items() if path in CLOSURE} == CLOSURE
    assert set(versions) - set(CLOSURE) == {"node_modules/node-addon-api", "node_modules/node-gyp-build"}
    assert {"src/thumb.js", "node_modules/@shop/shared/index.js"} <= names
    assert "node_modules/@shop/shared/notes.txt" not in names
    answered = lambdapack("invoke", archive, env=env)
    assert json.loads(answered.stdout) == {"shared": [60, "2.1.3"], "odd": True, "ms": "2.0.0"}


def test_production_is_the_members_closure(shop: Path) -> None:
    source = read_dependency_source(read_repository(shop / "packages" / "thumb"), "packages/thumb")
    assert source.lock is not None
    found = {(package.name, package.version) for package in source.lock.production if not package.link}
    assert {("bcrypt", "6.0.0"), ("is-odd", "3.0.1"), ("ms", "2.0.0"), ("ms", "2.1.3"), ("is-number", "6.0.0")} <= found
    assert {name for name, _version in found} & {"left-pad", "lodash"} == set()
    assert source.lock.outdated == ()


def test_every_manager_has_its_own_name() -> None:
    assert [manager.name for manager in MANAGERS] == ["npm", "pnpm", "yarn"]


@pytest.mark.parametrize("name", ["pnpm", "yarn", "berry"])
def test_a_dependency_that_the_lock_lacks_is_told(name: str, tmp_path: Path) -> None:
    shop = shutil.copytree(REPOSITORIES / name, tmp_path / "shop")
    manifest = shop / "packages" / "thumb" / "package.json"
    document = json.loads(manifest.read_text())
    document["dependencies"]["dayjs"] = "^1.11.0"
    manifest.write_text(json.dumps(document))
    source = read_dependency_source(read_repository(manifest.parent), "packages/thumb")
    assert source.lock is not None
    assert source.lock.outdated == ("Missing: dayjs@^1.11.0 from lock file",)
