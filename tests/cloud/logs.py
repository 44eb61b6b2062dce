"""Log groups of functions on a server that speaks AWS."""

import time
from collections.abc import Sequence

from tests.cloud.wire import session


def write(endpoint: str, group: str, messages: Sequence[str], *, age: int = 60, streams: int = 1) -> None:
    """Put messages into a log group, the last of them `age` seconds old."""
    client = session().client("logs", endpoint_url=endpoint)
    client.create_log_group(logGroupName=group)
    now = round((time.time() - age) * 1000)
    for number in range(streams):
        stream = f"2026/11/21/[$LATEST]{number:032x}"
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": now - len(messages) + at, "message": text} for at, text in enumerate(messages)]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
