"""What a strategy asks of a sandbox. Data only: install.py follows it without knowing which strategy gave it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdapack.engine.interface import CacheVolume
from lambdapack.errors.record import Failure
from lambdapack.managers.interface import ManagerVersion
from lambdapack.model import Architecture
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """An image, and the CPU that it must be for."""

    reference: str
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class ToolTree:
    """Programs that the image lacks, and the directory of the sandbox they are put in."""

    tree: Tree
    directory: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to install for a target: everything that differs between strategies."""

    strategy: str  # the name of the strategy that gave it: "native"
    why: str  # one sentence for the user
    image: ImageRequest
    emulated: bool = False  # the engine needs an emulator for the image
    tools: tuple[ToolTree, ...] = ()
    volumes: tuple[CacheVolume, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # of the package manager and the scripts
    flags: tuple[str, ...] = ()  # of the package manager
    oldest_manager: ManagerVersion = (0, 0, 0)  # LP103 for an image with an older one
    give_up_on: frozenset[Failure] = frozenset()  # failures after which the next strategy is tried
    key_parts: Mapping[str, str] = field(
        default_factory=dict
    )  # what decides the result besides the key: recorded with it
