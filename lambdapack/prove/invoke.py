"""Calls a handler in the bare runtime image, out of the packed bytes. Never opens a port on the host."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdapack.build.engine import Command, Completed, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.errors import FUNCTION_ERROR, INVOKE_FAILED, USAGE, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture
from lambdapack.tree.entry import Tree

TASK = "/var/task"
LAYERS = "/opt"

USER = "1051:1051"
"""Lambda runs functions as an unprivileged sbx_user1051 (localstack/localstack#7722, read 2026-11)."""

EVENT_MAX = 6 * 1024 * 1024
"""Bytes of a synchronous invoke's payload (Lambda quotas; the emulator cuts longer ones without a word)."""

MEMORY_MB = 1024
"""What the function is told it has, in MB; the sandbox's own limit leaves room for the emulator beside it."""

MIB = 1024 * 1024

STARTUP_SECONDS = 60
"""How long the emulator may take to listen; under CPU emulation it needs about 2 s."""

PORT = 8080
"""Where aws-lambda-rie listens inside the image."""

CLIENT = """
/lambda-entrypoint.sh "$1" </dev/null >&2 & server=$!
tries=$(( $4 * 20 ))
until { exec 3<>"/dev/tcp/127.0.0.1/$3"; } 2>/dev/null; do
  kill -0 "$server" 2>/dev/null || { wait "$server"; exit $(( $? == 0 ? 1 : $? )); }
  tries=$(( tries - 1 )); [ "$tries" -gt 0 ] || exit 75
  sleep 0.05
done
head -c "$2" >&3 && cat <&3
kill "$server"
"""
"""Starts the image's own entrypoint and posts standard input to it: stdout is the reply, stderr the function's log.

The request is framed by its length, since not every way to an engine can close standard input.
"""

EMULATOR = " (rapid) "
"""Marks the emulator's own lines, which Lambda does not have; they are shown only when there is no reply."""

LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

NOT_LISTENING = 75
"""The client's exit code when the emulator never listened."""


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation."""

    handler: str
    event: bytes = b"{}"
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    timeout_seconds: int = 30  # Lambda's own limit for the function
    memory_mb: int = MEMORY_MB


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function returned, as it would come from Lambda."""

    payload: bytes
    error: str = ""  # the error's type and message, "" when the handler answered

    def require(self) -> bytes:
        """Return the payload; LP121 when it is an error."""
        if self.error:
            raise LambdapackError(FUNCTION_ERROR, self.error)
        return self.payload


def invoke(
    engine: Engine,
    image: tuple[str, Architecture],
    code: Tree,
    layers: Sequence[Tree],
    call: Call,
    observer: Observer = SILENT,
) -> Answer:
    """Return the handler's answer to one event, run as Lambda would run it.

    Unprivileged user, read-only file system but for /tmp, no network unless the call asks for it. LP120 when there is
    no answer at all; an answer that is an error is returned as such.
    """
    _check_event(call.event)
    seconds = call.timeout_seconds + 2 * STARTUP_SECONDS
    spec = SandboxSpec(
        image=image[0],
        architecture=image[1],
        label="invoke",
        limits=Limits(
            memory_bytes=(call.memory_mb + 512) * MIB,
            wall_seconds=seconds,
            silence_seconds=seconds,  # a function may say nothing to its end
        ),
        network=call.network,
        read_only=True,
        writable=(TASK, LAYERS),
    )
    with engine.open(spec, observer) as sandbox:
        sandbox.put(code, TASK)
        for layer in layers:
            sandbox.put(layer, LAYERS)
        return _judge(_exchange(sandbox, call, observer))


def _check_event(event: bytes) -> None:
    if len(event) > EVENT_MAX:
        raise LambdapackError(USAGE, f"the event has {len(event)} bytes; Lambda takes {EVENT_MAX} at most")
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(
            USAGE, f"the event is not JSON: {error}", hint="Pass `--event FILE` with a JSON document."
        ) from error


def _exchange(sandbox: Sandbox, call: Call, observer: Observer) -> bytes:
    reply = bytearray()
    log = _Lines(observer)

    def stream(source: str, data: bytes) -> None:
        if source == "stdout":
            reply.extend(data)
        else:
            log.feed(data)

    request = _request(call.event)
    argv = ["/bin/bash", "-c", CLIENT, "invoke", call.handler, str(len(request)), str(PORT), str(STARTUP_SECONDS)]
    command = Command(argv, env=_environment(call), cwd=TASK, user=USER, stdin=request)
    done = sandbox.run(command, stream)
    log.end()
    if not reply:
        raise LambdapackError(INVOKE_FAILED, f"the runtime interface emulator gave no reply: {_end(done)}\n{log.tail}")
    return _body(bytes(reply))


def _end(done: Completed) -> str:
    if done.out_of_memory:
        return "the function and the emulator used more memory than they have"
    if done.exit_code == NOT_LISTENING:
        return "it never listened"
    return f"it ended with exit code {done.exit_code}"


def _environment(call: Call) -> dict[str, str]:
    """Lambda's own variables that the emulator reads, then the caller's."""
    own = {
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(call.timeout_seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(call.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": "lambdapack",
        "HOME": "/tmp",  # noqa: S108  # inside the sandbox; the only place that can be written
    }
    return {**own, **call.environment}


def _request(event: bytes) -> bytes:
    """HTTP/1.0, so that the reply is never chunked."""
    head = (
        "POST /2015-03-31/functions/function/invocations HTTP/1.0\r\n"
        f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n\r\n"
    )
    return head.encode() + event


def _body(reply: bytes) -> bytes:
    head, separator, body = reply.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/"):
        raise LambdapackError(INVOKE_FAILED, f"the reply is not HTTP: {reply[:200]!r}")
    promised = LENGTH.search(head)
    if promised and len(body) < int(promised[1]):
        raise LambdapackError(INVOKE_FAILED, f"the reply is cut after {len(body)} of {int(promised[1])} bytes")
    return body


def _judge(payload: bytes) -> Answer:
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


class _Lines:
    """Cuts the function's log into lines and remembers the last ones."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._rest = b""
        self._last: list[str] = []

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(line)

    def end(self) -> None:
        if self._rest:
            self._say(self._rest)
            self._rest = b""

    @property
    def tail(self) -> str:
        return "\n".join(self._last)

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if EMULATOR not in text:
            self._observer.line(text)
        self._last = [*self._last[-19:], text]
