"""Objects in S3 buckets, and downloads from presigned URLs."""

from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error, S3UploadFailedError
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from lambdapack.aws.calls import TRANSFER_CONFIG, AwsClient
from lambdapack.aws.failures import convert_error
from lambdapack.deploy.nouns import S3Object
from lambdapack.errors.cloud import ACCESS_DENIED, BUCKET, UNREACHABLE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Advance
from lambdapack.pack.output import replace_file

DIGEST_METADATA_KEY = "lambdapack-code-digest"
"""Metadata key of stored objects; the value is CodeSha256."""

DOWNLOAD_BLOCK_BYTES = 1 << 20


class BotoStorage:
    """The StorageCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    def find_object(self, bucket: str, key: str) -> S3Object | None:
        """HeadObject. Without permission to list the bucket, AWS returns 403 for a missing object."""
        try:
            reply = self.calls.call("s3", "HeadObject", {"Bucket": bucket, "Key": key})
        except LambdapackError as error:
            if error.failure in (ACCESS_DENIED, BUCKET):
                return None
            raise
        digest = reply.get("Metadata", {}).get(DIGEST_METADATA_KEY, "")
        return S3Object(bucket, key, int(reply["ContentLength"]), _object_version(reply), digest)

    def upload_object(self, destination: S3Object, path: Path, advance: Advance) -> S3Object:
        """PutObject, or parts of 8 MB in parallel when it is larger; each with botocore's checksum."""
        extra = {"Metadata": {DIGEST_METADATA_KEY: destination.code_digest}}
        address = f"s3://{destination.bucket}/{destination.key}"
        try:
            client = self.calls.client("s3", TRANSFER_CONFIG)
            client.upload_file(str(path), destination.bucket, destination.key, ExtraArgs=extra, Callback=advance)
        except S3UploadFailedError as error:
            raise _transfer_error(error, "PutObject", address) from error
        except (ClientError, BotoCoreError) as error:
            raise convert_error(error, "s3", "PutObject", address) from error
        uploaded = self.find_object(destination.bucket, destination.key)
        return uploaded or destination

    def download_object(self, bucket: str, key: str, path: Path, advance: Advance) -> None:
        """GetObject, in parts when it is large."""
        try:
            self.calls.client("s3", TRANSFER_CONFIG).download_file(bucket, key, str(path), Callback=advance)
        except Boto3Error as error:
            raise _transfer_error(error, "GetObject", f"s3://{bucket}/{key}") from error
        except (ClientError, BotoCoreError) as error:
            raise convert_error(error, "s3", "GetObject", f"s3://{bucket}/{key}") from error

    def download_url(self, location: str, path: Path, advance: Advance) -> None:
        """GET without credentials, which the signed URL contains."""
        address = location.partition("?")[0]
        try:
            session = URLLib3Session(proxies=get_environ_proxies(location), timeout=60)
            response = session.send(AWSRequest("GET", location, stream_output=True).prepare())
            if response.status_code != 200:
                raise LambdapackError(UNREACHABLE, f"{address}: HTTP {response.status_code}")
            with replace_file(path) as file:
                for block in response.raw.stream(DOWNLOAD_BLOCK_BYTES):
                    advance(file.write(block))
        except (BotoCoreError, HTTPError) as error:
            raise LambdapackError(UNREACHABLE, f"{address}: {error}") from error


def _object_version(reply: Any) -> str:
    version = reply.get("VersionId", "")
    return "" if version == "null" else version


def _transfer_error(error: Exception, operation: str, address: str) -> LambdapackError:
    """Return the failure for the error that s3transfer wraps."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ClientError | BotoCoreError):
        return convert_error(cause, "s3", operation, address)
    return LambdapackError(BUCKET, f"{address}: {error}")
