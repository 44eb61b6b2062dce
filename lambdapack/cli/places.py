"""Where results and caches go on this host."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lambdapack.config import Settings
from lambdapack.errors import USAGE, LambdapackError
from lambdapack.model import Target
from lambdapack.project.reader import load

OUTPUT_DIRECTORY = ".lambdapack"
"""In the project; a project's own dist/ is never touched, and this one is never packed."""


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return the user's cache directory for lambdapack, or the one that LAMBDAPACK_CACHE names."""
    if named := environ.get("LAMBDAPACK_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path  # noqa: PLC0415  # only where a cache is used

    return user_cache_path("lambdapack", appauthor=False)


def outputs_for(
    directory: Path, settings: Settings, targets: Sequence[Target], *, is_directory: bool = False
) -> dict[Target, Path]:
    """Return where the archive of each target goes; LP001 when several would have one name.

    `is_directory`: the output was written with a final slash, which a Path does not keep.
    """
    output = settings.output.value
    if output is None:
        base = directory / OUTPUT_DIRECTORY
        stem = _stem(directory, settings)
        return {target: base / _name(stem, target) for target in targets}
    if len(targets) == 1 and not output.is_dir() and not is_directory:
        return {targets[0]: output}
    if output.suffix == ".zip":
        hint = "Pass a directory: `--output dist/` gets one archive for each architecture."
        raise LambdapackError(USAGE, f"--output {output} is one file, and there are {len(targets)} targets", hint=hint)
    stem = _stem(directory, settings)
    return {target: output / _name(stem, target) for target in targets}


def _stem(directory: Path, settings: Settings) -> str:
    """Return the project's name for files; a scope's slash and other signs of npm names become dashes."""
    clean = "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in load(directory).name).strip("-.")
    return (clean or "function") + ("-layer" if settings.layer.value else "")


def _name(stem: str, target: Target) -> str:
    return f"{stem}-{target.runtime}-{target.architecture.aws}.zip"
