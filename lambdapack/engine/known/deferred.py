"""An engine that is reached only when something has to be done; what it said before answers what does not change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from lambdapack.engine.daemon import EngineInfo, parse_engine_info
from lambdapack.engine.hosts import EngineAddress
from lambdapack.engine.interface import Engine, EngineKind, Image, Sandbox, SandboxSpec, SystemImage, Volume
from lambdapack.engine.known.probe import NoAnswerError, probe_image, probe_version
from lambdapack.errors.build import FROZEN
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Architecture


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image as it was looked at: while its id is the same, so is everything else of it."""

    identity: str  # the engine's own id; "" where it cannot be asked for cheaply
    digest: str  # Image.digest


class EngineChangedError(Exception):
    """Another kind of engine serves than the one that was remembered: what was planned for that one is void."""


class EngineMemory(Protocol):
    """Remembers engines and their images."""

    def find_engine(self, address: str) -> EngineInfo | None:
        """Return what answered at an address, None when nothing is known."""
        ...

    def store_engine(self, info: EngineInfo) -> None:
        """Remember what answered."""
        ...

    def find_image(self, address: str, reference: str, architecture: Architecture) -> KnownImage | None:
        """Return an image of an engine, None when nothing is known."""
        ...

    def store_image(self, address: str, reference: str, architecture: Architecture, image: KnownImage) -> None:
        """Remember an image."""
        ...


@dataclass(frozen=True, slots=True)
class UsedImage:
    """An image whose remembered facts counted, and where the engine can be asked whether they still do."""

    socket: str  # path of the engine's unix socket; "" where nothing can be asked
    reference: str
    identity: str


