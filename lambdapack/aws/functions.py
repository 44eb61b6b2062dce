"""Lambda functions, their versions, their callers and their aliases, through boto3."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from lambdapack.aws import shapes
from lambdapack.aws.calls import DEFAULT_CALL_CONFIG, INLINE_ZIP_CONFIG, INVOKE_MARGIN, AwsClient
from lambdapack.deploy.nouns import (
    Alias,
    CodeSource,
    Consumer,
    FunctionSettings,
    LambdaFunction,
    LocalZip,
    SmokeAnswer,
    unqualified_arn,
)
from lambdapack.errors.cloud import (
    BAD_REPLY,
    CHANGED,
    NO_CONCURRENCY,
    NO_FUNCTION,
    NOT_SETTLED,
    NOT_THERE,
    THROTTLED,
    UPDATE_FAILED,
)
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture

POLL_FIRST, POLL_LONGEST, POLL_WITHIN = 0.25, 5.0, 600.0
"""Seconds between polls, and in all. Most updates take one; with a VPC or a large layer they take minutes."""

BUSY_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, None)
"""Seconds between tries to invoke a function whose reserved concurrency is in use; the last try has none after it."""

NOT_FOUND_FAILURES = (NO_FUNCTION, NOT_THERE)


class BotoFunctions:
    """The FunctionCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    def function(self, name: str, qualifier: str = "") -> LambdaFunction | None:
        """GetFunctionConfiguration."""
        try:
            return shapes.parse_function(self._read_function("GetFunctionConfiguration", name, qualifier))
        except LambdapackError as error:
            if error.failure in NOT_FOUND_FAILURES:
                return None
            raise

    def code_location(self, name: str, qualifier: str = "") -> str:
        """GetFunction, the only operation that returns the location."""
        return str(self._read_function("GetFunction", name, qualifier)["Code"].get("Location", ""))

    def wait_until_settled(self, name: str, qualifier: str = "") -> LambdaFunction:
        """GetFunctionConfiguration, repeated until no update is in progress."""
        clock = self.calls.clock
        started, pause = clock.monotonic(), POLL_FIRST
        while True:
            function = shapes.parse_function(self._read_function("GetFunctionConfiguration", name, qualifier))
            if function.is_settled:
                return _check_update(function)
            if clock.monotonic() - started > POLL_WITHIN:
                detail = (
                    f"{function.version_arn} has been {function.state or function.update_status} for {POLL_WITHIN:g} s"
                )
                raise LambdapackError(NOT_SETTLED, detail)
            clock.sleep(clock.spread_pause(pause))
            pause = min(POLL_LONGEST, pause * 1.5)

    def create_function(
        self,
        name: str,
        architecture: Architecture,
        code: CodeSource,
        settings: FunctionSettings,
        tags: Mapping[str, str] | None = None,
    ) -> LambdaFunction:
        """CreateFunction."""
        source, config = code_parameters(code)
        parameters = {
            **shapes.settings_parameters(settings),
            "FunctionName": name,
            "Architectures": [architecture.aws],
            "PackageType": "Zip",
            "Code": source,
            **({"Tags": dict(tags)} if tags else {}),
        }
        return shapes.parse_function(self.calls.call("lambda", "CreateFunction", parameters, config))

    def update_code(self, name: str, architecture: Architecture, code: CodeSource) -> LambdaFunction:
        """UpdateFunctionCode, with Architectures: without it AWS keeps the old one."""
        source, config = code_parameters(code)
        parameters = {**source, "FunctionName": name, "Architectures": [architecture.aws]}
        return shapes.parse_function(self.calls.call("lambda", "UpdateFunctionCode", parameters, config))

    def update_settings(self, name: str, settings: FunctionSettings, revision: str) -> LambdaFunction:
        """UpdateFunctionConfiguration."""
        parameters = {**shapes.settings_parameters(settings), "FunctionName": name, **_revision_parameter(revision)}
        return shapes.parse_function(self.calls.call("lambda", "UpdateFunctionConfiguration", parameters))

    def publish_version(self, name: str, code_digest: str, revision: str, description: str = "") -> LambdaFunction:
        """PublishVersion; checks the code digest of the reply, since not every emulator does."""
        text = {"Description": description} if description else {}
        parameters = {"FunctionName": name, "CodeSha256": code_digest, **text, **_revision_parameter(revision)}
        version = shapes.parse_function(self.calls.call("lambda", "PublishVersion", parameters))
        if version.code_digest != code_digest:
            raise LambdapackError(CHANGED, f"{version.arn} has the code {version.code_digest}, not {code_digest}")
        return version

    def versions(self, name: str) -> Iterator[LambdaFunction]:
        """ListVersionsByFunction, all pages."""
        for page in self.calls.pages("ListVersionsByFunction", {"FunctionName": name}):
            yield from map(shapes.parse_function, page.get("Versions", ()))

    def all_versions(self) -> Iterator[LambdaFunction]:
        """ListFunctions with ALL, all pages."""
        for page in self.calls.pages("ListFunctions", {"FunctionVersion": "ALL"}):
            yield from map(shapes.parse_function, page.get("Functions", ()))

    def consumers(self, name: str) -> Iterator[Consumer]:
        """GetFunctionUrlConfig, GetPolicy, ListEventSourceMappings, each without a qualifier."""
        url = self._read_if_present("GetFunctionUrlConfig", name)
        if url:
            yield Consumer("function-url", url["FunctionUrl"])
        policy = self._read_if_present("GetPolicy", name)
        for statement in json.loads(policy["Policy"])["Statement"] if policy else ():
            if "InvokeFunctionUrl" not in str(statement.get("Action")):
                yield Consumer("permission", _principal_text(statement))
        for page in self.calls.pages("ListEventSourceMappings", {"FunctionName": name}):
            for mapping in page.get("EventSourceMappings", ()):
                if mapping.get("FunctionArn", "") == unqualified_arn(mapping.get("FunctionArn", "")):
                    yield Consumer("event-source", mapping.get("EventSourceArn") or mapping.get("UUID", ""))

    def invoke(self, name: str, qualifier: str, payload: bytes, timeout: int) -> SmokeAnswer:
        """Invoke, without a retry after a read timeout: botocore's default would send it three times."""
        config = Config(connect_timeout=10, read_timeout=timeout + INVOKE_MARGIN, retries={"total_max_attempts": 1})
        parameters = {"FunctionName": name, "Payload": payload, "LogType": "Tail", **_qualifier_parameter(qualifier)}
        reply = self._invoke_when_free(name, parameters, config)
        try:
            payload = reply["Payload"].read()
            log = base64.b64decode(reply.get("LogResult", ""))
        except (BotoCoreError, HTTPError, ValueError, OSError) as error:
            raise LambdapackError(
                BAD_REPLY, f"lambda Invoke on {name}:{qualifier}: the answer broke off: {error}"
            ) from error
        return SmokeAnswer(
            payload=payload,
            error=reply.get("FunctionError", ""),
            log=log.decode("utf-8", "replace"),
            version=reply.get("ExecutedVersion", ""),
        )

    def _invoke_when_free(self, name: str, parameters: Mapping[str, Any], config: Config) -> Any:
        """Invoke; while the reserved concurrency is in use, wait. LP432 when it is 0, so that nothing ever runs."""
        clock = self.calls.clock
        for pause in BUSY_PAUSES:
            try:
                return self.calls.call("lambda", "Invoke", parameters, config)
            except LambdapackError as error:
                if error.failure is not NO_CONCURRENCY or self._is_switched_off(name):
                    raise
                if pause is None:
                    raise LambdapackError(THROTTLED, error.detail) from error
                clock.sleep(clock.spread_pause(pause))
        raise AssertionError

    def _is_switched_off(self, name: str) -> bool:
        try:
            reply = self.calls.call("lambda", "GetFunctionConcurrency", {"FunctionName": name})
        except LambdapackError:
            return True  # AWS refused for the reserved concurrency, and nothing says that it is above 0
        return bool(reply.get("ReservedConcurrentExecutions") == 0)

    def _read_function(self, operation: str, name: str, qualifier: str = "") -> Any:
        return self.calls.call("lambda", operation, {"FunctionName": name, **_qualifier_parameter(qualifier)})

    def _read_if_present(self, operation: str, name: str) -> Any:
        try:
            return self._read_function(operation, name)
        except LambdapackError as error:
            if error.failure in NOT_FOUND_FAILURES:
                return None
            raise


