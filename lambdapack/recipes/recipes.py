"""One function for each tool: Situation to files. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import resources

from lambdapack.pack.ignore import BUILT_IN, NEVER, TOOL_OUTPUT
from lambdapack.recipes.nouns import Glue, Situation

HOLE = re.compile(r"@\{(\w+)\}")
"""What is filled in. No file that we write has a use of its own for this sign."""

Recipe = Callable[[Situation], Iterator[Glue]]


def text(file: str, /, **values: str) -> str:
    """Return a text of this package with its holes filled in; KeyError when a value is missing."""
    raw = resources.files("lambdapack.recipes").joinpath("texts", file).read_text("utf-8")
    return HOLE.sub(lambda found: values[found[1]], raw)


def settings(situation: Situation) -> Iterator[Glue]:
    """Give lambdapack.toml: the starter of a project that has no template of another tool."""
    yield Glue("lambdapack.toml", text("lambdapack.toml", **_values(situation)), only_if_absent=True)


def makefile(situation: Situation) -> Iterator[Glue]:
    """Give file targets whose zip is made only when something in it changed."""
    filled = text("lambdapack.mk", **_values(situation), pruned=_pruned())
    yield Glue("lambdapack.mk", filled)
    yield _including("lambdapack.mk")


def sam(situation: Situation) -> Iterator[Glue]:
    """Give a target for each function and layer of the template, and a template where there is none."""
    values = _values(situation)
    filled = text("lambdapack-sam.mk", **values)
    if not situation.resources:
        filled += text("sam-target.mk", **values, layer="")
        yield Glue("template.yaml", text("template.yaml", **values), only_if_absent=True)
    for each in situation.resources:
        stated = {name: value for name, (value, _origin) in each.values.items()}
        own = {
            "resource": each.name,
            "runtime": stated.get("runtime", values["runtime"]),
            "arch": stated.get("architecture", values["arch"]),
            "layer": " --layer" if each.layer else "",
        }
        filled += text("sam-target.mk", **own)
    yield Glue("lambdapack-sam.mk", filled)
    yield _including("lambdapack-sam.mk")


def terraform(situation: Situation) -> Iterator[Glue]:
    """Give a data source that builds at plan, and a function that is made of what it says."""
    yield Glue("lambdapack.tf", text("lambdapack.tf", **{**_values(situation), "resource": situation.identifier}))


def cdk(situation: Situation) -> Iterator[Glue]:
    """Give a function that returns `Code` for a directory, in the language of the app."""
    suffix = "ts" if situation.typescript else "js"
    runtime = situation.target.runtime.upper().replace(".", "_").replace("NODEJS", "NODEJS_")
    constants = {"runtime_constant": runtime, "arch_constant": situation.target.architecture.aws.upper()}
    name = f"lambdapack-code.{suffix}"
    yield Glue(name, text(name, **{**_values(situation), **constants}))


def serverless(situation: Situation) -> Iterator[Glue]:
    """Give a serverless.yml with a ready artifact, or what to add to the one that is there."""
    values = {**_values(situation), "function": situation.identifier.replace("_", "")}
    zip_ = f".lambdapack/{values['name']}-{values['runtime']}-{values['arch']}.zip"
    merge = f"package: {{individually: true}} and, for the function, package: {{artifact: {zip_}}}"
    yield Glue("serverless.yml", text("serverless.yml", **values), only_if_absent=True, merge=(merge,))


def github(situation: Situation) -> Iterator[Glue]:
    """Give a composite action and a workflow that uses it, on a runner of the function's own CPU."""
    arm = situation.target.architecture.aws == "arm64"
    values = {**_values(situation), "runner": "ubuntu-24.04-arm" if arm else "ubuntu-24.04"}
    yield Glue(".github/actions/lambdapack/action.yml", text("action.yml", **values), at_root=True)
    yield Glue(".github/workflows/lambdapack.yml", text("workflow.yml", **values), at_root=True)


def gitlab(situation: Situation) -> Iterator[Glue]:
    """Give a job with its cache and its code quality report, and the file that includes it."""
    name = "lambdapack.gitlab-ci.yml"
    yield Glue(name, text(name, **_values(situation)), at_root=True)
    including = text("gitlab-ci.yml", include=name)
    merge = f"include: [{{local: {name}}}]"
    yield Glue(".gitlab-ci.yml", including, at_root=True, only_if_absent=True, merge=(merge,))


RECIPES: Mapping[str, Recipe] = {
    "makefile": makefile,
    "sam": sam,
    "terraform": terraform,
    "cdk": cdk,
    "serverless": serverless,
    "github": github,
    "gitlab": gitlab,
}
"""By the flag of `lambdapack init`."""


def _values(situation: Situation) -> dict[str, str]:
    return {
        "name": situation.name,
        "runtime": situation.target.runtime,
        "arch": situation.target.architecture.aws,
        "handler": situation.handler,
        "path": situation.path,
        "lock": situation.lock,
        "resource": situation.resource,
        "template": situation.template,
    }


def _including(name: str) -> Glue:
    return Glue("Makefile", text("Makefile", include=name), only_if_absent=True, merge=(f"include {name}",))


def _pruned() -> str:
    """Return the words with which `find` passes by what never ships; the list is the packer's own."""
    names = [name for name in NEVER if not name.startswith(".lambdapack")]
    names += [pattern.strip("/") for pattern in BUILT_IN[TOOL_OUTPUT] if not pattern.startswith("/")]
    return "\\( " + " -o ".join(f"-name {name}" for name in names) + " \\)"
