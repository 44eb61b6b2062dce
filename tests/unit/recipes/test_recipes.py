"""What every recipe says, whatever the project is called."""

import re
from typing import Any

import pytest
import yaml

from lambdapack.model import Architecture, Target
from lambdapack.project.declarations import DeclaredValue, TemplateResource
from lambdapack.recipes.recipes import RECIPES, RecipeContext, RecipeFile, makefile_recipe, sam_recipe

ARM = Target("nodejs22.x", Architecture.ARM64)
THUMBNAIL = RecipeContext("thumb-nail", ARM, "src/app.run")


def written(recipe: str, situation: RecipeContext = THUMBNAIL) -> dict[str, str]:
    return {each.path: each.text for each in RECIPES[recipe](situation)}


@pytest.mark.parametrize("name", ["thumb-nail", "@scope/x", "2fast", "snake_case.js", "日本"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_no_hole_stays_open_and_every_file_ends_in_a_newline(recipe: str, name: str) -> None:
    files = written(recipe, RecipeContext(name, ARM, "index.handler"))
    assert files
    for path, text in files.items():
        assert "@{" not in text, path
        assert text.endswith("\n"), path


@pytest.mark.parametrize("path", ["template.yaml", "serverless.yml"])
def test_a_new_template_says_the_target_where_lambdapack_reads_it(path: str) -> None:
    text = {**written("sam"), **written("serverless")}[path]
    said = str(yaml.safe_load(text))
    assert all(each in said for each in ("nodejs22.x", "arm64", "src/app.run"))


@pytest.mark.parametrize(
    ("name", "resource", "identifier"),
    [
        ("thumb-nail", "ThumbNail", "thumb_nail"),
        ("2fast", "Function2fast", "function_2fast"),
        ("日本", "Function", "function_"),
    ],
)
def test_names_are_what_the_tools_allow(name: str, resource: str, identifier: str) -> None:
    situation = RecipeContext(name, ARM, "index.handler")
    assert (situation.resource, situation.identifier) == (resource, identifier)
    assert re.fullmatch("[A-Za-z0-9]+", resource)


def test_sam_gets_a_target_for_each_resource_with_what_the_template_says_of_it() -> None:
    values = {"runtime": DeclaredValue("nodejs20.x", "t:1"), "architecture": DeclaredValue("x86_64", "t:2")}
    literal = TemplateResource("Api", "t", "fn", values)
    shared = TemplateResource("Shared", "t", "fn", {}, layer=True)
    text = _one(sam_recipe(RecipeContext("x", ARM, "index.handler", resources=(literal, shared))), "lambdapack-sam.mk")
    assert 'build-Api:\n\t$(LAMBDAPACK) build "$(SOURCES)" --runtime nodejs20.x --arch x86_64' in text
    assert 'build-Shared:\n\t$(LAMBDAPACK) build "$(SOURCES)" --layer --runtime nodejs22.x --arch arm64' in text


def test_make_passes_by_what_the_packer_never_packs() -> None:
    text = _one(makefile_recipe(THUMBNAIL), "lambdapack.mk")
    assert all(f"-name {each}" in text for each in ("node_modules", ".git", ".lambdapack", ".venv"))


@pytest.mark.parametrize(
    ("arch", "runner"), [(Architecture.ARM64, "ubuntu-24.04-arm"), (Architecture.X86_64, "ubuntu-24.04")]
)
def test_a_workflow_runs_on_the_functions_own_cpu(arch: Architecture, runner: str) -> None:
    situation = RecipeContext("x", Target("nodejs22.x", arch), "index.handler", path="services/x")
    workflow: dict[str, Any] = yaml.safe_load(written("github", situation)[".github/workflows/lambdapack.yml"])
    job = workflow["jobs"]["package"]
    assert job["runs-on"] == runner
    assert job["steps"][1]["with"] == {"path": "services/x", "runtime": "nodejs22.x", "arch": arch.aws}


def _one(found: Any, path: str) -> str:
    texts = [each.text for each in found if isinstance(each, RecipeFile) and each.path == path]
    assert len(texts) == 1
    return str(texts[0])
