"""Does what `lambdapack rollback` asks."""

from dataclasses import dataclass

from lambdapack.cli import console
from lambdapack.cli.cloud import Place
from lambdapack.cli.deploying import named
from lambdapack.cli.options import Format
from lambdapack.cli.progress import Bars
from lambdapack.deploy import rollback
from lambdapack.errors import USAGE, Exit, LambdapackError
from lambdapack.report import plan as plans


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say."""

    functions: tuple[str, ...]
    alias: str
    to: str  # "": find out
    place: Place
    dry_run: bool
    style: Format
    quiet: bool


def carry_out(asked: Asked) -> int:
    """Move the aliases, tell, and return the exit code."""
    bars = Bars(quiet=asked.quiet)
    if asked.to and not asked.to.isdigit():
        hint = "Name a published version by its number: `--to 7`."
        raise LambdapackError(USAGE, f"--to {asked.to}: a number is expected", hint=hint)
    functions = named(asked.functions)
    cloud = asked.place.connect()
    with bars.task(f"Looking at {', '.join(functions)}"):
        found = [rollback.find(cloud, each, asked.alias, asked.to) for each in functions]
    for each in found:
        console.talk(plans.rollback(each))
        if not asked.dry_run:
            rollback.carry_out(cloud, each)
    if asked.style is Format.JSON:
        console.product(plans.rollbacks(found))
    elif not asked.dry_run:
        console.product("".join(f"{each.version.version_arn}\n" for each in found))
    return int(Exit.FINE)
