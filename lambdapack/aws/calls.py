"""Calls AWS operations by name, with retries, backoff and a clock that tests can replace."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambdapack.aws.actions import IAM_ACTIONS, RESPONSE_MEMBERS
from lambdapack.aws.failures import BadReplyError, classify_error, convert_error
from lambdapack.errors.cloud import BAD_REPLY, BUSY, ROLE, SERVICE, THROTTLED, UNREACHABLE
from lambdapack.errors.record import Failure


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that waits use, in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random  # from 0 to 1

    def spread_pause(self, seconds: float) -> float:
        """Return a random pause between half of `seconds` and all, so that callers do not retry together."""
        return seconds * (0.5 + self.jitter() / 2)


MakeClient = Callable[[str, Config], Any]
"""Makes botocore's client of a service."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one kind of failure is retried. Seconds."""

    first_pause: float  # the first pause; each is twice the one before
    longest_pause: float  # the longest pause
    tries: int
    max_seconds: float  # no try begins later than this after the first


RETRY_POLICIES: Mapping[Failure, RetryPolicy] = {
    THROTTLED: RetryPolicy(1.0, 20.0, 8, 120.0),
    UNREACHABLE: RetryPolicy(0.2, 2.0, 4, 30.0),
    SERVICE: RetryPolicy(0.5, 5.0, 6, 60.0),
    BAD_REPLY: RetryPolicy(0.5, 5.0, 4, 60.0),
    BUSY: RetryPolicy(1.0, 5.0, 1000, 300.0),
    ROLE: RetryPolicy(1.0, 5.0, 20, 60.0),
}
"""A new role needs about ten seconds until Lambda may assume it; an update ends in seconds, with a VPC in minutes."""

TIMEOUT_POLICY = RetryPolicy(0.2, 2.0, 3, 300.0)
"""Of requests that were not answered in time: each try lasts as long as the configuration's read_timeout."""

READ_CALL_CONFIG = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 1})
"""For reads, which AWS answers within a second or two."""

QUICK_CALL_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
"""For what is good to know and not needed."""

DEFAULT_CALL_CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"total_max_attempts": 1})
"""Without botocore's retries, whose defaults change between releases and ignore 409; lambdapack retries itself."""

INLINE_ZIP_CONFIG = Config(connect_timeout=900, read_timeout=120, retries={"total_max_attempts": 1})
"""For a zip in the request: botocore limits sending the whole request by connect_timeout."""

TRANSFER_CONFIG = Config(
    connect_timeout=10, read_timeout=60, max_pool_connections=16, retries={"total_max_attempts": 5, "mode": "standard"}
)
"""For s3transfer, which sends and reads objects in parts and leaves retries of a part to botocore."""

INVOKE_MARGIN = 15
"""Seconds beyond the function's own timeout, for a cold start and the network."""

CallError: TypeAlias = ClientError | BotoCoreError | BadReplyError

AMBIGUOUS_ERRORS = (
    exceptions.ReadTimeoutError,
    exceptions.ConnectionClosedError,
    exceptions.ResponseStreamingError,
    BadReplyError,
)
"""Errors after which the request may have been executed."""

NON_IDEMPOTENT_OPERATIONS = frozenset(("Invoke", "PublishLayerVersion"))
"""Operations that are never retried when the first request may have been executed."""


class AwsClient:
    """Calls AWS operations by name. Thread-safe."""

    def __init__(self, make: MakeClient, clock: Clock | None = None) -> None:
        self._make = make
        self.clock = clock or Clock()
        self._clients: dict[tuple[str, int], tuple[Config, Any]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, config: Config = DEFAULT_CALL_CONFIG) -> Any:
        """Return the client of a service under a configuration, made once."""
        with self._lock:
            key = (service, id(config))
            if key not in self._clients:
                try:
                    self._clients[key] = (config, self._make(service, config))  # an id is its own as long as it lives
                except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
                    raise convert_error(error, service, "", "") from error
            return self._clients[key][1]

    def call(self, service: str, operation: str, parameters: Mapping[str, Any], config: Config | None = None) -> Any:
        """Return an operation's reply; retries by RETRY_POLICIES, and raises LambdapackError."""
        is_read = operation.startswith(("Get", "List", "Head", "Filter"))
        config = config or (READ_CALL_CONFIG if is_read else DEFAULT_CALL_CONFIG)
        client = self.client(service, config)
        started = self.clock.monotonic()
        tries = 0
        while True:
            try:
                return _call_once(client, service, operation, parameters)
            except (ClientError, BotoCoreError, BadReplyError) as error:
                tries += 1
                pause = None
                if config is not QUICK_CALL_CONFIG:
                    pause = self._pause(operation, error, tries, self.clock.monotonic() - started)
                if pause is None:
                    raise convert_error(error, service, operation, _subject(parameters), tries) from error
            self.clock.sleep(pause)

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the pages of a Lambda operation."""
        marker: dict[str, str] = {}
        while True:
            page = self.call("lambda", operation, {**parameters, **marker})
            yield page
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _pause(self, operation: str, error: CallError, tries: int, passed: float) -> float | None:
        kind = classify_error(error)
        is_late = isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectTimeoutError)
        policy = TIMEOUT_POLICY if is_late else RETRY_POLICIES.get(kind)
        if kind is BAD_REPLY and isinstance(error, ClientError):  # such as an emulator that lacks the operation
            return None
        if policy is None or tries >= policy.tries or isinstance(error, exceptions.SSLError):
            return None
        if (kind is ROLE and operation != "CreateFunction") or (
            operation in NON_IDEMPOTENT_OPERATIONS and _may_have_run(error)
        ):
            return None
        pause = self.clock.spread_pause(min(policy.longest_pause, policy.first_pause * 2 ** min(tries - 1, 10)))
        return pause if passed + pause <= policy.max_seconds else None


def _call_once(client: Any, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
    """Return the reply of one request. BadReplyError when it is not what AWS answers, such as a proxy's page."""
    method = getattr(client, _method_name(service, operation))
    try:
        reply = method(**parameters)
    except (ClientError, BotoCoreError):
        raise
    except (ResponseParserError, ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
        raise BadReplyError(f"the reply cannot be read: {error}") from error
    member = RESPONSE_MEMBERS.get(operation)
    if member and (not isinstance(reply, Mapping) or not isinstance(reply.get(member), str | Mapping | list)):
        raise BadReplyError(f"the reply has no {member}")
    return reply


def _may_have_run(error: Exception) -> bool:
    """Tell whether a request may have been executed although no reply came."""
    return isinstance(error, AMBIGUOUS_ERRORS) or (isinstance(error, ClientError) and classify_error(error) is SERVICE)


def _method_name(service: str, operation: str) -> str:
    if (service, operation) not in IAM_ACTIONS:
        raise KeyError(f"{service}:{operation} has no row in aws/actions.py")
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in operation).removeprefix("_")


def _subject(parameters: Mapping[str, Any]) -> str:
    if "Bucket" in parameters:
        return f"s3://{parameters['Bucket']}/{parameters.get('Key', '')}"
    name = parameters.get("FunctionName") or parameters.get("LayerName") or ""
    last = parameters.get("Qualifier") or parameters.get("Name") or parameters.get("VersionNumber")
    return f"{name}:{last}" if name and last else str(name)
