"""Watches what a run reads, writes and prints, and leaves a record from which the next run may repeat it.

The interpreter's own audit events tell of every file that is opened and every directory that is listed, whoever asks
for it: a reader that is added tomorrow is seen as well.
"""

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import lambdapack
from lambdapack.cli.unchanged.place import (
    BYTECODE_DIRECTORY,
    bytes_digest,
    command_signature,
    is_repeatable,
    names_digest,
    record_path,
    user_cache_directory,
)
from lambdapack.cli.unchanged.replay import write_record
from lambdapack.engine.container import current_owner
from lambdapack.engine.known.deferred import DeferredEngine
from lambdapack.model import NODE_MODULES
from lambdapack.pipeline.scratch import SCRATCH_PREFIX
from lambdapack.project.repository import LOCKFILE_MANAGERS
from lambdapack.project.template import SAM_NAMES, SERVERLESS_NAMES
from lambdapack.tree.identity import SETTLED_NANOSECONDS, file_identity, is_settled

MAX_YOUNG_BYTES: Final = 32 * 1024**2
"""Bytes of files that are too young for their times to tell: they are compared by content until they are older."""

OUTPUT_SETTLE_SECONDS: Final = 0.02
"""Seconds after which a further write shows in a file's times: two ticks of Linux' coarse clock at 100 Hz."""

MAX_RECORDS: Final = 200
"""Records of a cache directory; the oldest are deleted."""

PROBED_NAMES: Final = (
    *(*LOCKFILE_MANAGERS, *SAM_NAMES, *SERVERLESS_NAMES, "package.json", "pnpm-workspace.yaml", "lambdapack.toml"),
    *(".npmrc", ".yarnrc.yml", ".git"),
)
"""Names that are looked for in the directories above a project, and whose appearance would change a run."""

SYSTEM_PATHS: Final = ("/proc/", "/sys/", "/dev/")


