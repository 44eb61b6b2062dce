"""Which failure a failed npm run is: by npm's own codes, and by the messages of the failures' records. Runs nothing.

What is no program's message but npm's is from logs that npm 10.9.9 wrote in an image of Node 22, 2026-11;
tests/unit/managers/npm/logs has them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdapack.engine.emulation import crash_hint, signal_name, signal_of
from lambdapack.engine.interface import CommandResult
from lambdapack.errors.build import DISK_FULL, LOCK_REFUSED, NO_REGISTRY, NPM_FAILED, REGISTRY_REFUSED, ROOT_SCRIPT
from lambdapack.errors.install import (
    BUILD_PROGRAMS,
    COMPILE_FAILED,
    CRASHED,
    NO_TOOLCHAIN,
    NPM_BUILD_TOOLS,
    OUT_OF_MEMORY,
    PROGRAM_HINT,
)
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.system_packages import describe_system_package
from lambdapack.managers.npm import log
from lambdapack.managers.npm.log import FailedScript
from lambdapack.messages import Certainty, Message, slots_of
from lambdapack.model import TASK_ROOT, Architecture, package_of_specifier
from lambdapack.project.document import REPOSITORY_TOOLS


@dataclass(frozen=True, slots=True)
class NpmErrorCode:
    """One of npm's error codes."""

    pattern: str  # of the whole code
    failure: Failure
    hint: str = ""  # may use {npm}, the image's npm version; "" leaves the record's own cure


_REPAIR = "run `npx npm@{npm} install --package-lock-only` (the npm of the image) and commit the lockfile."
_CA = "Set NODE_EXTRA_CA_CERTS (or `cafile` in .npmrc) to the PEM file of the authority that signs its certificate."

NPM_ERROR_CODES: tuple[NpmErrorCode, ...] = (
    NpmErrorCode("ENOSPC", DISK_FULL),
    NpmErrorCode("ENOMEM", OUT_OF_MEMORY),
    NpmErrorCode("EUSAGE", LOCK_REFUSED, _REPAIR.capitalize()),
    NpmErrorCode(
        "EINTEGRITY",
        LOCK_REFUSED,
        "Find out why the registry or a proxy serves another file than the locked one; if it is right, " + _REPAIR,
    ),
    NpmErrorCode("EBADPLATFORM", LOCK_REFUSED, "Move the package to optionalDependencies: it refuses this target."),
    NpmErrorCode(
        "ERESOLVE",
        LOCK_REFUSED,
        "If the lockfile was made with legacy-peer-deps, put `legacy-peer-deps=true` into .npmrc; else " + _REPAIR,
    ),
    NpmErrorCode(
        "EBADENGINE",
        NPM_FAILED,
        "Choose a runtime that `engines` in package.json admits, or take engine-strict out of .npmrc.",
    ),
    NpmErrorCode(
        "E401|E403|ENEEDAUTH",
        REGISTRY_REFUSED,
        "Check the token for this registry in .npmrc: `npm whoami` with the same file says whether it is valid.",
    ),
    NpmErrorCode(
        "E404|ETARGET",
        REGISTRY_REFUSED,
        "Check name and version with `npm view`, and that .npmrc sends the package's scope to the right registry.",
    ),
    NpmErrorCode(
        "E407",
        NO_REGISTRY,
        "Give the proxy's user and password: `https-proxy=http://USER:PASSWORD@HOST:PORT` in .npmrc.",
    ),
    NpmErrorCode("E429|E5..", REGISTRY_REFUSED, "Repeat the build later: the registry answers, but cannot serve now."),
    NpmErrorCode(".*CERT.*|UNABLE_TO_.*|ERR_TLS_.*|ERR_SSL.*|EPROTO", NO_REGISTRY, _CA),
    NpmErrorCode("EAI_AGAIN|ENOTFOUND|ECONN.*|EHOST.*|ENET.*|ETIMEDOUT|EPIPE", NO_REGISTRY),
    NpmErrorCode("ERR_SOCKET.*|FETCH_ERROR|EIDLETIMEOUT|ENOTCACHED", NO_REGISTRY),
)

