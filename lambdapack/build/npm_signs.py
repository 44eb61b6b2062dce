"""What npm and the compilers print, and what it means: the table that npm_failures.py reads. Data only.

Every sign is from a log that npm 10.9.9 wrote in an image of Node 22, 2026-11; tests/unit/build/npm_logs has them.
"""

import re
from dataclasses import dataclass

from lambdapack import errors
from lambdapack.errors import Failure


@dataclass(frozen=True, slots=True)
class Code:
    """One of npm's error codes."""

    pattern: str  # of the whole code
    failure: Failure
    hint: str = ""  # may use {npm}, the image's npm version; "" leaves the record's own cure


@dataclass(frozen=True, slots=True)
class Sign:
    """Text that tells a cause."""

    pattern: re.Pattern[str]
    failure: Failure
    hint: str = ""  # may use the pattern's named groups; "" leaves the record's own cure
    alone: bool = False  # show the first line that matches and nothing else


_REPAIR = "run `npx npm@{npm} install --package-lock-only` (the npm of the image) and commit the lockfile."
_CA = "Set NODE_EXTRA_CA_CERTS (or `cafile` in .npmrc) to the PEM file of the authority that signs its certificate."

CODES: tuple[Code, ...] = (
    Code("ENOSPC", errors.DISK_FULL),
    Code("ENOMEM", errors.OUT_OF_MEMORY),
    Code("EUSAGE", errors.LOCK_REFUSED, _REPAIR.capitalize()),
    Code(
        "EINTEGRITY",
        errors.LOCK_REFUSED,
        "Find out why the registry or a proxy serves another file than the locked one; if it is right, " + _REPAIR,
    ),
    Code("EBADPLATFORM", errors.LOCK_REFUSED, "Move the package to optionalDependencies: it refuses this target."),
    Code(
        "ERESOLVE",
        errors.LOCK_REFUSED,
        "If the lockfile was made with legacy-peer-deps, put `legacy-peer-deps=true` into .npmrc; else " + _REPAIR,
    ),
    Code(
        "EBADENGINE",
        errors.NPM_FAILED,
        "Choose a runtime that `engines` in package.json admits, or take engine-strict out of .npmrc.",
    ),
    Code(
        "E401|E403|ENEEDAUTH",
        errors.REGISTRY_REFUSED,
        "Check the token for this registry in .npmrc: `npm whoami` with the same file says whether it is valid.",
    ),
    Code(
        "E404|ETARGET",
        errors.REGISTRY_REFUSED,
        "Check name and version with `npm view`, and that .npmrc sends the package's scope to the right registry.",
    ),
    Code(
        "E407",
        errors.NO_REGISTRY,
        "Give the proxy's user and password: `https-proxy=http://USER:PASSWORD@HOST:PORT` in .npmrc.",
    ),
    Code("E429|E5..", errors.REGISTRY_REFUSED, "Repeat the build later: the registry answers, but cannot serve now."),
    Code(".*CERT.*|UNABLE_TO_.*|ERR_TLS_.*|ERR_SSL.*|EPROTO", errors.NO_REGISTRY, _CA),
    Code("EAI_AGAIN|ENOTFOUND|ECONN.*|EHOST.*|ENET.*|ETIMEDOUT|EPIPE", errors.NO_REGISTRY),
    Code("ERR_SOCKET.*|FETCH_ERROR|EIDLETIMEOUT|ENOTCACHED", errors.NO_REGISTRY),
)

DISK_FULL = Sign(re.compile(r"\bENOSPC\b|[Nn]o space left on device"), errors.DISK_FULL, alone=True)

_NO_MEMORY = r"Killed signal terminated program|virtual memory exhausted|Cannot allocate memory|std::bad_alloc"

ANYWHERE: tuple[Sign, ...] = (
    DISK_FULL,
    Sign(re.compile(_NO_MEMORY), errors.OUT_OF_MEMORY, alone=True),
    Sign(
        re.compile(r"JavaScript heap out of memory"),
        errors.OUT_OF_MEMORY,
        "Give that program of node more room in its script: `NODE_OPTIONS=--max-old-space-size=4096`.",
        alone=True,
    ),
    Sign(
        re.compile(r"syscall spawn git\b|\bgit: (?:command )?not found"),
        errors.NPM_FAILED,
        "Replace the git dependency by a release from a registry, or name an image that has git with `--build-image`.",
    ),
)
"""Causes that count wherever they stand, whatever npm made of them."""

_PROGRAM = (
    r"(?P<program>g\+\+|gcc|c\+\+|cc|clang\+\+|clang|make|cmake|ninja|python3?|pkg-config|autoreconf|automake"
    r"|tar|unzip|curl|git|rustc|cargo|go)"
)
_TOOL = (
    "Pass `--build-image` with an image that has {program} "
    "(`lambdapack images build` makes one with gcc, g++, make and python3)."
)
_HEADER = "Choose a version with a prebuilt binary, or a `--build-image` with the development files for <{header}>."
_LIBRARY = (
    "Choose a version with a prebuilt binary, or a `--build-image` with the library {library}; "
    "the function must then bring it too."
)

IN_SCRIPT: tuple[Sign, ...] = (
    Sign(
        re.compile(
            r"qemu: uncaught target signal|Segmentation fault|Illegal instruction"
            r"|npm (?:error|ERR!) signal SIG(?:SEGV|ILL|BUS|TRAP)"
        ),
        errors.CRASHED,
    ),
    Sign(re.compile(r"Could not find any Python installation"), errors.NO_TOOLCHAIN, alone=True),
    Sign(re.compile(rf"not found: {_PROGRAM}\b"), errors.NO_TOOLCHAIN, _TOOL, alone=True),
    Sign(
        re.compile(rf"(?:^|[\s/:]){_PROGRAM}: (?:command not found|not found|No such file or directory)"),
        errors.NO_TOOLCHAIN,
        _TOOL,
        alone=True,
    ),
    Sign(re.compile(rf"spawn {_PROGRAM} ENOENT"), errors.NO_TOOLCHAIN, _TOOL, alone=True),
    Sign(re.compile(r"fatal error: (?P<header>\S+): No such file or directory"), errors.COMPILE_FAILED, _HEADER),
    Sign(re.compile(r"cannot find -l(?P<library>[^\s:]+)"), errors.COMPILE_FAILED, _LIBRARY),
    Sign(
        re.compile(r":\d+:(?:\d+:)? (?:fatal )?error: |undefined reference to |^error(?:\[E\d+\])?: "),
        errors.COMPILE_FAILED,
    ),
    Sign(re.compile(r"gyp ERR! (?:build|configure) error|make(?:\[\d+\])?: \*\*\* "), errors.COMPILE_FAILED),
)
"""Causes inside one package's script, in the order in which they explain each other."""

NO_PREBUILT = re.compile(r"(?:prebuild-install warn install|node-pre-gyp (?:WARN Hit error|ERR! install)) (?P<text>.+)")
"""Why a package that has prebuilt binaries was compiled at all."""

UNREACHED = re.compile(r"(?:getaddrinfo|connect) E\w+ (?P<host>[^\s:]+)|Could not resolve host: (?P<name>\S+)")
"""A script could not download."""

NOT_FOUND = re.compile(r"^(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?(?P<tool>[^\s:]+): (?:command )?not found")
"""bash, dash and busybox, each in its own words, about a program that a script calls."""

NO_MODULE = re.compile(r"Cannot find (?:module|package) '(?P<module>[^']+)'")
"""Node, about what a script requires."""