@dataclass  # without slots, for the cached property
class RunRecorder:
    """What one run did so far."""

    argv: Sequence[str]
    started: int = field(default_factory=time.time_ns)
    listed: dict[str, list[str]] = field(default_factory=dict)  # directory -> names, when it was first looked at
    scanned: set[str] = field(default_factory=set)  # directories all of whose files count
    opened: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    engines: list[DeferredEngine] = field(default_factory=list)
    printed: dict[str, list[str]] = field(default_factory=lambda: {"stdout": [], "stderr": []})
    is_broken: bool = False  # something cannot be repeated
    is_over: bool = False

    def note_text(self, stream: str, text: str) -> None:
        """Keep what is printed."""
        self.printed[stream].append(text)

    def note_output(self, path: Path) -> None:
        """Keep a file that the run writes: it has to be there the next time as it is at the end."""
        self.outputs.add(os.path.abspath(path))

    @cached_property
    def _busy_directories(self) -> frozenset[str]:
        """Directories in which files come and go, or which imports list, unless the run is about one of them."""
        busy = {os.path.abspath(tempfile.gettempdir()), os.path.expanduser("~"), *map(os.path.abspath, sys.path)}
        return frozenset(busy - {os.getcwd(), *(os.path.abspath(word) for word in self.argv[1:])})

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event of the interpreter."""
        if self.is_over or event not in {"open", "os.scandir", "os.listdir"}:
            return
        path = arguments[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):
            return
        if event != "open":
            self._note_directory(os.path.abspath(path or "."), scanned=event == "os.scandir")
        elif not _is_writing(arguments[1], arguments[2]):
            path = os.path.abspath(path)
            self.opened.add(path)
            self._note_directory(os.path.dirname(path), scanned=False)

    def _note_directory(self, path: str, *, scanned: bool) -> None:
        if scanned:
            self.scanned.add(path)
        if path not in self.listed and path not in self._busy_directories and not _is_unwatched(path):
            self.listed[path] = []  # the listing below is an event, too
            with suppress(OSError):
                self.listed[path] = os.listdir(path)

    def add_engine(self, engine: DeferredEngine) -> None:
        """Keep an engine, whose images have to be the same the next time."""
        self.engines.append(engine)

    def save(self, code: int) -> None:
        """Leave a record if the run can be repeated from it; a failure of that costs the next run its speed alone."""
        self.is_over = True
        path = record_path(self.argv, os.environ)
        if self.is_broken or code not in REPEATABLE_CODES[self.argv[0]] or not path:
            return
        with suppress(OSError):
            record = self._make_record(code)
            if record is not None:
                Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_record(path, record)
                _delete_old_records(Path(path).parent)

    def _make_record(self, code: int) -> dict[str, Any] | None:
        if any(engine.has_unasked_images for engine in self.engines):
            return None
        images = {used.reference: used for engine in self.engines for used in engine.used.values()}
        inputs = _RecordedInputs(self.started + _clock_skew(self.outputs), self.outputs)
        for directory in sorted(self.listed):
            if not inputs.add_directory(directory, self.listed[directory], whole=directory in self.scanned):
                return None
        for opened in sorted(self.opened):
            inputs.add_file(opened)
        for probed in _probed_paths(self.argv):
            inputs.add_probe(probed)
        for directory in _program_directories():
            inputs.add_directory(directory, os.listdir(directory), whole=directory.startswith(PACKAGE))
        inputs.add_outputs()
        if inputs.is_racing:
            return None
        return {
            "signature": command_signature(self.argv, os.environ),
            "code": code,
            "images": [[used.socket, used.reference, used.identity] for used in images.values()],
            "stdout": "".join(self.printed["stdout"]),
            "stderr": "".join(self.printed["stderr"]),
            **inputs.to_document(),
        }


REPEATABLE_CODES: Final = {"build": {0}, "verify": {0, 1}}
"""Exit codes of runs that say the same again: a verdict, and a build that wrote its archives."""

PACKAGE: Final = os.path.dirname(os.path.abspath(lambdapack.__file__))

LIBRARY_DIRECTORIES: Final = frozenset(("site-packages", "dist-packages"))


@cache
def _unwatched_beginnings() -> tuple[str, ...]:
    """Return the beginnings of paths that are the interpreter's, this program's, or of this run alone."""
    me = current_owner()
    directories = (
        PACKAGE,
        os.path.dirname(os.path.abspath(os.__file__)),
        *(path for path in sys.path if os.path.basename(path) in {*LIBRARY_DIRECTORIES, "lib-dynload"}),
        *filter(None, (user_cache_directory(os.environ),)),
    )
    scratch = os.path.join(os.path.abspath(tempfile.gettempdir()), f"{SCRATCH_PREFIX}{me.host}-{me.pid}-")
    return (*SYSTEM_PATHS, scratch, *(f"{directory}/" for directory in directories))


def _is_unwatched(path: str) -> bool:
    return f"{path}/".startswith(_unwatched_beginnings())


class _RecordedInputs:
    """Files and directories with their identities, as a record has them."""

    def __init__(self, started: int, outputs: set[str]) -> None:
        self._started = started
        self._now = time.time_ns()
        self._outputs = outputs
        self._files: dict[str, dict[str, list[str]]] = {}
        self._directories: dict[str, list[str]] = {}
        self._absent: set[str] = set()
        self._young_bytes = 0
        self.is_racing = False  # something changed while the run read it

    def add_directory(self, path: str, before: Sequence[str], *, whole: bool) -> bool:
        """Add a directory, and all files in it if they are `whole`; False when its names changed during the run."""
        try:
            status, names = os.lstat(path), os.listdir(path)
        except OSError:
            self._absent.add(path)
            return not before
        made = {output[len(path) + 1 :].partition("/")[0] for output in self._outputs if output.startswith(f"{path}/")}
        if (set(before) ^ set(names)) - made:
            return False
        identity = file_identity(status)
        self._directories[path] = [identity if is_settled(identity, self._now) else "", names_digest(names)]
        for name in names if whole else ():
            self.add_file(f"{path}/{name}")
        return True

    def add_file(self, path: str) -> None:
        """Add a file by its identity; by its bytes where it is too young for that. Directories are added elsewhere."""
        if path in self._outputs or (_is_unwatched(path) and not path.startswith(f"{PACKAGE}/")):
            return
        directory, name = os.path.split(path)
        if os.path.basename(directory) == BYTECODE_DIRECTORY:  # the interpreter makes it from what counts here, as now
            return
        try:
            status = os.lstat(path)
        except OSError:
            self._absent.add(path)
            return
        if stat.S_ISDIR(status.st_mode) and name != NODE_MODULES:
            return
        if stat.S_ISLNK(status.st_mode) and (real := os.path.realpath(path)) != path:
            self.add_file(real)
        identity, young = file_identity(status), ""
        if max(status.st_ctime_ns, status.st_mtime_ns) >= self._started:
            self.is_racing = self.is_racing or not stat.S_ISDIR(status.st_mode)
        if not is_settled(identity, self._started) and stat.S_ISREG(status.st_mode):
            self._young_bytes += status.st_size
            self.is_racing = self.is_racing or self._young_bytes > MAX_YOUNG_BYTES
            young = "" if self.is_racing else bytes_digest(path)
        self._files.setdefault(directory, {})[name] = [identity, young]

    def add_probe(self, path: str) -> None:
        """Add a file that may be looked for without being opened."""
        if os.path.dirname(path) not in self._directories:
            self.add_file(path)

    def add_outputs(self) -> None:
        """Add what the run wrote, once a further write would show in its times."""
        newest = max((os.lstat(path).st_ctime_ns for path in self._outputs), default=0)
        time.sleep(min(OUTPUT_SETTLE_SECONDS, max(0.0, (newest - time.time_ns()) / 1e9 + OUTPUT_SETTLE_SECONDS)))
        for path in sorted(self._outputs):
            directory, name = os.path.split(path)
            identity = file_identity(os.lstat(path))
            self._files.setdefault(directory, {})[name] = [identity, "" if identity else bytes_digest(path)]

    def to_document(self) -> dict[str, Any]:
        """Return the rows as JSON values."""
        files = {path: [[name, *row] for name, row in rows.items()] for path, rows in self._files.items()}
        directories = [[path, *row] for path, row in self._directories.items()]
        return {"files": files, "directories": directories, "absent": sorted(self._absent)}


def _is_writing(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wxa+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _clock_skew(outputs: set[str]) -> int:
    """Return by how many nanoseconds the clock of the file system is behind ours: that of a server may be."""
    newest = max((os.lstat(path).st_mtime_ns for path in outputs), default=0)
    behind = newest - time.time_ns() if newest else 0
    return min(0, behind + SETTLED_NANOSECONDS)


def _probed_paths(argv: Sequence[str]) -> Iterator[str]:
    """Yield what is looked for above the working directory and above every path of the command line."""
    places = {os.getcwd(), *(os.path.abspath(word) for word in argv[1:] if os.path.lexists(word))}
    directories = {str(parent) for place in places for parent in (Path(place), *Path(place).parents)}
    yield from (os.path.join(directory, name) for directory in sorted(directories) for name in PROBED_NAMES)
    yield os.path.expanduser("~/.npmrc")


def _program_directories() -> Iterator[str]:
    """Yield this program's own directories, and where its dependencies are: an upgrade renames something there."""
    yield from (directory for directory, _, _ in os.walk(PACKAGE) if not directory.endswith(BYTECODE_DIRECTORY))
    yield from (path for path in sys.path if os.path.basename(path) in LIBRARY_DIRECTORIES)


