"""Renders the files for each tool that calls lambdapack, from templates. Writes nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from lambdapack.model import Target
from lambdapack.pack.source import BUILT_IN_PATTERNS, NEVER_SHIPPED, TOOL_OUTPUT_REASON

if TYPE_CHECKING:
    from lambdapack.project.declarations import TemplateResource


@dataclass(frozen=True, slots=True)
class RecipeContext:
    """A project as a recipe sees it."""

    name: str  # of package.json, fit for file names
    target: Target
    handler: str
    path: str = "."  # of the function below the repository, "/" between parts
    lock: str = "package-lock.json"  # likewise
    typescript: bool = False
    resources: "tuple[TemplateResource, ...]" = ()  # of the SAM template whose code is this directory
    template: str = "template.yaml"

    @property
    def resource(self) -> str:
        """Return the name in letters and digits, as CloudFormation's logical ids are: MyFunction."""
        words = re.findall(r"[A-Za-z0-9]+", self.name)
        joined = "".join(word[0].upper() + word[1:] for word in words)
        return joined if joined[:1].isalpha() else f"Function{joined}"

    @property
    def identifier(self) -> str:
        """Return the name as an identifier of Terraform: my_function."""
        joined = "_".join(re.findall(r"[A-Za-z0-9]+", self.name)).lower()
        return joined if joined[:1].isalpha() else f"function_{joined}"


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A file to write, and the lines to add to an existing one."""

    path: str  # relative to the function's directory, or with `at_root` to the repository
    text: str
    at_root: bool = False
    only_if_absent: bool = False  # the user's own file: if it exists, `merge` lists the lines to add
    merge: tuple[str, ...] = ()


TEMPLATE_PLACEHOLDER = re.compile(r"@\{(\w+)\}")
"""A placeholder in a template; no target format uses this syntax itself."""

Recipe = Callable[[RecipeContext], Iterator[RecipeFile]]


def fill_template(file: str, /, **values: str) -> str:
    """Return a template of this room with its placeholders filled in; KeyError when a value is missing."""
    raw = resources.files("lambdapack.recipes").joinpath("texts", file).read_text("utf-8")
    return TEMPLATE_PLACEHOLDER.sub(lambda match: values[match[1]], raw)


def settings_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield lambdapack.toml, for a project without a template of another tool."""
    yield RecipeFile(
        "lambdapack.toml", fill_template("lambdapack.toml", **_template_values(context)), only_if_absent=True
    )


def makefile_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield make targets that build the zip only when its inputs changed."""
    filled = fill_template("lambdapack.mk", **_template_values(context), pruned=_find_prune_expression())
    yield RecipeFile("lambdapack.mk", filled)
    yield _include_file("lambdapack.mk")


def sam_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a make target for each function and layer of the SAM template, and a template if there is none."""
    values = _template_values(context)
    filled = fill_template("lambdapack-sam.mk", **values)
    if not context.resources:
        filled += fill_template("sam-target.mk", **values, layer="")
        yield RecipeFile("template.yaml", fill_template("template.yaml", **values), only_if_absent=True)
    for resource in context.resources:
        declared = {name: declared_value.value for name, declared_value in resource.values.items()}
        target_values = {
            "resource": resource.name,
            "runtime": declared.get("runtime", values["runtime"]),
            "arch": declared.get("architecture", values["arch"]),
            "layer": " --layer" if resource.layer else "",
        }
        filled += fill_template("sam-target.mk", **target_values)
    yield RecipeFile("lambdapack-sam.mk", filled)
    yield _include_file("lambdapack-sam.mk")


def terraform_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a Terraform data source that builds at plan time, and a function that uses its result."""
    yield RecipeFile(
        "lambdapack.tf",
        fill_template("lambdapack.tf", **{**_template_values(context), "resource": context.identifier}),
    )


def cdk_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a helper that returns the CDK's `Code` for a directory, in the language of the app."""
    suffix = "ts" if context.typescript else "js"
    runtime = context.target.runtime.upper().replace(".", "_").replace("NODEJS", "NODEJS_")
    constants = {"runtime_constant": runtime, "arch_constant": context.target.architecture.aws.upper()}
    name = f"lambdapack-code.{suffix}"
    yield RecipeFile(name, fill_template(name, **{**_template_values(context), **constants}))


def serverless_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a serverless.yml with a prebuilt artifact, or the lines to add to an existing one."""
    values = {**_template_values(context), "function": context.identifier.replace("_", "")}
    zip_ = f".lambdapack/{values['name']}-{values['runtime']}-{values['arch']}.zip"
    merge = f"package: {{individually: true}} and, for the function, package: {{artifact: {zip_}}}"
    yield RecipeFile("serverless.yml", fill_template("serverless.yml", **values), only_if_absent=True, merge=(merge,))


def github_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a composite GitHub action and a workflow that uses it, on a runner with the function's CPU."""
    arm = context.target.architecture.aws == "arm64"
    values = {**_template_values(context), "runner": "ubuntu-24.04-arm" if arm else "ubuntu-24.04"}
    yield RecipeFile(".github/actions/lambdapack/action.yml", fill_template("action.yml", **values), at_root=True)
    yield RecipeFile(".github/workflows/lambdapack.yml", fill_template("workflow.yml", **values), at_root=True)


def gitlab_recipe(context: RecipeContext) -> Iterator[RecipeFile]:
    """Yield a GitLab job with cache and code quality report, and the file that includes it."""
    name = "lambdapack.gitlab-ci.yml"
    yield RecipeFile(name, fill_template(name, **_template_values(context)), at_root=True)
    including = fill_template("gitlab-ci.yml", include=name)
    merge = f"include: [{{local: {name}}}]"
    yield RecipeFile(".gitlab-ci.yml", including, at_root=True, only_if_absent=True, merge=(merge,))


RECIPES: Mapping[str, Recipe] = {
    "makefile": makefile_recipe,
    "sam": sam_recipe,
    "terraform": terraform_recipe,
    "cdk": cdk_recipe,
    "serverless": serverless_recipe,
    "github": github_recipe,
    "gitlab": gitlab_recipe,
}
"""Recipes by flag of `lambdapack init`."""


def _template_values(context: RecipeContext) -> dict[str, str]:
    return {
        "name": context.name,
        "runtime": context.target.runtime,
        "arch": context.target.architecture.aws,
        "handler": context.handler,
        "path": context.path,
        "lock": context.lock,
        "resource": context.resource,
        "template": context.template,
    }


def _include_file(name: str) -> RecipeFile:
    return RecipeFile(
        "Makefile", fill_template("Makefile", include=name), only_if_absent=True, merge=(f"include {name}",)
    )


def _find_prune_expression() -> str:
    """Return the arguments with which `find` skips paths that never ship, from the packer's own list."""
    names = [name for name in NEVER_SHIPPED if not name.startswith(".lambdapack")]
    names += [pattern.strip("/") for pattern in BUILT_IN_PATTERNS[TOOL_OUTPUT_REASON] if not pattern.startswith("/")]
    return "\\( " + " -o ".join(f"-name {name}" for name in names) + " \\)"
