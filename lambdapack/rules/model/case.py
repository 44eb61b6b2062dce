"""The input of a check: a tree's facts and the user's policy. The caller reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lambdapack.binary.facts import Inventory
from lambdapack.managers.lock import Lock
from lambdapack.model import TASK_ROOT, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.tree_locks import TreeLocks
from lambdapack.script.parse import Script
from lambdapack.tree.entry import Entry


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that holds something that should not leave the machine."""

    path: str
    kind: str  # "a private key", "an npm token"; never the secret itself
    line: int | None = None


@dataclass(frozen=True, slots=True)
class PackageOrigin:
    """The project that a zip was made from, as it is today."""

    lockfile: Lock | None  # None: none that can be read
    whole: bool  # the project is all that the lockfile is for; False for a member of a workspace
    ours: bool  # our manifest says that the zip was built from it
    changed: tuple[str, ...] = ()  # parts of the dependency key that are not what they were: "package.json"


@dataclass(frozen=True, slots=True)
class CpuFlag:
    """A flag that chose a CPU when the install compiled a package."""

    package: str  # npm name; "" the function's own scripts
    flag: str  # "-march=native", "-mcpu=neoverse-v1", "-mavx512f"
    everywhere: bool = True  # for every source file of the package; else it may ask the CPU before it uses them


@dataclass(frozen=True, slots=True)
class Case:
    """A tree with what was read from it, and where it will lie in Lambda."""

    entries: Mapping[str, Entry]
    inventory: Inventory
    manifests: Mapping[str, PackageManifest]  # by directory; packages/manifests.py reads them
    root: str = TASK_ROOT  # LAYER_ROOT for a layer
    handler: str | None = None  # "index.handler"; None: there is none to look for (a layer)
    secrets: tuple[Secret, ...] = ()
    script: Script | None = None  # the handler's file; None: not there, or not understood
    locks: TreeLocks = field(default_factory=TreeLocks)
    origin: PackageOrigin | None = None
    imports: Mapping[str, frozenset[str]] = field(default_factory=dict)  # ES module to the npm names it imports
    compiled: tuple[CpuFlag, ...] = ()  # heard while it was installed; nothing is known of what came ready-made
    unnamed: frozenset[str] = frozenset()  # paths of programs that their package's JavaScript never names
    ready: frozenset[str] = frozenset()  # paths of the function's own files, which no install made
    layers: tuple["Case", ...] = ()  # in the order in which the function lists them; each with root LAYER_ROOT


@dataclass(frozen=True, slots=True)
class IgnoredFinding:
    """A finding that the user has decided about."""

    code: str
    reason: str
    path: str = "*"  # glob over the finding's path


@dataclass(frozen=True, slots=True)
class Policy:
    """How strict a check is, and on which day."""

    today: date
    handler_required: bool = False  # True for `build`; a bare directory or a layer gets a note
    handler_severity: Severity = Severity.NOTE  # where it is not required: WARNING for a zip, which claims to be whole
    all_binaries: bool = False  # count the files that no loader would pick, too
    severities: Mapping[str, Severity] = field(default_factory=dict)  # by code or name
    ignores: tuple[IgnoredFinding, ...] = ()