DISK_FULL_MESSAGE = Message(
    "npm, tar",
    "npm error code ENOSPC",
    r"\bENOSPC\b|[Nn]o space left on device",
    ("ENOSPC", "space"),
    "the disk is full",
)
GIT_MESSAGE = Message(
    "npm",
    "npm error syscall spawn git",
    r"syscall spawn git\b|\bgit: (?:command )?not found",
    ("git",),
    "npm needs git for a dependency, and the image has none",
    hint="Replace the git dependency by a release from a registry, or name an image that has git with `--build-image`.",
)
CRASH_MESSAGE = Message(
    "sh, npm",
    "npm error signal SIGSEGV",
    r"Segmentation fault|Illegal instruction|npm (?:error|ERR!) signal SIG(?:SEGV|ILL|BUS|TRAP)",
    ("Segmentation", "Illegal", "signal"),
    "a program of the script was killed by a signal",
)
DOWNLOAD_TOOL_MESSAGE = Message(
    "sh",
    "sh: 1: unzip: not found",
    r"(?:^|[\s/:])(?P<tool>tar|unzip|curl|git): (?:command not found|not found|No such file or directory)"
    r"|(?:not found:|spawn) (?P<tool2>tar|unzip|curl|git)\b",
    ("found", "directory", "spawn"),
    "the script calls {tool}, and the image has none",
    hint=PROGRAM_HINT,
)
MISSING_PROGRAM_MESSAGE = Message(
    "sh",
    "make: No such file or directory",
    rf"(?:^|[\s/:])(?P<tool>{BUILD_PROGRAMS}): No such file or directory",
    ("directory",),
    "the script calls {tool}, and the image has none",
    hint=PROGRAM_HINT,
)
COMPILER_MESSAGE = Message(
    "compiler, make",
    "make: *** [Makefile:4: all] Error 1",
    r":\d+:(?:\d+:)? (?:fatal )?error: |^error: |make(?:\[\d+\])?: \*\*\* ",
    ("error:", "make"),
    "the script compiles, and that fails",
)

Clue = tuple[Failure, tuple[Message, ...]]
"""A failure and the messages that mean it."""

RUN_CLUES: tuple[Clue, ...] = (
    (DISK_FULL, (DISK_FULL_MESSAGE,)),
    (OUT_OF_MEMORY, OUT_OF_MEMORY.messages),
    (NPM_FAILED, (GIT_MESSAGE,)),
)
"""Causes that count wherever they stand, whatever npm made of them."""

SCRIPT_CLUES: tuple[Clue, ...] = (
    (CRASHED, (*CRASHED.messages, CRASH_MESSAGE)),
    (NO_TOOLCHAIN, (*NO_TOOLCHAIN.messages, DOWNLOAD_TOOL_MESSAGE, MISSING_PROGRAM_MESSAGE)),
    (COMPILE_FAILED, (*COMPILE_FAILED.messages, COMPILER_MESSAGE)),
)
"""Causes inside one package's script, in the order in which they explain each other. There a line that could come from
anywhere else counts as well: make says `***` for whatever fails."""

PLAIN_FAILURES = frozenset({DISK_FULL, OUT_OF_MEMORY, NO_TOOLCHAIN})
"""Failures whose message says it all: the first line with it is shown, and nothing else."""

NO_PREBUILT_LINE = re.compile(
    r"(?:prebuild-install warn install|node-pre-gyp (?:WARN Hit error|ERR! install)) (?P<text>.+)"
)
"""Why a package that has prebuilt binaries was compiled at all."""

UNREACHED_HOST_LINE = re.compile(
    r"(?:getaddrinfo|connect) E\w+ (?P<host>[^\s:]+)|Could not resolve host: (?P<name>\S+)"
)
"""A script could not download."""

COMMAND_NOT_FOUND_LINE = re.compile(
    r"^(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?(?P<tool>[^\s:]+): (?:command )?not found"
)
"""bash, dash and busybox, each in its own words, about a program that a script calls."""

MODULE_NOT_FOUND_LINE = re.compile(r"Cannot find (?:module|package) '(?P<module>[^']+)'")
"""Node, about what a script requires."""


