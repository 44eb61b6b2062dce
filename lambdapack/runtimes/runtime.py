"""What a Lambda runtime provides: the other half of every judgement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lambdapack.model import Target


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When AWS stops supporting a runtime. None: not announced."""

    deprecated: date | None
    block_create: date | None
    block_update: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Library:
    """One shared library on the loader's path."""

    soname: str
    path: str  # absolute, as the loader finds it in the image; "" when only the name is known
    versions: frozenset[str] = frozenset()  # version nodes that it defines; empty: defines none
    needed: tuple[str, ...] = ()
    exports: frozenset[str] | None = None  # None: not recorded (its versions imply them, or unknown)
    certain: bool = True  # False: in an image, but not proved for the managed runtime


@dataclass(frozen=True, slots=True)
class Runtime:
    """What node and the loader of a target offer. Measured, shipped, or both (measured only tightens)."""

    target: Target
    node: str | None  # "22.23.1"; None when only the major is known
    node_major: int
    abi: int  # NODE_MODULE_VERSION
    node_api: int  # highest Node-API version
    source: str  # "shipped", "image", "file"
    digest: str  # "sha256:..." of the image's layers or of the runtime file; "" for shipped data
    libraries: Mapping[str, Library]  # by the name that a needed entry asks for, mostly the SONAME
    loaded: frozenset[str]  # SONAMEs that are in node's process before any addon
    floor: Mapping[str, str]  # version prefix -> highest version surely there: {"GLIBC": "2.34"}
    ceiling: Mapping[str, str]  # version prefix -> highest version of any image seen
    node_exports: frozenset[str] | None  # None: not recorded
    library_path: tuple[str, ...]  # LD_LIBRARY_PATH, in order
    default_path: tuple[str, ...]  # after the cache: /lib64, /usr/lib64
    interpreters: frozenset[str]  # PT_INTERP values that exist
    lifecycle: Lifecycle | None = None
    npm: str | None = None  # the npm that its node brings, as far as known
