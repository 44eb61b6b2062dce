"""Reads the "#!" line of a script as the kernel does, and through env as env does. Judges nothing."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SHEBANG_BYTES = 256
"""BINPRM_BUF_SIZE (linux include/uapi/linux/binfmts.h): what the kernel reads of a file that it starts."""

ENV_SPLIT = re.compile(r"(?:-[iv0]*S|--split-string[=\s])\s*")
"""The options of env that split the rest of the line into words (coreutils 8.30 and later)."""

ENV_OPTIONS_WITH_VALUE = frozenset(("-u", "--unset", "-C", "--chdir", "-P"))

ENV_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class Shebang:
    """What a script's first line asks for."""

    line: str  # as written, without "#!" and blanks around it
    interpreter: str  # the path that the kernel starts; "" for a line without one
    program: str = ""  # what env looks for; "" when the interpreter is not env, or env's program is not known

    @property
    def name(self) -> str:
        """The name of the program that reads the script in the end: python3."""
        return posixpath.basename(self.program or self.interpreter)


def parse_shebang(head: bytes) -> Shebang | None:
    """Return the first line of a script, None for a file that does not begin with "#!"."""
    if not head.startswith(b"#!"):
        return None
    line = head[2:MAX_SHEBANG_BYTES].partition(b"\n")[0].decode("utf-8", "replace").strip(" \t")
    interpreter, argument, *_ = (*re.split(r"[ \t]+", line, maxsplit=1), "")
    program = _env_program(argument) if posixpath.basename(interpreter) == "env" else ""
    return Shebang(line, interpreter, program)


def _env_program(argument: str) -> str:
    """Return the program that env starts; the kernel hands it the rest of the line as one word."""
    split = ENV_SPLIT.match(argument)
    if split is None:
        return "" if argument.startswith("-") or ENV_ASSIGNMENT.match(argument) else argument
    try:
        words = iter(shlex.split(argument[split.end() :]))
    except ValueError:
        return ""
    return next(_without_options(words), "")


def _without_options(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word in ENV_OPTIONS_WITH_VALUE:
            next(words, "")
        elif ENV_ASSIGNMENT.match(word):
            if word.startswith("PATH="):
                return  # it searches where nobody can tell
        elif not word.startswith("-"):
            yield word