KILLED_PROGRAM_LINE = re.compile(r"Killed signal terminated program|\bexit(?:ed with)? code:? 137\b")
"""A program says that another was killed; only the kernel knows whether memory was why."""

_KILL, _ABORT = 9, 6


@dataclass(frozen=True, slots=True)
class NpmRun:
    """How npm ended, and the facts that say what it means."""

    ended: CommandResult
    lines: tuple[str, ...]
    architecture: Architecture
    emulated: bool = False
    npm: str = ""  # version in the image
    event: str = ""  # the project's own script that was started by `npm run`, which says nothing when it fails
    scripts: Mapping[str, str] = field(default_factory=dict)  # the project's own
    tools: Mapping[str, str] = field(default_factory=dict)  # program or module -> the devDependency that brings it


def explain_npm_failure(run: NpmRun) -> LambdapackError:
    """Return the failure that a run of npm which did not exit with 0 stands for; LP110 when nothing is recognised."""
    started = FailedScript("", "", run.event, run.scripts.get(run.event, "")) if run.event else None
    script = log.find_failed_script(run.lines) or started
    return (
        _signal_failure(run)
        or _clue_failure(run, RUN_CLUES, run.lines, log.error_message(run.lines) or str(script or ""))
        or (_script_failure(run, script) if script else _code_failure(run))
        or _error(run, NPM_FAILED, log.error_message(run.lines) or f"npm ended with exit code {run.ended.exit_code}")
    )


def lost_files_failure(lines: Sequence[str]) -> LambdapackError | None:
    """Return the failure of an npm run that exits with 0 although the disk was full, None when all is well.

    npm 10.9 only warns when a tarball cannot be unpacked, and drops optional packages: run 2026-11 with a full cache.
    """
    full = [line for line in lines if any(DISK_FULL_MESSAGE.find(line))]
    return LambdapackError(DISK_FULL, "npm could not write everything\n" + "\n".join(full[-3:])) if full else None


def _error(
    run: NpmRun, failure: Failure, what: str, hint: str = "", shown: Sequence[str] | None = None
) -> LambdapackError:
    lines = log.relevant_lines(run.lines) if shown is None else shown
    return LambdapackError(failure, "\n".join([what, *lines]), hint=hint or None)


def _signal_failure(run: NpmRun) -> LambdapackError | None:
    signal = signal_of(run.ended)
    package, event = log.last_banner(run.lines)
    during = f" in {package or 'this project'}'s {event} script" if event else ""
    shown = log.relevant_lines(log.last_script_lines(run.lines))
    if run.ended.out_of_memory:
        return _error(run, OUT_OF_MEMORY, f"npm was killed{during}", shown=shown)
    if signal == _KILL or run.ended.exit_code == 128 + _KILL:  # the kernel counted no process that it killed
        hint = "Repeat the build: a script or somebody outside killed it, and memory was not short."
        return _error(run, CRASHED, f"npm was killed (SIGKILL){during}", hint, shown)
    if signal is None and any(map(KILLED_PROGRAM_LINE.search, run.lines)):
        hint = "Repeat the build: a script or somebody outside killed a program, and memory was not short."
        return _error(run, CRASHED, f"a program was killed (SIGKILL){during}", hint, shown)
    if signal == _ABORT:  # a program that gives up says why
        clue = _clue_failure(run, ((OUT_OF_MEMORY, OUT_OF_MEMORY.messages),), run.lines, "")
        if clue:
            return clue
    if signal is not None:
        return _error(run, CRASHED, f"killed by {signal_name(signal)}{during}", _crash_hint(run), shown)
    return None


def _crash_hint(run: NpmRun) -> str:
    if run.emulated:
        return crash_hint(run.architecture)
    return "Choose another version of the package: its script crashes on this CPU, without any emulation."


def _code_failure(run: NpmRun) -> LambdapackError | None:
    code = log.error_code(run.lines)
    for npm_error_code in NPM_ERROR_CODES:
        if re.fullmatch(npm_error_code.pattern, code):
            what = log.error_message(run.lines) or code
            return _error(run, npm_error_code.failure, what, npm_error_code.hint.format(npm=run.npm or "latest"))
    return None


