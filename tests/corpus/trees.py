"""Packages installed by npm for a platform, one tree a package. Runs scripts in the lab's build image alone."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from images.lab.cache import REPOSITORY_ROOT, directory

INSTALL_SECONDS = 600
BUILD_SECONDS = 300
"""Longest that the install scripts of one package may take; those that download give up at once."""

BUILD_IMAGE = "lambdapack-lab/nodejs:22-x86_64-build"


@dataclass(frozen=True, slots=True)
class Stranger:
    """A package to be tried: `name@version`, and what to do with the module `m` so that it opens all it opens."""

    spec: str
    use: str = ""

    @property
    def name(self) -> str:
        return self.spec[: self.spec.rindex("@")]

    @property
    def home(self) -> Path:
        return directory() / "strangers" / self.spec.replace("/", "+")


@dataclass(frozen=True, slots=True)
class Platform:
    """What npm installs for."""

    name: str
    flags: tuple[str, ...]


LINUX_X64 = Platform("linux-x64", ("--os=linux", "--cpu=x64", "--libc=glibc"))
LINUX_ARM64 = Platform("linux-arm64", ("--os=linux", "--cpu=arm64", "--libc=glibc"))
DARWIN_ARM64 = Platform("darwin-arm64", ("--os=darwin", "--cpu=arm64"))
MUSL_X64 = Platform("musl-x64", ("--os=linux", "--cpu=x64", "--libc=musl"))
OTHERS = (LINUX_ARM64, DARWIN_ARM64, MUSL_X64)
BUILT = "built-x64"
"""The name of the tree whose install scripts ran on Node.js 22 for x86_64."""


def read_list(path: Path) -> tuple[Stranger, ...]:
    """Return the packages of a list: one a line, `name@version`, two spaces, an expression; # is a comment."""
    lines = (each.split("#")[0] if each.startswith("#") else each for each in path.read_text("utf-8").splitlines())
    parts = (line.partition("  ") for line in lines if line.strip())
    return tuple(Stranger(spec.strip(), use.strip()) for spec, _, use in parts)


def install(stranger: Stranger) -> str:
    """Install for every platform what is not there yet; return what npm says when it cannot, "" when it can."""
    if (stranger.home / "refused").exists():
        return (stranger.home / "refused").read_text("utf-8")
    place = stranger.home / LINUX_X64.name
    if not (place / "done").exists():
        said = _install(place, ("install", *LINUX_X64.flags, stranger.spec))
        if said:
            (stranger.home / "refused").write_text(said, "utf-8")
            return said
    for platform in OTHERS if _differs(place) else ():
        _like(place, platform)
    return ""


def _like(place: Path, platform: Platform) -> None:
    """The same lockfile, installed for another platform."""
    other = place.with_name(platform.name)
    if (other / "done").exists():
        return
    shutil.rmtree(other, ignore_errors=True)
    other.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(place / name, other / name)
    _install(other, ("ci", *platform.flags))


def _install(place: Path, words: tuple[str, ...]) -> str:
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "package.json").exists():
        (place / "package.json").write_text('{"name": "stranger", "version": "1.0.0"}\n', "utf-8")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", "--force")
    path = f"{REPOSITORY_ROOT / '.lab/host/bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_cache": str(directory() / "strangers" / ".npm")}
    command = [shutil.which("npm", path=path) or "npm", *words, *quiet]
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        return done.stderr.strip()[-600:] or "npm gave no reason"
    (place / "done").touch()
    return ""


def _packages(place: Path) -> Mapping[str, Mapping[str, object]]:
    found = json.loads((place / "package-lock.json").read_text("utf-8"))["packages"]
    return found if isinstance(found, dict) else {}


def _differs(place: Path) -> bool:
    return any(each.get("os") or each.get("cpu") or each.get("libc") for each in _packages(place).values())


def has_scripts(place: Path) -> bool:
    """Tell whether a package of a tree runs something at install time."""
    return any(each.get("hasInstallScript") for each in _packages(place).values())


def build(stranger: Stranger) -> None:
    """Run the install scripts in a copy of the tree, without network; what they leave is what there is."""
    place, made = stranger.home / LINUX_X64.name, stranger.home / BUILT
    if (made / "done").exists() or not has_scripts(place):
        return
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(place, made, symlinks=True, ignore=shutil.ignore_patterns("done"))
    settings = ("npm_config_nodedir=/var/lang", "LD_LIBRARY_PATH=", "HOME=/tmp", "JOBS=2")
    command = ["docker", "run", "--rm", "--network=none", "-v", f"{made}:/var/task", "-w", "/var/task"]
    command += [word for each in settings for word in ("-e", each)]
    command += ["--entrypoint", "/usr/bin/timeout", BUILD_IMAGE, str(BUILD_SECONDS)]
    done = subprocess.run(
        [*command, "npm", "rebuild", "--foreground-scripts"], capture_output=True, text=True, check=False
    )
    (made / "said").write_text(f"exit {done.returncode}\n{done.stdout[-20000:]}\n{done.stderr[-20000:]}", "utf-8")
    (made / "done").touch()


def trees(stranger: Stranger) -> Iterator[tuple[str, Path]]:
    """Yield name and directory of every tree that a package has here."""
    for name in (LINUX_X64.name, *(each.name for each in OTHERS), BUILT):
        if (stranger.home / name / "done").exists():
            yield name, stranger.home / name
