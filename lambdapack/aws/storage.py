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
from lambdapack.errors.cloud import ACCESS_DENIED, BUCKET, NOT_THERE, UNREACHABLE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Advance
from lambdapack.pack.output import replace_file

DIGEST_METADATA_KEY = "lambdapack-code-digest"
"""Metadata key of stored objects; the value is CodeSha256."""

DOWNLOAD_BLOCK_BYTES = 1 << 20

DOWNLOAD_TRIES = 4
"""Tries of a download, as for a call that was not answered."""


class BotoStorage:
    """The StorageCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    @property
    def region(self) -> str:
        """The region of every call."""
        raise NotImplementedError

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

    def bucket_problem(self, bucket: str) -> str:
        """HeadBucket. Without permission to list the bucket nothing is known of it."""
        try:
            reply = self.calls.call("s3", "HeadBucket", {"Bucket": bucket})
        except LambdapackError as error:
            if error.failure is ACCESS_DENIED:
                return ""
            if error.failure is not BUCKET:
                raise
            cause = error.__cause__
            status = cause.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(cause, ClientError) else 404
            return "it does not exist" if status == 404 else "it is in another region, from which Lambda takes no code"
        region = reply.get("BucketRegion") or self.region
        return "" if region == self.region else f"it is in {region}, and the function in {self.region}"

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
        """GET without credentials, which the signed URL contains. Repeated when it breaks or is cut short."""
        clock = self.calls.clock
        for tries in range(1, DOWNLOAD_TRIES + 1):
            try:
                _download_once(location, path, advance)
            except LambdapackError as error:
                if error.failure is not UNREACHABLE:
                    raise
                if tries == DOWNLOAD_TRIES:
                    raise LambdapackError(UNREACHABLE, f"{error.detail} (tried {tries} times)") from error
                clock.sleep(clock.spread_pause(2.0 ** (tries - 1)))
            else:
                return


def _download_once(location: str, path: Path, advance: Advance) -> None:
    """Download a URL. LP405 when the connection breaks or the reply is short, LP416 when AWS has nothing there."""
    address = location.partition("?")[0]
    try:
        session = URLLib3Session(proxies=get_environ_proxies(location), timeout=60)
        response = session.send(AWSRequest("GET", location, stream_output=True).prepare())
        if response.status_code != 200:
            is_passing = response.status_code >= 500 or response.status_code == 429
            raise LambdapackError(UNREACHABLE if is_passing else NOT_THERE, f"{address}: HTTP {response.status_code}")
        expected, received = int(response.headers.get("Content-Length") or -1), 0
        with replace_file(path) as file:
            for block in response.raw.stream(DOWNLOAD_BLOCK_BYTES):
                received += file.write(block)
                advance(len(block))
            if received != expected >= 0:
                detail = f"{address}: the download ended after {received} of {expected} bytes"
                raise LambdapackError(UNREACHABLE, detail)
    except (BotoCoreError, HTTPError, OSError, ValueError) as error:
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
