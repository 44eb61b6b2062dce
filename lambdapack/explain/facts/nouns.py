"""The facts of a text: where it is from, which programs speak in it, and what each statement in it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from lambdapack.model import Architecture


class Reader(Enum):
    """Whose hands the cure is for."""

    UNKNOWN = ""
    LAMBDA = "Lambda"  # the text is a function's log: nothing can be changed where it was printed
    CI = "CI"
    CONTAINER = "a container build"
    MACHINE = "a developer's machine"
    ELECTRON = "Electron"


class FactKind(Enum):
    """What a statement of a text is about; one conclusion reads each kind."""

    MODULE_ABSENT = "module absent"  # module, stack or by or directory
    MODULE_FORMAT = "module format"  # code, module, by, said
    ADDON_BUNDLED = "addon bundled"  # file, said
    PLUG_N_PLAY = "plug-n-play"  # module, by
    FILE_REFUSED = "file refused"  # code, call, file
    PROGRAM_REFUSED = "program refused"  # program, code, status
    ROOT_SCRIPT = "root script"  # program, script, package
    REGISTRY_REFUSED = "registry refused"  # code, module, url
    GIT_REFUSED = "git refused"  # said
    PROTOCOL_REFUSED = "protocol refused"  # protocol, module
    MANAGER_REFUSED = "manager refused"  # said, wanted
    LOCK_REFUSED = "lock refused"  # code, said
    SIZE_REFUSED = "size refused"  # bytes, said
    CODE_REFUSED = "code refused"  # said
    OWN_RECORD = "own record"  # code


Slots = Mapping[str, str]
"""The named places of one message: file, package, library, needs, has ... Absent ones are not there."""


@dataclass(frozen=True, slots=True)
class RanCommand:
    """A command that the text shows to have run."""

    command: str
    at: int  # where it stands


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What the text itself says about the place it is from."""

    on_lambda: bool = False
    system: str = ""  # "darwin", "win32", "alpine", "debian", "rhel"; "": not said
    architecture: Architecture | None = None  # of the place where the code runs
    node_major: int | None = None
    reader: Reader = Reader.UNKNOWN
    manager: str = ""  # "npm", "pnpm", "yarn", "yarn-classic", "bun"
    speakers: tuple[str, ...] = ()  # managers, bundlers and frameworks that the text names
    codes: tuple[str, ...] = ()  # error codes, as they stand
    versions: tuple[str, ...] = ()  # "npm 10.9.2"
    paths: tuple[str, ...] = ()  # roots that say the place: /var/task, /opt, cdk.out, .pnpm
    commands: tuple[RanCommand, ...] = ()  # in their order
    git_host: str = ""  # where the repository of a git dependency is
    is_manager_run: bool = False  # a package manager reports the failure of its own run

    def command_before(self, at: int) -> str:
        """Return the last command that the text shows before a place, "" for none."""
        before = [ran.command for ran in self.commands if ran.at <= at]
        return before[-1] if before else ""
