"""Finds the zip that `lambdapack build` has written, for a command that is given no target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.pack.digest import code_digest
from lambdapack.pack.output import read_zip_manifest
from lambdapack.project.exclusions import OUTPUT_DIRECTORY


@dataclass(frozen=True, slots=True)
class BuiltZip:
    """A zip of `lambdapack build`, and what its manifest says."""

    path: Path
    runtime: str
    arch: str
    layer: bool

    def complete_flags(self, flags: Mapping[str, object]) -> Mapping[str, object]:
        """Return the flags with the zip's target where they are silent."""
        known = {"runtime": self.runtime, "arch": self.arch}
        return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def find_built_zip(
    directory: Path, settings: Settings, flags: Mapping[str, object], *, layers: bool = False
) -> BuiltZip | None:
    """Return the zip of a project that fits the flags; of several, the one that fits the settings, too.

    None when there is none. LP001 when several fit: which one is meant is never guessed.
    """
    zips = [zip_ for zip_ in _list_built_zips(directory, settings.output.value) if layers or not zip_.layer]
    stated = {
        name: setting.value
        for name, setting in (("runtime", settings.runtime), ("arch", settings.arch))
        if setting.origin != DEFAULT_ORIGIN
    }
    named = {name: value for name, value in stated.items() if flags.get(name) is not None}
    for known in (named, stated):
        zips = [zip_ for zip_ in zips if _fits(zip_, known)]
        if len(zips) < 2:  # one or none
            return zips[0] if zips else None
    raise _ambiguous_error(directory, zips)


def _fits(zip_: BuiltZip, known: Mapping[str, str | None]) -> bool:
    return known.get("runtime", zip_.runtime) == zip_.runtime and known.get("arch", zip_.arch) in {zip_.arch, "all"}


def _ambiguous_error(directory: Path, zips: Sequence[BuiltZip]) -> LambdapackError:
    listed = ", ".join(str(zip_.path) for zip_ in zips)
    hint = "Name one of them, or pass `--arch` and `--runtime`."
    return LambdapackError(USAGE, f"{directory.resolve().name} has several zips: {listed}", hint=hint)


def _list_built_zips(directory: Path, output: Path | None) -> Iterator[BuiltZip]:
    """Yield the zips where builds of a project are written, each whose manifest is its own."""
    place = output or directory / OUTPUT_DIRECTORY
    for path in sorted(place.glob("*.zip")) if place.is_dir() else [place]:
        document = read_zip_manifest(path) if path.is_file() else None
        target = document.get("target") if document else None
        if not document or not isinstance(target, dict) or document.get("code_digest") != code_digest(path):
            continue
        runtime, arch = target.get("runtime"), target.get("arch")
        if isinstance(runtime, str) and isinstance(arch, str):
            yield BuiltZip(path, runtime, arch, layer=document.get("kind") == "layer")


def is_older_than_project(archive: Path, project: Path) -> bool:
    """Tell whether a file of the project, or its lockfile, has been written since the zip was."""
    from lambdapack.pack.source import read_project_source  # noqa: PLC0415  # who names a zip needs none of these
    from lambdapack.project.repository import read_repository  # noqa: PLC0415

    made = archive.stat().st_mtime_ns
    repository = read_repository(project)
    paths = [project / path for path in read_project_source(project).tree.entries]
    paths += [repository.root / name for name in repository.lockfiles]
    return any(path.lstat().st_mtime_ns > made for path in paths)
