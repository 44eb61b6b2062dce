"""Stand-ins in memory for the protocols of lambdapack/engine/interface.py. They pass tests/contract/test_engine.py."""

import io
import posixpath
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdapack.engine.interface import (
    Command,
    CommandResult,
    EngineKind,
    Image,
    Sandbox,
    SandboxSpec,
    Stream,
    Volume,
)
from lambdapack.errors.build import ENGINE_REFUSED, NO_IMAGE, TOO_LONG, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.model import Architecture
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file

LAB = {
    f"lambdapack-lab/nodejs:22-{architecture}{suffix}": architecture
    for architecture in Architecture
    for suffix in ("", "-build")
}


@dataclass(frozen=True)
class FakeTree:
    """A tree of a few entries: path to mode and bytes, to a link's target, or to None for a directory."""

    content: Mapping[str, tuple[int, bytes] | str | None]

    @property
    def entries(self) -> Mapping[str, Entry]:
        return {path: self._entry(path) for path in sorted(self.content, key=str.encode)}

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        found = self.content[path]
        if not isinstance(found, tuple):
            raise KeyError(path)
        yield memoryview(found[1])

    def _entry(self, path: str) -> Entry:
        found = self.content[path]
        if found is None:
            return Entry(path, EntryKind.DIRECTORY, 0o755, 0)
        if isinstance(found, str):
            return Entry(path, EntryKind.SYMLINK, 0o777, 0, found)
        return Entry(path, EntryKind.FILE, found[0], len(found[1]))


@dataclass(frozen=True, slots=True)
class FakeFile:
    kind: EntryKind
    mode: int
    data: bytes = b""
    target: str = ""
    owner: tuple[int, int] = (0, 0)


@dataclass
class Process:
    """What a program of a FakeSandbox is given, in place of a kernel."""

    sandbox: "FakeSandbox"
    command: Command
    stream: Stream
    silent: float = 0.0
    ran: float = 0.0

    @property
    def argv(self) -> tuple[str, ...]:
        return tuple(self.command.argv)

    @property
    def files(self) -> dict[str, FakeFile]:
        """Everything in the sandbox by absolute path, secrets too."""
        return self.sandbox.files

    def out(self, data: bytes | str) -> None:
        self._say("stdout", data)

    def err(self, data: bytes | str) -> None:
        self._say("stderr", data)

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        self.sandbox.check_writable(path)
        uid, gid = (int(part) for part in self.command.user.split(":"))
        self.files[path] = FakeFile(EntryKind.FILE, mode, data, owner=(uid, gid))

    def sleep(self, seconds: float) -> None:
        """Let time pass; LP116 when that is more than the limits allow."""
        limits = self.sandbox.spec.limits
        left, words, limit = min(
            (limits.wall_seconds - self.ran, "it ran longer than", limits.wall_seconds),
            (limits.silence_seconds - self.silent, "it printed nothing for", limits.silence_seconds),
        )
        if seconds >= left:
            last = self.sandbox.said.decode(errors="replace")
            raise LambdapackError(TOO_LONG, f"`{self.argv[0]}` was stopped: {words} {limit:g} s; {last}")
        self.ran += seconds
        self.silent += seconds

    def compute(self, seconds: float) -> None:
        """Let time pass in which the CPU is busy: no silence."""
        self.silent = 0.0
        self.ran += seconds

    def allocate(self, size: int) -> None:
        if size > self.sandbox.spec.limits.memory_bytes:
            raise OutOfMemoryError

    def _say(self, source: str, data: bytes | str) -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.silent = 0.0
        self.sandbox.said += raw
        self.stream(source, raw)


class OutOfMemoryError(Exception):
    """A program asked for more than the sandbox has."""


Program = Callable[[Process], int]
"""Plays one executable: prints, writes files, returns its exit code; 128 + n for a signal."""


