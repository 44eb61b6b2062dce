"""Checks that an engine can run programs of another CPU, before anything is installed. Never installs an emulator."""

import os
import platform
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.engine.image_store import NODE_PROGRAM
from lambdapack.engine.interface import Command, CommandResult, Engine, Image, Limits, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import ENGINE_LOST, ENGINE_REFUSED, NO_EMULATOR, TOO_LONG
from lambdapack.errors.install import CRASHED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

PROBE_SECONDS = 8.0
"""Seconds for one `node -p` on an idle machine; it takes 0.8 under a working qemu (docs/lab.md#3-emulators).

With the start and the end of the container, the word is there within ten."""

MAX_PROBE_SECONDS = 60.0
"""Seconds on a machine whose processors many others want, or whose load is not known."""

SLOW_SHARE = 0.5
"""Part of the patience from which an answer is called slow."""

REGISTER_COMMAND = "docker run --privileged --rm tonistiigi/binfmt --install {emulator}"
"""Registers static emulators with the kernel of the engine's machine, wherever that is."""

NEWER_EMULATOR_COMMAND = "docker run --privileged --rm tonistiigi/binfmt:qemu-v9.2.2 --install {emulator}"
"""Cures many crashes of Node 22 and 24: tonistiigi/binfmt#215, docs/reports.md#emulation; read 2026-11."""

QEMU_NAMES = {Architecture.X86_64: "x86_64", Architecture.ARM64: "aarch64"}
"""Qemu's own names of the CPUs."""

