import pytest

from lambdapack.install.strategy import InstallScripts, candidate_strategies
from lambdapack.model import Architecture

X86, ARM = Architecture.X86_64, Architecture.ARM64
COMPILES = InstallScripts(packages=("bcrypt@6.0.0", "re2@1.22.1"))


@pytest.mark.parametrize("emulation", ["auto", "full"])
@pytest.mark.parametrize("work", [InstallScripts(), COMPILES])
def test_an_engine_of_the_targets_cpu_installs_natively_whatever_is_asked(work: InstallScripts, emulation: str) -> None:
    (way,) = candidate_strategies(work, ARM, ARM, emulation)
    assert (way.name, way.architecture, way.emulated) == ("native", ARM, False)


@pytest.mark.parametrize(("target", "engine"), [(ARM, X86), (X86, ARM)])
def test_without_scripts_npm_runs_on_the_engines_own_cpu(target: Architecture, engine: Architecture) -> None:
    first, fallback = candidate_strategies(InstallScripts(), target, engine)
    assert (first.name, first.architecture, first.emulated) == ("cross-prebuilt", engine, False)
    assert not first.toolchain
    assert not first.scripts
    assert (fallback.name, fallback.architecture, fallback.toolchain) == ("emulated", target, False)
    assert "no package runs an install script" in first.why


@pytest.mark.parametrize(
    "work",
    [COMPILES, InstallScripts(root=("postinstall",)), InstallScripts(git=("thing",))],
    ids=["package", "root", "git"],
)
def test_whatever_runs_needs_the_targets_own_image_with_a_toolchain(work: InstallScripts) -> None:
    (way,) = candidate_strategies(work, ARM, X86)
    assert (way.name, way.architecture, way.toolchain, way.emulated) == ("emulated", ARM, True, True)


def test_the_reason_names_the_package_that_needs_scripts() -> None:
    (way,) = candidate_strategies(COMPILES, ARM, X86)
    assert "bcrypt@6.0.0 and 1 more run install scripts" in way.why


def test_full_emulation_can_be_asked_for() -> None:
    (way,) = candidate_strategies(InstallScripts(), ARM, X86, "full")
    assert (way.name, way.why) == (
        "emulated",
        "full emulation was asked for, so the arm64 image runs emulated on x86_64",
    )


def test_root_scripts_alone_do_not_make_npm_run_the_packages_scripts() -> None:
    (way,) = candidate_strategies(InstallScripts(root=("postinstall",)), X86, X86)
    assert way.toolchain
    assert not way.scripts
