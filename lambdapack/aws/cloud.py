"""The Cloud protocol of deploy/cloud.py implemented with boto3."""

from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError

from lambdapack.aws.calls import QUICK_CALL_CONFIG, AwsClient, Clock, MakeClient
from lambdapack.aws.failures import convert_error
from lambdapack.aws.functions import BotoAliases, BotoFunctions
from lambdapack.aws.layers import BotoLayers
from lambdapack.aws.logs import BotoLogs
from lambdapack.aws.storage import BotoStorage
from lambdapack.aws.versions import BotoVersions
from lambdapack.deploy.nouns import AccountLimits, CallerIdentity
from lambdapack.errors.cloud import NO_REGION
from lambdapack.errors.record import LambdapackError


class BotoCloud(BotoFunctions, BotoVersions, BotoAliases, BotoLayers, BotoStorage, BotoLogs):
    """One account in one region."""

    def __init__(self, make: MakeClient, region: str, clock: Clock | None = None) -> None:
        """Take a function that makes botocore clients; connect_cloud() passes boto3's."""
        self.calls = AwsClient(make, clock)
        self._region = region

    @property
    def region(self) -> str:
        """The region of every call."""
        return self._region

    def identity(self) -> CallerIdentity:
        """GetCallerIdentity."""
        reply = self.calls.call("sts", "GetCallerIdentity", {}, QUICK_CALL_CONFIG)
        return CallerIdentity(reply["Account"], reply["Arn"])

    def limits(self) -> AccountLimits:
        """GetAccountSettings; the documented limits when they may not be read."""
        try:
            reply = self.calls.call("lambda", "GetAccountSettings", {})
            limits, usage = reply["AccountLimit"], reply.get("AccountUsage", {})
            return AccountLimits(
                zipped_bytes=limits["CodeSizeZipped"],
                unzipped_bytes=limits["CodeSizeUnzipped"],
                storage_bytes=limits["TotalCodeSize"],
                used_bytes=usage.get("TotalCodeSize", 0),
            )
        except (LambdapackError, KeyError):
            return AccountLimits()


def connect_cloud(
    environ: Mapping[str, str], *, profile: str | None = None, region: str | None = None, endpoint: str | None = None
) -> BotoCloud:
    """Return the cloud of a profile and region, which may come from AWS's environment variables and files.

    No call is made. LP403 without a region, LP404 for an unknown profile. AWS_REGION counts, which Lambda,
    CodeBuild and the other SDKs use and boto3 does not read.
    """
    try:
        session = boto3.Session(profile_name=profile)
        region_name = region or environ.get("AWS_REGION") or session.region_name
        if not region_name:
            raise LambdapackError(NO_REGION, "neither --region, AWS_REGION nor the profile names a region")
    except BotoCoreError as error:
        raise convert_error(error, "", "", "") from error

    def make(service: str, config: object) -> object:
        return session.client(service, region_name=region_name, endpoint_url=endpoint, config=config)

    return BotoCloud(make, region_name)
