"""Runs `lambdapack rollback`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.functions import locate_functions, parse_alias, select_functions
from lambdapack.cli.input.resources import AwsOptions
from lambdapack.cli.input.settings import read_settings
from lambdapack.cli.output import console
from lambdapack.cli.output.interruption import run_interruptibly
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.deploy.alias import Rollback, describe_moves, find_rollback, plan_rollback_moves, run_rollbacks
from lambdapack.deploy.interrupt import StopFlag, run_parallel
from lambdapack.deploy.memory import read_memory
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report.plan import render_rollback

MAX_PARALLEL_READS = 20
"""Functions that are read at the same time, as for `deploy`."""


@dataclass(frozen=True, slots=True)
class RollbackOptions:
    """What is no setting of the project."""

    to: str  # "": find out
    place: AwsOptions
    dry_run: bool
    style: ListFormat
    quiet: bool


def run_rollback(options: RollbackOptions, flags: Mapping[str, object]) -> int:
    """Move the aliases, all or none, tell, and return the exit code."""
    progress = ProgressReporter(quiet=options.quiet)
    if options.to and not options.to.isdigit():
        hint = "Pass the number of a published version: `--to 7`."
        raise LambdapackError(USAGE, f"--to {options.to}: a number is expected", hint=hint)
    settings = read_settings(Path(), flags)
    functions = select_functions(settings)
    settings = read_settings(Path(), flags, functions[0])
    alias = parse_alias(settings.alias.value)
    if not alias:
        hint = "Pass `--alias NAME`, or set alias = in lambdapack.toml."
        raise LambdapackError(USAGE, "no alias is named", hint=hint)
    cloud = locate_functions(functions, options.place.with_settings(settings)).connect()
    with progress.task(f"Reading {', '.join(functions)}"):
        rollbacks = run_parallel(
            lambda function: find_rollback(cloud, function, alias, options.to), functions, MAX_PARALLEL_READS
        )
    _note_failed_versions(rollbacks, progress)
    if not options.dry_run:
        moves, stop = plan_rollback_moves(cloud, rollbacks), StopFlag()
        run_interruptibly(
            lambda: run_rollbacks(cloud, moves, progress, stop), stop, lambda _seconds: describe_moves(cloud, moves)
        )
    console.write_stderr("".join(map(render_rollback, rollbacks)))
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.plan import render_rollbacks_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_rollbacks_json(rollbacks))
    elif not options.dry_run:
        console.write_stdout("".join(f"{rollback.version.version_arn}\n" for rollback in rollbacks))
    return int(ExitCode.FINE)


def _note_failed_versions(rollbacks: Sequence[Rollback], progress: ProgressReporter) -> None:
    """Say of a version that it failed its test; `--to` may name one nevertheless."""
    for rollback in rollbacks:
        number, function = rollback.version.version, rollback.function
        if number in read_memory(rollback.alias).failed:
            progress.note(f"version {number} of {function} failed its test when it was deployed")
