"""How programs of a local sandbox are kept from this host: bubblewrap, where it works. Never installs it."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lambdapack.engine.interface import Command
from lambdapack.engine.local.places import Place

PROBE_SECONDS = 10.0
"""How long bubblewrap may take to start `true`; it takes 0.01 s."""

SYSTEM_DIRECTORIES = ("/usr", "/nix/store", "/gnu/store")
"""Programs and libraries of the host, which a sandbox may read."""

SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr on most hosts, directories on others."""

SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
"""What name resolution, TLS and the loader read. Of /etc nothing else: neither keys nor other programs' settings."""


@functools.cache
def find_bubblewrap() -> str:
    """Return the path of a bubblewrap that can confine a program here, "" where there is none."""
    program = shutil.which("bwrap") if sys.platform == "linux" else None
    if program is None:
        return ""
    command = [program, *_isolation(network=False, user=(0, 0)), *_system_mounts(), "--", "/bin/sh", "-c", ":"]
    try:
        ran = subprocess.run(command, check=False, capture_output=True, timeout=PROBE_SECONDS, env={})  # our own argv
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return program if ran.returncode == 0 else ""


def confined_command(program: str, command: Command, places: Sequence[Place], *, network: bool) -> list[str]:
    """Return the command line that runs a command where it sees only these places and the host's own programs."""
    user = tuple(int(part) for part in command.user.split(":"))
    mounts = [word for place in places for word in _mount(place)]
    words = [program, *_isolation(network=network, user=(user[0], user[-1])), *_system_mounts(), *mounts]
    return [*words, "--chdir", command.cwd, "--", *command.argv]


def _isolation(*, network: bool, user: tuple[int, int]) -> list[str]:
    """Every namespace of its own, no capability, no terminal, and an end when we end."""
    words = ["--unshare-all", "--unshare-user", "--uid", str(user[0]), "--gid", str(user[1]), "--cap-drop", "ALL"]
    words += ["--die-with-parent", "--new-session", "--hostname", "lambdapack", "--proc", "/proc", "--dev", "/dev"]
    return [*words, "--share-net"] if network else words


def _mount(place: Place) -> list[str]:
    return ["--ro-bind" if place.read_only else "--bind", str(place.outside), place.inside]


def _system_mounts() -> Iterator[str]:
    for directory in (*SYSTEM_DIRECTORIES, *_python_directories()):
        if Path(directory).is_dir():
            yield from ("--ro-bind", directory, directory)
    for directory in SYSTEM_LINKS:
        path = Path(directory)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), directory)
        elif path.is_dir():
            yield from ("--ro-bind", directory, directory)
    for file in SYSTEM_FILES:
        if Path(file).exists():
            yield from ("--ro-bind", str(Path(file).resolve()), file)


def _python_directories() -> tuple[str, ...]:
    """Return where the Python that runs lambdapack is installed, where that is not in /usr: node-gyp wants one."""
    base = os.path.realpath(sys.base_prefix)
    return () if base == "/usr" or base.startswith("/usr/") else (base,)
