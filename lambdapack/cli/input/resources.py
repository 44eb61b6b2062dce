"""Opens what options and settings name: AWS, the cache, the store, the paths of archives. Engines: engines.py.

Imports boto3 only on connecting.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.config.settings import DEFAULT_ORIGIN, VARIABLE_PREFIX, Settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.model import Target

if TYPE_CHECKING:
    from lambdapack.aws.cloud import BotoCloud
    from lambdapack.store.records import Store
    from lambdapack.store.shared import StoreBucket
    from lambdapack.store.trees import DependencyTrees, LocalTrees

STORE_REGION = "us-east-1"
"""Region of the first call to a bucket where none is set; S3 answers with the bucket's own, and botocore follows."""

TREES_DIRECTORY = "dependencies"
"""Name of the directory of dependency trees in the cache directory."""


@dataclass(frozen=True, slots=True)
class AwsOptions:
    """Which AWS."""

    profile: str | None
    region: str | None
    endpoint: str | None

    def with_settings(self, settings: Settings) -> "AwsOptions":
        """Return the same, completed by the settings where the command line is silent."""
        profile, region = self.profile or settings.profile.value, self.region or settings.region.value
        return AwsOptions(profile, region, self.endpoint)

    def connect(self) -> "BotoCloud":
        """Return the cloud; no call is made. LP403, LP404."""
        from lambdapack.aws.cloud import connect_cloud  # noqa: PLC0415  # boto3 takes longer than all else

        return connect_cloud(os.environ, profile=self.profile, region=self.region, endpoint=self.endpoint)


def cache_directory(settings: Settings) -> Path | None:
    """Return where results are remembered, None where they are not: the user's own cache directory, or the set one."""
    chosen = settings.cache.value
    if isinstance(chosen, Path):
        return chosen
    if not chosen:
        return None
    from platformdirs import user_cache_path  # noqa: PLC0415  # only where a cache is used

    return user_cache_path("lambdapack", appauthor=False)


def is_default_cache(settings: Settings) -> bool:
    """Tell whether the cache directory is known without the project's settings."""
    return settings.cache.origin == DEFAULT_ORIGIN or settings.cache.origin.startswith(VARIABLE_PREFIX)


def local_directory(settings: Settings) -> Path:
    """Return where the local engine keeps its programs and volumes: in a cache directory, even where it is off."""
    from platformdirs import user_cache_path  # noqa: PLC0415  # only where a cache is used

    return (cache_directory(settings) or user_cache_path("lambdapack", appauthor=False)) / "local"


def open_store(settings: Settings) -> "Store | None":
    """Return what remembers facts between runs, None where nothing is to be remembered."""
    from lambdapack.store.binary_facts import program_digest  # noqa: PLC0415  # it reads our own code
    from lambdapack.store.records import Store  # noqa: PLC0415

    directory = cache_directory(settings)
    return Store(directory, program_digest()) if directory else None


def open_trees(settings: Settings) -> "DependencyTrees | None":
    """Return what keeps dependency trees between builds, None where nothing is to be kept."""
    from lambdapack.store.trees import LocalTrees  # noqa: PLC0415  # only who builds

    directory = cache_directory(settings)
    if directory is None:
        return None
    local = LocalTrees(directory / TREES_DIRECTORY)
    return local if settings.store.value is None else _open_shared_trees(settings, local, settings.store.value)


def _open_shared_trees(settings: Settings, local: "LocalTrees", address: str) -> "DependencyTrees":
    from lambdapack.config.kinds import NO_STORE  # noqa: PLC0415  # only who shares
    from lambdapack.store.shared import open_shared_trees  # noqa: PLC0415
    from lambdapack.store.signing import read_store_keys  # noqa: PLC0415

    keys = read_store_keys(settings.store_keys.value, settings.store_signing_key.value)
    source, written = _open_bucket(address), settings.store_write.value
    target = None if written == NO_STORE else source if written is None else _open_bucket(written)
    return open_shared_trees(local, source, target, keys)


def _open_bucket(address: str) -> "StoreBucket":
    if not address.startswith("s3://"):
        from lambdapack.store.shared import DirectoryBucket  # noqa: PLC0415

        return DirectoryBucket(Path(address))
    from lambdapack.aws.store_bucket import S3Bucket, parse_store_address  # noqa: PLC0415  # boto3 takes its time

    try:
        cloud = AwsOptions(None, None, None).connect()
    except LambdapackError as error:
        if error.failure.name != "no-region":
            raise
        cloud = AwsOptions(None, STORE_REGION, None).connect()
    return S3Bucket(cloud.calls, *parse_store_address(address))


def runtimes_directory(settings: Settings) -> Path | None:
    """Return where measured runtimes are remembered."""
    directory = cache_directory(settings)
    return directory / "runtimes" if directory else None


def output_paths(
    directory: Path, settings: Settings, targets: Sequence[Target], *, is_directory: bool = False, name: str = ""
) -> dict[Target, Path]:
    """Return where the archive of each target goes; LP001 when several would have one name.

    `is_directory`: the output was written with a final slash, which a Path does not keep.
    """
    from lambdapack.project.exclusions import OUTPUT_DIRECTORY  # noqa: PLC0415  # only who writes an archive

    output = settings.output.value
    if output is None:
        base = directory / OUTPUT_DIRECTORY
        name = _clean_name(name) or archive_stem(directory, settings)
        return {target: base / _archive_name(name, target) for target in targets}
    if len(targets) == 1 and not output.is_dir() and not is_directory:
        return {targets[0]: output}
    if output.suffix == ".zip":
        hint = "Pass a directory: `--output dist/` writes one archive per architecture."
        raise LambdapackError(USAGE, f"--output {output} is one file, but there are {len(targets)} targets", hint=hint)
    name = _clean_name(name) or archive_stem(directory, settings)
    return {target: output / _archive_name(name, target) for target in targets}


def archive_stem(directory: Path, settings: Settings) -> str:
    """Return the project's name for files; a scope's slash and other signs of npm names become dashes."""
    from lambdapack.project.repository import read_manifest  # noqa: PLC0415  # where the name is known nothing is read

    name = read_manifest(directory, required=False).name  # the build itself says when one is needed
    return (_clean_name(name) or "function") + ("-layer" if settings.layer.value else "")


def _clean_name(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in name).strip("-.")


def _archive_name(name: str, target: Target) -> str:
    return f"{name}-{target.runtime}-{target.architecture.aws}.zip"
