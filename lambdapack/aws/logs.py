"""Reads a function's log events from CloudWatch Logs."""

from collections.abc import Iterator

from lambdapack.aws.calls import AwsClient
from lambdapack.errors.cloud import NO_FUNCTION, NOT_THERE
from lambdapack.errors.record import LambdapackError

MAX_EVENTS_PER_PAGE = 10_000
"""Events of one reply (FilterLogEvents, "limit"; AWS's reference, read 2026-11)."""


class BotoLogs:
    """The log groups of functions."""

    calls: AwsClient

    def log_events(self, function: str, begin: int) -> Iterator[str]:
        """Yield the messages from `begin` on (milliseconds since 1970), in the order in which they came, all pages.

        The group is /aws/lambda/NAME unless the function names another. LP416 when there is none.
        """
        name = function.partition(":function:")[2].partition(":")[0] or function.partition(":")[0]
        parameters = {"logGroupName": _log_group(self.calls, name), "startTime": begin, "limit": MAX_EVENTS_PER_PAGE}
        try:
            for page in _log_pages(self.calls, parameters):
                yield from (str(event.get("message", "")).rstrip("\n") for event in page.get("events", ()))
        except LambdapackError as error:
            if error.failure not in {NOT_THERE, NO_FUNCTION}:
                raise
            hint = "Check the name and `--region`; a function that never ran has no log group."
            raise LambdapackError(
                NOT_THERE, f"log group {parameters['logGroupName']} does not exist", hint=hint
            ) from error


def _log_pages(calls: AwsClient, parameters: dict[str, object]) -> Iterator[dict[str, list[dict[str, object]]]]:
    token: dict[str, str] = {}
    while True:
        page = calls.call("logs", "FilterLogEvents", {**parameters, **token})
        yield page
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _log_group(calls: AwsClient, name: str) -> str:
    """Return the log group of a function's own setting, where it may be read."""
    try:
        reply = calls.call("lambda", "GetFunctionConfiguration", {"FunctionName": name})
        return str(reply.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}")
    except LambdapackError:
        return f"/aws/lambda/{name}"
