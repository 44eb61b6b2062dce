"""A running container: copies trees, runs commands within limits, reads tar streams. Never makes or removes one."""

import contextlib
import errno
import itertools
import math
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from lambdapack.engine.container import gate_command
from lambdapack.engine.daemon import Daemon, NotFoundError, NotRunningError
from lambdapack.engine.interface import Command, CommandResult, Image, Limits, SandboxSpec, Stream
from lambdapack.engine.wire import FrameReader, Wire, read_frames
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED, TOO_LONG
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT, TOO_LARGE
from lambdapack.events import Advance, Observer
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import tar_chunks

LINE_BYTES = 64
"""What a line costs whoever stores and shows it, however short it is."""

MAX_COPIED_BYTES = 2 * 1024**3
"""Bytes of a directory that is copied out: eight times what Lambda unpacks, for what is pruned afterwards."""

TAIL_LINES = 20
"""Lines of output remembered to explain a command that had to be stopped."""


WORKING_CPU_SHARE = 0.25
"""Share of one processor from which a silent command counts as working: a compiler takes 1, a wait next to nothing."""


class Watchdog:
    """Two clocks over one command."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        """Start both clocks."""
        self._limits = limits
        self._clock = clock
        self._begun = self._heard = clock()
        self._logged = 0
        self._looked: tuple[float, float] | None = None  # when the CPU time was read in this silence, and what it was

    def restart_silence(self) -> None:
        """Start the clock of silence again."""
        self._heard = self._clock()
        self._looked = None

    def observe_cpu(self, read_cpu_seconds: Callable[[], float | None]) -> None:
        """Read the CPU time once in each silence, at half of it: nobody asks while there is output."""
        if self._looked is None and self._clock() - self._heard >= self._limits.silence_seconds / 2:
            used = read_cpu_seconds()
            self._looked = (self._clock(), math.inf if used is None else used)

    def excuses(self, read_cpu_seconds: Callable[[], float | None]) -> bool:
        """Start the clock of silence again for a command that computes: some compilers print nothing for long.

        False for one that waits, or whose time is over anyway.
        """
        if self._looked is None or self._clock() - self._begun >= self._limits.wall_seconds:
            return False
        since, before = self._looked
        used = (read_cpu_seconds() or 0.0) - before
        if used < WORKING_CPU_SHARE * (self._clock() - since):
            return False
        self.restart_silence()
        return True

    def count_output(self, data: bytes) -> None:
        """Count output against its limit and start the clock of silence again; a line counts as LINE_BYTES at least."""
        self._logged += len(data) + (LINE_BYTES - 1) * data.count(b"\n")
        self.restart_silence()

    @property
    def remaining(self) -> float:
        """Seconds until one of the limits is reached, not below 0."""
        now = self._clock()
        wall = self._begun + self._limits.wall_seconds - now
        silence = self._heard + self._limits.silence_seconds - now
        return max(0.0, min(wall, silence))

    @property
    def tripped(self) -> str:
        """Which limit was reached, in words; "" while there is none."""
        now = self._clock()
        if now - self._begun >= self._limits.wall_seconds:
            return f"it ran longer than {self._limits.wall_seconds:g} s (LAMBDAPACK_TIME_LIMIT)"
        if now - self._heard >= self._limits.silence_seconds:
            seconds = f"{self._limits.silence_seconds:g} s"
            return f"it printed nothing for {seconds} and the CPU was idle (LAMBDAPACK_SILENCE_LIMIT)"
        if self._logged > self._limits.log_bytes:
            return f"it printed more than {self._limits.log_bytes} bytes (LAMBDAPACK_LOG_LIMIT)"
        return ""


class OutputTail:
    """The last lines of what a command printed."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take output as it comes, cut anywhere."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-4096:]
        self._lines.extend(line.decode("utf-8", "replace").rstrip() for line in lines[-TAIL_LINES:])

    def __str__(self) -> str:
        rest = self._rest.decode("utf-8", "replace").rstrip()
        return "\n".join((*self._lines, rest) if rest else self._lines)


DISK_FULL_ERRNOS = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG))


def write_spool(chunks: Iterator[bytes], spool: Path, advance: Advance, most: int | None = None) -> None:
    """Write all chunks to `spool`; on any way out but success the file is removed again. LP106 on a full disk.

    LP019 when there are more than `most` bytes.
    """
    try:
        _copy_chunks(_bounded(chunks, most) if most else chunks, spool, advance)
    except BaseException:
        spool.unlink(missing_ok=True)
        raise