_ILL, _SEGV = 4, 11
_SIGNALS = {_ILL: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", _SEGV: "SIGSEGV"}

_NEVER_STARTED = re.compile(r"exec format error|no such file or directory|not running|exited|stopped", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EngineHost:
    """What decides which command gives an engine its emulator."""

    engine: str  # Engine.name
    system: str = "Linux"  # platform.system() of the machine that lambdapack runs on
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    debian: bool = False  # apt-get is how this machine gets programs
    emulators: frozenset[str] = frozenset()  # "aarch64": qemu for that CPU is installed, whether registered or not
    load: float = 0.0  # processes that want a processor, for each one that there is

    def variable(self, name: str) -> str:
        """The value of an environment variable, "" when unset."""
        return self.environ.get(name, "")

    @property
    def local(self) -> bool:
        """True when the engine runs on this very Linux machine."""
        remote = self.variable("DOCKER_HOST").startswith(("ssh:", "tcp:", "http"))
        return self.system == "Linux" and not remote


def read_engine_host(engine: Engine) -> EngineHost:
    """Look at the machine once."""
    emulators = frozenset(name for name in QEMU_NAMES.values() if shutil.which(f"qemu-{name}-static"))
    load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    debian = Path("/etc/debian_version").exists()
    return EngineHost(engine.name, platform.system(), os.environ, debian, emulators, load)


def emulator_hint(host: EngineHost, architecture: Architecture) -> str:
    """Return one sentence with the one command that gives this engine an emulator for `architecture`."""
    engine = f"{host.engine} {host.variable('DOCKER_HOST')} {host.variable('DOCKER_CONTEXT')}".lower()
    register = REGISTER_COMMAND.format(emulator=_emulator_name(architecture))
    if host.variable("GITHUB_ACTIONS"):
        return "Put `- uses: docker/setup-qemu-action@v3` before this step of the workflow."
    if "colima" in engine:
        return f"Run `{register}` (again after each `colima start`)."
    if "desktop" in engine and "rancher" not in engine:
        return "Run `docker desktop restart`, which registers the emulators of Docker Desktop again."
    if "podman" in engine:
        return _podman_hint(host, architecture)
    if host.local and host.debian and not host.variable("CI"):
        return f"Run `{_debian_command(host, architecture)}`."
    return f"Run `{register}`."


def _podman_hint(host: EngineHost, architecture: Architecture) -> str:
    if host.system != "Linux":
        return "Run `podman machine ssh sudo systemctl restart systemd-binfmt`."
    command = _debian_command(host, architecture) if host.debian else "sudo dnf install qemu-user-static"
    return f"Run `{command}`."


def _debian_command(host: EngineHost, architecture: Architecture) -> str:
    """A machine that was started anew, or whose emulator was switched off, has the program and not its registration."""
    if QEMU_NAMES[architecture] in host.emulators:
        return f"sudo update-binfmts --enable qemu-{QEMU_NAMES[architecture]}"
    return "sudo apt-get install qemu-user-static binfmt-support"


def _emulator_name(architecture: Architecture) -> str:
    return architecture.oci_platform.partition("/")[2]


def get_runnable_image(engine: Engine, reference: str, architecture: Architecture, observer: Observer) -> Image:
    """Return the image, after a check of the emulator where its CPU is not the engine's; LP102, LP103, LP104."""
    image = engine.image(reference, architecture, observer)
    if architecture is not engine.architecture:
        check_emulator(engine, reference, architecture, observer)
    return image


def check_emulator(engine: Engine, reference: str, architecture: Architecture, observer: Observer) -> None:
    """Prove in seconds that the engine runs programs of another CPU, as a step of its own; LP104, LP118."""
    with observer.task(f"Checking the emulator for {architecture}"):
        prove_emulator(engine, reference, architecture, read_engine_host(engine), observer)


def prove_emulator(
    engine: Engine, image: str, architecture: Architecture, host: EngineHost, observer: Observer = SILENT
) -> None:
    """Return when the image's own node runs on this engine and says its CPU; else LP104 or LP118 with the cure."""
    patience = probe_seconds(host)
    spec = SandboxSpec(
        image=image,
        architecture=architecture,
        label="emulation",
        limits=Limits(wall_seconds=patience, silence_seconds=patience),
        network=False,
    )
    heard, begun = Transcript(SILENT), time.monotonic()
    try:
        with engine.open(spec, observer) as sandbox:
            ended = sandbox.run(Command((NODE_PROGRAM, "-p", "process.arch")), heard)
    except LambdapackError as error:
        raise _start_failure(error, architecture, host, patience) from error
    seconds = time.monotonic() - begun
    heard.close()
    said = "\n".join(heard.lines).strip()
    if not (ended.ok and said == architecture.node):
        raise emulator_failure(ended, said, architecture, host)
    if seconds > SLOW_SHARE * patience:
        observer.note(f"emulation of {architecture} is slow here: its node took {seconds:.0f} s to start")


def probe_seconds(host: EngineHost) -> float:
    """Return how long a probe may take: more by as many processes as wait for each processor of a loaded machine."""
    load = host.load if host.local else MAX_PROBE_SECONDS
    return min(MAX_PROBE_SECONDS, PROBE_SECONDS * max(1.0, load))


def _start_failure(
    error: LambdapackError, architecture: Architecture, host: EngineHost, patience: float
) -> LambdapackError:
    """Translate what the engine says when no program of the image can run, its main process included."""
    if error.failure is TOO_LONG:
        detail = f"node of the {architecture} image did not answer within {patience:.0f} s: the emulator hangs"
        return LambdapackError(NO_EMULATOR, detail, hint=emulator_hint(host, architecture))
    if error.failure in {ENGINE_LOST, ENGINE_REFUSED} and _NEVER_STARTED.search(error.detail):
        detail = f"no program of the {architecture} image could be started: {error.detail}"
        return LambdapackError(NO_EMULATOR, detail, hint=emulator_hint(host, architecture))
    return error


def emulator_failure(ended: CommandResult, said: str, architecture: Architecture, host: EngineHost) -> LambdapackError:
    """Name the state of an emulator from what `node -p process.arch` printed under it (docs/lab.md#3-emulators)."""
    failure, state = _emulator_state(ended, said, architecture)
    hint = crash_hint(architecture) if failure is CRASHED else emulator_hint(host, architecture)
    shown = f": {said}" if said else ""
    return LambdapackError(failure, f"`node -p process.arch` of the {architecture} image: {state}{shown}", hint=hint)


def _emulator_state(ended: CommandResult, said: str, architecture: Architecture) -> tuple[Failure, str]:
    signal = signal_of(ended)
    lower = said.lower()
    if "exec format error" in lower:
        return NO_EMULATOR, "no emulator is registered"
    if "cannot find module" in lower:
        return NO_EMULATOR, "the emulator is registered without the flag P and loses a word of the command line"
    if "no such file or directory" in lower:
        return NO_EMULATOR, "the emulator is registered without the flag F and is not visible in containers"
    if signal == _SEGV and not said:
        return NO_EMULATOR, "the emulator itself crashes (SIGSEGV)"
    if signal is not None:
        return CRASHED, f"killed by {signal_name(signal)} under the emulator"
    if not said:
        return NO_EMULATOR, f"exit code {ended.exit_code} and no answer"
    return NO_EMULATOR, f"answered something else than {architecture.node}"


def crash_hint(architecture: Architecture) -> str:
    """Return one sentence with the command that replaces an emulator that crashes."""
    newer = NEWER_EMULATOR_COMMAND.format(emulator=_emulator_name(architecture))
    return f"Run `{newer}`, or build on a host with a CPU of {architecture} (DOCKER_HOST)."


def signal_of(ended: CommandResult) -> int | None:
    """Return the signal that ended a command, also when only a shell's exit code above 128 tells."""
    if ended.signal is not None:
        return ended.signal
    return ended.exit_code - 128 if ended.exit_code - 128 in _SIGNALS else None


def signal_name(signal: int) -> str:
    """Return "SIGSEGV" for 11; numbers are Linux's, whatever the host's are."""
    return _SIGNALS.get(signal, f"signal {signal}")
