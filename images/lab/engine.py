"""What the lab asks of a container engine, by its command line: what is there, take this, drop that."""

import contextlib
import subprocess
from collections.abc import Callable, Iterable
from subprocess import DEVNULL, PIPE
from typing import IO, cast

from images.lab.cache import LabError


def require() -> None:
    """Raise unless the engine answers."""
    ran = _docker("version")
    if ran.returncode:
        raise LabError(f"no container engine answers ({ran.stderr.strip()}): run images/lab/engine.sh")


def inspect(image: str, form: str) -> str | None:
    """`docker image inspect --format`; None when there is no such image."""
    ran = _docker("image", "inspect", "--format", form, image)
    return ran.stdout.strip() if ran.returncode == 0 else None


def load(write: Callable[[IO[bytes]], None]) -> None:
    """Load the docker-archive that `write` writes, while it does."""
    with subprocess.Popen(["docker", "load", "--quiet"], stdin=PIPE, stdout=DEVNULL, stderr=PIPE) as loading:
        stdin, stderr = cast(IO[bytes], loading.stdin), cast(IO[bytes], loading.stderr)
        with contextlib.suppress(BrokenPipeError):  # docker's own message says more
            write(stdin)
            stdin.close()
        message = stderr.read().decode(errors="replace").strip()
    if loading.returncode:
        raise LabError(f"docker load (exit {loading.returncode}): {message}")


def drop(images: Iterable[str]) -> None:
    """Remove images that lost their name; one that a container still uses stays."""
    for image in images:
        _docker("image", "rm", image)


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise LabError("there is no program `docker`: run images/lab/engine.sh") from error
