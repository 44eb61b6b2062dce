"""A build that goes straight into another tool: SAM's directory, Terraform's data source. Each takes exactly one."""

from collections.abc import Sequence
from pathlib import Path

from lambdapack.config import Settings
from lambdapack.errors import TEMPLATE_DIFFERS, USAGE, LambdapackError
from lambdapack.model import Target
from lambdapack.project.template import declared_here


def check_one(wish: str, targets: Sequence[Target]) -> None:
    """Refuse with LP001 what takes one package when there are several."""
    if len(targets) != 1:
        hint = "Pass `--arch arm64` or `--arch x86_64`."
        raise LambdapackError(USAGE, f"{wish} takes one package, and there are {len(targets)} targets", hint=hint)


def check_into(directory: Path, into: Path, settings: Settings, targets: Sequence[Target]) -> None:
    """Refuse `--into` beside `--output` or for several targets (LP001), or against the template (LP014)."""
    check_one("--into", targets)
    if settings.output.origin == "--output":
        raise LambdapackError(USAGE, "--into and --output: the package is a directory or a zip, not both")
    _check_template(directory, into.name, targets[0], layer=settings.layer.value)


def _check_template(directory: Path, name: str, target: Target, *, layer: bool) -> None:
    """SAM's directory has the name of its resource; by any other name, every function of the directory counts."""
    resources = [each for each in declared_here(directory, []) if each.layer == layer]
    named = [each for each in resources if each.name == name] or resources
    said = {"runtime": target.runtime, "architecture": target.architecture.aws}
    for field, ours in said.items():
        stated = [each.values[field] for each in named if field in each.values]
        if len(stated) == len(named) and stated and ours not in {value for value, _origin in stated}:
            value, origin = stated[0]
            raise LambdapackError(TEMPLATE_DIFFERS, f"{origin} says {value}, the command says {ours}")
