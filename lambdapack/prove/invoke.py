"""Invokes a handler in the runtime image with the packed bytes, as Lambda would. Opens a port for a debugger only."""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdapack.engine.interface import Command, CommandResult, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.errors.build import INVOKE_FAILED
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, MIB, TASK_ROOT, Architecture
from lambdapack.tree.entry import Tree

EMULATOR_MARK = " (rapid) "
"""Marks lines of the runtime interface emulator, which are shown only when there is no reply."""


class FunctionLog:
    """Splits the function's log into lines and keeps the last ones."""

    def __init__(self, observer: Observer) -> None:
        """Pass lines on to an observer."""
        self._observer = observer
        self._rest = b""
        self._last: list[str] = []

    def feed(self, data: bytes) -> None:
        """Add a chunk of output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit_line(line)

    def end(self) -> None:
        """Emit the last line, which has no line end."""
        if self._rest:
            self._emit_line(self._rest)
            self._rest = b""

    @property
    def tail(self) -> str:
        """The last lines, including the emulator's own."""
        return "\n".join(self._last)

    def _emit_line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if EMULATOR_MARK not in text:
            self._observer.line(text)
        self._last = [*self._last[-19:], text]


CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

KILLED_TEXT = "signal: killed"
"""End of Lambda's error message for a process that the kernel killed."""


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What the function returned, as it would come from Lambda."""

    payload: bytes
    error: str = ""  # the error's type and message, "" when the handler answered


def reply_body(reply: bytes) -> bytes:
    """Return the body of an HTTP response; LP120 when it is no response or is truncated."""
    head, separator, body = reply.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/"):
        raise LambdapackError(INVOKE_FAILED, f"the reply is not HTTP: {reply[:200]!r}")
    promised = CONTENT_LENGTH.search(head)
    if promised and len(body) < int(promised[1]):
        raise LambdapackError(INVOKE_FAILED, f"the reply ends after {len(body)} of {int(promised[1])} bytes")
    return body


def parse_reply(payload: bytes) -> InvokeResult:
    """Return the result of a reply; the emulator marks errors neither by status nor by header."""
    try:
        value: Any = json.loads(payload)
    except RecursionError:  # deeper than Python reads, so it is no error object
        return InvokeResult(payload)
    except ValueError:
        text = payload.decode("utf-8", "replace").strip()
        failed = not text or TIMED_OUT_TEXT.search(text)
        return InvokeResult(payload, (text or "the reply is empty") if failed else "")  # a streamed answer is no JSON
    if isinstance(value, dict) and "errorType" in value and {*value} <= ERROR_OBJECT_KEYS:
        trace = value.get("trace") or value.get("stackTrace")
        trace = trace if isinstance(trace, list) else []
        stack = [str(line) for line in trace if str(line).lstrip().startswith("at ")]
        lines = [f"{value['errorType']}: {value.get('errorMessage', '')}", *stack[:8]]
        return InvokeResult(payload, "\n".join(lines))
    return InvokeResult(payload)


TIMED_OUT_TEXT = re.compile(r"Task timed out after [\d.]+ seconds$")
"""The emulator's plain-text message for a function that timed out."""

ERROR_OBJECT_KEYS = frozenset(("errorType", "errorMessage", "trace", "stackTrace", "cause", "requestId"))
"""All keys of a runtime client's error object; an object with other keys is the handler's own answer."""


LAMBDA_USER = "1051:1051"
"""Lambda runs functions as an unprivileged sbx_user1051 (localstack/localstack#7722, read 2026-11)."""

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""Bytes of a synchronous invoke's payload (Lambda quotas; the emulator truncates longer ones silently)."""

DEFAULT_MEMORY_MB = 1024
"""Memory of a function without a setting, in MB."""

DEFAULT_TIMEOUT_SECONDS = 30
"""Time limit of one event without a setting."""

DEBUGGER_TIMEOUT_SECONDS = 900
"""Time limit under a debugger, Lambda's maximum (AWS quotas, "Lambda quotas", read 2026-11)."""

OVERHEAD_MB = 32
"""Memory of emulator, shell and main process besides the function (14 MB measured with aws-lambda-rie 1.x, 2026-11)."""

EMULATION_OVERHEAD_MB = 256
"""Memory that CPU emulation adds (qemu-user 7.2: 30 MB and its translated code)."""


INIT_SECONDS = 10
"""Seconds that Lambda gives the start of a function, apart from its timeout (AWS developer guide, "Init phase")."""

STARTUP_SECONDS = 60
"""Time until the runtime interface emulator must listen; under CPU emulation it needs about 2 s."""

EMULATOR_PORT = 8080
"""Port of aws-lambda-rie inside the image."""

DEBUGGER_PORT = 9229
"""Default port of node's inspector."""

