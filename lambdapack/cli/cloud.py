"""Which AWS a command speaks to. Imports nothing of it before it is needed."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdapack.aws.cloud import BotoCloud


@dataclass(frozen=True, slots=True)
class Place:
    """Which AWS."""

    profile: str | None
    region: str | None
    endpoint: str | None

    def connect(self) -> "BotoCloud":
        """Return the cloud; no call is made. LP403, LP404."""
        from lambdapack.aws.cloud import connect  # noqa: PLC0415  # boto3 takes longer than all else

        return connect(os.environ, profile=self.profile, region=self.region, endpoint=self.endpoint)
