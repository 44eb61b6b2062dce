"""The Python API: `verify`, `build` and `explain`, which `import lambdapack` offers; docs/api.md shows them.

They read the same settings and run the same pipeline as the commands. Nothing is printed: progress goes to an Observer,
and whatever stops a call is a LambdapackError.
"""

import io
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.input.settings import make_policy, read_settings, select_targets
from lambdapack.config.settings import OPTIONS, Settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.events import SILENT, Observer
from lambdapack.explain.nouns import Explanation
from lambdapack.model import Target
from lambdapack.rules.model.report import Report
from lambdapack.runtimes.runtime import shipped_runtime

if TYPE_CHECKING:
    from lambdapack.pipeline.package.request import BuiltPackage

NO_SETTINGS: Mapping[str, object] = {}

TARGET_HINT = 'Pass target="nodejs22.x/arm64": a runtime, a slash and an architecture.'


def verify(
    path: str | PathLike[str],
    target: str | Target | None = None,
    *,
    settings: Mapping[str, object] = NO_SETTINGS,
    all_binaries: bool = False,
    observer: Observer = SILENT,
) -> Report:
    """Return the report on a directory, a zip or a layer zip, as `lambdapack verify` makes it.

    Nothing of the package is executed or unpacked. Findings never raise: read `report.verdict` and `report.findings`.

    Args:
        path: The package. What is in AWS is for the command.
        target: "nodejs22.x/arm64", "nodejs22.x", or a Target. None: the manifest beside a zip, else the settings.
        settings: Keys of lambdapack.toml with their values; they win over variables and files.
        all_binaries: Count every binary, not only those that a loader of their package would open.
        observer: Receives progress and notes.

    Raises:
        LambdapackError: LP001 for an unusable argument, LP006 for an unusable setting, LP007 for an unusable path.
    """
    from lambdapack.cli.input.resources import open_store  # noqa: PLC0415  # importing the API reads none of these
    from lambdapack.cli.input.targets import settings_from_manifest  # noqa: PLC0415
    from lambdapack.cli.run.verify import make_verification_target, origin_of_target  # noqa: PLC0415
    from lambdapack.pipeline.verify import verify_package  # noqa: PLC0415

    place = Path(path)
    chosen, one = _read_target(place, settings_from_manifest(place, _make_flags(target, settings), observer), observer)
    subject = make_verification_target(place, None, chosen, origin_of_target(place, None))
    policy = make_policy(chosen, handler_required=False, all_binaries=all_binaries)
    return verify_package(subject, shipped_runtime(one), policy, observer, store=open_store(chosen))


def build(
    path: str | PathLike[str] = ".",
    target: str | Target | None = None,
    *,
    settings: Mapping[str, object] = NO_SETTINGS,
    install: bool = True,
    prune: bool = True,
    observer: Observer = SILENT,
) -> "BuiltPackage":
    """Install, verify and zip a project for one target, as `lambdapack build` does.

    A finding at or above the setting `fail-on` means that no archive is written: `archive` of the result is then None
    and its `report` says why.

    Args:
        path: The directory with package.json.
        target: "nodejs22.x/arm64", "nodejs22.x", or a Target. None: the settings.
        settings: Keys of lambdapack.toml with their values; they win over variables and files.
        install: False takes the node_modules that is there.
        prune: False keeps the binaries for other platforms.
        observer: Receives progress, the lines of the package manager, and notes.

    Raises:
        LambdapackError: Whatever ends a build: the code, what happened and the fix are its attributes.
    """
    from lambdapack.cli.input.engines import engine_connector  # noqa: PLC0415  # importing the API reads none of these
    from lambdapack.cli.input.resources import output_paths  # noqa: PLC0415
    from lambdapack.cli.run.build import make_build_request  # noqa: PLC0415
    from lambdapack.pipeline.package.build import build_packages  # noqa: PLC0415

    directory = Path(path)
    chosen, one = _read_target(directory, _make_flags(target, settings), observer)
    request = make_build_request(directory, chosen, output_paths(directory, chosen, (one,)))
    request = replace(request, install=install, prune=prune)
    (package,) = build_packages(request, engine_connector(chosen, observer, directory, local=True), observer)
    return package


def explain(
    text: str,
    *,
    project: str | PathLike[str] | None = None,
    target: str | Target | None = None,
    settings: Mapping[str, object] = NO_SETTINGS,
    observer: Observer = SILENT,
) -> Explanation:
    """Return what an error message or a log means, best first, as `lambdapack explain` does.

    `diagnoses` of the result is empty when nothing about packaging was recognised.

    Args:
        text: One line, a stack trace or a whole log.
        project: A directory or a zip that the diagnoses are checked against. None: the text alone is read.
        target: The runtime and the architecture that commands are given for. None: the settings.
        settings: Keys of lambdapack.toml with their values; they win over variables and files.
        observer: Receives progress and notes.

    Raises:
        LambdapackError: LP001 for an unusable argument, LP006 for an unusable setting, LP007 for an unusable project.
    """
    from lambdapack.cli.run.explain import check_against_project, make_explain_target  # noqa: PLC0415
    from lambdapack.explain.log import explain_text  # noqa: PLC0415  # importing the API reads none of these

    place = None if project is None else Path(project)
    chosen = read_settings(place or Path(), _make_flags(target, settings))
    aim = make_explain_target(chosen, place)
    explanation = explain_text(io.BytesIO(text.encode("utf-8", "replace")), aim)
    if place is None or not explanation.diagnoses:
        return explanation
    return check_against_project(explanation, place, (chosen, aim), observer)


def _make_flags(target: str | Target | None, settings: Mapping[str, object]) -> dict[str, object]:
    """Return a target and settings as the flags of a command; LP001 for a key or a target that there is not."""
    known = {option.name for option in OPTIONS}
    unknown = [name for name in settings if name not in known]
    if unknown:
        hint = f"Use the keys of lambdapack.toml: {', '.join(sorted(known))}."
        raise LambdapackError(USAGE, f"settings has the unknown key {unknown[0]!r}", hint=hint)
    runtime, slash, arch = ("", "", "") if target is None else str(target).partition("/")
    if target is not None and (not runtime or (slash and not arch)):
        raise LambdapackError(USAGE, f"target is {str(target)!r}", hint=TARGET_HINT)
    named = {name: value for name, value in (("runtime", runtime), ("arch", arch)) if value}
    return {**{name.replace(".", "-"): value for name, value in settings.items()}, **named}


def _read_target(place: Path, flags: Mapping[str, object], observer: Observer) -> tuple[Settings, Target]:
    """Return the settings of a place and the one target that they name; LP001 for several."""
    settings = read_settings(place, flags)
    for note in settings.notes:
        observer.note(note)
    targets = select_targets(settings, observer)
    if len(targets) != 1:
        named = ", ".join(map(str, targets))
        raise LambdapackError(USAGE, f"the API takes one target, and the settings name {named}", hint=TARGET_HINT)
    return settings, targets[0]
