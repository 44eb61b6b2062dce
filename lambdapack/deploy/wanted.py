"""What the user wants of one function, and what AWS has of it now."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.deploy.nouns import Alias, Consumer, Function, Settings, Stored
from lambdapack.model import Architecture

PREFIX = "lambdapack/"
"""Where our objects are in a bucket; README's policy allows no other place."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip on this host."""

    path: Path
    code_digest: str
    zip_bytes: int

    @property
    def key(self) -> str:
        """Its place in a bucket: equal bytes have the same."""
        return f"{PREFIX}{base64.b64decode(self.code_digest).hex()}.zip"


@dataclass(frozen=True, slots=True)
class Smoke:
    """An event that the new version has to answer before an alias points at it."""

    event: bytes = field(repr=False)
    name: str  # of its file
    status: int | None = None  # the answer's "statusCode"; None: none, or one below 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """One function as it should be."""

    function: str
    package: Package
    alias: str = ""
    runtime: str | None = None  # what the package is made for; None: nobody said, so the function's own
    architecture: Architecture | None = None
    settings: Settings = field(default_factory=Settings)  # None fields stay as they are
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # set these, keep the others
    new: Settings | None = None  # of a function that is made when there is none; None: it is not made
    new_architecture: Architecture = Architecture.X86_64
    bucket: str = ""
    smoke: Smoke | None = None
    canary: float = 0.0  # part of the traffic that the new version gets, below 1; 0: all of it
    allow_architecture: bool = False
    allow_runtime: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What AWS had at one moment. What is not needed to see that nothing is to do is read only when something is."""

    latest: Function | None  # None: there is no such function
    served: Function | None = None  # what the alias points at; without one, the version that has what $LATEST has
    alias: Alias | None = None
    shifted: Function | None = None  # the other version that gets a part of the alias's traffic
    consumers: tuple[Consumer, ...] = ()
    unseen: tuple[str, ...] = ()  # IAM actions that are missing to know the consumers
    stored: Stored | None = None  # the package, when it is in the bucket already
