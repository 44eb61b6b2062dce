"""Runs a program of this host to its end, within limits, and leaves nothing of it behind."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lambdapack.engine.interface import CommandResult, Limits, Stream
from lambdapack.engine.sandbox import OutputTail, Watchdog
from lambdapack.errors.build import ENGINE_REFUSED, TOO_LONG
from lambdapack.errors.record import LambdapackError

TICK_SECONDS = 0.5
"""How long a wait for output lasts at most."""

CHUNK_BYTES = 64 * 1024

KILL_SECONDS = 10.0
"""How long a killed process may take to end."""


class LocalProcess:
    """One running program with its children, which are a process group of their own."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, limits: Limits, name: str) -> None:
        """Start it. LP107 where that cannot be done."""
        self._limits, self._name = limits, name
        try:
            self._process = subprocess.Popen(  # a command of the install, as it is asked for
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise LambdapackError(ENGINE_REFUSED, f"cannot start {argv[0]}: {error.strerror or error}") from error

    def finish(self, stdin: bytes, stream: Stream) -> CommandResult:
        """Feed it, pass on what it prints, and return how it ended. LP116 for a limit that is reached."""
        process = self._process
        feeder = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
        feeder.start()
        try:
            self._pass_on(stream)
            code = process.wait()
        finally:
            self.kill()
        return CommandResult(code if code >= 0 else 128 - code, _signal_of(code))

    def kill(self) -> None:
        """End it and all its children, whatever state they are in."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_SECONDS)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _pass_on(self, stream: Stream) -> None:
        watchdog, tail = Watchdog(self._limits), OutputTail()
        with selectors.DefaultSelector() as pipes:
            for pipe, source in ((self._process.stdout, "stdout"), (self._process.stderr, "stderr")):
                if pipe is not None:
                    pipes.register(pipe, selectors.EVENT_READ, source)
            while pipes.get_map():
                for key, _events in pipes.select(min(watchdog.remaining, TICK_SECONDS)):
                    data = os.read(key.fd, CHUNK_BYTES)
                    if not data:
                        pipes.unregister(key.fileobj)
                        continue
                    watchdog.count_output(data)
                    tail.feed(data)
                    stream(key.data, data)
                if self._process.poll() is not None and not pipes.select(0):
                    return  # a child that outlived it holds the pipes: it ends with the group
                watchdog.observe_cpu(self.cpu_seconds)
                if (limit := watchdog.tripped) and not watchdog.excuses(self.cpu_seconds):
                    last = f"; its last lines:\n{tail}" if str(tail) else "; it printed nothing"
                    raise LambdapackError(TOO_LONG, f"`{self._name}` was stopped: {limit}{last}")

    def cpu_seconds(self) -> float | None:
        """Return the CPU time of the program and its children, None where this host does not say."""
        return _cpu_seconds(self._process.pid)


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.write(data)
        with contextlib.suppress(OSError):
            pipe.close()


def _signal_of(code: int) -> int | None:
    """Return the signal behind an exit code: Popen's own are negative, a shell's and bubblewrap's are above 128."""
    if code < 0:
        return -code
    return code - 128 if 128 < code <= 128 + signal.NSIG else None


def _cpu_seconds(pid: int) -> float | None:
    """Return the CPU seconds of a process and all that descend from it, ended ones included (proc(5), stat)."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (directory / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(directory.name))
            ticks[int(directory.name)] = sum(int(field) for field in fields[11:15])
    if pid not in ticks:
        return None
    family, pending = 0, [pid]
    while pending:
        member = pending.pop()
        family += ticks.get(member, 0)
        pending += children.get(member, [])
    return family / os.sysconf("SC_CLK_TCK")
