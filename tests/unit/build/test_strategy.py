import pytest

from lambdapack.build.strategy import Work, candidates
from lambdapack.model import Architecture

X86, ARM = Architecture.X86_64, Architecture.ARM64
COMPILES = Work(packages=("bcrypt@6.0.0", "re2@1.22.1"))


@pytest.mark.parametrize("emulation", ["auto", "full"])
@pytest.mark.parametrize("work", [Work(), COMPILES])
def test_an_engine_of_the_targets_cpu_installs_natively_whatever_is_asked(work: Work, emulation: str) -> None:
    (way,) = candidates(work, ARM, ARM, emulation)
    assert (way.name, way.architecture, way.emulated) == ("native", ARM, False)


@pytest.mark.parametrize(("target", "engine"), [(ARM, X86), (X86, ARM)])
def test_without_scripts_npm_runs_on_the_engines_own_cpu(target: Architecture, engine: Architecture) -> None:
    first, fallback = candidates(Work(), target, engine)
    assert (first.name, first.architecture, first.emulated) == ("cross-prebuilt", engine, False)
    assert not first.toolchain
    assert not first.scripts
    assert (fallback.name, fallback.architecture, fallback.toolchain) == ("emulated", target, False)
    assert "no package runs an install script" in first.why


@pytest.mark.parametrize(
    "work", [COMPILES, Work(root=("postinstall",)), Work(git=("thing",))], ids=["package", "root", "git"]
)
def test_whatever_runs_needs_the_targets_own_image_with_a_toolchain(work: Work) -> None:
    (way,) = candidates(work, ARM, X86)
    assert (way.name, way.architecture, way.toolchain, way.emulated) == ("emulated", ARM, True, True)


def test_the_reason_names_the_package_that_needs_scripts() -> None:
    (way,) = candidates(COMPILES, ARM, X86)
    assert "bcrypt@6.0.0 and 1 more run install scripts" in way.why


def test_full_emulation_can_be_asked_for() -> None:
    (way,) = candidates(Work(), ARM, X86, "full")
    assert (way.name, way.why) == (
        "emulated",
        "full emulation was asked for, so the arm64 image runs emulated on x86_64",
    )


def test_root_scripts_alone_do_not_make_npm_run_the_packages_scripts() -> None:
    (way,) = candidates(Work(root=("postinstall",)), X86, X86)
    assert way.toolchain
    assert not way.scripts