def _bounded(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            detail = f"what the install made has more than {most} bytes; Lambda unpacks 262144000 (LP302)"
            hint = "Find what writes it: `lambdapack build --keep-container` leaves the container there."
            raise LambdapackError(TOO_LARGE, detail, hint=hint)
        yield chunk


def _copy_chunks(chunks: Iterator[bytes], spool: Path, advance: Advance) -> None:
    try:
        with spool.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                advance(len(chunk))
    except OSError as error:
        failure = DISK_FULL if error.errno in DISK_FULL_ERRNOS else OUTPUT
        hint = f"Make room in {tempfile.gettempdir()}, or point TMPDIR elsewhere."
        raise LambdapackError(failure, f"{spool}: {error.strerror or error}", hint=hint) from error


OUTPUT_TICK_SECONDS = 0.5
"""How long a wait for output lasts at most: Windows delivers Ctrl-C only between waits."""

SETTLE_SECONDS = 10.0
"""How long the engine may take to tell an exit code after the output has ended."""

FATAL_SIGNALS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 24, 25, 31))
"""Signals of Linux that kill programs in practice. SIGALRM is not one: Lambda's entrypoint exits 142 by itself."""

NEVER_STARTED_CODES = frozenset((126, 127))
"""Exit codes of a command that could not be started, also when that is because the container had ended."""

