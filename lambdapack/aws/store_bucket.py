"""A shared store of dependency trees in an S3 bucket, or in anything that answers like one."""

import base64
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from lambdapack.aws.calls import TRANSFER_CONFIG, AwsClient
from lambdapack.aws.failures import convert_error
from lambdapack.errors.build import BAD_STORE
from lambdapack.errors.record import LambdapackError

EXISTS_STATUSES = frozenset((409, 412))
"""Of a conditional write: the object is there (412), or is being written by somebody else (409)."""

UNSUPPORTED_STATUS = 501
"""Of a service that does not know conditional writes or checksums."""

BLOCK_BYTES = 1 << 20


class S3Bucket:
    """Objects below a prefix. Writes are conditional: what is there is never replaced by another process's result."""

    def __init__(self, calls: AwsClient, bucket: str, prefix: str) -> None:
        """Use a client; `prefix` ends without a slash."""
        self._calls = calls
        self._bucket = bucket
        self._prefix = prefix

    @property
    def address(self) -> str:
        """What people call it."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def read(self, name: str, file: BinaryIO, largest: int) -> bool:
        """GetObject. Without permission to list the bucket, AWS returns 403 for a missing object."""
        try:
            reply = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
            length = 0
            while block := reply["Body"].read(BLOCK_BYTES):
                length += len(block)
                if length > largest:
                    raise ValueError(f"{name} has more than {largest} bytes")
                file.write(block)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in MISSING_CODES:
                return False
            raise convert_error(error, "s3", "GetObject", f"{self.address}/{name}") from error
        return True

    def write(self, name: str, path: Path, sha256: bytes, *, replaces: bool) -> bool:
        """PutObject with If-None-Match and a checksum, each left out where the service does not know it."""
        checksum = {"ChecksumSHA256": base64.b64encode(sha256).decode()}
        condition = {} if replaces else {"IfNoneMatch": "*"}
        for extra in ({**condition, **checksum}, checksum, {}):
            try:
                with path.open("rb") as file:
                    self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=file, **extra)
            except (ClientError, BotoCoreError) as error:
                status = _status(error)
                if status in EXISTS_STATUSES:
                    return False
                if status != UNSUPPORTED_STATUS:
                    raise convert_error(error, "s3", "PutObject", f"{self.address}/{name}") from error
            else:
                return True
        raise LambdapackError(BAD_STORE, f"{self.address} takes no objects")

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    @property
    def _client(self) -> Any:
        return self._calls.client("s3", TRANSFER_CONFIG)


MISSING_CODES = frozenset(("NoSuchKey", "404"))


def _status(error: ClientError | BotoCoreError) -> int:
    response: dict[str, Any] = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def parse_store_address(address: str) -> tuple[str, str]:
    """Return bucket and prefix of s3://BUCKET/PREFIX; LP131 when it is none."""
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise LambdapackError(BAD_STORE, f"{address} is no s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/")


def make_store_policy(address: str, *, writes: bool) -> dict[str, Any]:
    """Return the least IAM policy that reads a store, or reads and writes it. A prefix of its own is expected."""
    bucket, prefix = parse_store_address(address)
    objects = f"arn:aws:s3:::{bucket}/{prefix}/*" if prefix else f"arn:aws:s3:::{bucket}/*"
    actions = ["s3:GetObject", *(["s3:PutObject"] if writes else [])]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "LambdapackStore", "Effect": "Allow", "Action": actions, "Resource": objects},
            {
                "Sid": "LambdapackStoreMisses",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{bucket}",
                "Condition": {"StringLike": {"s3:prefix": [f"{prefix}/*" if prefix else "*"]}},
            },
        ],
    }
