"""Chromium packages for Lambda, with the archives that each release has in `bin`."""

import pytest

from lambdapack.model import Severity
from tests.world import World

PACKAGE = "node_modules/@sparticuz/chromium"


def chromium(world: World, *archives: str, directory: str = PACKAGE) -> None:
    name = directory.partition("/")[2]
    world.package("", dependencies={name: "1"})
    world.package(directory)
    for archive in ("chromium.br", "fonts.tar.br", "swiftshader.tar.br", *archives):
        world.add(f"{directory}/bin/{archive}", b"\x1b" + bytes(99))


def missing(world: World, runtime: str, arch: str = "x86_64") -> list[Severity]:
    return [each.weight for each in world.report(runtime, arch).findings if each.rule.name == "missing-addon"]


@pytest.mark.spares("missing-addon")
@pytest.mark.parametrize("archives", [("al2023.tar.br",), ("al2.tar.br", "al2023.tar.br"), ()])
def test_a_browser_for_this_cpu_and_system_is_there(world: World, archives: tuple[str, ...]) -> None:
    chromium(world, *archives)
    assert missing(world, "nodejs22.x") == []


@pytest.mark.proves("missing-addon")
@pytest.mark.parametrize("directory", [PACKAGE, "node_modules/chrome-aws-lambda"])
def test_the_npm_packages_have_no_browser_for_arm64(world: World, directory: str) -> None:
    chromium(world, "al2023.tar.br", directory=directory)
    finding = next(each for each in world.report(arch="arm64").findings if each.rule.name == "missing-addon")
    assert (finding.path, finding.weight) == (directory, Severity.ERROR)
    assert "packed for x86_64 only" in finding.message
    assert "--arch x86_64" in finding.cure


def test_a_browser_for_arm64_beside_it_is_taken(world: World) -> None:
    chromium(world, "al2023.tar.br")
    world.add(f"{PACKAGE}/bin/arm64/chromium.br", b"\x1b" + bytes(99))
    assert missing(world, "nodejs22.x", "arm64") == []


@pytest.mark.parametrize(
    ("archive", "runtime"),
    [("al2.tar.br", "nodejs22.x"), ("aws.tar.br", "nodejs20.x"), ("al2023.tar.br", "nodejs18.x")],
)
def test_libraries_for_another_amazon_linux_are_a_warning(world: World, archive: str, runtime: str) -> None:
    chromium(world, archive)
    assert missing(world, runtime) == [Severity.WARNING]
