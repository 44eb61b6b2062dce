"""CloudWatch Logs: what a function printed."""

from collections.abc import Iterator

from lambdapack.aws.calls import Calls
from lambdapack.errors import NO_FUNCTION, NOT_THERE, LambdapackError

PAGE = 10_000
"""The most events of one answer (FilterLogEvents, "limit"; AWS's reference, read 2026-11)."""


class FunctionLogs:
    """The log groups of functions."""

    calls: Calls

    def log_events(self, function: str, begin: int) -> Iterator[str]:
        """Yield the messages from `begin` on (milliseconds since 1970), in the order in which they came, all pages.

        The group is /aws/lambda/NAME unless the function names another. LP416 when there is none.
        """
        name = function.partition(":function:")[2].partition(":")[0] or function.partition(":")[0]
        wanted = {"logGroupName": _group(self.calls, name), "startTime": begin, "limit": PAGE}
        try:
            for page in _pages(self.calls, wanted):
                yield from (str(each.get("message", "")).rstrip("\n") for each in page.get("events", ()))
        except LambdapackError as error:
            if error.failure not in {NOT_THERE, NO_FUNCTION}:
                raise
            hint = "Check the name and --region; a function that never ran has none."
            raise LambdapackError(NOT_THERE, f"there is no log group {wanted['logGroupName']}", hint=hint) from error


def _pages(calls: Calls, wanted: dict[str, object]) -> Iterator[dict[str, list[dict[str, object]]]]:
    token: dict[str, str] = {}
    while True:
        page = calls.call("logs", "FilterLogEvents", {**wanted, **token})
        yield page
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _group(calls: Calls, name: str) -> str:
    """The function's own setting, where it may be read."""
    try:
        found = calls.call("lambda", "GetFunctionConfiguration", {"FunctionName": name})
        return str(found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}")
    except LambdapackError:
        return f"/aws/lambda/{name}"
