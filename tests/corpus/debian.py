"""Debian root file systems out of packages, for either CPU and any release. Never runs anything of them."""

from collections.abc import Mapping
from pathlib import Path

from images.lab import deb
from images.lab.apt import closure
from images.lab.cache import replacing
from images.lab.layer import Layer, relocated
from images.lab.recipe import Cpu
from tests.corpus.packages import cache

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "bullseye": ("?essential", "apt", "gcc", "g++", "make", "python3"),
    "bookworm": ("?essential", "apt", "python3"),
}
"""What was in the images of the recording. Bookworm's had no libc6-dev: its loader looked for libc.so in vain,
where bullseye's found the linker script of that name."""

MERGED = ("bin", "sbin", "lib", "lib64")
"""Links into /usr in every Debian image since 2019, whatever the packages say."""

LEFT_OUT = ("usr/share", "var")
"""Neither libraries nor programs lie there."""


def root_file_system(suite: str, cpu: Cpu) -> Path:
    """Return the tar of a Debian release, made once."""
    place = cache() / "roots" / f"{suite}-{cpu.aws}.tar"
    if not place.exists():
        layer = Layer()
        for name in MERGED:
            layer.symlink(name, f"usr/{name}")
        moves: dict[str, str | None] = {"": "", **{name: f"usr/{name}" for name in MERGED}}
        for package in closure(PACKAGES[suite], cpu, suite, cache()):
            with deb.open_data(package.read()) as archive:
                layer.unpack(archive, relocated(moves | dict.fromkeys(LEFT_OUT)))
        with replacing(place) as scratch, scratch.open("wb") as stream:
            layer.write(stream)
    return place
