import json
from collections.abc import Sequence

import pytest

from lambdapack.errors.build import INVOKE_FAILED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture
from lambdapack.prove.invoke import MAX_EVENT_BYTES, FunctionTrees, InvokeRequest, InvokeResult, invoke_function
from tests.fakes import FakeEngine, FakeTree, OutOfMemoryError, Process, RecordingObserver

IMAGE = ("lambdapack-lab/nodejs:22-x86_64", Architecture.X86_64)
CODE = FakeTree({"index.js": (0o644, b"exports.handler = async () => 1\n")})
LAYER = FakeTree({"nodejs/node_modules/ms/package.json": (0o644, b"{}")})

Said = tuple[str, bytes]


def reply(body: bytes | str, head: str = "HTTP/1.0 200 OK\r\nContent-Type: application/json") -> Said:
    raw = body.encode() if isinstance(body, str) else body
    return ("stdout", f"{head}\r\n\r\n".encode() + raw)


NEXT: Said = ("next", b"")
"""Where one event's reply ends and the next one's begins."""


class Emulator:
    """Plays the client and the emulator behind it: what it says, in which pieces, and how it ends."""

    def __init__(self, *said: Said, code: int = 0, out_of_memory: bool = False) -> None:
        self.said = said
        self.code = code
        self.out_of_memory = out_of_memory
        self.played: list[Process] = []

    def __call__(self, process: Process) -> int:
        self.played.append(process)
        mark = ("stdout", f"\n{process.argv[7]}\n".encode())
        for source, data in (mark if each == NEXT else each for each in self.said):
            process.stream(source, data)
        if any(source == "stdout" for source, _data in self.said):
            process.stream(*mark)
        if self.out_of_memory:
            raise OutOfMemoryError
        return self.code

    def engine(self) -> FakeEngine:
        return FakeEngine(programs={"bash": self})

    def answer(
        self, call: InvokeRequest | None = None, observer: Observer = SILENT, layers: Sequence[FakeTree] = ()
    ) -> InvokeResult:
        engine = self.engine()
        try:
            (found,) = invoke_function(
                engine, IMAGE, FunctionTrees(CODE, layers), call or InvokeRequest("index.handler"), observer
            )
            return found
        finally:
            assert engine.living == []


def refused(emulator: Emulator, failure: Failure, call: InvokeRequest | None = None) -> str:
    with pytest.raises(LambdapackError) as caught:
        emulator.answer(call)
    assert caught.value.failure is failure
    return caught.value.detail


@pytest.mark.parametrize("body", ['{"ok": true}', "null", "[]", '"text"', "1", '"\\u96ea"'])
def test_an_answer_is_returned_as_it_came(body: str) -> None:
    assert Emulator(reply(body)).answer() == InvokeResult(body.encode())


def test_a_reply_may_come_in_any_pieces() -> None:
    source, data = reply('{"ok": true}')
    found = Emulator(*((source, data[at : at + 1]) for at in range(len(data)))).answer()
    assert found.payload == b'{"ok": true}'


def test_an_error_object_is_an_error_with_its_trace() -> None:
    body = {"errorType": "Error", "errorMessage": "oh", "trace": ["Error: oh", "    at index.js:1", *["    at x"] * 20]}
    found = Emulator(reply(json.dumps(body))).answer()
    assert found.error.splitlines()[:2] == ["Error: oh", "    at index.js:1"]
    assert len(found.error.splitlines()) == 9
    assert json.loads(found.payload) == body


@pytest.mark.parametrize(
    "body",
    [
        {"errorType": "Error"},
        {"errorType": "Error", "errorMessage": None, "trace": None},
        {"errorType": "Error", "trace": {"a": 1}},
        {"errorType": "Error", "stackTrace": "one line"},
        {"errorType": 5, "errorMessage": ["x"], "trace": [1, None]},
    ],
)
def test_an_odd_error_object_is_an_error_still(body: dict[str, object]) -> None:
    assert str(body["errorType"]) in Emulator(reply(json.dumps(body))).answer().error


@pytest.mark.parametrize("body", [{"errorMessage": "x"}, {"errorType": "x", "result": 1}, {"error": "x"}])
def test_an_answer_that_only_looks_like_an_error_is_an_answer(body: dict[str, object]) -> None:
    assert Emulator(reply(json.dumps(body))).answer().error == ""


def test_plain_text_is_how_the_emulator_says_that_time_is_up() -> None:
    assert Emulator(reply("Task timed out after 3.00 seconds")).answer().error == "Task timed out after 3.00 seconds"


def test_an_empty_reply_is_an_error() -> None:
    assert Emulator(reply(b"")).answer().error == "the reply is empty"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"a streamed answer"])
