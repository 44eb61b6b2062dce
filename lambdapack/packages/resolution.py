"""What a specifier means to node: the answers. Errors are values with node's own code."""

from dataclasses import dataclass
from enum import Enum


class ModuleSystem(Enum):
    """How node loads a file."""

    COMMONJS = "commonjs"
    MODULE = "module"
    DETECT = "detect"  # the syntax decides
    JSON = "json"
    ADDON = "addon"
    OTHER = "other"  # WebAssembly, TypeScript, text


@dataclass(frozen=True, slots=True)
class ResolvedFile:
    """A file that is there."""

    path: str  # absolute, links followed
    system: ModuleSystem


@dataclass(frozen=True, slots=True)
class BuiltinModule:
    """A module of node's own."""

    name: str


@dataclass(frozen=True, slots=True)
class ProvidedPackage:
    """A package that the runtime brings and whose files are not seen here."""

    name: str


@dataclass(frozen=True, slots=True)
class ResolutionError:
    """What node throws."""

    code: str  # MODULE_NOT_FOUND, ERR_PACKAGE_PATH_NOT_EXPORTED …
    message: str
    path: str = ""  # the file or package.json that is at fault, "" when nothing is there


Resolution = ResolvedFile | BuiltinModule | ProvidedPackage | ResolutionError


class Refusal(Exception):  # noqa: N818  # carries node's error, is none of ours
    """What node throws, on its way out of the depth of a package's maps."""

    def __init__(self, code: str, message: str, path: str = "") -> None:
        """Hold the error."""
        super().__init__(message)
        self.error = ResolutionError(code, message, path)
