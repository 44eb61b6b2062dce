"""The AWS operations that lambdapack uses, as protocols; aws/ implements them. Errors are LambdapackErrors.

Common to every call: what AWS says no to is a LambdapackError of errors/cloud.py (exit 5; credentials and region exit
3). Throttling, broken connections and AWS's own 5xx are tried again within bounds, and so is a 409 "an update is in
progress". Because of the former a write may happen although its reply was lost: the caller reads before it concludes.
"""

from collections.abc import Iterator
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
)
from lambdapack.events import Advance
from lambdapack.model import Architecture


class AccountCloud(Protocol):
    """Who we are, and where."""

    @property
    def region(self) -> str:
        """The region that every call goes to."""
        ...

    def identity(self) -> CallerIdentity:
        """Return whose credentials these are (STS)."""
        ...

    def limits(self) -> AccountLimits:
        """Return the account's limits; the documented defaults where they may not be read."""
        ...


class FunctionCloud(Protocol):
    """Functions, their versions and what calls them."""

    def function(self, name: str, qualifier: str = "") -> LambdaFunction | None:
        """Return $LATEST, or the version that a number or alias stands for; None when there is none."""
        ...

    def code_location(self, name: str, qualifier: str = "") -> str:
        """Return a signed URL of the code, good for ten minutes; LP415 when there is no such function."""
        ...

    def wait_until_settled(self, name: str, qualifier: str = "") -> LambdaFunction:
        """Wait until nothing is under way; LP423 when it failed, LP424 when it takes too long, LP415 when gone."""
        ...

    def create_function(
        self, name: str, architecture: Architecture, code: CodeSource, settings: FunctionSettings
    ) -> LambdaFunction:
        """Create a function, which is then Pending. A role that is too new is waited for. LP414 when it exists."""
        ...

    def update_code(self, name: str, architecture: Architecture, code: CodeSource) -> LambdaFunction:
        """Change $LATEST; the answer is not settled."""
        ...

    def update_settings(self, name: str, settings: FunctionSettings, revision: str) -> LambdaFunction:
        """Change $LATEST when it still is at `revision` ("" for whatever it is); LP413 when not. Not settled."""
        ...

    def publish_version(self, name: str, code_digest: str, revision: str) -> LambdaFunction:
        """Freeze $LATEST when it has this code and revision; LP413 when not.

        Nothing changed since the last: AWS gives that one back. The answer may be Pending.
        """
        ...

    def versions(self, name: str) -> Iterator[LambdaFunction]:
        """Yield $LATEST and every published version, oldest first; without states, as AWS leaves them out."""
        ...

    def all_versions(self) -> Iterator[LambdaFunction]:
        """Yield every version of every function of the region, with its layers; without states."""
        ...

    def consumers(self, name: str) -> Iterator[Consumer]:
        """Yield what calls $LATEST: function URL, permissions, event sources."""
        ...

    def invoke(self, name: str, qualifier: str, payload: bytes, timeout: int) -> SmokeAnswer:
        """Invoke once, never again, and wait at most the function's `timeout` (seconds) and a little."""
        ...


class AliasCloud(Protocol):
    """Names for versions."""

    def alias(self, function: str, name: str) -> Alias | None:
        """Return an alias, None when there is none."""
        ...

    def create_alias(self, function: str, alias: Alias) -> Alias:
        """Create it as it is described (revision and ARN do not count); LP414 when it exists."""
        ...

    def update_alias(self, function: str, alias: Alias) -> Alias:
        """Make it as described when it still is at the described revision; LP413 when not."""
        ...


class LayerCloud(Protocol):
    """Layers, their versions and who may use them."""

    def layer_versions(self, name: str) -> Iterator[LayerVersion]:
        """Yield the versions of a layer that are left, newest first; none when there is no such layer."""
        ...

    def layer_version(self, name: str, number: int) -> LayerVersion | None:
        """Return a version with digest, size and location. `name` may be a layer's ARN, of any account."""
        ...

    def publish_layer(self, new: NewLayer, code: CodeSource) -> LayerVersion:
        """Publish a version; AWS makes a new one even of equal bytes."""
        ...

    def delete_layer_version(self, name: str, number: int) -> None:
        """Delete a version; fine when it is gone already. Functions that use it keep it."""
        ...

    def layer_policy(self, name: str, number: int) -> tuple[LayerPermission, ...]:
        """Return who else may use a version."""
        ...

    def permit_layer(self, name: str, number: int, permission: LayerPermission) -> None:
        """Let an account, an organization or everybody use a version; LP414 when the statement exists."""
        ...


class StorageCloud(Protocol):
    """Buckets, and the places that AWS gives signed URLs of."""

    def find_object(self, bucket: str, key: str) -> S3Object | None:
        """Return an object without its bytes; None when it is not there or may not be seen. LP421 for the bucket."""
        ...

    def upload_object(self, destination: S3Object, path: Path, advance: Advance) -> S3Object:
        """Upload a file, in parts when it is large, with checksums, and return it with its version."""
        ...

    def download_object(self, bucket: str, key: str, path: Path, advance: Advance) -> None:
        """Download an object into a file; LP421 when bucket or object are not there."""
        ...

    def download_url(self, location: str, path: Path, advance: Advance) -> None:
        """Download what a signed URL leads to into a file."""
        ...


class Cloud(AccountCloud, FunctionCloud, AliasCloud, LayerCloud, StorageCloud, Protocol):
    """One account in one region. Calls may come from several threads."""
