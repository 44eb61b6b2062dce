"""Prisma's engines: which file of a generated client is opened on a target, by its name alone.

The client asks for `TARGET-openssl-VERSION` of the system that it runs on (@prisma/get-platform 2 to 6): Amazon Linux
counts as rhel, arm64 has names of its own, and libssl's version is part of every name.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lambdapack.model import Architecture
from lambdapack.runtimes.runtime import Runtime

ENGINE_NAME = re.compile(
    r"(?P<kind>lib(?:query|schema)[_-]engine|(?:query|schema|migration|introspection)-engine|query_engine|prisma-fmt)"
    r"-(?P<target>[\w-]+?(?:-openssl-\d\.\d\.x)?)(?:\.(?:so|dylib|dll))?(?:\.node|\.exe)?(?:\.tmp\d*)?"
)
"""libquery_engine-TARGET.so.node, query-engine-TARGET, query_engine-windows.dll.node, schema-engine-TARGET."""

LIBRARY_KINDS = ("libquery_engine", "query_engine")
PROGRAM_KINDS = ("query-engine",)

TOOL_PACKAGES = frozenset({"prisma", "@prisma/engines", "@prisma/fetch-engine", "@prisma/migrate", "@prisma/internals"})
"""Packages that keep engines for `prisma generate` and migrations; a client opens the ones beside itself."""


@dataclass(frozen=True, slots=True)
class EngineName:
    """What an engine's file name says."""

    kind: str  # "libquery_engine", "query-engine", "schema-engine"
    target: str  # "rhel-openssl-3.0.x"

    @property
    def is_query_engine(self) -> bool:
        """Whether a client opens or starts it."""
        return self.kind in LIBRARY_KINDS or self.kind in PROGRAM_KINDS


def parse_engine_name(path: str) -> EngineName | None:
    """Return what the name of a Prisma engine says, None for any other file."""
    match = ENGINE_NAME.fullmatch(posixpath.basename(path))
    return EngineName(match["kind"], match["target"]) if match else None


def engine_target(runtime: Runtime) -> str:
    """Return the name that Prisma gives to a target: rhel-openssl-3.0.x, linux-arm64-openssl-1.0.x."""
    libssl = openssl_version(runtime)
    system = "linux-arm64" if runtime.target.architecture is Architecture.ARM64 else "rhel"
    return f"{system}-openssl-{libssl}"


def openssl_version(runtime: Runtime) -> str:
    """Return the line of OpenSSL that a runtime's libssl belongs to, as Prisma writes it."""
    for soname, line in (("libssl.so.3", "3.0.x"), ("libssl.so.1.1", "1.1.x")):
        if soname in runtime.libraries:
            return line
    return "1.0.x"


def static_engine_targets(runtime: Runtime) -> tuple[str, ...]:
    """Return the names of engines that need no OpenSSL of the system."""
    return (f"linux-static-{runtime.target.architecture.node}",)


def find_engines(paths: Iterable[str]) -> Mapping[str, Mapping[str, EngineName]]:
    """Return the engines among some files, by directory and path."""
    engines: dict[str, dict[str, EngineName]] = {}
    for path in paths:
        name = parse_engine_name(path)
        if name is not None:
            engines.setdefault(posixpath.dirname(path), {})[path] = name
    return engines


def fits_target(name: EngineName, runtime: Runtime) -> bool:
    """Tell whether Prisma opens an engine on a target."""
    return name.target in {engine_target(runtime), *static_engine_targets(runtime)}


def needs_query_engine(directory: str, owner: str) -> bool:
    """Tell whether a client opens the engines of a directory; the tools' own only wait there to be copied."""
    tools = (f"/node_modules/{tool}/" for tool in TOOL_PACKAGES)
    return owner not in TOOL_PACKAGES and not any(f"/{directory}/".endswith(tool) for tool in tools)


def choose_engines(paths: Iterable[str], runtime: Runtime) -> Mapping[str, bool]:
    """Return whether each engine among some files is opened on a target."""
    return {
        path: fits_target(name, runtime) for engines in find_engines(paths).values() for path, name in engines.items()
    }


def find_spare_engines(paths: Iterable[str], owner: str, runtime: Runtime) -> frozenset[str]:
    """Return the engines that nothing opens on a target, because the one for it lies beside them."""
    spare: set[str] = set()
    for directory, engines in find_engines(paths).items():
        fitting = any(fits_target(name, runtime) and name.is_query_engine for name in engines.values())
        if fitting or not needs_query_engine(directory, owner):
            spare |= {path for path, name in engines.items() if not fits_target(name, runtime)}
    return frozenset(spare)