class DeferredEngine:
    """Answers from memory while that is current, and forwards the rest to the real engine, which it then connects."""

    def __init__(
        self,
        addresses: Sequence[EngineAddress],
        connect: Callable[[], Engine],
        memory: EngineMemory,
        *,
        kind: str = "",
        refresh: bool = False,
    ) -> None:
        """Connect to nothing yet; `connect` reaches the first of the addresses that answers.

        `kind` is the value of the only EngineKind that may serve, "" for any. `refresh`: only what the engine says in
        this run counts.
        """
        self._kind = kind
        self._refresh = refresh
        self._addresses = addresses
        self._connect = connect
        self._memory = memory
        self._engine: Engine | None = None
        self._info: EngineInfo | None = None
        self._is_answering = False
        self._said: set[str] = set()
        self.has_unasked_images = False  # an image counted that could not be asked for, or not remembered
        self.used: dict[str, UsedImage] = {}  # by reference: images that were answered from memory

    @property
    def name(self) -> str:
        """For people."""
        info = self._find_info()
        return str(info) if info else self._real().name

    @property
    def kind(self) -> EngineKind:
        """What it is."""
        info = self._find_info()
        return info.kind if info else self._real().kind

    @property
    def architecture(self) -> Architecture:
        """The CPU of the engine's machine."""
        info = self._find_info()
        return info.architecture if info else self._real().architecture

    def image(self, reference: str, architecture: Architecture, observer: Observer) -> Image:
        """Return the image; the real engine is asked only when the remembered one is not current."""
        known = self._current_image(reference, architecture, observer)
        if known is not None:
            return Image(reference, known.digest, architecture)
        image = self._real().image(reference, architecture, observer)
        self._remember(image)
        return image

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the engine holds it for that CPU."""
        known = self._current_image(reference, architecture, None)
        if known is not None:
            return Image(reference, known.digest, architecture)
        image = self._real().find_image(reference, architecture)
        if image is not None:
            self._remember(image)
        return image

    def _current_image(
        self, reference: str, architecture: Architecture, observer: Observer | None
    ) -> KnownImage | None:
        info = self._find_info()
        known = self._memory.find_image(info.address, reference, architecture) if info else None
        if info is None or known is None or (self._refresh and reference not in self.used):
            return None
        socket = _socket_of(info.address)
        if socket and self._is_answering:
            try:
                if not known.identity or probe_image(socket, reference) != known.identity:
                    return None
            except NoAnswerError:
                return None
        elif observer is not None and reference not in self._said:
            self._said.add(reference)
            self.has_unasked_images = True
            observer.note(f"{info.name} at {info.address} was not asked: {reference} counts as it was last seen there")
        self.used[reference] = UsedImage(socket or "", reference, known.identity)
        return known

    def _remember(self, image: Image) -> None:
        info = self._find_info()
        if info is None:
            self.has_unasked_images = True
            return
        socket = _socket_of(info.address)
        try:
            identity = probe_image(socket, image.reference) if socket else ""
        except NoAnswerError:
            self.has_unasked_images = True
            return
        self._memory.store_image(info.address, image.reference, image.architecture, KnownImage(identity, image.digest))
        self.used[image.reference] = UsedImage(socket or "", image.reference, identity)

    def _find_info(self) -> EngineInfo | None:
        """Return who answers at the first address that does, asked once; or who did, where nobody can be asked."""
        if self._info is None:
            self._info = self._ask_addresses()
        return self._info

    def _ask_addresses(self) -> EngineInfo | None:
        remembered = list[EngineInfo]()
        for address in self._addresses:
            known = self._memory.find_engine(address.url)
            if known is not None and self._kind not in {"", known.kind.value}:
                known = None
            if address.socket is None:
                if known is not None:
                    return known
                return None  # only the SDK can ask there
            try:
                info = parse_engine_info(probe_version(address.socket), address.url)
                if self._kind not in {"", info.kind.value}:
                    continue
            except (NoAnswerError, ValueError):
                if known is not None:
                    remembered.append(known)
                continue
            self._is_answering = True
            if info != known:
                self._memory.store_engine(info)
            return info
        return remembered[0] if remembered else None

    def _real(self) -> Engine:
        if self._engine is None:
            engine = self._connect()
            if self._info is not None and engine.kind is not self._info.kind:
                raise EngineChangedError(f"{self._info.name} does not answer any more")
            self._engine = engine
            address = getattr(engine, "address", "")
            if isinstance(address, str) and address and not _socket_of(address):
                info = EngineInfo(engine.name.partition(" Engine")[0] + " Engine", "", engine.architecture, address)
                self._memory.store_engine(info)
                self._info = self._info or info
        return self._engine

    def file_system(self, image: Image, path: str, spool: Path) -> None:
        """Forward to the engine."""
        self._real().file_system(image, path, spool)

    def make_image(
        self, context: bytes, tag: str, arguments: Mapping[str, str], architecture: Architecture
    ) -> Iterator[Mapping[str, Any]]:
        """Forward to the engine."""
        return self._real().make_image(context, tag, arguments, architecture)

    def system_images(self) -> Sequence[SystemImage]:
        """Forward to the engine."""
        return self._real().system_images()

    def drop_image(self, reference: str) -> bool:
        """Forward to the engine."""
        return self._real().drop_image(reference)

    def caches(self) -> Sequence[Volume]:
        """Forward to the engine."""
        return self._real().caches()

    def drop_cache(self, name: str) -> bool:
        """Forward to the engine."""
        return self._real().drop_cache(name)

    def open(self, spec: SandboxSpec, observer: Observer) -> AbstractContextManager[Sandbox]:
        """Open a sandbox of the engine."""
        return self._real().open(spec, observer)


def _socket_of(address: str) -> str | None:
    return address.removeprefix("unix://") if address.startswith("unix://") else None


class FrozenEngine:
    """An engine that starts nothing: LP130 where another one would open a sandbox."""

    def __init__(self, engine: Engine) -> None:
        """Forward everything else to `engine`."""
        self._engine = engine

    @property
    def name(self) -> str:
        """For people."""
        return self._engine.name

    @property
    def kind(self) -> EngineKind:
        """What it is."""
        return self._engine.kind

    @property
    def architecture(self) -> Architecture:
        """The CPU of the engine's machine."""
        return self._engine.architecture

    def image(self, reference: str, architecture: Architecture, observer: Observer) -> Image:
        """Return the image."""
        return self._engine.image(reference, architecture, observer)

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the engine holds it."""
        return self._engine.find_image(reference, architecture)

    def file_system(self, image: Image, path: str, spool: Path) -> None:
        """Read a directory of the image."""
        self._engine.file_system(image, path, spool)

    def make_image(
        self,
        context: bytes,  # noqa: ARG002  # the protocol's
        tag: str,
        arguments: Mapping[str, str],  # noqa: ARG002
        architecture: Architecture,  # noqa: ARG002
    ) -> Iterator[Mapping[str, Any]]:
        """Refuse: building an image starts containers. LP130."""
        _refuse(f"the image {tag} would have to be built")

    def system_images(self) -> Sequence[SystemImage]:
        """Return the images with system packages."""
        return self._engine.system_images()

    def drop_image(self, reference: str) -> bool:
        """Remove such an image."""
        return self._engine.drop_image(reference)

    def caches(self) -> Sequence[Volume]:
        """Return the cache volumes."""
        return self._engine.caches()

    def drop_cache(self, name: str) -> bool:
        """Remove a cache volume."""
        return self._engine.drop_cache(name)

    def open(self, spec: SandboxSpec, observer: Observer) -> AbstractContextManager[Sandbox]:  # noqa: ARG002
        """Refuse. LP130."""
        _refuse(f"a container of {spec.image} would have to run ({spec.label})")


def _refuse(what: str) -> NoReturn:
    raise LambdapackError(FROZEN, what)
