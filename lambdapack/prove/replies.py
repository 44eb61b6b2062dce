"""What the emulator replied, as an answer: one HTTP response for each event."""

import json
import re
from dataclasses import dataclass
from typing import Any

from lambdapack.errors import INVOKE_FAILED, LambdapackError

LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

KILLED = "signal: killed"
"""How Lambda ends the sentence about a function whose process the kernel killed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function returned, as it would come from Lambda."""

    payload: bytes
    error: str = ""  # the error's type and message, "" when the handler answered


def body_of(reply: bytes) -> bytes:
    """Return what is behind the head of a response; LP120 when it is none, or is cut."""
    head, separator, body = reply.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/"):
        raise LambdapackError(INVOKE_FAILED, f"the reply is not HTTP: {reply[:200]!r}")
    promised = LENGTH.search(head)
    if promised and len(body) < int(promised[1]):
        raise LambdapackError(INVOKE_FAILED, f"the reply is cut after {len(body)} of {int(promised[1])} bytes")
    return body


def judge(payload: bytes) -> Answer:
    """Tell an error from an answer: the emulator gives status 200 to both and no error header."""
    try:
        value: Any = json.loads(payload)
    except RecursionError:  # deeper than Python reads, so it is no error object
        return Answer(payload)
    except ValueError:
        text = payload.decode("utf-8", "replace").strip()
        failed = not text or TIMED_OUT.search(text)
        return Answer(payload, (text or "the reply is empty") if failed else "")  # a streamed answer is no JSON
    if isinstance(value, dict) and "errorType" in value and {*value} <= ERROR_KEYS:
        trace = value.get("trace") or value.get("stackTrace")
        trace = trace if isinstance(trace, list) else []
        stack = [str(line) for line in trace if str(line).lstrip().startswith("at ")]
        lines = [f"{value['errorType']}: {value.get('errorMessage', '')}", *stack[:8]]
        return Answer(payload, "\n".join(lines))
    return Answer(payload)


TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds$")
"""What the emulator says, in plain text, of a function that took too long."""

ERROR_KEYS = frozenset(("errorType", "errorMessage", "trace", "stackTrace", "cause", "requestId"))
"""All that the runtime clients put into an error object; an answer of the handler's has other keys too."""
