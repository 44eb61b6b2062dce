"""Runs `lambdapack rollback`."""

from dataclasses import dataclass

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import AwsOptions
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.deploy import parse_function_names
from lambdapack.deploy.alias import apply_rollback, find_rollback
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report import plan as plans


@dataclass(frozen=True, slots=True)
class RollbackOptions:
    """What the options say."""

    functions: tuple[str, ...]
    alias: str
    to: str  # "": find out
    place: AwsOptions
    dry_run: bool
    style: ListFormat
    quiet: bool


def run_rollback(asked: RollbackOptions) -> int:
    """Move the aliases, tell, and return the exit code."""
    bars = ProgressReporter(quiet=asked.quiet)
    if asked.to and not asked.to.isdigit():
        hint = "Name a published version by its number: `--to 7`."
        raise LambdapackError(USAGE, f"--to {asked.to}: a number is expected", hint=hint)
    functions = parse_function_names(asked.functions)
    cloud = asked.place.connect()
    with bars.task(f"Reading {', '.join(functions)}"):
        found = [find_rollback(cloud, function, asked.alias, asked.to) for function in functions]
    for rollback in found:
        console.write_stderr(plans.render_rollback(rollback))
        if not asked.dry_run:
            apply_rollback(cloud, rollback)
    if asked.style is ListFormat.JSON:
        console.write_stdout(plans.render_rollbacks_json(found))
    elif not asked.dry_run:
        console.write_stdout("".join(f"{rollback.version.version_arn}\n" for rollback in found))
    return int(ExitCode.FINE)
