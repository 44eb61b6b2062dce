"""Calls a handler in the bare runtime image, out of the packed bytes. Opens a port of the host for a debugger alone."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambdapack.build.engine import Command, Completed, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.errors import INVOKE_FAILED, USAGE, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Architecture
from lambdapack.prove.log import Log
from lambdapack.prove.replies import KILLED, TIMED_OUT, Answer, body_of, judge
from lambdapack.tree.entry import Tree

USER = "1051:1051"
"""Lambda runs functions as an unprivileged sbx_user1051 (localstack/localstack#7722, read 2026-11)."""

EVENT_MAX = 6 * 1024 * 1024
"""Bytes of a synchronous invoke's payload (Lambda quotas; the emulator cuts longer ones without a word)."""

MEMORY_MB = 1024
"""What a function has that nobody said anything of, in MB."""

TIMEOUT_SECONDS = 30
"""What an event may take that nobody said anything of."""

DEBUGGER_SECONDS = 900
"""The same under a debugger: the longest that Lambda gives (AWS quotas, "Lambda quotas", read 2026-11)."""

OWN_MB = 32
"""What emulator, shell and main process use beside the function (14 MB measured with aws-lambda-rie 1.x, 2026-11)."""

EMULATED_MB = 256
"""What the CPU's emulator adds to each process of the other CPU (qemu-user 7.2: 30 MB and its translated code)."""

MIB = 1024 * 1024

STARTUP_SECONDS = 60
"""How long the emulator may take to listen; under CPU emulation it needs about 2 s."""

PORT = 8080
"""Where aws-lambda-rie listens inside the image."""

DEBUGGER_PORT = 9229
"""Where node's inspector listens by default."""

CLIENT = """
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
"""Starts the image's own entrypoint and posts standard input to it, one event after the other: stdout has the replies,
each closed by a line with the mark, stderr is the function's log.

Requests are framed by their lengths, since not every way to an engine can close standard input.
"""

NOT_LISTENING = 75
"""The client's exit code when the emulator never listened."""

Told = Callable[[Answer], None]
"""Hears of each answer when it is there."""


@dataclass(frozen=True, slots=True)
class Call:
    """Events for one function, one after the other as a warm function gets them."""

    handler: str
    events: tuple[bytes, ...] = (b"{}",)
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    timeout_seconds: int = TIMEOUT_SECONDS  # Lambda's own limit for each event
    memory_mb: int = MEMORY_MB
    debugger: int | None = None  # port of this host where node's inspector is reached; the function waits for it


@dataclass(frozen=True, slots=True)
class Laid:
    """What is unpacked, and in which order."""

    code: Tree  # at /var/task
    layers: Sequence[Tree] = ()  # at /opt


def invoke(
    engine: Engine,
    image: tuple[str, Architecture],
    laid: Laid,
    call: Call,
    observer: Observer = SILENT,
    told: Told = lambda _answer: None,
) -> tuple[Answer, ...]:
    """Return the handler's answers, run as Lambda would run it.

    Unprivileged user, read-only file system but for /tmp, the function's own memory, no network unless the call asks
    for it or is debugged. LP120 when an event gets no answer at all; an answer that is an error is returned as such.
    """
    for each in call.events:
        _check_event(each)
    with engine.open(_spec(engine, image, call), observer) as sandbox:
        sandbox.put(laid.code, TASK_ROOT)
        for layer in laid.layers:
            sandbox.put(layer, LAYER_ROOT)
        return _exchange(sandbox, call, observer, told)


def _spec(engine: Engine, image: tuple[str, Architecture], call: Call) -> SandboxSpec:
    # What lies in /tmp is on a disk on Lambda; in a tmpfs it would count as memory.
    seconds = call.timeout_seconds * len(call.events) + 2 * STARTUP_SECONDS
    emulated = engine.architecture is not image[1]
    return SandboxSpec(
        image=image[0],
        architecture=image[1],
        label="invoke",
        limits=Limits(
            memory_bytes=(call.memory_mb + OWN_MB + (EMULATED_MB if emulated else 0)) * MIB,
            wall_seconds=seconds,
            silence_seconds=seconds,  # a function may say nothing to its end
        ),
        network=call.network or call.debugger is not None,
        publish=() if call.debugger is None else ((call.debugger, DEBUGGER_PORT),),
        read_only=True,
        writable=(TASK_ROOT, LAYER_ROOT, "/tmp"),  # noqa: S108  # inside the sandbox
    )


def _check_event(event: bytes) -> None:
    if len(event) > EVENT_MAX:
        raise LambdapackError(USAGE, f"the event has {len(event)} bytes; Lambda takes {EVENT_MAX} at most")
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(
            USAGE, f"the event is not JSON: {error}", hint="Pass `--event FILE` with a JSON document."
        ) from error


def _exchange(sandbox: Sandbox, call: Call, observer: Observer, told: Told) -> tuple[Answer, ...]:
    log = Log(observer)
    replies = _Replies(told)

    def stream(source: str, data: bytes) -> None:
        if source == "stdout":
            replies.feed(data)
        else:
            log.feed(data)

    requests = [_request(each) for each in call.events]
    lengths = (str(len(each)) for each in requests)
    argv = ["/bin/bash", "-c", CLIENT, "invoke", call.handler, str(PORT), str(STARTUP_SECONDS), replies.mark, *lengths]
    command = Command(argv, env=_environment(call), cwd=TASK_ROOT, user=USER, stdin=b"".join(requests))
    done = sandbox.run(command, stream)
    log.end()
    if len(replies.answers) < len(requests):
        which = f"event {len(replies.answers) + 1} of {len(requests)}: " if len(requests) > 1 else ""
        words = f"{which}the runtime interface emulator gave no reply: {_end(done)}"
        raise LambdapackError(INVOKE_FAILED, f"{words}\n{log.tail}")
    return tuple(_explained(each, call, done, native=sandbox.native) for each in replies.answers)


def _explained(answer: Answer, call: Call, done: Completed, *, native: bool) -> Answer:
    """Add what Lambda would report of memory, and why a function that is fast enough there is not here."""
    more = []
    if done.out_of_memory and KILLED in answer.error:
        more.append(f"Memory Size: {call.memory_mb} MB  Max Memory Used: {call.memory_mb} MB")
        more.append(f"the kernel killed it for want of memory: `--memory {call.memory_mb * 2}` gives it more")
    if not native and TIMED_OUT.search(answer.error):
        more.append("its CPU is emulated here, and so slower than Lambda's: `--timeout` gives it more")
    return replace(answer, error="\n".join((answer.error, *more)))


class _Replies:
    """Cuts standard output into replies; a mark that nobody can guess stands behind each."""

    def __init__(self, told: Told) -> None:
        self.mark = secrets.token_hex(16)
        self.answers: list[Answer] = []
        self._told = told
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        end = b"\n%b\n" % self.mark.encode()
        start = max(0, len(self._rest) - len(end))
        self._rest += data
        while (at := self._rest.find(end, start)) >= 0:
            reply, start = bytes(self._rest[:at]), 0
            del self._rest[: at + len(end)]
            if reply:
                self.answers.append(judge(body_of(reply)))
                self._told(self.answers[-1])


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
    if call.debugger is None:
        return {**own, **call.environment}
    options = f"{call.environment.get('NODE_OPTIONS', '')} --inspect-brk=0.0.0.0:{DEBUGGER_PORT}".strip()
    return {**own, **call.environment, "NODE_OPTIONS": options}


def _request(event: bytes) -> bytes:
    """HTTP/1.0, so that the reply is never chunked."""
    head = (
        "POST /2015-03-31/functions/function/invocations HTTP/1.0\r\n"
        f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n\r\n"
    )
    return head.encode() + event
