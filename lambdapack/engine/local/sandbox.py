"""A sandbox of directories and processes of this host. Copies trees, runs commands, writes tar streams."""

import contextlib
import errno
import os
import stat
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lambdapack.engine.interface import Command, CommandResult, Image, SandboxSpec, Stream
from lambdapack.engine.local.confinement import confined_command
from lambdapack.engine.local.places import TMP_DIRECTORY, SandboxPlaces
from lambdapack.engine.local.process import LocalProcess
from lambdapack.engine.sandbox import DISK_FULL_ERRNOS, MAX_COPIED_BYTES, write_spool
from lambdapack.errors.build import DISK_FULL, ENGINE_REFUSED
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.tree.entry import EntryKind, Tree

CONFINED_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin:/bin"
"""PATH of Lambda's images, without /opt."""

CODE_DIRECTORIES = frozenset((TASK_ROOT, LAYER_ROOT))
"""What a function must not change, where the sandbox is read-only."""


class LocalSandbox:
    """An open place on this host; `bubblewrap` confines what runs in it, "" where nothing does."""

    def __init__(self, spec: SandboxSpec, image: Image, places: SandboxPlaces, bubblewrap: str) -> None:
        """Take over directories that exist."""
        self._spec = spec
        self._image = image
        self._places = places
        self._bubblewrap = bubblewrap

    @property
    def image(self) -> Image:
        """The node that stands for an image."""
        return self._image

    @property
    def native(self) -> bool:
        """Nothing is ever emulated."""
        return True

    def put(self, tree: Tree, at: str, *, owner: tuple[int, int] = (0, 0)) -> None:  # noqa: ARG002  # one user here
        """Copy a tree below `at`; everything belongs to the user that runs lambdapack."""
        directory = self._places.make(at)
        with _translate_os_errors(str(directory)):
            write_tree(tree, directory)

    def secrets(self, files: Mapping[str, bytes]) -> None:
        """Write files below the spec's directory for them: mode 0600, on a file system in memory where there is one."""
        for path, content in files.items():
            directory, _slash, name = path.rpartition("/")
            if not self._spec.secrets or directory != self._spec.secrets:
                raise ValueError(f"{path} is not below the directory for secrets")
            data = content if self._bubblewrap else self._places.translate_bytes(content)
            file = self._places.make(directory) / name
            with _translate_os_errors(str(file)), open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as opened:  # noqa: PTH123  # a mode from its first byte on
                opened.write(data)

    def run(self, command: Command, stream: Stream) -> CommandResult:
        """Run to the end. A limit that is reached ends the command and all that it started: LP116."""
        cwd = self._places.make(command.cwd) if command.cwd != "/" else self._places.root
        process = LocalProcess(*self._host_command(command), cwd, self._spec.limits, command.name)
        return process.finish(command.stdin, stream)

    def end_processes(self, user: str) -> None:
        """Do nothing: what a command started ends with it."""

    def get(self, path: str, spool: Path, observer: Observer) -> None:
        """Write the tar stream of a directory; names are relative to it."""
        directory = self._places.make(path)
        with observer.task(f"Copying {path} out of the sandbox", None, "B") as advance, _translate_os_errors(path):
            write_spool(directory_chunks(directory), spool, advance, MAX_COPIED_BYTES)

    def _host_command(self, command: Command) -> tuple[list[str], dict[str, str]]:
        if self._bubblewrap:
            code = CODE_DIRECTORIES if self._spec.read_only else frozenset[str]()
            places = list(self._places.list_mounts(read_only=code))
            argv = confined_command(self._bubblewrap, command, places, network=self._spec.network)
            return argv, {**_common_variables(), "PATH": CONFINED_PATH, **command.env}
        translate = self._places.translate
        path = f"{translate('/var/lang')}/bin:{os.environ.get('PATH', os.defpath)}"
        common = {"PATH": path, "TMPDIR": translate(TMP_DIRECTORY), "HOME": translate(TMP_DIRECTORY)}
        variables = {**_common_variables(), **common, **self._places.translate_all(command.env)}
        return [translate(word) for word in command.argv], variables


def _common_variables() -> dict[str, str]:
    """Return what every process gets: of this host's environment nothing."""
    return {"LANG": "C.UTF-8", "TZ": ":/etc/localtime", "PYTHON": os.path.realpath(sys.executable)}


def write_tree(tree: Tree, directory: Path) -> None:
    """Write a tree below a directory, over what is there, and nothing outside of it: no link is followed out of it."""
    inside = os.path.realpath(directory)
    known = {directory}
    for path, entry in tree.entries.items():
        place = directory / path
        if place.parent not in known:
            _make_directories(place.parent, inside)
            known.add(place.parent)
        if entry.kind is EntryKind.DIRECTORY:
            _make_directories(place, inside)
            place.chmod(entry.mode | stat.S_IRWXU)
            continue
        if os.path.lexists(place):
            place.unlink()
        if entry.kind is EntryKind.SYMLINK:
            place.symlink_to(entry.target)
            continue
        with tree.view(path) as data, open(os.open(place, NEW_FILE, entry.mode), "wb") as file:  # noqa: PTH123  # never through a link
            file.write(data)
        place.chmod(entry.mode)


NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def _make_directories(place: Path, inside: str) -> None:
    """Make a directory; EACCES for one that a link leads out of the tree."""
    place.mkdir(parents=True, exist_ok=True)
    real = os.path.realpath(place)
    if real != inside and not real.startswith(f"{inside}/"):
        raise PermissionError(errno.EACCES, "a link leads out of the directory")


@contextlib.contextmanager
def _translate_os_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        failure = DISK_FULL if error.errno in DISK_FULL_ERRNOS else ENGINE_REFUSED
        raise LambdapackError(failure, f"{what}: {error.strerror or error}") from error


def directory_chunks(directory: Path) -> Iterator[bytes]:
    """Yield the bytes of a tar of what lies in a directory, in byte order; sockets, pipes and devices are left out."""
    for path, status in _walk(directory, ""):
        member = tarfile.TarInfo(path)
        member.mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            member.type, member.linkname = tarfile.SYMTYPE, str((directory / path).readlink())
        elif stat.S_ISDIR(status.st_mode):
            member.type = tarfile.DIRTYPE
        else:
            member.size = status.st_size
        yield member.tobuf(tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")
        if member.isreg():
            yield from _file_chunks(directory / path, member.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _walk(directory: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    for name in sorted(os.listdir(directory / prefix), key=os.fsencode):  # noqa: PTH208  # names alone
        path = f"{prefix}/{name}" if prefix else name
        status = os.lstat(directory / path)
        if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode):
            yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(directory, path)


def _file_chunks(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left and (chunk := file.read(min(left, 1024 * 1024))):
            left -= len(chunk)
            yield chunk
    yield bytes(left + (-size % tarfile.BLOCKSIZE))
