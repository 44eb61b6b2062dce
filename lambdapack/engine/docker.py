"""The only module that knows the Docker SDK: finds a server, answers as a Daemon, translates its errors."""

import contextlib
import io
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.tls
import requests
import urllib3

from lambdapack.engine.containers import ContainerEngine
from lambdapack.engine.daemon import EngineInfo, NotFoundError, NotRunningError, parse_engine_info
from lambdapack.engine.hosts import EngineAddress, HostEnvironment, TlsFiles, engine_addresses
from lambdapack.engine.interface import Command
from lambdapack.engine.wire import Wire
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED, NO_ENGINE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture

DISK_FULL_TEXT = re.compile(r"no space left on device|disk quota exceeded|not enough space", re.IGNORECASE)
NOT_RUNNING_TEXT = re.compile(
    r"is not running|on running containers|container state improper|is stopped", re.IGNORECASE
)
ENGINE_STOPPING_TEXT = re.compile(
    r"shutting down|transport is closing|connection refused|connection error|context canceled", re.IGNORECASE
)

GATEWAY_STATUSES = frozenset((502, 503, 504))
"""What a proxy or a relay before the engine answers when the engine itself does not."""


def error_from_response(words: str, status: int) -> Exception:
    """Return the error for a refused request: its HTTP status tells little, its text more."""
    if DISK_FULL_TEXT.search(words):
        return LambdapackError(DISK_FULL, words)
    if NOT_RUNNING_TEXT.search(words):
        return NotRunningError(words)
    if status == 404:
        return NotFoundError(words)
    if status in GATEWAY_STATUSES or (status == 500 and ENGINE_STOPPING_TEXT.search(words)):
        return LambdapackError(ENGINE_LOST, words)
    return LambdapackError(ENGINE_REFUSED, words)


def error_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, outermost first: the SDK wraps a cause five times."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def innermost_os_error(error: BaseException) -> OSError | None:
    """Return the operating system's own error at the bottom, None when there is none that has words."""
    found = [cause for cause in error_causes(error) if isinstance(cause, OSError) and cause.strerror]
    found = [os for os in found if not isinstance(os, ssl.SSLError)]
    return found[-1] if found else None


def is_timeout(error: BaseException) -> bool:
    """Return True when an answer did not come in time. Each layer has its own class for that, and the same words."""
    return any(isinstance(cause, TimeoutError) or "timed out" in str(cause).lower() for cause in error_causes(error))


def describe_no_answer(error: BaseException) -> str:
    """Return one short line that says why a server could not be reached."""
    if "paramiko" in str(error):
        return "ssh:// needs another package: `pip install paramiko`"
    if insecure := next((cause for cause in error_causes(error) if isinstance(cause, ssl.SSLError)), None):
        return f"TLS: {getattr(insecure, 'verify_message', '') or insecure.strerror or insecure}"
    found = innermost_os_error(error)
    if isinstance(found, PermissionError):
        return "Permission denied: `sudo usermod -aG docker $USER` and log in again, or use sudo"
    if found is None and is_timeout(error):
        return "it did not answer in time"
    words = found.strerror if found else str(error)
    return " ".join(str(words).split())[:200] or type(error).__name__


CONNECT_SECONDS = 10
SSH_CONNECT_SECONDS = 40
REQUEST_SECONDS = 180
"""How long a request may be silent. Removing a container of some GB on a slow disk takes a minute."""

REMOVE_SECONDS = 60.0
"""How long a server may be busy with ending a container that is to be removed."""

ANSWER_SECONDS = 20.0
"""How long an answer may take from its first byte to its last, where it is no stream: they are lists and records."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Bytes of such an answer. A list of 10,000 containers has 20 MB."""

ANSWER_CHUNK_BYTES = 64 * 1024