CLIENT_SCRIPT = """
/lambda-entrypoint.sh "$1" </dev/null >&2 & server=$!
port=$2 tries=$(( $3 * 20 )) mark=$4
until { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; do
  kill -0 "$server" 2>/dev/null || { wait "$server"; exit $(( $? == 0 ? 1 : $? )); }
  tries=$(( tries - 1 )); [ "$tries" -gt 0 ] || exit 75
  sleep 0.05
done
exec 3>&-
shift 4
for size; do
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || break
  head -c "$size" >&3 && cat <&3
  exec 3>&-
  printf '\\n%s\\n' "$mark"
done
kill "$server"
for counters in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
  [ -r "$counters" ] && while read -r name count; do
    [ "$name" = oom_kill ] && [ "$count" -gt 0 ] && exit 76
  done < "$counters"
done
exit 0
"""
"""Starts the image's entrypoint and posts the events from standard input to it in turn: stdout has the replies, each
ended by a line with the mark, stderr has the function's log.

Requests are framed by their lengths, since not every transport to an engine can close standard input.
"""

NOT_LISTENING_CODE = 75
"""The client's exit code when the emulator never listened."""

ResultListener = Callable[[InvokeResult], None]
"""Called with each result when it arrives."""


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """Events for one function, sent in turn to one warm instance."""

    handler: str
    events: tuple[bytes, ...] = (b"{}",)
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS  # Lambda's own limit for each event
    startup_seconds: int = 0  # more for the first event: the emulator counts the start, Lambda does not
    memory_mb: int = DEFAULT_MEMORY_MB
    debugger: int | None = None  # port of this host where node's inspector is reached; the function waits for it


@dataclass(frozen=True, slots=True)
class FunctionTrees:
    """The trees that are unpacked into the sandbox, layers in order."""

    code: Tree  # at /var/task
    layers: Sequence[Tree] = ()  # at /opt


def invoke_function(
    engine: Engine,
    image: tuple[str, Architecture],
    trees: FunctionTrees,
    call: InvokeRequest,
    observer: Observer = SILENT,
    listener: ResultListener = lambda _answer: None,
) -> tuple[InvokeResult, ...]:
    """Return the handler's answers, executed as on Lambda.

    Unprivileged user, read-only file system except /tmp, the function's memory limit, no network unless the request
    asks for it or debugs. LP120 when an event gets no answer; an answer that is an error is returned as a result.
    """
    for event in call.events:
        check_event(event)
    with engine.open(_sandbox_spec(engine, image, call), observer) as sandbox:
        sandbox.put(trees.code, TASK_ROOT)
        for layer in trees.layers:
            sandbox.put(layer, LAYER_ROOT)
        return _send_events(sandbox, call, observer, listener)


def _sandbox_spec(engine: Engine, image: tuple[str, Architecture], call: InvokeRequest) -> SandboxSpec:
    # What lies in /tmp is on a disk on Lambda; in a tmpfs it would count as memory.
    seconds = (call.timeout_seconds + call.startup_seconds) * len(call.events) + 2 * STARTUP_SECONDS
    emulated = engine.architecture is not image[1]
    return SandboxSpec(
        image=image[0],
        architecture=image[1],
        label="invoke",
        limits=Limits(
            memory_bytes=(call.memory_mb + OVERHEAD_MB + (EMULATION_OVERHEAD_MB if emulated else 0)) * MIB,
            wall_seconds=seconds,
            silence_seconds=seconds,  # a function may say nothing to its end
        ),
        network=call.network or call.debugger is not None,
        publish=() if call.debugger is None else ((call.debugger, DEBUGGER_PORT),),
        read_only=True,
        writable=(TASK_ROOT, LAYER_ROOT, "/tmp"),  # noqa: S108  # inside the sandbox
    )


def check_event(event: bytes) -> None:
    """LP001 for an event that is longer than Lambda takes, or no JSON."""
    if len(event) > MAX_EVENT_BYTES:
        raise LambdapackError(USAGE, f"the event has {len(event)} bytes; Lambda accepts at most {MAX_EVENT_BYTES}")
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(
            USAGE, f"the event is not JSON: {error}", hint="Pass `--event FILE` with a JSON document."
        ) from error


def _send_events(
    sandbox: Sandbox, call: InvokeRequest, observer: Observer, listener: ResultListener
) -> tuple[InvokeResult, ...]:
    requests = [_http_request(event) for event in call.events]
    lengths = [str(len(request)) for request in requests]

    def make_command(mark: str) -> Command:
        argv = ["/bin/bash", "-c", CLIENT_SCRIPT, "invoke", call.handler, str(EMULATOR_PORT), str(STARTUP_SECONDS)]
        environment = function_environment(call, f"0.0.0.0:{DEBUGGER_PORT}")
        return Command([*argv, mark, *lengths], environment, TASK_ROOT, LAMBDA_USER, b"".join(requests))

    return read_replies(sandbox, make_command, call, observer, listener)


