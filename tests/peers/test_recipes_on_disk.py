"""examples/recipes is what `lambdapack init` writes for examples/thumbnail, and nothing else."""

import shutil
from pathlib import Path

import pytest

from lambdapack.recipes.recipes import RECIPES
from tests.command import EXAMPLES, lambdapack
from tests.peers.conftest import Copy

SHOWN = EXAMPLES / "recipes"


def files(directory: Path) -> dict[str, str]:
    return {each.relative_to(directory).as_posix(): each.read_text() for each in directory.rglob("*") if each.is_file()}


@pytest.mark.parametrize("tool", RECIPES)
def test_a_recipe_is_what_init_writes(tool: str, project: Copy, request: pytest.FixtureRequest) -> None:
    directory = project("thumbnail")
    before = files(directory)
    done = lambdapack("init", f"--{tool}", "--arch", "arm64", cwd=directory)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path: text for path, text in files(directory).items() if path not in before}
    assert sorted(done.stdout.splitlines()) == sorted(written)
    if request.config.getoption("--update-golden"):
        shutil.rmtree(SHOWN / tool, ignore_errors=True)
        for path, text in written.items():
            (SHOWN / tool / path).parent.mkdir(parents=True, exist_ok=True)
            (SHOWN / tool / path).write_text(text)
    assert written == files(SHOWN / tool)


def test_init_writes_once_and_never_over_what_somebody_changed(project: Copy) -> None:
    directory = project("thumbnail")
    (directory / "Makefile").write_text("all:\n")
    first = lambdapack("init", "--makefile", cwd=directory)
    said = " ".join(first.stderr.split())
    assert "Makefile exists and was not changed; add to it: include lambdapack.mk" in said
    assert first.stdout == "lambdapack.mk\n.lambdapackignore\n"
    assert (directory / "Makefile").read_text() == "all:\n"
    (directory / "Makefile").write_text("include lambdapack.mk\nall:\n")
    assert lambdapack("init", "--makefile", cwd=directory).stdout == ""

    with (directory / "lambdapack.mk").open("a") as file:
        file.write("# mine\n")
    refused = lambdapack("init", "--makefile", "--gitlab", cwd=directory)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "error[LP013]" in refused.stderr
    assert not (directory / "lambdapack.gitlab-ci.yml").exists()
    assert lambdapack("init", "--makefile", "--force", cwd=directory).returncode == 0
    assert "# mine" not in (directory / "lambdapack.mk").read_text()


def test_a_print_writes_nothing(project: Copy) -> None:
    directory = project("thumbnail")
    before = files(directory)
    done = lambdapack("init", "--cdk", "--print", cwd=directory)
    assert done.stdout.startswith("==> lambdapack-code.js <==\n'use strict'\n")
    assert files(directory) == before


def test_typescript_is_for_those_who_have_it(project: Copy) -> None:
    directory = project("thumbnail")
    (directory / "tsconfig.json").write_text("{}")
    assert "lambdapack-code.ts\n" in lambdapack("init", "--cdk", cwd=directory).stdout
