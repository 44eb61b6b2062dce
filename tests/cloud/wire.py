"""The short way from a real boto3 client to a fake: every request goes through botocore's model, none to a network."""

import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3  # noqa: TID251  # the fake speaks through botocore's own validator
from botocore.config import Config  # noqa: TID251
from botocore.exceptions import ConnectionClosedError  # noqa: TID251

from tests.cloud.errors import AwsError

REGION = "eu-central-1"
ACCOUNT = "123456789012"
KEY = "testing"

Serve = Callable[[Mapping[str, Any]], dict[str, Any]]


class Died(BaseException):
    """The process is gone: nothing may catch it."""


@dataclass
class Line:
    """What happens between the client and the service. Counts and remembers the calls."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    refuse: dict[str, list[AwsError]] = field(default_factory=dict)  # operation to what it says before it works
    break_: dict[str, list[Exception]] = field(default_factory=dict)  # operation to what breaks before it is done
    lose: dict[str, int] = field(default_factory=dict)  # operation to how many replies get lost
    die_after: int | None = None  # that many calls, the last of them carried out
    watch: Callable[[str], None] = lambda _operation: None  # asked after each call
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def operations(self) -> list[str]:
        return [operation for _service, operation in self.calls]

    @property
    def writes(self) -> list[str]:
        return [each for each in self.operations if not each.startswith(("Get", "List", "Head"))]

    def forget(self) -> None:
        self.calls.clear()
        self.sent.clear()

    def through(self, service: str, operation: str, parameters: Mapping[str, Any], serve: Serve) -> dict[str, Any]:
        with self.lock:
            if self.die_after is not None and len(self.calls) >= self.die_after:
                raise Died
            self.calls.append((service, operation))
            self.sent.append((operation, parameters))
            if self.break_.get(operation):
                raise self.break_[operation].pop(0)
            if self.refuse.get(operation):
                raise self.refuse[operation].pop(0)
            answer = serve(parameters)
            if self.die_after is not None and len(self.calls) >= self.die_after:
                raise Died
            self.watch(operation)
            if self.lose.get(operation):
                self.lose[operation] -= 1
                raise ConnectionClosedError(endpoint_url="https://lambda.invalid")
            return answer


@dataclass(frozen=True)
class _Reply:
    status_code: int


@cache
def session() -> Any:
    """Return the one session of the tests: it reads botocore's models once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key=KEY, region_name=REGION)


class _Call(threading.local):
    """Where the call ends that a thread is making."""

    line: Line
    serving: Mapping[str, Serve]


_call = _Call()


class _Client:
    """A boto3 client whose calls end at a service of ours; making one of boto3's takes longer than most tests."""

    def __init__(self, shared: Any, line: Line, serving: Mapping[str, Serve]) -> None:
        self._shared, self._line, self._serving = shared, line, serving

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._shared, name)
        if not inspect.ismethod(value):
            return value
        if value.__func__.__module__.startswith("boto3."):  # transfers, which make calls of their own in other threads
            return value.__func__.__get__(self)

        def calling(*arguments: Any, **parameters: Any) -> Any:
            _call.line, _call.serving = self._line, self._serving
            return value(*arguments, **parameters)

        return calling


@cache
def _shared_client(service: str, options: str) -> Any:
    made = session().client(service, config=_configs[options])
    events = made.meta.events

    def built(params: Mapping[str, Any], context: dict[str, Any], **_rest: Any) -> None:
        context["parameters"] = dict(params)

    def called(model: Any, context: dict[str, Any], **_rest: Any) -> tuple[_Reply, dict[str, Any]]:
        try:
            answer = _call.line.through(service, model.name, context["parameters"], _call.serving[model.name])
        except AwsError as error:
            document = {"Error": {"Code": error.code, "Message": error.message}}
            return _Reply(error.status), {**document, "ResponseMetadata": {"HTTPStatusCode": error.status}}
        known = set(model.output_shape.members) if model.output_shape else set()
        assert set(answer) <= known, f"{model.name} never answers {set(answer) - known}"
        return _Reply(200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    events.register_last(f"before-parameter-build.{service}", built)
    events.register(f"before-call.{service}", called)
    return made


_configs: dict[str, Config] = {}


def client(service: str, config: Config, line: Line, serving: Mapping[str, Serve]) -> Any:
    """Return boto3's client of a service, whose calls end at `serving`."""
    options = repr(sorted(config._user_provided_options.items()))
    _configs[options] = config
    return _Client(_shared_client(service, options), line, serving)
