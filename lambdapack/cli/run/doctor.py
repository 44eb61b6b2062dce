"""Runs `lambdapack doctor`: checks the machine and AWS, and prints the results with the settings' origins."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.resources import cache_directory
from lambdapack.cli.input.settings import read_settings, select_targets
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import OPTIONS, Settings
from lambdapack.engine.images import BARE_IMAGE, BUILD_IMAGE
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.pipeline.doctor import DoctorTarget, run_health_checks
from lambdapack.report.doctor import Checkup, HealthCheck, HealthState, SettingOrigin, render_checkup


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What is no setting of the project."""

    path: Path
    aws: bool
    style: ListFormat
    verbose: bool
    quiet: bool


def run_doctor(options: DoctorOptions, flags: Mapping[str, object]) -> int:
    """Look, tell, and return 3 when a build could not work."""
    progress = ProgressReporter(quiet=options.quiet)
    settings = read_settings(options.path, flags)
    target = DoctorTarget(
        directory=options.path,
        targets=select_targets(settings, progress, builds=False),
        image=settings.image.value or BARE_IMAGE,
        build_image=settings.build_image.value or BUILD_IMAGE,
        environ=dict(os.environ),
        home=Path.home(),
        disks=_disk_paths(options.path, settings),
    )
    connect = engine_connector(settings, progress, options.path, local=True)
    checks = [*run_health_checks(target, connect, progress), *(_check_aws() if options.aws else ())]
    checkup = Checkup(tuple(checks), tuple(_setting_origins(settings)))
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.listings import render_checkup_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_checkup_json(checkup))
    else:
        console.write_stdout(render_checkup(checkup, verbose=options.verbose))
    return int(ExitCode.FINE if checkup.ready else ExitCode.ENVIRONMENT)


def _disk_paths(project: Path, settings: Settings) -> dict[str, Path]:
    disks = {"the archives": project, "temporary files": Path(tempfile.gettempdir())}
    cache = cache_directory(settings)
    return {**disks, "the cache": cache} if cache else disks


def _check_aws() -> Iterator[HealthCheck]:
    from lambdapack.aws.cloud import connect_cloud  # noqa: PLC0415  # boto3 costs more than the rest

    try:
        cloud = connect_cloud(os.environ)
        identity = cloud.identity()
    except LambdapackError as error:
        detail = f"{error.failure.code}: {error.failure.title}; only publishing and deploying need AWS"
        yield HealthCheck("AWS", HealthState.NOTE, detail, error.hint)
        return
    yield HealthCheck("AWS", HealthState.OK, f"{identity.arn} in {cloud.region}")


def _setting_origins(settings: Settings) -> Iterator[SettingOrigin]:
    """Yield each row of the table of settings as it came out."""
    fields = {field.name for field in dataclasses.fields(settings)}
    for option in OPTIONS:
        if option.field in fields:
            setting = getattr(settings, option.field)
            yield SettingOrigin(option.name, _render_value(setting.value), setting.origin)


def _render_value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={part}" for key, part in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(str(getattr(part, "code", part)) for part in value) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
