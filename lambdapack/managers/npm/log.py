"""Reads npm's log: its error code, the script that failed, the relevant lines. Draws no conclusion."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambdapack.model import TASK_ROOT

MAX_LOG_LINES = 20
MAX_LOG_LINE_CHARACTERS = 300

ERROR_LINE = re.compile(r"npm (?:error|ERR!) ?(?P<text>.*)")
"""npm 10 and later write "npm error", older ones "npm ERR!"."""

_CODE = re.compile(r"code (\S+)")
_BANNER = re.compile(r"> (?:(?P<package>\S+@\S+) )?(?P<event>(?:pre|post)?install|(?:pre|post)?prepare|prepublish)")
_PLUMBING = re.compile(r"(?:code|errno|syscall|path|command|signal|dest|Log files|A complete log)\b")
_LABEL = re.compile(r"(?:notarget|notsup|engine|enoent|network|nospc|(\d{3})(?= \1 )) ")
_NOISE = re.compile(
    r"npm (?:notice|error Log files|error A complete log|error In most cases|error\Z|ERR!\Z)"
    r"|npm (?:error|ERR!) errno |npm \w+!? +at |\s+at .*\(node:internal/"
    r"|(?:node-pre-)?gyp (?:info|verb|ERR! (?:System|command|cwd|node|not ok|stack +at))"
    r"|\s*\Z"
)
_USAGE = re.compile(r"npm (?:error|ERR!) (?:Clean install a project|Usage:)")


@dataclass(frozen=True, slots=True)
class FailedScript:
    """A lifecycle script that npm says failed."""

    directory: str  # relative to the project, "" for the project itself
    package: str  # "bcrypt"; "" for the project itself
    event: str  # "postinstall", "" when npm did not say
    command: str  # what the shell was given

    def __str__(self) -> str:
        whose = f"{self.package or 'this project'}'s"
        return f"{whose} {self.event or 'install'} script (`{self.command}`)"


def error_code(lines: Sequence[str]) -> str:
    """Return npm's own last error code ("E404", "EUSAGE", an exit code as text), "" when it gave none."""
    codes = [match[1] for text in error_texts(lines) if (match := _CODE.fullmatch(text))]
    return codes[-1] if codes else ""


def error_texts(lines: Sequence[str]) -> Iterator[str]:
    """Yield npm's error lines without their prefix and its help text."""
    for line in lines:
        if _USAGE.match(line):
            return
        if match := ERROR_LINE.fullmatch(line):
            yield match["text"].strip()


def error_message(lines: Sequence[str]) -> str:
    """Return the line in which npm says what is the matter, "" when there is none."""
    for text in error_texts(lines):
        if text and not _PLUMBING.match(text) and not text.isdigit():
            return _LABEL.sub("", text, count=1)
    return ""


def find_failed_script(lines: Sequence[str]) -> FailedScript | None:
    """Return the script that ended npm, None when no script did."""
    texts = list(error_texts(lines))
    path = next((text[5:] for text in reversed(texts) if text.startswith("path ")), "")
    if not path or "command failed" not in texts:
        return None
    command = next(
        (text[8:] for text in reversed(texts) if text.startswith("command ") and text != "command failed"), ""
    )
    directory = "" if path == TASK_ROOT else posixpath.relpath(path, TASK_ROOT)
    return FailedScript(
        directory, package_of_directory(directory), last_banner(lines)[1], command.removeprefix("sh -c ")
    )


def last_banner(lines: Sequence[str]) -> tuple[str, str]:
    """Return package@version and event of the last script that npm announced, as in "> bcrypt@6.0.0 install"."""
    match = _BANNER.fullmatch(next(iter(last_script_lines(lines)), ""))
    return (match["package"] or "", match["event"]) if match else ("", "")


def package_of_directory(directory: str) -> str:
    """Return the npm name of a package's directory; the directory itself for a `file:` target."""
    _, separator, name = f"/{directory}".rpartition("/node_modules/")
    return name if separator else directory


def last_script_lines(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines since npm announced its last script: what earlier ones printed explains nothing."""
    for index in range(len(lines) - 2, -1, -1):
        if _BANNER.fullmatch(lines[index]) and lines[index + 1].startswith("> "):
            return lines[index:]
    return lines


def relevant_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines without npm's advertisements, help text and stack frames."""
    end = next((index for index, line in enumerate(lines) if _USAGE.match(line)), len(lines))
    kept = [line[:MAX_LOG_LINE_CHARACTERS] for line in lines[:end] if not _NOISE.match(line)]
    return tuple(kept[-MAX_LOG_LINES:])
