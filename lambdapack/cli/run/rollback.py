"""Runs `lambdapack rollback`."""

from dataclasses import dataclass

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.resources import AwsOptions
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.deploy import parse_function_names
from lambdapack.deploy.alias import apply_rollback, find_rollback
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report.plan import render_rollback


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


def run_rollback(options: RollbackOptions) -> int:
    """Move the aliases, tell, and return the exit code."""
    progress = ProgressReporter(quiet=options.quiet)
    if options.to and not options.to.isdigit():
        hint = "Pass the number of a published version: `--to 7`."
        raise LambdapackError(USAGE, f"--to {options.to}: a number is expected", hint=hint)
    functions = parse_function_names(options.functions)
    cloud = options.place.connect()
    with progress.task(f"Reading {', '.join(functions)}"):
        rollbacks = [find_rollback(cloud, function, options.alias, options.to) for function in functions]
    for rollback in rollbacks:
        console.write_stderr(render_rollback(rollback))
        if not options.dry_run:
            apply_rollback(cloud, rollback)
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.plan import render_rollbacks_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_rollbacks_json(rollbacks))
    elif not options.dry_run:
        console.write_stdout("".join(f"{rollback.version.version_arn}\n" for rollback in rollbacks))
    return int(ExitCode.FINE)
