from pathlib import Path
from typing import Any

import pytest

from lambdapack.config.settings import STRATEGY_NAMES
from lambdapack.errors.build import NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.install import COMPILE_FAILED
from lambdapack.errors.local import STRATEGY_REFUSED, TOOL_MISSING
from lambdapack.errors.record import LambdapackError
from lambdapack.install.recipe import ImageRequest
from lambdapack.install.request import ImageReferences, InstallRequest
from lambdapack.install.strategy import STRATEGIES, candidate_recipes
from lambdapack.managers.interface import InstallScripts
from lambdapack.managers.registry import MANAGERS, read_dependencies
from lambdapack.model import Architecture, Target
from lambdapack.tree.compose import MemoryTree
from tests.fakes import FakeEngine
from tests.projects import lock_of, write_project

X86, ARM = Architecture.X86_64, Architecture.ARM64
COMPILES = InstallScripts(packages=("bcrypt@6.0.0", "re2@1.22.1"))


def images(architecture: Architecture) -> ImageReferences:
    return ImageReferences(f"bare-{architecture}", f"build-{architecture}")


def request(directory: Path, scripts: InstallScripts, target: Architecture, **changes: Any) -> InstallRequest:
    source = read_dependencies(write_project(directory, {}, lock_of({})))
    return InstallRequest(MANAGERS[0], source, Target("nodejs22.x", target), MemoryTree({}), scripts, images, **changes)


@pytest.mark.parametrize("strategy", ["auto", "emulated", "cross-prebuilt"])
@pytest.mark.parametrize("scripts", [InstallScripts(), COMPILES])
def test_an_engine_of_the_targets_cpu_installs_natively_whatever_is_asked(
    tmp_path: Path, scripts: InstallScripts, strategy: str
) -> None:
    asked = request(tmp_path, scripts, ARM, strategy=strategy)
    (recipe,) = candidate_recipes(asked, FakeEngine(architecture=ARM))
    assert (recipe.strategy, recipe.image.architecture, recipe.emulated) == ("native", ARM, False)
    assert recipe.give_up_on == frozenset()


@pytest.mark.parametrize(("target", "host"), [(ARM, X86), (X86, ARM)])
def test_without_scripts_npm_runs_on_the_engines_own_cpu(
    tmp_path: Path, target: Architecture, host: Architecture
) -> None:
    asked = request(tmp_path, InstallScripts(), target)
    first, fallback = candidate_recipes(asked, FakeEngine(architecture=host))
    assert (first.strategy, first.image.architecture, first.emulated) == ("cross-prebuilt", host, False)
    assert first.image.reference == f"bare-{host}"
    assert first.oldest_manager == (10, 1, 0)
    assert first.give_up_on == {NO_IMAGE, WRONG_IMAGE}
    assert (fallback.strategy, fallback.image.reference, fallback.emulated) == ("emulated", f"bare-{target}", True)
    assert "no package runs an install script" in first.why


@pytest.mark.parametrize(
    "scripts",
    [COMPILES, InstallScripts(root=("postinstall",)), InstallScripts(git=("thing",))],
    ids=["package", "root", "git"],
)
def test_whatever_runs_needs_the_targets_own_image_with_a_toolchain(tmp_path: Path, scripts: InstallScripts) -> None:
    (recipe,) = candidate_recipes(request(tmp_path, scripts, ARM), FakeEngine())
    assert (recipe.strategy, recipe.image.reference, recipe.emulated) == ("emulated", "build-arm64", True)


def test_the_reason_names_the_package_that_needs_scripts(tmp_path: Path) -> None:
    (recipe,) = candidate_recipes(request(tmp_path, COMPILES, ARM), FakeEngine())
    assert "bcrypt@6.0.0 and 1 more run install scripts" in recipe.why


def test_full_emulation_can_be_asked_for(tmp_path: Path) -> None:
    asked = request(tmp_path, InstallScripts(), ARM, strategy="emulated")
    (recipe,) = candidate_recipes(asked, FakeEngine())
    assert (recipe.strategy, recipe.why) == (
        "emulated",
        "emulation was asked for, so the arm64 image runs emulated on x86_64",
    )


def test_a_strategy_that_cannot_serve_says_why(tmp_path: Path) -> None:
    refusals = {
        strategy.name: strategy.refusal(request(tmp_path, COMPILES, ARM), FakeEngine()) for strategy in STRATEGIES
    }
    assert refusals == {
        "native": "this engine's CPU is x86_64",
        "cross-prebuilt": "bcrypt@6.0.0 and 1 more run install scripts",
        "cross-compiled": "nothing may be fetched for this build, and its compiler is",
        "emulated": None,
        "embedded": "this engine runs container images",
    }


def test_a_strategy_that_is_asked_for_and_cannot_serve_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError) as caught:
        candidate_recipes(request(tmp_path, COMPILES, ARM, strategy="cross-prebuilt"), FakeEngine())
    assert caught.value.failure is STRATEGY_REFUSED
    assert "bcrypt@6.0.0 and 1 more run install scripts" in caught.value.detail


def test_scripts_get_a_native_compiler_in_the_emulated_image_and_fall_back_without_it(tmp_path: Path) -> None:
    asked = request(tmp_path, COMPILES, ARM, tools=tmp_path)
    first, second = candidate_recipes(asked, FakeEngine())
    assert (first.strategy, first.image.reference, first.emulated) == ("cross-compiled", "build-arm64", True)
    assert [tool.image for tool in first.tools] == [ImageRequest("bare-x86_64", X86)]
    assert {COMPILE_FAILED, TOOL_MISSING} <= first.give_up_on
    assert second.strategy == "emulated"
    assert first.script_environment["LAMBDAPACK_CROSS_TARGET"] == "aarch64-linux-gnu"


def test_an_x86_64_package_is_cross_compiled_on_an_arm64_engine_too(tmp_path: Path) -> None:
    (first, _) = candidate_recipes(request(tmp_path, COMPILES, X86, tools=tmp_path), FakeEngine(architecture=ARM))
    assert first.script_environment["LAMBDAPACK_CROSS_TARGET"] == "x86_64-linux-gnu"
    assert [tool.image for tool in first.tools] == [ImageRequest("bare-arm64", ARM)]
    assert "aarch64-linux-musl" in first.tools[0].setup


def test_the_settings_know_the_names_of_all_strategies() -> None:
    assert {"auto", *(strategy.name for strategy in STRATEGIES)} == set(STRATEGY_NAMES)


def test_every_recipe_records_the_strategy_and_its_version(tmp_path: Path) -> None:
    recipes = candidate_recipes(request(tmp_path, InstallScripts(), ARM), FakeEngine())
    assert [recipe.key_parts for recipe in recipes] == [{"strategy": "cross-prebuilt/1"}, {"strategy": "emulated/1"}]
