"""The zip that is deployed: the one that was named, or the project's, built first."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lambdapack.cli import choices, console
from lambdapack.cli.beside import with_memory
from lambdapack.cli.progress import Bars
from lambdapack.config import Setting, Settings
from lambdapack.config.settings import DEFAULT
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.wanted import Package
from lambdapack.errors import BAD_TARGET, USAGE, LambdapackError
from lambdapack.pack.digest import code_digest
from lambdapack.runtimes.catalogue import identifiers

MANIFEST = "package.json"


def settings_with_function(
    path: Path, flags: Mapping[str, object], cloud: Cloud, function: str, bars: Bars
) -> tuple[Mapping[str, object], Settings]:
    """Return the settings of a zip, or of a project: what those leave open is built for the function as it is."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {name: value for name, value in with_memory(path, flags, bars).items() if name != "handler"}
        return flags, _single(choices.settings_of(path, {**known, "handler": flags.get("handler")}))
    if not (path / MANIFEST).is_file():
        hint = "Zip it with `lambdapack build`, or name the directory that holds package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no {MANIFEST} in it", hint=hint)
    settings = _single(choices.settings_of(path, flags))
    if settings.layer.value:
        raise LambdapackError(USAGE, "a layer is no function", hint="Use `lambdapack publish-layer`.")
    if DEFAULT not in (settings.runtime.origin, settings.arch.origin):
        return flags, settings
    return flags, _completed(settings, cloud, function, bars)


def _completed(settings: Settings, cloud: Cloud, function: str, bars: Bars) -> Settings:
    with bars.task(f"Looking at {function}"):
        latest = cloud.function(function)
    if latest is None or latest.runtime not in identifiers():
        return settings
    origin = f"function {function}"
    if settings.runtime.origin == DEFAULT:
        settings = replace(settings, runtime=Setting(latest.runtime, origin))
    if settings.arch.origin == DEFAULT:
        settings = replace(settings, arch=Setting(latest.architecture.aws, origin))
    bars.note(f"built for {settings.runtime.value}/{settings.arch.value}, as {function} is")
    return settings


def _single(settings: Settings) -> Settings:
    if settings.arch.value == choices.ALL:
        hint = "Pass `--arch x86_64` or `--arch arm64`."
        raise LambdapackError(USAGE, f"a function has one architecture ({settings.arch.origin} says all)", hint=hint)
    return settings


def zip_of(path: Path, settings: Settings, bars: Bars, *, verbose: bool) -> Path | None:
    """Return the zip of a path; a project is built, and None is returned when it did not pass."""
    if path.is_file():
        return path
    from lambdapack.cli.building import wanted_of  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.cli.engines import connector  # noqa: PLC0415
    from lambdapack.cli.places import outputs_for  # noqa: PLC0415
    from lambdapack.pipeline.build import build  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    targets = choices.targets_of(settings, bars)
    (built,) = build(wanted_of(path, settings, outputs_for(path, settings, targets)), connector(settings), bars)
    if built.archive is None:
        console.talk(human.render(built.report, verbose=verbose))
        console.talk("no archive was written, and nothing was sent\n")
    return built.archive.path if built.archive else None


def package_of(archive: Path) -> Package:
    """Return a zip with its digest. LP007 when it cannot be read."""
    return Package(archive, code_digest(archive), archive.stat().st_size)