def read_replies(
    sandbox: Sandbox,
    make_command: Callable[[str], Command],
    call: InvokeRequest,
    observer: Observer,
    listener: ResultListener,
) -> tuple[InvokeResult, ...]:
    """Run the command that prints a reply to each event, ended by the mark it is given. LP120 when one is missing."""
    log = FunctionLog(observer)
    replies = _ReplyReader(listener)

    def stream(source: str, data: bytes) -> None:
        if source == "stdout":
            replies.feed(data)
        else:
            log.feed(data)

    result = sandbox.run(make_command(replies.mark), stream)
    log.end()
    if len(replies.answers) < len(call.events):
        which = f"event {len(replies.answers) + 1} of {len(call.events)}: " if len(call.events) > 1 else ""
        words = f"{which}the runtime interface emulator gave no reply: {_describe_end(result)}"
        raise LambdapackError(INVOKE_FAILED, f"{words}\n{log.tail}")
    return tuple(
        _explain_error(_hold_to_timeout(answer, call, seconds), call, result, native=sandbox.native)
        for answer, seconds in zip(replies.answers, replies.durations, strict=True)
    )


def _hold_to_timeout(answer: InvokeResult, call: InvokeRequest, seconds: float) -> InvokeResult:
    """Return the answer, or Lambda's message when a warm function took longer than its timeout."""
    limit = f"Task timed out after {call.timeout_seconds:.2f} seconds"
    if call.startup_seconds and TIMED_OUT_TEXT.search(answer.error):
        return replace(answer, error=TIMED_OUT_TEXT.sub(limit, answer.error))
    is_late = call.startup_seconds and seconds > call.timeout_seconds and not answer.error
    return InvokeResult(answer.payload, limit) if is_late else answer


def _explain_error(answer: InvokeResult, call: InvokeRequest, result: CommandResult, *, native: bool) -> InvokeResult:
    """Add Lambda's memory report to an error, and a hint when CPU emulation made the function time out."""
    notes = []
    if result.out_of_memory and KILLED_TEXT in answer.error:
        notes.append(f"Memory Size: {call.memory_mb} MB  Max Memory Used: {call.memory_mb} MB")
        notes.append(
            f"the kernel killed the process when it ran out of memory; `--memory {call.memory_mb * 2}` raises the limit"
        )
    if not native and TIMED_OUT_TEXT.search(answer.error):
        notes.append("the CPU is emulated here and slower than Lambda's; `--timeout` raises the limit")
    return replace(answer, error="\n".join((answer.error, *notes)))


class _ReplyReader:
    """Splits standard output into replies; each ends with a mark that the function cannot guess."""

    def __init__(self, listener: ResultListener) -> None:
        self.mark = secrets.token_hex(16)
        self.answers: list[InvokeResult] = []
        self.durations: list[float] = []  # seconds of each answer; 0 of the first, which starts the function
        self._last = 0.0
        self._told = listener
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        end = b"\n%b\n" % self.mark.encode()
        start = max(0, len(self._rest) - len(end))
        self._rest += data
        while (at := self._rest.find(end, start)) >= 0:
            reply, start = bytes(self._rest[:at]), 0
            del self._rest[: at + len(end)]
            if reply:
                now = time.monotonic()
                self.durations.append(now - self._last if self.answers else 0.0)
                self._last = now
                self.answers.append(parse_reply(reply_body(reply)))
                self._told(self.answers[-1])


def _describe_end(result: CommandResult) -> str:
    if result.out_of_memory:
        return "the function and the emulator ran out of memory"
    if result.exit_code == NOT_LISTENING_CODE:
        return "it never opened its port"
    return f"it ended with exit code {result.exit_code}"


def function_environment(call: InvokeRequest, inspector: str) -> dict[str, str]:
    """Return Lambda's variables, then the caller's; a debugger is waited for at the inspector's address."""
    variables = {
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(call.timeout_seconds + call.startup_seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(call.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": "lambdapack",
        "HOME": "/tmp",  # noqa: S108  # inside the sandbox; the only place that can be written
    }
    if call.debugger is None:
        return {**variables, **call.environment}
    options = f"{call.environment.get('NODE_OPTIONS', '')} --inspect-brk={inspector}".strip()
    return {**variables, **call.environment, "NODE_OPTIONS": options}


def _http_request(event: bytes) -> bytes:
    """Return an HTTP/1.0 request, so that the reply is never chunked."""
    head = (
        "POST /2015-03-31/functions/function/invocations HTTP/1.0\r\n"
        f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n\r\n"
    )
    return head.encode() + event
