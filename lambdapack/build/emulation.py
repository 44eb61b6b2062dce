"""Can this engine run programs of another CPU? Asked in seconds, before npm. Never installs an emulator itself."""

import os
import platform
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.build.engine import Command, Completed, Engine, Image, Limits, SandboxSpec
from lambdapack.build.transcript import Transcript
from lambdapack.errors import CRASHED, ENGINE_LOST, ENGINE_REFUSED, NO_EMULATOR, TOO_LONG, Failure, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

NODE = "/var/lang/bin/node"

PROBE_SECONDS = 20.0
"""Seconds for one `node -p`; it takes 0.8 under a working qemu on a slow machine (LAB.md section 3)."""

REGISTER = "docker run --privileged --rm tonistiigi/binfmt --install {emulator}"
"""Registers static emulators with the kernel of the engine's machine, wherever that is."""

NEWER = "docker run --privileged --rm tonistiigi/binfmt:qemu-v9.2.2 --install {emulator}"
"""Cures many crashes of Node 22 and 24: tonistiigi/binfmt#215 and the reports of PEERS.md, pain 11; read 2026-11."""

QEMU = {Architecture.X86_64: "x86_64", Architecture.ARM64: "aarch64"}
"""Qemu's own names of the CPUs."""

_ILL, _SEGV = 4, 11
_SIGNALS = {_ILL: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", _SEGV: "SIGSEGV"}

_NEVER_STARTED = re.compile(r"exec format error|no such file or directory|not running|exited|stopped", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Host:
    """What decides which command gives an engine its emulator."""

    engine: str  # Engine.name
    system: str = "Linux"  # platform.system() of the machine that lambdapack runs on
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    debian: bool = False  # apt-get is how this machine gets programs
    emulators: frozenset[str] = frozenset()  # "aarch64": qemu for that CPU is installed, whether registered or not

    def variable(self, name: str) -> str:
        """The value of an environment variable, "" when unset."""
        return self.environ.get(name, "")

    @property
    def local(self) -> bool:
        """True when the engine runs on this very Linux machine."""
        remote = self.variable("DOCKER_HOST").startswith(("ssh:", "tcp:", "http"))
        return self.system == "Linux" and not remote


def this_host(engine: Engine) -> Host:
    """Look at the machine once."""
    emulators = frozenset(each for each in QEMU.values() if shutil.which(f"qemu-{each}-static"))
    return Host(engine.name, platform.system(), os.environ, Path("/etc/debian_version").exists(), emulators)


def cure(host: Host, architecture: Architecture) -> str:
    """Return one sentence with the one command that gives this engine an emulator for `architecture`."""
    engine = f"{host.engine} {host.variable('DOCKER_HOST')} {host.variable('DOCKER_CONTEXT')}".lower()
    register = REGISTER.format(emulator=_emulator(architecture))
    if host.variable("GITHUB_ACTIONS"):
        return "Put `- uses: docker/setup-qemu-action@v3` before this step of the workflow."
    if "colima" in engine:
        return f"Run `{register}` (again after each `colima start`)."
    if "desktop" in engine and "rancher" not in engine:
        return "Run `docker desktop restart`, which registers the emulators of Docker Desktop again."
    if "podman" in engine:
        return _podman(host, architecture)
    if host.local and host.debian and not host.variable("CI"):
        return f"Run `{_debian(host, architecture)}`."
    return f"Run `{register}`."


def _podman(host: Host, architecture: Architecture) -> str:
    if host.system != "Linux":
        return "Run `podman machine ssh sudo systemctl restart systemd-binfmt`."
    command = _debian(host, architecture) if host.debian else "sudo dnf install qemu-user-static"
    return f"Run `{command}`."


def _debian(host: Host, architecture: Architecture) -> str:
    """A machine that was started anew, or whose emulator was switched off, has the program and not its registration."""
    if QEMU[architecture] in host.emulators:
        return f"sudo update-binfmts --enable qemu-{QEMU[architecture]}"
    return "sudo apt-get install qemu-user-static binfmt-support"


def _emulator(architecture: Architecture) -> str:
    return architecture.oci_platform.partition("/")[2]


def runnable(engine: Engine, reference: str, architecture: Architecture, observer: Observer) -> Image:
    """Return the image, after a check of the emulator where its CPU is not the engine's; LP102, LP103, LP104."""
    image = engine.image(reference, architecture, observer)
    if architecture is not engine.architecture:
        check(engine, reference, architecture, observer)
    return image


def check(engine: Engine, reference: str, architecture: Architecture, observer: Observer) -> None:
    """Prove in seconds that the engine runs programs of another CPU, as a step of its own; LP104, LP118."""
    with observer.task(f"Checking the emulator for {architecture}"):
        prove(engine, reference, architecture, this_host(engine), observer)


def prove(engine: Engine, image: str, architecture: Architecture, host: Host, observer: Observer = SILENT) -> None:
    """Return when the image's own node runs on this engine and says its CPU; else LP104 or LP118 with the cure."""
    spec = SandboxSpec(
        image=image,
        architecture=architecture,
        label="emulation",
        limits=Limits(wall_seconds=PROBE_SECONDS, silence_seconds=PROBE_SECONDS),
        network=False,
    )
    heard = Transcript(SILENT)
    try:
        with engine.open(spec, observer) as sandbox:
            ended = sandbox.run(Command((NODE, "-p", "process.arch")), heard)
    except LambdapackError as error:
        raise _not_even_started(error, architecture, host) from error
    heard.close()
    said = "\n".join(heard.lines).strip()
    if not (ended.ok and said == architecture.node):
        raise broken(ended, said, architecture, host)


def _not_even_started(error: LambdapackError, architecture: Architecture, host: Host) -> LambdapackError:
    """Translate what the engine says when no program of the image can run, its main process included."""
    if error.failure is TOO_LONG:
        detail = f"node of the {architecture} image did not answer within {PROBE_SECONDS:.0f} s: the emulator hangs"
        return LambdapackError(NO_EMULATOR, detail, hint=cure(host, architecture))
    if error.failure in {ENGINE_LOST, ENGINE_REFUSED} and _NEVER_STARTED.search(error.detail):
        detail = f"no program of the {architecture} image could be started: {error.detail}"
        return LambdapackError(NO_EMULATOR, detail, hint=cure(host, architecture))
    return error


def broken(ended: Completed, said: str, architecture: Architecture, host: Host) -> LambdapackError:
    """Name the state of an emulator from what `node -p process.arch` printed under it (LAB.md section 3)."""
    failure, state = _state(ended, said, architecture)
    hint = crash_cure(architecture) if failure is CRASHED else cure(host, architecture)
    shown = f": {said}" if said else ""
    return LambdapackError(failure, f"`node -p process.arch` of the {architecture} image: {state}{shown}", hint=hint)


def _state(ended: Completed, said: str, architecture: Architecture) -> tuple[Failure, str]:
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


def crash_cure(architecture: Architecture) -> str:
    """Return one sentence with the command that replaces an emulator that crashes."""
    newer = NEWER.format(emulator=_emulator(architecture))
    return f"Run `{newer}`, or build on a host with a CPU of {architecture} (DOCKER_HOST)."


def signal_of(ended: Completed) -> int | None:
    """Return the signal that ended a command, also when only a shell's exit code above 128 tells."""
    if ended.signal is not None:
        return ended.signal
    return ended.exit_code - 128 if ended.exit_code - 128 in _SIGNALS else None


def signal_name(signal: int) -> str:
    """Return "SIGSEGV" for 11; numbers are Linux's, whatever the host's are."""
    return _SIGNALS.get(signal, f"signal {signal}")