def code_parameters(code: CodeSource) -> tuple[dict[str, Any], Config]:
    """Return the parameters for a function's code, and the configuration of the request."""
    if isinstance(code, LocalZip):
        return {"ZipFile": code.path.read_bytes()}, INLINE_ZIP_CONFIG
    version = {"S3ObjectVersion": code.version} if code.version else {}
    return {"S3Bucket": code.bucket, "S3Key": code.key, **version}, DEFAULT_CALL_CONFIG


def _qualifier_parameter(qualifier: str) -> dict[str, str]:
    return {"Qualifier": qualifier} if qualifier else {}


def _revision_parameter(revision: str) -> dict[str, str]:
    return {"RevisionId": revision} if revision else {}


def _check_update(function: LambdaFunction) -> LambdaFunction:
    if function.has_failed:
        raise LambdapackError(
            UPDATE_FAILED, f"{function.version_arn}: {function.failure_reason or 'AWS gives no reason'}"
        )
    return function


def _principal_text(statement: Mapping[str, Any]) -> str:
    principal = statement.get("Principal", "")
    caller = next(iter(principal.values()), "") if isinstance(principal, dict) else principal
    condition = statement.get("Condition") or {}
    source = next((str(value) for operands in condition.values() for value in operands.values()), "")
    return f"{caller} for {source}" if source else str(caller)


class BotoAliases:
    """The AliasCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    def alias(self, function: str, name: str) -> Alias | None:
        """GetAlias."""
        try:
            return shapes.parse_alias(self.calls.call("lambda", "GetAlias", {"FunctionName": function, "Name": name}))
        except LambdapackError as error:
            if error.failure in (NO_FUNCTION, NOT_THERE):
                return None
            raise

    def aliases(self, function: str) -> Iterator[Alias]:
        """ListAliases, all pages."""
        for page in self.calls.pages("ListAliases", {"FunctionName": function}):
            yield from map(shapes.parse_alias, page.get("Aliases", ()))

    def create_alias(self, function: str, alias: Alias) -> Alias:
        """CreateAlias."""
        return shapes.parse_alias(self.calls.call("lambda", "CreateAlias", _alias_parameters(function, alias)))

    def update_alias(self, function: str, alias: Alias) -> Alias:
        """UpdateAlias. Always sends the weights: without them AWS keeps the old ones."""
        guard = {"RevisionId": alias.revision} if alias.revision else {}
        return shapes.parse_alias(
            self.calls.call("lambda", "UpdateAlias", {**_alias_parameters(function, alias), **guard})
        )


def _alias_parameters(function: str, alias: Alias) -> dict[str, Any]:
    return {
        "FunctionName": function,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)},
    }