def _delete_old_records(directory: Path) -> None:
    records = sorted(directory.glob("*"), key=lambda path: path.stat().st_mtime)
    for path in records[:-MAX_RECORDS]:
        path.unlink(missing_ok=True)


_active: list[RunRecorder] = []


def start_recording(argv: Sequence[str]) -> RunRecorder | None:
    """Watch this run from now on; None when it could not be repeated anyway. Once in a process: hooks stay."""
    if _active or not is_repeatable(argv) or not user_cache_directory(os.environ):
        return None
    recorder = RunRecorder(argv)
    _active.append(recorder)
    sys.addaudithook(recorder.audit)
    return recorder


def current_recorder() -> RunRecorder | None:
    """Return what watches this run, None when nothing does."""
    return next((recorder for recorder in _active if not recorder.is_over), None)


def run_recorded(argv: Sequence[str]) -> int:
    """Run a command and return its exit code; leave a record of it for the next run."""
    recorder = start_recording(argv)
    from lambdapack.cli.app import run_command  # noqa: PLC0415  # after the hook, and it takes its time
    from lambdapack.cli.output import console  # noqa: PLC0415

    if recorder is None:
        return run_command(argv)
    console.listeners.append(recorder.note_text)
    try:
        code = run_command(argv)
        recorder.save(code)
    finally:
        recorder.is_over = True
        console.listeners.remove(recorder.note_text)
    return code


@contextmanager
def unrecorded_notes() -> Iterator[None]:
    """Enclose work whose notes are about this run alone: what it waits for, installs, or cannot reach."""
    recorder = current_recorder()
    if recorder is None:
        yield
        return
    kept = {stream: list(texts) for stream, texts in recorder.printed.items()}
    try:
        yield
    finally:
        recorder.printed = kept


def record_outcome(outputs: Iterable[Path], *, is_default_cache: bool) -> None:
    """Tell what watches this run which files it wrote; nothing is kept where settings move the cache."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.is_broken = recorder.is_broken or not is_default_cache
        for path in outputs:
            recorder.note_output(path)


def record_engine(engine: DeferredEngine) -> None:
    """Tell what watches this run of an engine whose images it uses."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.add_engine(engine)
