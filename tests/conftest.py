"""A scrubbed environment, tiers held to their word, the lab's engine, and whole outputs compared with files."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import products, proofs, purity
from tests.compiled import SHELF

ROOT = Path(__file__).resolve().parents[1]
PURE = ROOT / "tests" / "unit"

SCRUBBED = ("AWS_", "DOCKER_", "LAMBDAPACK_", "npm_config_", "NPM_CONFIG_", "GITHUB_", "GITLAB_")
"""Variables of the machine that would change what the product does or says."""

KEPT = frozenset(("LAMBDAPACK_REQUIRE_ENGINE", "LAMBDAPACK_PODMAN_HOST", "LAMBDAPACK_LAB_CACHE", "AWS_CA_BUNDLE"))

LAB_IMAGE = "lambdapack-lab/nodejs:{node}-{arch}"
LAB_BUILD_IMAGE = "lambdapack-lab/nodejs:{node}-{arch}-build"


settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # a machine that does other things at the same time proves nothing by its slowness


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/ anew")
    parser.addoption("--full", action="store_true", help="run the long tests too")
    parser.addoption("--update-compiled", action="store_true", help="add to tests/compiled.tar.xz what it lacks")


def pytest_configure(config: pytest.Config) -> None:
    SHELF.updates = config.getoption("--update-compiled")
    # A job in the background of a script ignores Ctrl-C, and every child inherits that: the tests interrupt children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    if SHELF.updates:
        SHELF.write()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        skip = pytest.mark.skip(reason="long: make test-full")
        for item in items:
            if "full" in item.keywords:
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What stands in tests/unit is pure, its fixtures too."""
    with contextlib.ExitStack() as stack:
        if PURE in item.path.parents and not SHELF.updates:
            stack.enter_context(purity.kept(item.name))
            stack.enter_context(SHELF.without_compiler())
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that is marked as the proof of a rule has to see that rule find something, or nothing."""
    proves, spares = proofs.wanted(item, proofs.PROVES), proofs.wanted(item, proofs.SPARES)
    if not proves and not spares:
        yield
        return
    with proofs.watched() as seen:
        yield
    assert not proves - seen, f"it does not prove {sorted(proves - seen)}: nothing of that was found"
    assert not spares & seen, f"it does not spare {sorted(spares & seen)}: that was found"


@pytest.fixture(autouse=True, scope="session")
def _scrubbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    removed = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if (name.startswith(SCRUBBED) and name not in KEPT) or name in ("CI", "NO_COLOR", "COLUMNS")
    }
    os.environ["LAMBDAPACK_CACHE"] = str(tmp_path_factory.mktemp("cache"))  # never the user's own
    yield
    del os.environ["LAMBDAPACK_CACHE"]
    os.environ.update(removed)


def forget_builds() -> None:
    """Remove what earlier builds would save the next one; what was measured of the images stays."""
    for name in ("dependencies", "runs"):
        shutil.rmtree(Path(os.environ["LAMBDAPACK_CACHE"]) / name, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_is_built_before(_scrubbed: None) -> None:
    """Each test installs what it builds, whichever test ran before."""
    forget_builds()


@pytest.fixture(autouse=True, scope="session")
def _products_are_as_published() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        products.guarded(patch)
        yield


def _engine_problem() -> str | None:
    docker = shutil.which("docker")
    if docker is None:
        return "the docker client is not installed"
    done = subprocess.run([docker, "info"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return f"no engine answers: {done.stderr.strip().splitlines()[-1:]}"
    images = subprocess.run(
        [docker, "image", "inspect", "lambdapack-lab/nodejs:22-x86_64", "lambdapack-lab/nodejs:22-arm64-build"],
        capture_output=True,
        check=False,
    )
    return "the lab images are not loaded" if images.returncode else None


@pytest.fixture(scope="session")
def lab_engine() -> dict[str, str]:
    """The settings that point lambdapack at the lab; skips, or fails where the engine is required."""
    problem = _engine_problem()
    if problem:
        message = f"{problem}: run `make lab`"
        if os.environ.get("LAMBDAPACK_REQUIRE_ENGINE") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return {"LAMBDAPACK_IMAGE": LAB_IMAGE, "LAMBDAPACK_BUILD_IMAGE": LAB_BUILD_IMAGE}


@pytest.fixture(scope="session")
def npm() -> str:
    """The host's npm, or the lab's own when the host has none."""
    found = shutil.which("npm")
    if found is None:
        pytest.fail("npm is not on PATH: `make test` puts the lab's there")
    return found


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    def compare(name: str, actual: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == actual

    return compare
