"""The only module that knows the Docker SDK: finds a server and answers as a Daemon. Never decides what is run."""

import contextlib
import io
import socket
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

from lambdapack.build.containers import ContainerEngine
from lambdapack.build.daemon import About, NotRunningError, NotThereError, about
from lambdapack.build.engine import Command
from lambdapack.build.hosts import Place, Surroundings, Tls, places
from lambdapack.build.refusal import innermost, meaning, no_answer, timed_out
from lambdapack.build.wire import Wire
from lambdapack.errors import ENGINE_LOST, ENGINE_REFUSED, NO_ENGINE, LambdapackError
from lambdapack.model import Architecture

CONNECT_SECONDS = 10
SSH_CONNECT_SECONDS = 40
REQUEST_SECONDS = 180
"""How long a request may be silent. Removing a container of some GB on a slow disk takes a minute."""

REMOVE_SECONDS = 60.0
"""How long a server may be busy with ending a container that is to be removed."""

LOST = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)
"""What a connection that breaks raises, from whichever layer notices first."""


def connect(
    environ: Mapping[str, str],
    *,
    hosts: Mapping[Architecture, str] | None = None,
    architecture: Architecture | None = None,
    home: Path | None = None,
) -> ContainerEngine:
    """Return the first engine that answers; LP101 lists every place tried and what it said.

    `hosts` may name an engine of its own for an architecture; that one is used for it, or none.
    """
    named = hosts.get(architecture, "") if hosts and architecture else ""
    around = Surroundings(environ, home or Path.home(), windows=sys.platform == "win32")
    tried = []
    for place in places(around, named):
        try:
            return ContainerEngine(_reach(place))
        except (*LOST, docker.errors.DockerException, LambdapackError, ValueError) as error:
            tried.append(f"{place.url or '(no address)'} ({place.source}): {no_answer(error)}")
    raise LambdapackError(NO_ENGINE, "\n".join(("nothing answered at", *tried)), hint=_connect_hint(tried))


def _reach(place: Place) -> "DockerDaemon":
    if not place.url:
        raise ValueError("there is no such context; `docker context ls` lists them")
    if place.socket is not None:
        _knock(place.socket)
    seconds = SSH_CONNECT_SECONDS if place.url.startswith("ssh://") else CONNECT_SECONDS
    tls = _tls(place.tls) if place.tls else False
    client = _Client(base_url=place.url, version="auto", timeout=seconds, tls=tls, use_ssh_client=True)
    found = about(client.version(), place.url)
    client.timeout = REQUEST_SECONDS
    return DockerDaemon(client, found)


def _knock(path: str) -> None:
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


def _tls(files: Tls) -> docker.tls.TLSConfig:
    pair = (str(files.certificate), str(files.key)) if files.certificate and files.key else None
    ca = str(files.ca) if files.ca else None
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=ca, verify=files.verify)


def _connect_hint(tried: Sequence[str]) -> str | None:
    if len(tried) == 1 and "usual place" not in tried[0]:
        return "Start that engine, correct the setting that names it, or unset it to use the engine of this machine."
    return None


def _failure(error: BaseException) -> Exception:
    if isinstance(error, docker.errors.APIError):
        return meaning(str(error.explanation or error).strip(), error.status_code or 0)
    return LambdapackError(ENGINE_LOST, _cause(error))


def _cause(error: BaseException) -> str:
    if timed_out(error):
        return f"no answer in {REQUEST_SECONDS} s"
    found = innermost(error)
    return (found.strerror if found else str(error)) or type(error).__name__


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, *LOST) as error:
        raise _failure(error) from error