def test_what_is_no_json_is_what_a_function_streamed(body: bytes) -> None:
    assert Emulator(reply(body)).answer() == InvokeResult(body)


def test_a_message_of_several_lines_is_shown_once() -> None:
    message = "Cannot find module 'x'\nRequire stack:\n- /var/task/index.js"
    trace = [*message.splitlines(), "    at Function.load (node:internal:1)"]
    body = json.dumps({"errorType": "Runtime.ImportModuleError", "errorMessage": message, "trace": trace})
    assert Emulator(reply(body)).answer().error.count("Require stack") == 1


def test_an_answer_that_is_too_deep_to_read_is_passed_on() -> None:
    body = "[" * 100_000 + "]" * 100_000
    assert Emulator(reply(body)).answer() == InvokeResult(body.encode())


def test_without_a_reply_the_log_is_the_explanation() -> None:
    log = ("stderr", b"21 Nov 2026 10:00:00,000 [WARNING] (rapid) First fatal error stored\ncannot open x.node\n")
    detail = refused(Emulator(log, code=1), INVOKE_FAILED)
    assert "it ended with exit code 1" in detail
    assert "First fatal error" in detail
    assert "cannot open x.node" in detail


def test_an_emulator_that_never_listened_is_said() -> None:
    assert "it never opened its port" in refused(Emulator(code=75), INVOKE_FAILED)


def test_too_little_memory_is_said() -> None:
    class Greedy(Emulator):
        def __call__(self, process: Process) -> int:
            process.allocate(10**15)
            return 0

    assert "ran out of memory" in refused(Greedy(), INVOKE_FAILED)


@pytest.mark.parametrize("said", [b"garbage", b"HTTP/1.0 200 OK\r\nContent-Le", b"\r\n\r\n{}"])
def test_a_reply_that_is_no_http_is_no_answer(said: bytes) -> None:
    assert "not HTTP" in refused(Emulator(("stdout", said)), INVOKE_FAILED)


def test_a_reply_that_breaks_off_is_no_answer() -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Length: 12"
    assert "after 5 of 12 bytes" in refused(Emulator(reply('{"ok"', head)), INVOKE_FAILED)
    assert Emulator(reply('{"ok": true}', head)).answer().error == ""


@pytest.mark.parametrize("event", [b"", b"{", b"\xff", b"[" * 100_000, b"[]" * 2])
def test_an_event_that_is_no_json_starts_nothing(event: bytes) -> None:
    emulator = Emulator(reply("1"))
    assert "not JSON" in refused(emulator, USAGE, InvokeRequest("index.handler", (event,)))
    assert emulator.played == []


def test_an_event_may_be_as_long_as_lambda_takes_and_no_longer() -> None:
    most = b'"' + b"x" * (MAX_EVENT_BYTES - 2) + b'"'
    assert Emulator(reply("1")).answer(InvokeRequest("index.handler", (most,))).error == ""
    assert str(MAX_EVENT_BYTES) in refused(Emulator(), USAGE, InvokeRequest("index.handler", (most[:-1] + b'x"',)))


def test_the_request_is_framed_by_its_length() -> None:
    emulator = Emulator(reply("1"))
    event = '{"who": "\u96ea"}'.encode()
    emulator.answer(InvokeRequest("app.handler", (event,)))
    command = emulator.played[0].command
    assert command.stdin.endswith(b"\r\n\r\n" + event)
    assert f"Content-Length: {len(event)}\r\n".encode() in command.stdin
    assert (command.argv[4], command.argv[8:]) == ("app.handler", [str(len(command.stdin))])


def test_the_log_is_passed_on_line_by_line_without_the_emulators_own() -> None:
    observer = RecordingObserver()
    said = (
        ("stderr", b"START Requ"),
        ("stderr", "estId: 1\r\nsnow: \u96ea".encode()[:-1]),
        ("stderr", "\u96ea\n".encode()[2:] + b"21 Nov 2026 10:00:00,000 [INFO] (rapid) INIT START\n"),
        reply("1"),
        ("stderr", b"END without a line end"),
    )
    Emulator(*said).answer(observer=observer)
    assert observer.lines == ["START RequestId: 1", "snow: \u96ea", "END without a line end"]


def test_a_function_runs_as_lambda_runs_it() -> None:
    emulator = Emulator(reply("1"))
    engine = emulator.engine()
    call = InvokeRequest("index.handler", environment={"STAGE": "test"}, timeout_seconds=900)
    invoke_function(engine, IMAGE, FunctionTrees(CODE, [LAYER]), call)
    (sandbox,) = engine.opened
    spec, command = sandbox.spec, emulator.played[0].command
    assert (spec.read_only, spec.network, spec.capabilities, spec.volumes, spec.secrets) == (
        True,
        False,
        False,
        (),
        None,
    )
    assert (command.user, command.cwd) == ("1051:1051", "/var/task")
    assert command.env["STAGE"] == "test"
    assert command.env["AWS_LAMBDA_FUNCTION_TIMEOUT"] == "900"
    assert sandbox.files["/var/task/index.js"].data.startswith(b"exports")
    assert "/opt/nodejs/node_modules/ms/package.json" in sandbox.files


