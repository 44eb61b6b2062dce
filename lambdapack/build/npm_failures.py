"""What a failed npm run means: one table of signs, each from a log that npm really wrote. Never runs anything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdapack import errors
from lambdapack.build import npm_log
from lambdapack.build.emulation import crash_cure, signal_name, signal_of
from lambdapack.build.engine import Completed
from lambdapack.build.npm_log import Script
from lambdapack.build.npm_signs import (
    ANYWHERE,
    CODES,
    DISK_FULL,
    IN_SCRIPT,
    NO_MODULE,
    NO_PREBUILT,
    NOT_FOUND,
    UNREACHED,
    Sign,
)
from lambdapack.errors import Failure, LambdapackError
from lambdapack.model import TASK_ROOT, Architecture

_KILL = 9


@dataclass(frozen=True, slots=True)
class Run:
    """How npm ended, and the facts that say what it means."""

    ended: Completed
    lines: tuple[str, ...]
    architecture: Architecture
    emulated: bool = False
    npm: str = ""  # version in the image
    event: str = ""  # the project's own script that was started by `npm run`, which says nothing when it fails
    scripts: Mapping[str, str] = field(default_factory=dict)  # the project's own
    tools: Mapping[str, str] = field(default_factory=dict)  # program or module -> the devDependency that brings it


def explain(run: Run) -> LambdapackError:
    """Return the failure that a run of npm which did not exit with 0 stands for; LP110 when nothing is recognised."""
    started = Script("", "", run.event, run.scripts.get(run.event, "")) if run.event else None
    script = npm_log.failed_script(run.lines) or started
    return (
        _killed(run)
        or _signs(run, ANYWHERE, run.lines, npm_log.message(run.lines) or str(script or ""))
        or (_script(run, script) if script else _coded(run))
        or _error(
            run, errors.NPM_FAILED, npm_log.message(run.lines) or f"npm ended with exit code {run.ended.exit_code}"
        )
    )


def lost_files(lines: Sequence[str]) -> LambdapackError | None:
    """Return the failure of an npm run that exits with 0 although the disk was full, None when all is well.

    npm 10.9 only warns when a tarball cannot be unpacked, and drops optional packages: run 2026-11 with a full cache.
    """
    full = [line for line in lines if DISK_FULL.pattern.search(line)]
    return (
        LambdapackError(errors.DISK_FULL, "npm could not write everything\n" + "\n".join(full[-3:])) if full else None
    )


def _error(
    run: Run, failure: Failure, what: str, hint: str = "", shown: Sequence[str] | None = None
) -> LambdapackError:
    lines = npm_log.worth_showing(run.lines) if shown is None else shown
    return LambdapackError(failure, "\n".join([what, *lines]), hint=hint or None)


def _killed(run: Run) -> LambdapackError | None:
    signal = signal_of(run.ended)
    package, event = npm_log.banner(run.lines)
    during = f" in {package or 'this project'}'s {event} script" if event else ""
    shown = npm_log.worth_showing(npm_log.last_script(run.lines))
    if run.ended.out_of_memory or signal == _KILL or run.ended.exit_code == 128 + _KILL:
        return _error(run, errors.OUT_OF_MEMORY, f"npm was killed{during}", shown=shown)
    if signal is not None:
        return _error(run, errors.CRASHED, f"killed by {signal_name(signal)}{during}", _crash_hint(run), shown)
    return None


def _crash_hint(run: Run) -> str:
    if run.emulated:
        return crash_cure(run.architecture)
    return "Choose another version of the package: its script crashes on this CPU, without any emulation."


def _coded(run: Run) -> LambdapackError | None:
    code = npm_log.code(run.lines)
    for each in CODES:
        if re.fullmatch(each.pattern, code):
            what = npm_log.message(run.lines) or code
            return _error(run, each.failure, what, each.hint.format(npm=run.npm or "latest"))
    return None


def _signs(run: Run, signs: Sequence[Sign], lines: Sequence[str], what: str) -> LambdapackError | None:
    for sign in signs:
        found = [(index, match) for index, line in enumerate(lines) if (match := sign.pattern.search(line))]
        if found:
            first = found[0][0]
            around = (
                lines[first : first + 1] if sign.alone else npm_log.worth_showing(lines[max(0, first - 1) : first + 40])
            )
            hint = sign.hint.format(**found[0][1].groupdict())
            if sign.failure is errors.CRASHED:
                hint = _crash_hint(run)
            return _error(run, sign.failure, what or "npm failed", hint, around)
    return None


def _script(run: Run, script: Script) -> LambdapackError:
    lines = npm_log.last_script(run.lines)
    what = f"{script} failed{_prebuilt(lines)}"
    found = _signs(run, IN_SCRIPT, lines, what)
    if found:
        return found
    if not script.package:
        return _root(run, script, lines)
    return _error(run, errors.NPM_FAILED, what, _script_hint(script, lines))


def _prebuilt(lines: Sequence[str]) -> str:
    """Say why a package that has prebuilt binaries was compiled at all."""
    for line in lines:
        if match := NO_PREBUILT.search(line):
            return f"; its prebuilt binary could not be fetched ({match['text'].strip()})"
    return ""


def _script_hint(script: Script, lines: Sequence[str]) -> str:
    if tool := _missing(lines):
        return f"Run `npm install {tool}`: {script.package} calls it, and none of its dependencies brings it."
    for line in lines:
        if match := UNREACHED.search(line):
            host = match["host"] or match["name"]
            return (
                f"Let the build reach {host}, from which {script.package} downloads, or choose a version that does not."
            )
    return f"Read what {script.package}'s script printed above; its documentation says what it needs."


def _missing(lines: Sequence[str]) -> str:
    """Return the program or module that a script did not find."""
    for line in lines:
        if match := NOT_FOUND.search(line):
            return match["tool"]
        if match := NO_MODULE.search(line):
            return match["module"]
    return ""


def _root(run: Run, script: Script, lines: Sequence[str]) -> LambdapackError:
    event = script.event or next((name for name, text in run.scripts.items() if text == script.command), "postinstall")
    missing = _missing(lines)
    owner = run.tools.get(missing) or run.tools.get(_package(missing))
    what, hint = f"{script} failed", ""
    if owner:
        what = f"{script} needs `{missing}`, which the devDependency {owner} brings"
        guard = f"npm pkg set scripts.{event}='{script.command} || true'"
        hint = f"Run `npm install --save-prod {owner}`, or guard the script: `{guard}`."
    elif missing.startswith((TASK_ROOT, ".", "/")):
        file = missing.removeprefix(TASK_ROOT + "/")
        what = f"{script} needs `{file}`, which is not copied into the build"
        hint = f'Add it to lambdapack.toml: install-inputs = ["{file}"].'
    elif missing:
        what = f"{script} needs `{missing}`, which is not there"
        hint = f"Run `npm install --save-prod {missing}`, or take the call out of the script."
    return _error(run, errors.ROOT_SCRIPT, what, hint)


def _package(module: str) -> str:
    """Return the package of a module specifier: "@scope/name" of "@scope/name/sub"."""
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
