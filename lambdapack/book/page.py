"""One page of the package book. Says what is known of a package, never of a copy of it in somebody's tree."""

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Delivery(Enum):
    """How the binary comes to the package."""

    IN_PACKAGE = "in-package"  # prebuilt files for several systems in its own tarball
    PLATFORM_PACKAGES = "platform-packages"  # optional dependencies, one for each system
    DOWNLOAD = "download"  # an install script fetches it from outside the registry, or compiles
    COMPILE = "compile"  # an install script compiles it
    NONE = "none"


class Registered(Enum):
    """What the binary is bound to."""

    NODE_API = "node-api"  # stable: one file for many Node.js versions
    V8 = "v8"  # one NODE_MODULE_VERSION: another Node.js major needs another file
    PROGRAM = "program"  # a process of its own
    NONE = "none"


class Status(Enum):
    """Whether somebody looks after it."""

    MAINTAINED = "maintained"
    DEPRECATED = "deprecated"  # by the word of its own authors
    DEAD = "dead"  # archived, or left alone for years


class Role(Enum):
    """What it is to a Lambda function."""

    LIBRARY = "library"
    BUILD_TOOL = "build-tool"  # has done its work before the function is packed
    OPTIONAL = "optional"  # what wants it works without it
    ELSEWHERE = "elsewhere"  # serves something that Lambda does not have


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of one package."""

    name: str
    newest: str  # version of the day it was read
    delivery: Delivery
    registered: Registered
    status: Status
    role: Role
    needs: str  # of the runtime, as sentences; "" when nothing special
    instead: tuple[str, ...]  # maintained packages that take its place
    javascript: tuple[str, ...]  # packages without a binary that do the same work
    last_node: int | None  # newest Node.js major on which the newest version installs and loads; None: no limit known
    advice: str  # what to do on Lambda, as sentences; "" when there is nothing to do
    source: str
    read: date

    @property
    def alive(self) -> bool:
        """Whether its authors still look after it."""
        return self.status is Status.MAINTAINED

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Packages that take its place, those that need no binary last, each once."""
        return tuple(dict.fromkeys((*self.instead, *self.javascript)))
