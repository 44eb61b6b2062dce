"""The AWS operations that lambdapack uses, as protocols; aws/ implements them. Errors are LambdapackErrors.

Every call raises a LambdapackError of errors/cloud.py when AWS refuses it (exit 5; credentials and region exit 3).
Throttling, broken connections, 5xx of AWS and a 409 "an update is in progress" are retried within bounds. A write may
have happened although its reply was lost, so callers read the state before they report a failure.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from lambdapack.deploy.nouns import (
    AccountLimits,
    Alias,
    CallerIdentity,
    CodeSource,
    Consumer,
    FunctionSettings,
    LambdaFunction,
    LayerPermission,
    LayerVersion,
    NewLayer,
    S3Object,
    SmokeAnswer,
    ValueProblem,
)
from lambdapack.events import Advance
from lambdapack.model import Architecture


class AccountCloud(Protocol):
    """The caller's account and region."""

    @property
    def region(self) -> str:
        """The region of every call."""
        ...

    def identity(self) -> CallerIdentity:
        """Return the account and ARN of the credentials (STS)."""
        ...

    def limits(self) -> AccountLimits:
        """Return the account's limits; AWS's documented defaults when they may not be read."""
        ...


class FunctionCloud(Protocol):
    """Functions, their versions and what calls them."""

    def function(self, name: str, qualifier: str = "") -> LambdaFunction | None:
        """Return $LATEST, or the version of a number or alias; None when it does not exist."""
        ...

    def code_location(self, name: str, qualifier: str = "") -> str:
        """Return a signed URL of the code, good for ten minutes; LP415 when there is no such function."""
        ...

    def wait_until_settled(self, name: str, qualifier: str = "") -> LambdaFunction:
        """Wait until no update is in progress; LP423 when it failed, LP424 on timeout, LP415 when gone."""
        ...

    def create_function(
        self,
        name: str,
        architecture: Architecture,
        code: CodeSource,
        settings: FunctionSettings,
        tags: Mapping[str, str] | None = None,
    ) -> LambdaFunction:
        """Create a function, which is then Pending. Waits for a new role to become usable. LP414 when it exists."""
        ...

    def update_code(self, name: str, architecture: Architecture, code: CodeSource) -> LambdaFunction:
        """Update the code of $LATEST; the result is not settled."""
        ...

    def update_settings(self, name: str, settings: FunctionSettings, revision: str) -> LambdaFunction:
        """Update $LATEST if its revision is `revision` ("" for any); LP413 if not. The result is not settled."""
        ...

    def publish_version(self, name: str, code_digest: str, revision: str, description: str = "") -> LambdaFunction:
        """Publish $LATEST if it has this code and revision; LP413 if not.

        When nothing changed since the last version, AWS returns that one. The result may be Pending.
        """
        ...

    def versions(self, name: str) -> Iterator[LambdaFunction]:
        """Yield $LATEST and every published version, oldest first; without states, which AWS leaves out."""
        ...

    def all_versions(self) -> Iterator[LambdaFunction]:
        """Yield every version of every function of the region, with its layers; without states."""
        ...

    def consumers(self, name: str) -> Iterator[Consumer]:
        """Yield the consumers of $LATEST: function URL, permissions, event sources."""
        ...

    def invoke(self, name: str, qualifier: str, payload: bytes, timeout: int) -> SmokeAnswer:
        """Invoke exactly once; wait a little longer than the function's `timeout` (seconds)."""
        ...


class VersionCloud(Protocol):
    """What belongs to a function besides its code: tags, concurrency, the end of a version, the limits of values."""

    def delete_version(self, name: str, version: str) -> None:
        """Delete a published version; AWS refuses one that an alias points at."""
        ...

    def provisioned_qualifiers(self, name: str) -> frozenset[str]:
        """Return the versions and aliases that have provisioned concurrency; empty when it may not be read."""
        ...

    def provisioned_concurrency(self, name: str, alias: str) -> int:
        """Return the provisioned concurrency of an alias; 0 without one, or when it may not be read."""
        ...

    def wait_for_provisioned(self, name: str, alias: str) -> None:
        """Wait until the provisioned concurrency of an alias is ready; LP434 when it fails, LP424 on timeout."""
        ...

    def reserved_concurrency(self, name: str) -> int | None:
        """Return the reserved concurrency; None when none is reserved, or when it may not be read."""
        ...

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """Return the tags of a function; None when they may not be read."""
        ...

    def tag_function(self, name: str, tags: Mapping[str, str]) -> None:
        """Set tags of a function; others stay."""
        ...

    def check_settings(self, settings: FunctionSettings, tags: Mapping[str, str]) -> tuple[ValueProblem, ...]:
        """Return what AWS's own model of the API refuses; no call is made."""
        ...


class AliasCloud(Protocol):
    """Aliases of functions."""

    def aliases(self, function: str) -> Iterator[Alias]:
        """Yield every alias of a function."""
        ...

    def alias(self, function: str, name: str) -> Alias | None:
        """Return an alias, None when there is none."""
        ...

    def create_alias(self, function: str, alias: Alias) -> Alias:
        """Create the alias (its revision and ARN are ignored); LP414 when it exists."""
        ...

    def update_alias(self, function: str, alias: Alias) -> Alias:
        """Update the alias if its revision is still the given one; LP413 if not."""
        ...


class LayerCloud(Protocol):
    """Layers, their versions and their permissions."""

    def layer_versions(self, name: str) -> Iterator[LayerVersion]:
        """Yield the existing versions of a layer, newest first; none when the layer does not exist."""
        ...

    def layer_version(self, name: str, number: int) -> LayerVersion | None:
        """Return a version with digest, size and location. `name` may be a layer's ARN, of any account."""
        ...

    def publish_layer(self, new: NewLayer, code: CodeSource) -> LayerVersion:
        """Publish a version; AWS creates a new one even for identical bytes."""
        ...

    def delete_layer_version(self, name: str, number: int) -> None:
        """Delete a version; no error when it does not exist. Functions that use it keep it."""
        ...

    def layer_policy(self, name: str, number: int) -> tuple[LayerPermission, ...]:
        """Return the permissions of a version."""
        ...

    def permit_layer(self, name: str, number: int, permission: LayerPermission) -> None:
        """Allow an account, an organization or everybody to use a version; LP414 when the statement exists."""
        ...


class StorageCloud(Protocol):
    """S3 objects, and downloads from signed URLs."""

    def find_object(self, bucket: str, key: str) -> S3Object | None:
        """Return an object's metadata; None when it does not exist or may not be read. LP421 for the bucket."""
        ...

    def bucket_problem(self, bucket: str) -> str:
        """Return why Lambda cannot take code out of a bucket: it does not exist or is in another region; else ""."""
        ...

    def upload_object(self, destination: S3Object, path: Path, advance: Advance) -> S3Object:
        """Upload a file, in parts when it is large, with checksums, and return it with its version."""
        ...

    def download_object(self, bucket: str, key: str, path: Path, advance: Advance) -> None:
        """Download an object into a file; LP421 when bucket or object do not exist."""
        ...

    def download_url(self, location: str, path: Path, advance: Advance) -> None:
        """Download a signed URL into a file; a download that breaks is repeated."""
        ...


class Cloud(AccountCloud, FunctionCloud, VersionCloud, AliasCloud, LayerCloud, StorageCloud, Protocol):
    """One account in one region. Calls may come from several threads."""