GARBAGE_ERRORS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the SDK raises, or what reading an answer raises, when the server is something else than an engine."""

CONNECTION_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)
"""What a connection that breaks raises, from whichever layer notices first."""


def connect_engine(
    environ: Mapping[str, str],
    *,
    hosts: Mapping[Architecture, str] | None = None,
    architecture: Architecture | None = None,
    home: Path | None = None,
    kind: str = "",
) -> ContainerEngine:
    """Return the first engine that answers; LP101 lists every place tried and what it said.

    `hosts` may name an engine of its own for an architecture; that one is used for it, or none. `kind` is "docker" or
    "podman" where only one of them will do.
    """
    named = hosts.get(architecture, "") if hosts and architecture else ""
    around = HostEnvironment(environ, home or Path.home(), windows=sys.platform == "win32")
    tried = []
    for place in engine_addresses(around, named):
        try:
            engine = ContainerEngine(_open_daemon(place))
            if kind in {"", engine.kind.value}:
                return engine
            tried.append(f"{place.url} ({place.source}): it is {engine.kind.value}, and {kind} was asked for")
        except (*CONNECTION_ERRORS, *GARBAGE_ERRORS, docker.errors.DockerException, LambdapackError) as error:
            tried.append(f"{place.url or '(no address)'} ({place.source}): {describe_no_answer(error)}")
    raise LambdapackError(NO_ENGINE, "\n".join(("nothing answered at", *tried)), hint=_connect_hint(tried))


def _open_daemon(place: EngineAddress) -> "DockerDaemon":
    if not place.url:
        raise ValueError("there is no such context; `docker context ls` lists them")
    if place.socket is not None:
        _check_socket(place.socket)
    seconds = SSH_CONNECT_SECONDS if place.url.startswith("ssh://") else CONNECT_SECONDS
    tls = _tls_config(place.tls) if place.tls else False
    client = _Client(base_url=place.url, version="auto", timeout=seconds, tls=tls, use_ssh_client=True)
    found = parse_engine_info(client.version(), place.url)
    client.timeout = REQUEST_SECONDS
    return DockerDaemon(client, found)


def _check_socket(path: str) -> None:
    """Open a socket once by ourselves: its refusal is clearer than the SDK's, which also forgets to close it."""
    if not Path(path).exists():
        raise FileNotFoundError(2, "there is no such socket")
    with socket.socket(socket.AF_UNIX) as knocking:
        knocking.settimeout(CONNECT_SECONDS)
        knocking.connect(path)


class _Client(docker.APIClient):
    """The SDK's client, deaf to REQUESTS_CA_BUNDLE, *_PROXY and .netrc: they are not about this server."""

    @property
    def trust_env(self) -> bool:
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        """Ignore what requests.Session sets."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Read an answer that is wanted whole within bounds of time and size: the SDK has none but for silence."""
        streamed = options.get("stream", False)
        response = super().send(request, **{**options, "stream": True})
        if not streamed:
            _read_whole_answer(response)
        return response


def _read_whole_answer(response: requests.Response) -> None:
    until, parts, size = time.monotonic() + ANSWER_SECONDS, [], 0
    for part in response.iter_content(ANSWER_CHUNK_BYTES):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES or time.monotonic() > until:
            response.close()
            raise requests.ConnectionError("its answer has no end")
    response._content, response._content_consumed = b"".join(parts), True  # type: ignore[attr-defined]  # noqa: SLF001


def _tls_config(files: TlsFiles) -> docker.tls.TLSConfig:
    pair = (str(files.certificate), str(files.key)) if files.certificate and files.key else None
    ca = str(files.ca) if files.ca else None
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=ca, verify=files.verify)


def _connect_hint(tried: Sequence[str]) -> str | None:
    if len(tried) == 1 and "usual place" not in tried[0]:
        return "Start that engine, correct the setting that names it, or unset it to use the engine of this machine."
    return None


def _translate_error(error: BaseException) -> Exception:
    if isinstance(error, docker.errors.APIError):
        return error_from_response(str(error.explanation or error).strip(), error.status_code or 0)
    return LambdapackError(ENGINE_LOST, _cause_text(error))


def _cause_text(error: BaseException) -> str:
    if is_timeout(error):
        return f"no answer in {REQUEST_SECONDS} s"
    found = innermost_os_error(error)
    return (found.strerror if found else str(error)) or type(error).__name__


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, *CONNECTION_ERRORS) as error:
        raise _translate_error(error) from error
    except GARBAGE_ERRORS as error:
        words = f"it answered something that no engine answers ({type(error).__name__}: {error})"
        raise LambdapackError(ENGINE_LOST, words[:300]) from error