def _message_hint(message: Message, slots: Mapping[str, str]) -> str:
    """Return a message's hint; one that asks for development files names the system package that has them."""
    named = next((slots[slot] for slot in ("header", "library") if slots.get(slot)), "")
    flag = describe_system_package(named) if named else ""
    if not flag:
        return message.hint.format_map(slots)
    return f"Pass {flag}, which has what {named} asks for, or choose a version with a prebuilt binary."


def _clue_failure(run: NpmRun, clues: Sequence[Clue], lines: Sequence[str], what: str) -> LambdapackError | None:
    for failure, messages in clues:
        for message in messages:
            found = None if message.certainty is Certainty.POSSIBLE else _first_match(message, lines)
            if found is None:
                continue
            index, slots = found
            plain = failure in PLAIN_FAILURES
            shown = lines[index : index + 1] if plain else log.relevant_lines(lines[max(0, index - 1) : index + 40])
            hint = _crash_hint(run) if failure is CRASHED else _message_hint(message, slots)
            return _error(run, failure, what or "npm failed", hint, shown)
    return None


def _first_match(message: Message, lines: Sequence[str]) -> tuple[int, Mapping[str, str]] | None:
    for index, line in enumerate(lines):
        for slots in map(slots_of, message.find(line)):
            if slots.get("tool") not in NPM_BUILD_TOOLS:
                return index, slots
    return None


def _script_failure(run: NpmRun, script: FailedScript) -> LambdapackError:
    lines = log.last_script_lines(run.lines)
    what = f"{script} failed{_prebuilt_note(lines)}"
    found = _clue_failure(run, SCRIPT_CLUES, lines, what)
    if found:
        return found
    if not script.package:
        return _root_script_failure(run, script, lines)
    return _error(run, NPM_FAILED, what, _script_hint(script, lines))


def _prebuilt_note(lines: Sequence[str]) -> str:
    """Say why a package that has prebuilt binaries was compiled at all."""
    for line in lines:
        if match := NO_PREBUILT_LINE.search(line):
            return f"; its prebuilt binary could not be fetched ({match['text'].strip()})"
    return ""


def _script_hint(script: FailedScript, lines: Sequence[str]) -> str:
    if tool := _missing_tool(lines):
        return f"Run `npm install {tool}`: {script.package} calls it, and none of its dependencies provides it."
    for line in lines:
        if match := UNREACHED_HOST_LINE.search(line):
            host = match["host"] or match["name"]
            return (
                f"Let the build reach {host}, from which {script.package} downloads, or choose a version that does not."
            )
    return f"Read what {script.package}'s script printed above; its documentation says what it needs."


def _missing_tool(lines: Sequence[str]) -> str:
    """Return the program or module that a script did not find."""
    for line in lines:
        if match := COMMAND_NOT_FOUND_LINE.search(line):
            return match["tool"]
        if match := MODULE_NOT_FOUND_LINE.search(line):
            return match["module"]
    return ""


def _root_script_failure(run: NpmRun, script: FailedScript, lines: Sequence[str]) -> LambdapackError:
    event = script.event or next((name for name, text in run.scripts.items() if text == script.command), "postinstall")
    missing = _missing_tool(lines)
    owner = run.tools.get(missing) or run.tools.get(package_of_specifier(missing))
    what, hint = f"{script} failed", ""
    if owner:
        what = f"{script} needs `{missing}`, which the devDependency {owner} brings"
        guard = f"npm pkg set scripts.{event}='{script.command} || true'"
        harmless = missing in REPOSITORY_TOOLS
        hint = f"Run `npm install --save-prod {owner}`" + (f", or guard the script: `{guard}`." if harmless else ".")
    elif missing.startswith((TASK_ROOT, ".", "/")):
        file = missing.removeprefix(TASK_ROOT + "/")
        what = f"{script} needs `{file}`, which is not copied into the build"
        hint = f'Add it to lambdapack.toml: install-inputs = ["{file}"].'
    elif missing:
        what = f"{script} needs `{missing}`, which is not there"
        hint = f"Run `npm install --save-prod {missing}`, or take the call out of the script."
    return _error(run, ROOT_SCRIPT, what, hint)
