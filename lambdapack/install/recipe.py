"""What a strategy asks of a sandbox. Data only: install.py follows it without knowing which strategy gave it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdapack.engine.interface import CacheVolume
from lambdapack.errors.record import Failure
from lambdapack.managers.interface import ManagerVersion
from lambdapack.model import Architecture

NO_IMAGES = "this engine runs no container images"
"""Why strategies of container engines refuse the local one."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """An image, and the CPU that it must be for."""

    reference: str
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class PinnedWheel:
    """A wheel of the Python package index, by its bytes."""

    project: str
    version: str
    platform: str  # tag of the wheel
    sha256: str  # hexadecimal


@dataclass(frozen=True, slots=True)
class ToolVolume:
    """Programs that the image lacks: made once for each engine, then mounted read-only."""

    name: str  # of the volume; what decides its content is part of it
    directory: str  # of the sandbox
    wheels: tuple[PinnedWheel, ...]  # unpacked into it
    files: Mapping[str, bytes] = field(default_factory=dict)  # our own, by path in it; executable
    setup: str = ""  # run by /bin/sh in it, when all files are there
    image: ImageRequest | None = None  # in which it is made; None: in the recipe's own


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to install for a target: everything that differs between strategies."""

    strategy: str  # the name of the strategy that gave it: "native"
    why: str  # one sentence for the user
    image: ImageRequest
    emulated: bool = False  # the engine needs an emulator for the image
    tools: tuple[ToolVolume, ...] = ()  # for the scripts alone
    volumes: tuple[CacheVolume, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # of the package manager and the scripts
    script_environment: Mapping[str, str] = field(default_factory=dict)  # of the scripts alone
    compiler: str = ""  # what compiles, where that is not the image's own: "zig 0.15.2"
    flags: tuple[str, ...] = ()  # of the package manager
    oldest_manager: ManagerVersion = (0, 0, 0)  # LP103 for an image with an older one
    give_up_on: frozenset[Failure] = frozenset()  # failures after which the next strategy is tried
    key_parts: Mapping[str, str] = field(
        default_factory=dict
    )  # what decides the result besides the key: recorded with it
