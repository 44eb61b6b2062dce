"""Runs `lambdapack status`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.built_zips import find_built_zip
from lambdapack.cli.input.functions import locate_functions, parse_alias, select_functions
from lambdapack.cli.input.resources import AwsOptions
from lambdapack.cli.input.settings import read_settings
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import Settings
from lambdapack.deploy.status import read_statuses
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.pack.digest import code_digest
from lambdapack.report.status import render_status


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """What is no setting of the project."""

    path: Path | None  # the zip to compare with; None: the one that was built last, if any
    place: AwsOptions
    style: ListFormat
    quiet: bool


def run_status(options: StatusOptions, flags: Mapping[str, object]) -> int:
    """Print what is live, and return the exit code."""
    progress = ProgressReporter(quiet=options.quiet)
    settings = read_settings(Path(), flags)
    functions = select_functions(settings)
    settings = read_settings(Path(), flags, functions[0])
    alias = parse_alias(settings.alias.value)
    digest = _read_digest(options.path, settings, flags)
    cloud = locate_functions(functions, options.place.with_settings(settings)).connect()
    with progress.task(f"Reading {', '.join(functions)}"):
        statuses = read_statuses(cloud, functions, alias, digest)
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.status import render_statuses_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_statuses_json(statuses, cloud.region))
    else:
        console.write_stdout("".join(map(render_status, statuses)))
    return int(ExitCode.FINE)


def _read_digest(path: Path | None, settings: Settings, flags: Mapping[str, object]) -> str:
    """Return the digest of the zip to compare with; "" without one. LP007 for a path that is no file."""
    if path is not None:
        if not path.is_file():
            raise LambdapackError(BAD_TARGET, f"{path}: there is no such file", hint="Pass a zip.")
        return code_digest(path)
    try:
        built = find_built_zip(Path(), settings, flags)
    except LambdapackError:  # several zips: which one is meant is never guessed
        return ""
    return code_digest(built.path) if built else ""