class DockerDaemon:
    """A server that speaks Docker's API, through the SDK's low-level client."""

    def __init__(self, client: Any, found: About) -> None:
        """Use a client that has been answered."""
        self._client = client
        self._about = found

    @property
    def about(self) -> About:
        """Who it is."""
        return self._about

    def image(self, reference: str) -> Mapping[str, Any] | None:
        """Return what it says of an image, None when it holds none of that name."""
        try:
            with _translated():
                return dict(self._client.inspect_image(reference))
        except NotThereError:
            return None

    def pull(self, reference: str, platform: str) -> Iterator[Mapping[str, Any]]:
        """Yield its messages; an error that comes as one has the key "error"."""
        with _translated():
            yield from self._client.pull(reference, stream=True, decode=True, platform=platform)

    def build(
        self, context: bytes, tag: str, arguments: Mapping[str, str], platform: str
    ) -> Iterator[Mapping[str, Any]]:
        """Build an image from a tar; yields messages as `pull` does."""
        options = {"tag": tag, "buildargs": dict(arguments), "platform": platform, "use_config_proxy": False}
        with _translated():
            tar = io.BytesIO(context)
            yield from self._client.build(fileobj=tar, custom_context=True, decode=True, forcerm=True, **options)

    def volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a named volume, if it is not there. podman calls that a conflict."""
        with _translated():
            known = self._client.volumes(filters={"name": name}).get("Volumes") or ()
            if not any(each["Name"] == name for each in known):
                self._client.create_volume(name, labels=dict(labels))

    def volumes(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all volumes with a label. Only the server's sum of everything knows their sizes."""
        with _translated():
            named = {each["Name"] for each in self._client.volumes(filters={"label": label}).get("Volumes") or ()}
            return [each for each in self._client.df().get("Volumes") or () if each["Name"] in named] if named else []

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with contextlib.suppress(NotThereError), _translated():
            self._client.remove_volume(name)

    def create(self, config: Mapping[str, Any], name: str, platform: str | None) -> str:
        """Create a container. The configuration is ours: the SDK's own adds proxies with their passwords."""
        with _translated():
            return str(self._client.create_container_from_config(dict(config), name, platform)["Id"])

    def attach(self, container: str) -> Wire:
        """Hold the standard input of the main process, and hear what it says."""
        with _translated():
            return Wire(self._client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}))

    def start(self, container: str) -> None:
        """Start it."""
        with _translated():
            self._client.start(container)

    def kill(self, container: str) -> None:
        """Kill everything in it."""
        with contextlib.suppress(NotThereError, NotRunningError), _translated():
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
            with _translated():
                self._client.remove_container(container, v=True, force=True)
        except NotThereError:
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
            with _translated():
                return str(self._client.inspect_container(container)["State"]["Status"])
        except NotThereError:
            return ""

    def containers(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all containers with a label."""
        with _translated():
            return list(self._client.containers(all=True, filters={"label": label}))

    def execute(self, container: str, argv: Sequence[str], command: Command) -> tuple[str, Wire]:
        """Start another process in it, connected to all three streams."""
        with _translated():
            made = self._client.exec_create(
                container, list(argv), stdin=True, environment=dict(command.env), workdir=command.cwd, user=command.user
            )
            return str(made["Id"]), Wire(self._client.exec_start(made["Id"], socket=True))

    def exit_code(self, execution: str) -> int | None:
        """Return its exit code, None while it runs."""
        with _translated():
            found = self._client.exec_inspect(execution)
        return None if found.get("Running") or found.get("ExitCode") is None else int(found["ExitCode"])

    def upload(self, container: str, path: str, chunks: Iterator[bytes]) -> None:
        """Unpack a tar stream. What reading the stream raises is the reader's, not the connection's."""
        source = _Source(chunks)
        try:
            with _translated():
                self._client.put_archive(container, path, source)
        except LambdapackError as error:
            raise (source.failed or error) from error

    @contextlib.contextmanager
    def download(self, container: str, path: str) -> Iterator[Iterator[bytes]]:
        """Enclose the tar stream of a path; leaving early hangs up."""
        with _translated():
            chunks, _ = self._client.get_archive(container, path)
        with contextlib.closing(chunks):
            yield _guarded(chunks)


def _guarded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Translate what the connection raises, and nothing of what the consumer does."""
    while True:
        with _translated():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


class _Source:
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
