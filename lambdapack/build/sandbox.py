"""An open container. Never makes or removes one: that is containers.py."""

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from lambdapack.build import spool as spooling
from lambdapack.build.container import gate
from lambdapack.build.daemon import Daemon, NotRunningError, NotThereError
from lambdapack.build.engine import Command, Completed, Image, Limits, SandboxSpec, Stream
from lambdapack.build.frames import frames
from lambdapack.build.watchdog import Tail, Watchdog
from lambdapack.build.wire import Pump, Wire
from lambdapack.errors import ENGINE_LOST, ENGINE_REFUSED, TOO_LONG, LambdapackError
from lambdapack.events import Observer
from lambdapack.tree.entry import Tree
from lambdapack.tree.stream import tar_chunks

TICK_SECONDS = 0.5
"""How long a wait for output lasts at most: Windows delivers Ctrl-C only between waits."""

SETTLE_SECONDS = 10.0
"""How long the engine may take to tell an exit code after the output has ended."""

DEADLY = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 24, 25, 31))
"""Signals of Linux that kill programs in practice. SIGALRM is not one: Lambda's entrypoint exits 142 by itself."""

NEVER_STARTED = frozenset((126, 127))
"""Exit codes of a command that could not be started, also when that is because the container had ended."""

OOM_COUNTERS = ("cat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Where cgroup v2 and v1 count the processes that the kernel killed for want of memory."""

WRITE_PRIVATELY = 'umask 077; while [ $# -gt 0 ]; do head -c "$2" > "$1"; shift 2; done'
"""Cuts standard input into files by their lengths; head of coreutils reads no byte more than it is told to."""

ROOT = (0, 0)


class ContainerSandbox:
    """A running container whose main process holds on to our connection."""

    def __init__(self, daemon: Daemon, container: str, wire: Wire, spec: SandboxSpec, image: Image) -> None:
        """Take over a started container; dropping `wire` ends it."""
        self._daemon = daemon
        self._container = container
        self._wire = wire
        self._spec = spec
        self._image = image
        self._oom_kills = 0
        self._directories = {"/", *spec.writable}

    @property
    def image(self) -> Image:
        """The image that it was made from."""
        return self._image

    @property
    def native(self) -> bool:
        """True when the engine's own CPU is the sandbox's."""
        return self._image.architecture is self._daemon.about.architecture

    def put(self, tree: Tree, at: str, *, owner: tuple[int, int] = ROOT) -> None:
        """Copy a tree below `at`, which belongs to `owner` afterwards; below a volume its contents do.

        Root without capabilities cannot chown: an entry of the tar stream, unpacked by the engine, can. It is unpacked
        at the root, since Docker refuses symlinks that leave the directory it unpacks in; where the root is read-only
        it can be unpacked in a volume only.
        """
        directory = str(_absolute(at))
        top, prefix = "/", directory.strip("/")
        if self._spec.read_only:
            self._make_directory(directory)
            top, prefix = directory, ""
        with self._translated():
            self._daemon.upload(self._container, top, tar_chunks(tree, prefix, owner))

    def secrets(self, files: Mapping[str, bytes]) -> None:
        """Write files to the tmpfs. Bytes travel as standard input: never in an argument or a layer."""
        for path in files:
            if not self._spec.secrets or PurePosixPath(self._spec.secrets) not in _absolute(path).parents:
                raise ValueError(f"{path} is not below the directory for secrets")
        places = [word for path, data in files.items() for word in (path, str(len(data)))]
        self._own(
            "write secrets", "/bin/sh", "-ec", WRITE_PRIVATELY, "secrets", *places, stdin=b"".join(files.values())
        )

    def run(self, command: Command, stream: Stream) -> Completed:
        """Run to the end. A limit that is reached kills the whole container, and is LP116 with the last lines."""
        code = self._listen(command, stream, Watchdog(self._spec.limits))
        signal = code - 128 if code - 128 in DEADLY else None
        return Completed(code, signal, out_of_memory=code != 0 and self._out_of_memory())

    def get(self, path: str, spool: Path, observer: Observer) -> None:
        """Write the tar stream of a directory; its names are relative to it ("a" or "./a": engines differ)."""
        with (
            self._translated(),
            observer.task(f"Copying {path} out of the sandbox", None, "B") as advance,
            self._daemon.download(self._container, f"{_absolute(path)}/.") as chunks,
        ):
            spooling.write(chunks, spool, advance)

    def _make_directory(self, path: str) -> None:
        if path not in self._directories:
            self._own(f"make {path}", "mkdir", "-p", "--", path)
            self._directories.add(path)

    def _own(self, doing: str, *argv: str, stdin: bytes = b"") -> bytes:
        """Run a command of ours and return what it printed; LP107 when it fails."""
        said: list[bytes] = []
        limits = Limits(wall_seconds=120, silence_seconds=120)
        code = self._listen(Command(argv, stdin=stdin), lambda _source, data: said.append(data), Watchdog(limits))
        output = b"".join(said)
        if code:
            words = output.decode("utf-8", "replace").strip()
            raise LambdapackError(ENGINE_REFUSED, f"cannot {doing} in the container: {words or f'exit code {code}'}")
        return output

    def _listen(self, command: Command, stream: Stream, watchdog: Watchdog) -> int:
        with self._translated():
            execution, wire = self._daemon.execute(self._container, gate(tuple(command.argv)), command)
            with contextlib.closing(Pump(wire)) as pump:
                pump.send(b"%d\n%b" % (len(command.stdin), command.stdin))
                self._pass_on(pump, stream, watchdog, tuple(command.argv))
            code = self._exit_code(execution)
            if code in NEVER_STARTED and self._daemon.state(self._container) != "running":
                raise NotRunningError("it ended before the command could start")
            return code

    def _pass_on(self, pump: Pump, stream: Stream, watchdog: Watchdog, argv: tuple[str, ...]) -> None:
        tail = Tail()
        for frame in pump.ticks(lambda: min(watchdog.remaining, TICK_SECONDS)):
            if frame is not None:
                watchdog.heard()
                tail.feed(frame[1])
                stream(*frame)
            if limit := watchdog.tripped:
                self._daemon.kill(self._container)
                last = f"; its last lines:\n{tail}" if str(tail) else "; it printed nothing"
                raise LambdapackError(TOO_LONG, f"`{' '.join(argv[:3])}` was stopped: {limit}{last}")

    def _exit_code(self, execution: str) -> int:
        until = time.monotonic() + SETTLE_SECONDS
        for pause in itertools.chain((0.005, 0.02, 0.05), itertools.repeat(0.2)):
            code = self._daemon.exit_code(execution)
            if code is not None:
                return code
            if time.monotonic() > until:
                break
            time.sleep(pause)
        raise LambdapackError(ENGINE_LOST, "the connection to a command broke while it ran")

    def _out_of_memory(self) -> bool:
        """Tell whether the kernel killed anything since the last question. The exit code alone does not say."""
        said: list[bytes] = []
        limits = Limits(wall_seconds=30, silence_seconds=30)
        with contextlib.suppress(LambdapackError):
            self._listen(Command(OOM_COUNTERS), lambda _source, data: said.append(data), Watchdog(limits))
        before, self._oom_kills = self._oom_kills, _oom_kills(b"".join(said))
        return self._oom_kills > before

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except NotRunningError as error:
            raise LambdapackError(
                ENGINE_LOST, f"the container is not running: {self._last_words() or error}"
            ) from error
        except NotThereError as error:
            raise self._not_there(str(error)) from error

    def _not_there(self, words: str) -> LambdapackError:
        if self._daemon.state(self._container) == "running":
            return LambdapackError(ENGINE_REFUSED, words)
        return LambdapackError(ENGINE_LOST, f"the container is not running: {self._last_words() or words}")

    def _last_words(self) -> str:
        """Return what the main process printed; without an emulator that is the only explanation there is."""
        self._wire.patience(2.0)
        return b"".join(data for _, data in frames(self._wire.receive)).decode("utf-8", "replace").strip()


def _absolute(path: str) -> PurePosixPath:
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path} is not an absolute path in a sandbox")
    return pure


def _oom_kills(counters: bytes) -> int:
    """Return the number behind `oom_kill`, 0 when the kernel counts nothing."""
    fields = counters.split()
    return sum(int(value) for key, value in itertools.pairwise(fields) if key == b"oom_kill" and value.isdigit())
