"""Functions, versions and what calls them."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.config import Config

from lambdapack.aws import shapes
from lambdapack.aws.calls import INVOKE_MARGIN, PLAIN, SENDING, Calls
from lambdapack.deploy.nouns import Answer, Code, Consumer, Function, Local, Settings, unqualified
from lambdapack.errors import CHANGED, NO_FUNCTION, NOT_SETTLED, NOT_THERE, UPDATE_FAILED, LambdapackError
from lambdapack.model import Architecture

POLL_FIRST, POLL_LONGEST, POLL_WITHIN = 0.25, 5.0, 600.0
"""Seconds. Most updates end within one; with a VPC or a large layer they take minutes."""

MISSING = (NO_FUNCTION, NOT_THERE)


class LambdaFunctions:
    """What deploy/cloud.py calls Functions."""

    calls: Calls

    def function(self, name: str, qualifier: str = "") -> Function | None:
        """GetFunctionConfiguration."""
        try:
            return shapes.function(self._ask("GetFunctionConfiguration", name, qualifier))
        except LambdapackError as error:
            if error.failure in MISSING:
                return None
            raise

    def code_location(self, name: str, qualifier: str = "") -> str:
        """GetFunction, which alone tells the place."""
        return str(self._ask("GetFunction", name, qualifier)["Code"].get("Location", ""))

    def settled(self, name: str, qualifier: str = "") -> Function:
        """GetFunctionConfiguration, until nothing is under way."""
        clock = self.calls.clock
        begun, pause = clock.monotonic(), POLL_FIRST
        while True:
            found = shapes.function(self._ask("GetFunctionConfiguration", name, qualifier))
            if found.settled:
                return _sound(found)
            if clock.monotonic() - begun > POLL_WITHIN:
                detail = f"{found.version_arn} is {found.state or found.update} since {POLL_WITHIN:g} s"
                raise LambdapackError(NOT_SETTLED, detail)
            clock.sleep(clock.spread(pause))
            pause = min(POLL_LONGEST, pause * 1.5)

    def create_function(self, name: str, architecture: Architecture, code: Code, settings: Settings) -> Function:
        """CreateFunction."""
        source, config = _source(code)
        wanted = {
            **shapes.parameters(settings),
            "FunctionName": name,
            "Architectures": [architecture.aws],
            "PackageType": "Zip",
            "Code": source,
        }
        return shapes.function(self.calls.call("lambda", "CreateFunction", wanted, config))

    def update_code(self, name: str, architecture: Architecture, code: Code) -> Function:
        """UpdateFunctionCode, with Architectures: left out, AWS would keep what was there."""
        source, config = _source(code)
        wanted = {**source, "FunctionName": name, "Architectures": [architecture.aws]}
        return shapes.function(self.calls.call("lambda", "UpdateFunctionCode", wanted, config))

    def update_settings(self, name: str, settings: Settings, revision: str) -> Function:
        """UpdateFunctionConfiguration."""
        wanted = {**shapes.parameters(settings), "FunctionName": name, **_guard(revision)}
        return shapes.function(self.calls.call("lambda", "UpdateFunctionConfiguration", wanted))

    def publish_version(self, name: str, code_digest: str, revision: str) -> Function:
        """PublishVersion; the answer's code is compared, since not every server does."""
        wanted = {"FunctionName": name, "CodeSha256": code_digest, **_guard(revision)}
        found = shapes.function(self.calls.call("lambda", "PublishVersion", wanted))
        if found.code_digest != code_digest:
            raise LambdapackError(CHANGED, f"{found.arn} has the code {found.code_digest}, not {code_digest}")
        return found

    def versions(self, name: str) -> Iterator[Function]:
        """ListVersionsByFunction, all pages."""
        for page in self.calls.pages("ListVersionsByFunction", {"FunctionName": name}):
            yield from map(shapes.function, page.get("Versions", ()))

    def every_version(self) -> Iterator[Function]:
        """ListFunctions with ALL, all pages."""
        for page in self.calls.pages("ListFunctions", {"FunctionVersion": "ALL"}):
            yield from map(shapes.function, page.get("Functions", ()))

    def consumers(self, name: str) -> Iterator[Consumer]:
        """GetFunctionUrlConfig, GetPolicy, ListEventSourceMappings, each without a qualifier."""
        url = self._maybe("GetFunctionUrlConfig", name)
        if url:
            yield Consumer("function-url", url["FunctionUrl"])
        policy = self._maybe("GetPolicy", name)
        for statement in json.loads(policy["Policy"])["Statement"] if policy else ():
            if "InvokeFunctionUrl" not in str(statement.get("Action")):
                yield Consumer("permission", _principal(statement))
        for page in self.calls.pages("ListEventSourceMappings", {"FunctionName": name}):
            for each in page.get("EventSourceMappings", ()):
                if each.get("FunctionArn", "") == unqualified(each.get("FunctionArn", "")):
                    yield Consumer("event-source", each.get("EventSourceArn") or each.get("UUID", ""))

    def invoke(self, name: str, qualifier: str, payload: bytes, timeout: int) -> Answer:
        """Invoke. A read timeout is the end: botocore's default would send it three times."""
        config = Config(connect_timeout=10, read_timeout=timeout + INVOKE_MARGIN, retries={"total_max_attempts": 1})
        wanted = {"FunctionName": name, "Payload": payload, "LogType": "Tail", **_qualified(qualifier)}
        found = self.calls.call("lambda", "Invoke", wanted, config)
        return Answer(
            payload=found["Payload"].read(),
            error=found.get("FunctionError", ""),
            log=base64.b64decode(found.get("LogResult", "")).decode("utf-8", "replace"),
            version=found.get("ExecutedVersion", ""),
        )

    def _ask(self, operation: str, name: str, qualifier: str = "") -> Any:
        return self.calls.call("lambda", operation, {"FunctionName": name, **_qualified(qualifier)})

    def _maybe(self, operation: str, name: str) -> Any:
        try:
            return self._ask(operation, name)
        except LambdapackError as error:
            if error.failure in MISSING:
                return None
            raise


def _source(code: Code) -> tuple[dict[str, Any], Config]:
    if isinstance(code, Local):
        return {"ZipFile": code.path.read_bytes()}, SENDING
    version = {"S3ObjectVersion": code.version} if code.version else {}
    return {"S3Bucket": code.bucket, "S3Key": code.key, **version}, PLAIN


def _qualified(qualifier: str) -> dict[str, str]:
    return {"Qualifier": qualifier} if qualifier else {}


def _guard(revision: str) -> dict[str, str]:
    return {"RevisionId": revision} if revision else {}


def _sound(found: Function) -> Function:
    if found.failed:
        raise LambdapackError(UPDATE_FAILED, f"{found.version_arn}: {found.reason or 'AWS gives no reason'}")
    return found


def _principal(statement: Mapping[str, Any]) -> str:
    principal = statement.get("Principal", "")
    who = next(iter(principal.values()), "") if isinstance(principal, dict) else principal
    condition = statement.get("Condition") or {}
    source = next((str(value) for each in condition.values() for value in each.values()), "")
    return f"{who} for {source}" if source else str(who)