def test_a_function_may_be_silent_until_its_own_time_is_up() -> None:
    class Slow(Emulator):
        def __call__(self, process: Process) -> int:
            process.sleep(890)
            return super().__call__(process)

    assert Slow(reply("1")).answer(InvokeRequest("index.handler", timeout_seconds=900)).payload == b"1"


def test_a_network_is_given_when_asked_for() -> None:
    engine = Emulator(reply("1")).engine()
    invoke_function(engine, IMAGE, FunctionTrees(CODE), InvokeRequest("index.handler", network=True))
    assert engine.opened[0].spec.network


def test_an_interrupt_leaves_no_sandbox() -> None:
    class Interrupted(Emulator):
        def __call__(self, process: Process) -> int:
            process.err("^C")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted().answer()


def test_several_events_are_answered_one_after_the_other_by_one_function() -> None:
    emulator = Emulator(reply("1"), NEXT, reply('"a\\n"'), NEXT, reply("3"))
    engine, told = emulator.engine(), list[bytes]()
    call = InvokeRequest("index.handler", (b"{}", b"[]", b"null"))
    found = invoke_function(engine, IMAGE, FunctionTrees(CODE), call, listener=lambda each: told.append(each.payload))
    assert [each.payload for each in found] == told == [b"1", b'"a\\n"', b"3"]
    assert (len(engine.opened), len(emulator.played)) == (1, 1)
    assert emulator.played[0].command.stdin.count(b"POST /") == 3


def test_an_event_that_gets_no_reply_is_named_and_what_came_before_is_told() -> None:
    told = list[bytes]()
    engine = Emulator(reply("1"), code=137).engine()
    with pytest.raises(LambdapackError, match="event 2 of 2") as caught:
        invoke_function(
            engine,
            IMAGE,
            FunctionTrees(CODE),
            InvokeRequest("x.y", (b"1", b"2")),
            listener=lambda each: told.append(each.payload),
        )
    assert (caught.value.failure, told) == (INVOKE_FAILED, [b"1"])


def test_memory_is_the_sandboxes_and_tmp_is_no_part_of_it() -> None:
    for architecture, more in ((Architecture.X86_64, 32), (Architecture.ARM64, 288)):
        emulator = Emulator(reply("1"))
        engine = emulator.engine()
        image = (f"lambdapack-lab/nodejs:22-{architecture.aws}", architecture)
        invoke_function(engine, image, FunctionTrees(CODE), InvokeRequest("index.handler", memory_mb=512))
        assert engine.opened[0].spec.limits.memory_bytes == (512 + more) * 1024 * 1024
        assert "/tmp" in engine.opened[0].spec.writable
        assert emulator.played[0].command.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"


def test_a_function_that_was_killed_for_memory_is_said_to_be() -> None:
    body = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: signal: killed"})
    call = InvokeRequest("index.handler", memory_mb=128)
    error = Emulator(reply(body), out_of_memory=True).answer(call).error
    assert error.splitlines()[1:] == [
        "Memory Size: 128 MB  Max Memory Used: 128 MB",
        "the kernel killed the process when it ran out of memory; `--memory 256` raises the limit",
    ]
    assert "memory" not in Emulator(reply(body)).answer(call).error


def test_a_debugger_gets_a_port_and_the_network_that_it_needs() -> None:
    emulator = Emulator(reply("1"))
    engine = emulator.engine()
    call = InvokeRequest("index.handler", environment={"NODE_OPTIONS": "--enable-source-maps"}, debugger=5858)
    invoke_function(engine, IMAGE, FunctionTrees(CODE), call)
    assert (engine.opened[0].spec.publish, engine.opened[0].spec.network) == (((5858, 9229),), True)
    options = emulator.played[0].command.env["NODE_OPTIONS"]
    assert options == "--enable-source-maps --inspect-brk=0.0.0.0:9229"


def test_the_start_does_not_count_against_a_functions_timeout() -> None:
    call = InvokeRequest("index.handler", timeout_seconds=3, startup_seconds=10)
    late = Emulator(reply("Task timed out after 13.00 seconds")).answer(call)
    assert late.error == "Task timed out after 3.00 seconds"
    assert Emulator(reply("1")).answer(call).error == ""
