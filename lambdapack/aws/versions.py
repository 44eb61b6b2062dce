"""What belongs to a function besides its code, through boto3: old versions, tags, concurrency, limits of values."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from lambdapack.aws import limits, shapes
from lambdapack.aws.calls import AwsClient
from lambdapack.deploy.nouns import FunctionSettings, ValueProblem
from lambdapack.errors.cloud import ACCESS_DENIED, BAD_REPLY, NO_FUNCTION, NOT_SETTLED, NOT_THERE, PROVISIONED_FAILED
from lambdapack.errors.record import LambdapackError

PROVISIONED_PAUSE_SECONDS, PROVISIONED_WITHIN_SECONDS = 2.0, 900.0
"""Between polls, and in all. AWS prepares up to 6,000 environments a minute (Lambda quotas, read 2026-11-20)."""

UNSEEN_FAILURES = (ACCESS_DENIED, NO_FUNCTION, NOT_THERE)


def _is_unsupported(error: LambdapackError) -> bool:
    """Tell whether the endpoint has no such operation, as some emulators; AWS itself always answers with its code."""
    return error.failure is BAD_REPLY and isinstance(error.__cause__, ClientError)


class BotoVersions:
    """The VersionCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    def delete_version(self, name: str, version: str) -> None:
        """DeleteFunction, always with a qualifier: without one AWS deletes the whole function."""
        if not version.isdigit():
            raise ValueError(f"{version!r} is not the number of a version")
        self.calls.call("lambda", "DeleteFunction", {"FunctionName": name, "Qualifier": version})

    def provisioned_qualifiers(self, name: str) -> frozenset[str]:
        """ListProvisionedConcurrencyConfigs, all pages."""
        try:
            pages = list(self.calls.pages("ListProvisionedConcurrencyConfigs", {"FunctionName": name}))
        except LambdapackError as error:
            if error.failure in (NO_FUNCTION, NOT_THERE) or _is_unsupported(error):
                return frozenset()
            raise
        rows = [row for page in pages for row in page.get("ProvisionedConcurrencyConfigs", ())]
        return frozenset(str(row["FunctionArn"]).rpartition(":")[2] for row in rows)

    def provisioned_concurrency(self, name: str, alias: str) -> int:
        """GetProvisionedConcurrencyConfig."""
        try:
            reply = self.calls.call(
                "lambda", "GetProvisionedConcurrencyConfig", {"FunctionName": name, "Qualifier": alias}
            )
        except LambdapackError as error:
            if error.failure in UNSEEN_FAILURES or _is_unsupported(error):
                return 0
            raise
        return int(reply.get("RequestedProvisionedConcurrentExecutions", 0))

    def wait_for_provisioned(self, name: str, alias: str) -> None:
        """GetProvisionedConcurrencyConfig, repeated until it is ready."""
        clock = self.calls.clock
        started = clock.monotonic()
        parameters = {"FunctionName": name, "Qualifier": alias}
        while True:
            reply = self.calls.call("lambda", "GetProvisionedConcurrencyConfig", parameters)
            if reply["Status"] == "READY":
                return
            if reply["Status"] == "FAILED":
                detail = f"{name}:{alias}: {reply.get('StatusReason') or 'AWS gives no reason'}"
                raise LambdapackError(PROVISIONED_FAILED, detail)
            if clock.monotonic() - started > PROVISIONED_WITHIN_SECONDS:
                detail = f"the provisioned concurrency of {name}:{alias} has been in progress for "
                raise LambdapackError(NOT_SETTLED, f"{detail}{PROVISIONED_WITHIN_SECONDS:g} s")
            clock.sleep(clock.spread_pause(PROVISIONED_PAUSE_SECONDS))

    def reserved_concurrency(self, name: str) -> int | None:
        """GetFunctionConcurrency."""
        try:
            reply = self.calls.call("lambda", "GetFunctionConcurrency", {"FunctionName": name})
        except LambdapackError as error:
            if error.failure in UNSEEN_FAILURES or _is_unsupported(error):
                return None
            raise
        reserved = reply.get("ReservedConcurrentExecutions")
        return reserved if isinstance(reserved, int) else None

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """ListTags."""
        try:
            return dict(self.calls.call("lambda", "ListTags", {"Resource": arn})["Tags"])
        except LambdapackError as error:
            if error.failure in UNSEEN_FAILURES or _is_unsupported(error):
                return None
            raise

    def tag_function(self, name: str, tags: Mapping[str, str]) -> None:
        """TagResource, which takes an ARN only."""
        arn = name
        if not name.startswith("arn:"):
            reply = self.calls.call("lambda", "GetFunctionConfiguration", {"FunctionName": name})
            arn = ":".join(str(reply["FunctionArn"]).split(":")[:7])
        self.calls.call("lambda", "TagResource", {"Resource": arn, "Tags": dict(tags)})

    def check_settings(self, settings: FunctionSettings, tags: Mapping[str, str]) -> tuple[ValueProblem, ...]:
        """Hold the parameters of UpdateFunctionConfiguration and TagResource against botocore's model."""
        model = self.calls.client("lambda").meta.service_model
        parameters = shapes.settings_parameters(settings)
        checked = {"UpdateFunctionConfiguration": parameters, "CreateFunction": {"Tags": dict(tags)}}
        return tuple(
            problem
            for operation, values in checked.items()
            for problem in limits.check_parameters(model.operation_model(operation).input_shape, values)
        )
