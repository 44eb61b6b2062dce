"""What is read from a package before it is checked. The caller reads it; no check opens a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdapack.binary.facts import Inventory
from lambdapack.managers.lock import Lock
from lambdapack.model import TASK_ROOT
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.modules import FunctionModules
from lambdapack.packages.programs.scripts import ScriptProgram
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
    """The project that a zip was built from, as it is today."""

    lockfile: Lock | None  # None: the project has none that can be read
    owns_lockfile: bool  # the lockfile is for this project alone; False for a member of a workspace
    has_manifest: bool  # the manifest beside the zip says that it was built from this project
    changed: tuple[str, ...] = ()  # parts of the dependency key that have changed since: "package.json"


@dataclass(frozen=True, slots=True)
class CpuFlag:
    """A compiler flag that chose a CPU when the install compiled a package."""

    package: str  # npm name; "" for the function's own scripts
    flag: str  # "-march=native", "-mcpu=neoverse-v1", "-mavx512f"
    everywhere: bool = True  # for every source file of the package; else the code may test the CPU before it runs


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """A tree with what was read from it, and the directory where Lambda unpacks it."""

    entries: Mapping[str, Entry]
    inventory: Inventory
    manifests: Mapping[str, PackageManifest]  # by directory; packages/manifests.py reads them
    root: str = TASK_ROOT  # LAYER_ROOT for a layer
    handler: str | None = None  # "index.handler"; None: a layer, or a directory of dependencies alone
    secrets: tuple[Secret, ...] = ()
    script: Script | None = None  # the handler's file; None: missing, or not understood
    locks: TreeLocks = field(default_factory=TreeLocks)
    origin: PackageOrigin | None = None
    cpu_flags: tuple[CpuFlag, ...] = ()  # from the install's log; a prebuilt binary's flags are unknown
    scripts_run: frozenset[str] = frozenset()  # npm names of the packages whose scripts the install's log shows as run
    unnamed_programs: frozenset[str] = frozenset()  # paths of programs that their package's JavaScript never names
    script_programs: tuple[ScriptProgram, ...] = ()  # that the kernel may refuse
    kept_sources: tuple[tuple[str, str], ...] = ()  # files of the function that a script wrote too, and whose script
    own_files: frozenset[str] = frozenset()  # paths of the function's own files, which no install made
    left_out: frozenset[str] = frozenset()  # paths of the source that are not packed
    possible_layers: tuple[str, ...] = ()  # ARNs of layers that the function has and that were not read
    modules: FunctionModules | None = field(default=None, compare=False, repr=False)  # None: not opened
    layers: tuple["PackageFacts", ...] = ()  # in the order in which the function lists them; each at LAYER_ROOT
