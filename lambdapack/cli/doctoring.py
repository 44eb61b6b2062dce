"""Does what `lambdapack doctor` asks."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.images import BARE_IMAGE, BUILD_IMAGE
from lambdapack.cli import choices, console
from lambdapack.cli.engines import connector
from lambdapack.cli.options import Format
from lambdapack.cli.places import cache_directory
from lambdapack.cli.progress import Bars
from lambdapack.config import OPTIONS, Settings
from lambdapack.errors import Exit, LambdapackError
from lambdapack.pipeline.checkup import Patient, examine
from lambdapack.report import checkup
from lambdapack.report.checkup import Checked, Checkup, Origin, State


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    path: Path
    aws: bool
    style: Format
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Look, tell, and return 3 when a build could not work."""
    bars = Bars(quiet=asked.quiet)
    settings = choices.settings_of(asked.path, flags)
    patient = Patient(
        directory=asked.path,
        targets=choices.targets_of(settings, bars),
        image=settings.image.value or BARE_IMAGE,
        build_image=settings.build_image.value or BUILD_IMAGE,
        environ=dict(os.environ),
        home=Path.home(),
        disks=_disks(asked.path, settings),
    )
    checks = [*examine(patient, connector(settings), bars), *(_aws() if asked.aws else ())]
    found = Checkup(tuple(checks), tuple(_origins(settings)))
    text = checkup.render_json(found) if asked.style is Format.JSON else checkup.render(found, verbose=asked.verbose)
    console.product(text)
    return int(Exit.FINE if found.ready else Exit.ENVIRONMENT)


def _disks(project: Path, settings: Settings) -> dict[str, Path]:
    found = {"the archives": project, "temporary files": Path(tempfile.gettempdir())}
    cache = cache_directory(settings)
    return {**found, "the cache": cache} if cache else found


def _aws() -> Iterator[Checked]:
    from lambdapack.aws.cloud import connect  # noqa: PLC0415  # boto3 costs more than the rest

    try:
        cloud = connect(os.environ)
        identity = cloud.identity()
    except LambdapackError as error:
        said = f"{error.failure.code}: {error.failure.title}; only publishing and deploying need it"
        yield Checked("AWS", State.NOTE, said, error.hint)
        return
    yield Checked("AWS", State.OK, f"{identity.arn} in {cloud.region}")


def _origins(settings: Settings) -> Iterator[Origin]:
    """Yield each row of the table of settings as it came out."""
    fields = {each.name for each in dataclasses.fields(settings)}
    for option in OPTIONS:
        if option.field in fields:
            setting = getattr(settings, option.field)
            yield Origin(option.name, _shown(setting.value), setting.origin)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(str(getattr(each, "code", each)) for each in value) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