class DockerDaemon:
    """A server that speaks Docker's API, through the SDK's low-level client."""

    def __init__(self, client: Any, found: EngineInfo) -> None:
        """Use a client that has been answered."""
        self._client = client
        self._about = found

    @property
    def about(self) -> EngineInfo:
        """Who it is."""
        return self._about

    def image(self, reference: str) -> Mapping[str, Any] | None:
        """Return what it says of an image, None when it holds none of that name."""
        try:
            with _translate_errors():
                found = dict(self._client.inspect_image(reference))
                layers = [str(layer) for layer in (found.get("RootFS") or {}).get("Layers") or ()]
                return {**found, "Id": str(found["Id"]), "RootFS": {"Layers": layers}}
        except NotFoundError:
            return None

    def pull(self, reference: str, platform: str) -> Iterator[Mapping[str, Any]]:
        """Yield its messages; an error that comes as one has the key "error"."""
        with _translate_errors():
            yield from self._client.pull(reference, stream=True, decode=True, platform=platform)

    def build(
        self, context: bytes, tag: str, arguments: Mapping[str, str], platform: str
    ) -> Iterator[Mapping[str, Any]]:
        """Build an image from a tar; yields messages as `pull` does."""
        options = {"tag": tag, "buildargs": dict(arguments), "platform": platform, "use_config_proxy": False}
        with _translate_errors():
            tar = io.BytesIO(context)
            yield from self._client.build(fileobj=tar, custom_context=True, decode=True, forcerm=True, **options)

    def volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a named volume, if it is not there. podman calls that a conflict."""
        with _translate_errors():
            known = self._client.volumes(filters={"name": name}).get("Volumes") or ()
            if not any(volume["Name"] == name for volume in known):
                self._client.create_volume(name, labels=dict(labels))

    def volumes(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all volumes with a label. Only the server's sum of everything knows their sizes."""
        with _translate_errors():
            named = {volume["Name"] for volume in self._client.volumes(filters={"label": label}).get("Volumes") or ()}
            volumes = self._client.df().get("Volumes") or () if named else ()
            return [volume for volume in volumes if volume["Name"] in named]

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with contextlib.suppress(NotFoundError), _translate_errors():
            self._client.remove_volume(name)

    def create(self, config: Mapping[str, Any], name: str, platform: str | None) -> str:
        """Create a container. The configuration is ours: the SDK's own adds proxies with their passwords."""
        with _translate_errors():
            return str(self._client.create_container_from_config(dict(config), name, platform)["Id"])

    def attach(self, container: str) -> Wire:
        """Hold the standard input of the main process, and hear what it says."""
        with _translate_errors():
            return Wire(self._client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}))

    def start(self, container: str) -> None:
        """Start it."""
        with _translate_errors():
            self._client.start(container)

    def kill(self, container: str) -> None:
        """Kill everything in it."""
        with contextlib.suppress(NotFoundError, NotRunningError), _translate_errors():
            self._client.kill(container)

    def remove(self, container: str) -> None:
        """Remove it. While it ends by itself a server may refuse that for a moment: podman, and Docker's AutoRemove."""
        until = time.monotonic() + REMOVE_SECONDS
        while not self._removed(container):
            if time.monotonic() > until:
                raise LambdapackError(ENGINE_REFUSED, f"it did not remove {container} in {REMOVE_SECONDS:.0f} s")
            time.sleep(0.05)

    def _removed(self, container: str) -> bool:
        try:
            with _translate_errors():
                self._client.remove_container(container, v=True, force=True)
        except NotFoundError:
            return True
        except NotRunningError:
            return False
        except LambdapackError as error:
            if "in progress" not in error.detail:
                raise
            return False
        return True

    def state(self, container: str) -> str:
        """Return its state, "" when it is gone."""
        try:
            with _translate_errors():
                return str(self._client.inspect_container(container)["State"]["Status"])
        except NotFoundError:
            return ""

    def containers(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all containers with a label."""
        with _translate_errors():
            return [dict(found) for found in self._client.containers(all=True, filters={"label": label})]

    def execute(self, container: str, argv: Sequence[str], command: Command) -> tuple[str, Wire]:
        """Start another process in it, connected to all three streams."""
        with _translate_errors():
            made = self._client.exec_create(
                container, list(argv), stdin=True, environment=dict(command.env), workdir=command.cwd, user=command.user
            )
            return str(made["Id"]), Wire(self._client.exec_start(made["Id"], socket=True))

    def exit_code(self, execution: str) -> int | None:
        """Return its exit code, None while it runs."""
        with _translate_errors():
            found = self._client.exec_inspect(execution)
        return None if found.get("Running") or found.get("ExitCode") is None else int(found["ExitCode"])

    def upload(self, container: str, path: str, chunks: Iterator[bytes]) -> None:
        """Unpack a tar stream. What reading the stream raises is the reader's, not the connection's."""
        source = _UploadBody(chunks)
        try:
            with _translate_errors():
                self._client.put_archive(container, path, source)
        except LambdapackError as error:
            raise (source.failed or error) from error

    @contextlib.contextmanager
    def download(self, container: str, path: str) -> Iterator[Iterator[bytes]]:
        """Enclose the tar stream of a path; leaving early hangs up."""
        with _translate_errors():
            chunks, _ = self._client.get_archive(container, path)
        with contextlib.closing(chunks):
            yield _translate_chunks(chunks)


def _translate_chunks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Translate what the connection raises, and nothing of what the consumer does."""
    while True:
        with _translate_errors():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


class _UploadBody:
    """A body that remembers what went wrong in it: requests calls every OSError a broken connection."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except Exception as error:
            self.failed = error
            raise