class FakeSandbox:
    """An open sandbox in memory. `programs` are found by the last part of argv[0]."""

    def __init__(self, spec: SandboxSpec, image: Image, engine: "FakeEngine") -> None:
        self.spec = spec
        self._image = image
        self.engine = engine
        self.files: dict[str, FakeFile] = dict(engine.roots.get(image.reference, {}))
        self.hidden: dict[str, bytes] = {}
        self.commands: list[Command] = []
        self.ended: list[str] = []
        self.running: list[str] = []  # users of programs that were left running
        self.said = b""

    @property
    def image(self) -> Image:
        return self._image

    @property
    def native(self) -> bool:
        return self._image.architecture is self.engine.architecture

    def put(self, tree: Tree, at: str, *, owner: tuple[int, int] = (0, 0)) -> None:
        self.check_writable(posixpath.join(at, "x"))
        self.files[at] = FakeFile(EntryKind.DIRECTORY, 0o755, owner=owner)
        for path, entry in tree.entries.items():
            data = read_file(tree, path) if entry.kind is EntryKind.FILE else b""
            self.files[posixpath.join(at, path)] = FakeFile(entry.kind, entry.mode, data, entry.target, owner)

    def secrets(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            if not self.spec.secrets or not path.startswith(self.spec.secrets + "/"):
                raise ValueError(f"{path} is not below the directory for secrets")
            self.hidden[path] = data
            self.files[path] = FakeFile(EntryKind.FILE, 0o600, data)

    def run(self, command: Command, stream: Stream) -> CommandResult:
        self.commands.append(command)
        self.said = b""
        name = posixpath.basename(command.argv[0])
        program = self.engine.programs.get(name)
        process = Process(self, command, stream)
        if program is None:
            process.err(f"lambdapack: line 1: {command.argv[0]}: not found\n")
            return CommandResult(127)
        try:
            code = program(process)
        except OutOfMemoryError:
            return CommandResult(137, 9, out_of_memory=True)
        return CommandResult(code, code - 128 if 128 < code < 160 else None)

    def end_processes(self, user: str) -> None:
        if user.startswith("0:"):
            raise ValueError("root's processes are the sandbox itself")
        self.ended.append(user)
        self.running = [each for each in self.running if each != user]

    def get(self, path: str, spool: Path, observer: Observer) -> None:
        with observer.task(f"Copying {path} out of the sandbox", None, "B"):
            if not any(each == path or each.startswith(path + "/") for each in self.files):
                raise LambdapackError(ENGINE_REFUSED, f"Could not find the file {path}")
            spool.write_bytes(_tar(self.files, path))

    def check_writable(self, path: str) -> None:
        places = (*self.spec.writable, "/tmp", self.spec.secrets or "/tmp")
        if self.spec.read_only and not any(path.startswith(place + "/") for place in places):
            raise LambdapackError(ENGINE_REFUSED, f"{path}: container rootfs is marked read-only")


def _tar(files: Mapping[str, FakeFile], path: str) -> bytes:
    """Write names as Docker does for "PATH/.": relative, with "./" before them."""
    buffer = io.BytesIO()
    kinds = {EntryKind.FILE: tarfile.REGTYPE, EntryKind.DIRECTORY: tarfile.DIRTYPE, EntryKind.SYMLINK: tarfile.SYMTYPE}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, file in sorted(files.items()):
            if not name.startswith(path.rstrip("/") + "/"):
                continue
            member = tarfile.TarInfo("./" + posixpath.relpath(name, path))
            member.type, member.mode, member.linkname, member.size = (
                kinds[file.kind],
                file.mode,
                file.target,
                len(file.data),
            )
            member.uid, member.gid = file.owner
            tar.addfile(member, io.BytesIO(file.data))
    return buffer.getvalue()


class FakeEngine:
    """An engine in memory that holds `images` and plays `programs`."""

    def __init__(
        self,
        images: Mapping[str, Architecture] | None = None,
        programs: Mapping[str, Program] | None = None,
        architecture: Architecture = Architecture.X86_64,
        roots: Mapping[str, Mapping[str, FakeFile]] | None = None,
    ) -> None:
        self.images = dict(LAB if images is None else images)
        self.programs = dict(programs or {})
        self._architecture = architecture
        self.roots = dict(roots or {})
        self.opened: list[FakeSandbox] = []
        self.living: list[FakeSandbox] = []
        self.volumes: set[str] = set()

    @property
    def kind(self) -> EngineKind:
        return EngineKind.DOCKER

    @property
    def name(self) -> str:
        return "Fake Engine 1.0 (linux/amd64)"

    @property
    def architecture(self) -> Architecture:
        return self._architecture

    def image(self, reference: str, architecture: Architecture, observer: Observer = SILENT) -> Image:  # noqa: ARG002
        found = self.images.get(reference)
        if found is None:
            raise LambdapackError(NO_IMAGE, f"{reference} is not here", hint="Run `make lab`.")
        if found is not architecture:
            raise LambdapackError(WRONG_IMAGE, f"{reference} is for {found}, and {architecture} is wanted")
        return Image(reference, "sha256:" + reference.encode().hex().ljust(64, "0")[:64], architecture)

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        return self.image(reference, architecture) if self.images.get(reference) is architecture else None

    def file_system(self, image: Image, path: str, spool: Path) -> None:
        spool.write_bytes(_tar(self.roots.get(image.reference, {}), path))

    def make_image(
        self, context: bytes, tag: str, arguments: Mapping[str, str], architecture: Architecture
    ) -> Iterator[Mapping[str, Any]]:
        with tarfile.open(fileobj=io.BytesIO(context)) as archive:
            yield {"stream": f"Step 1 : {archive.getnames()[0]} FROM {arguments['BASE']}\n"}
        if self.images.get(arguments["BASE"]) is architecture:
            self.images[tag] = architecture
        else:
            yield {"error": f"{arguments['BASE']} is not here"}

    def caches(self) -> list[Volume]:
        return [Volume(name, 0) for name in sorted(self.volumes)]

    def drop_cache(self, name: str) -> bool:
        if any(volume.name == name for each in self.living for volume in each.spec.volumes):
            return False
        self.volumes.discard(name)
        return True

    def open(self, spec: SandboxSpec, observer: Observer = SILENT) -> AbstractContextManager[Sandbox]:
        return self._open(spec, observer)

    @contextmanager
    def _open(self, spec: SandboxSpec, observer: Observer) -> Iterator[Sandbox]:
        sandbox = FakeSandbox(spec, self.image(spec.image, spec.architecture, observer), self)
        self.opened.append(sandbox)
        self.volumes.update(volume.name for volume in spec.volumes)
        self.living.append(sandbox)
        try:
            yield sandbox
        finally:
            self.living.remove(sandbox)


@dataclass
class RecordingObserver:
    """Remembers everything that stages say."""

    tasks: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    advanced: int = 0

    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:  # noqa: ARG002
        self.tasks.append(label)
        yield self._advance

    def line(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def _advance(self, amount: int) -> None:
        self.advanced += amount