OOM_COUNTERS = ("cat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Where cgroup v2 and v1 count the processes that the kernel killed for want of memory."""

CPU_COUNTERS = ("cat", "/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpuacct/cpuacct.usage")
"""Where cgroup v2 and v1 keep the CPU time of the container: `usage_usec N`, and nanoseconds alone."""

WRITE_SECRETS_SCRIPT = 'umask 077; while [ $# -gt 0 ]; do head -c "$2" > "$1"; shift 2; done'
"""Cuts standard input into files by their lengths; head of coreutils reads no byte more than it is told to."""

END_PROCESSES_SCRIPT = """
tries=200
while kill -s KILL -- -1 2>/dev/null; [ $tries -gt 0 ]; do
  left=0
  for process in /proc/[0-9]*; do
    if [ -O "$process" ] && [ "${process#/proc/}" != $$ ] && read -r line 2>/dev/null < "$process/stat"; then
      case "${line##*) }" in [ZX]*) ;; *) left=1 ;; esac
    fi
  done
  [ $left = 0 ] && exit 0
  tries=$((tries - 1)); sleep 0.05
done
exit 1
"""
"""Kills all that a user may signal, but itself, until only what is dead already is left of it (kill(2), "pid equals
-1"). Only ever run inside a container, whose process numbers are its own."""

ROOT_USER = (0, 0)


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

    def put(self, tree: Tree, at: str, *, owner: tuple[int, int] = ROOT_USER) -> None:
        """Copy a tree below `at`, which belongs to `owner` afterwards; below a volume its contents do.

        Root without capabilities cannot chown: an entry of the tar stream, unpacked by the engine, can. It is unpacked
        at the root, since Docker refuses symlinks that leave the directory it unpacks in; where the root is read-only
        it can be unpacked in a volume only.
        """
        directory = str(_absolute_path(at))
        top, prefix = "/", directory.strip("/")
        if self._spec.read_only:
            self._make_directory(directory)
            top, prefix = directory, ""
        with self._translated():
            self._daemon.upload(self._container, top, tar_chunks(tree, prefix, owner))

    def secrets(self, files: Mapping[str, bytes]) -> None:
        """Write files to the tmpfs. Bytes travel as standard input: never in an argument or a layer."""
        for path in files:
            if not self._spec.secrets or PurePosixPath(self._spec.secrets) not in _absolute_path(path).parents:
                raise ValueError(f"{path} is not below the directory for secrets")
        places = [word for path, data in files.items() for word in (path, str(len(data)))]
        self._own(
            "write secrets", "/bin/sh", "-ec", WRITE_SECRETS_SCRIPT, "secrets", *places, stdin=b"".join(files.values())
        )

    def run(self, command: Command, stream: Stream) -> CommandResult:
        """Run to the end. A limit that is reached kills the whole container, and is LP116 with the last lines."""
        code = self._listen(command, stream, Watchdog(self._spec.limits))
        signal = code - 128 if code - 128 in FATAL_SIGNALS else None
        return CommandResult(code, signal, out_of_memory=code != 0 and self._out_of_memory())

    def end_processes(self, user: str) -> None:
        """Kill what earlier commands of a user left running, and return when none of it runs. LP107."""
        if user.partition(":")[0] in {"", "0", "root"}:
            raise ValueError("root's processes are the sandbox itself")
        self._own("end processes", "/bin/sh", "-c", END_PROCESSES_SCRIPT, user=user)

    def get(self, path: str, spool: Path, observer: Observer) -> None:
        """Write the tar stream of a directory; its names are relative to it ("a" or "./a": engines differ)."""
        with (
            self._translated(),
            observer.task(f"Copying {path} out of the sandbox", None, "B") as advance,
            self._daemon.download(self._container, f"{_absolute_path(path)}/.") as chunks,
        ):
            write_spool(chunks, spool, advance, MAX_COPIED_BYTES)

    def _make_directory(self, path: str) -> None:
        if path not in self._directories:
            self._own(f"make {path}", "mkdir", "-p", "--", path)
            self._directories.add(path)

    def _own(self, doing: str, *argv: str, stdin: bytes = b"", user: str = "0:0") -> bytes:
        """Run a command of ours and return what it printed; LP107 when it fails."""
        said: list[bytes] = []
        limits = Limits(wall_seconds=120, silence_seconds=120)
        code = self._listen(
            Command(argv, stdin=stdin, user=user), lambda _source, data: said.append(data), Watchdog(limits)
        )
        output = b"".join(said)
        if code:
            words = output.decode("utf-8", "replace").strip()
            raise LambdapackError(ENGINE_REFUSED, f"cannot {doing} in the container: {words or f'exit code {code}'}")
        return output

    def _listen(self, command: Command, stream: Stream, watchdog: Watchdog) -> int:
        with self._translated():
            execution, wire = self._daemon.execute(self._container, gate_command(tuple(command.argv)), command)
            with contextlib.closing(FrameReader(wire)) as pump:
                pump.send(b"%d\n%b" % (len(command.stdin), command.stdin))
                self._pass_on(pump, stream, watchdog, command.name)
            code = self._exit_code(execution)
            if code in NEVER_STARTED_CODES and self._daemon.state(self._container) != "running":
                raise NotRunningError("it ended before the command could start")
            return code

    def _pass_on(self, pump: FrameReader, stream: Stream, watchdog: Watchdog, name: str) -> None:
        tail = OutputTail()
        for frame in pump.ticks(lambda: min(watchdog.remaining, OUTPUT_TICK_SECONDS)):
            if frame is not None:
                watchdog.count_output(frame[1])
                tail.feed(frame[1])
                stream(*frame)
            watchdog.observe_cpu(self._cpu_seconds)
            if (limit := watchdog.tripped) and not watchdog.excuses(self._cpu_seconds):
                self._daemon.kill(self._container)
                last = f"; its last lines:\n{tail}" if str(tail) else "; it printed nothing"
                raise LambdapackError(TOO_LONG, f"`{name}` was stopped: {limit}{last}")

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
        before, self._oom_kills = self._oom_kills, _count_oom_kills(self._read_counters(OOM_COUNTERS))
        return self._oom_kills > before

    def _cpu_seconds(self) -> float | None:
        """Return the CPU time that the container has used, None where its kernel does not say."""
        return _parse_cpu_seconds(self._read_counters(CPU_COUNTERS))

    def _read_counters(self, argv: tuple[str, ...]) -> bytes:
        """Return what files of the container's cgroup hold; one that is not there is left out."""
        said: list[bytes] = []

        def take(source: str, data: bytes) -> None:
            if source == "stdout":
                said.append(data)

        with contextlib.suppress(LambdapackError):
            self._listen(Command(argv), take, Watchdog(Limits(wall_seconds=30, silence_seconds=30)))
        return b"".join(said)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except NotRunningError as error:
            raise LambdapackError(
                ENGINE_LOST, f"the container is not running: {self._last_words() or error}"
            ) from error
        except NotFoundError as error:
            raise self._not_there(str(error)) from error

    def _not_there(self, words: str) -> LambdapackError:
        if self._daemon.state(self._container) == "running":
            return LambdapackError(ENGINE_REFUSED, words)
        return LambdapackError(ENGINE_LOST, f"the container is not running: {self._last_words() or words}")

    def _last_words(self) -> str:
        """Return what the main process printed; without an emulator that is the only explanation there is."""
        self._wire.patience(2.0)
        return b"".join(data for _, data in read_frames(self._wire.receive)).decode("utf-8", "replace").strip()


def _absolute_path(path: str) -> PurePosixPath:
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path} is not an absolute path in a sandbox")
    return pure


def _parse_cpu_seconds(counters: bytes) -> float | None:
    """Return the seconds behind `usage_usec`, or those of a number alone; None without either."""
    for line in counters.splitlines():
        key, _, value = line.rpartition(b" ")
        if key in {b"", b"usage_usec"} and value.isdigit():
            return int(value) / (1e6 if key else 1e9)
    return None


def _count_oom_kills(counters: bytes) -> int:
    """Return the number behind `oom_kill`, 0 when the kernel counts nothing."""
    fields = counters.split()
    return sum(int(value) for key, value in itertools.pairwise(fields) if key == b"oom_kill" and value.isdigit())
