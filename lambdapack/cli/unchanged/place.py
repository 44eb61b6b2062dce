"""Where the record of a command lies, and what it must have been given to be the same command. Light to import."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes longer than this module does
    from collections.abc import Mapping, Sequence

RUN_SCHEMA = "lambdapack/run/1"
RUNS_DIRECTORY = "runs"
CACHE_VARIABLE = "LAMBDAPACK_CACHE"

IGNORED_VARIABLES = frozenset(
    ("_", "SHLVL", "OLDPWD", "PWD", "PS1", "MAKELEVEL", "MAKEFLAGS", "MFLAGS", "WINDOWID", "TERM_SESSION_ID")
)
"""Variables that differ from shell to shell and that nothing here reads."""

REPEATABLE_COMMANDS = frozenset(("build", "verify"))

UNREPEATABLE_FLAGS = (
    *("--into", "--keep-container", "--refresh", "--no-cache", "--why", "--check-reproducible", "--help", "-h"),
    *("--profile", "--region", "--endpoint-url", "--html"),
)
"""Flags with which a command does more than it prints, or prints what is not the same the next time."""

BYTECODE_DIRECTORY = "__pycache__"

OFF_WORDS = frozenset(("off", "false", "0", "no"))
"""Of a cache directory in the environment: what config/settings.py takes for no cache, too."""


def is_repeatable(argv: Sequence[str]) -> bool:
    """Tell whether a command line could have a record."""
    if os.name == "nt" or not argv or argv[0] not in REPEATABLE_COMMANDS:
        return False  # Windows keeps no time of change that nobody can set
    return not any(word.partition("=")[0] in UNREPEATABLE_FLAGS for word in argv) and "github" not in " ".join(argv)


def user_cache_directory(environ: Mapping[str, str]) -> str:
    """Return the cache directory without settings, as platformdirs and config/settings.py have it; "" for none."""
    chosen = environ.get(CACHE_VARIABLE, "").strip()
    if chosen:
        return "" if chosen.lower() in OFF_WORDS else os.path.abspath(chosen)
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return f"{home}/Library/Caches/lambdapack"
    base = environ.get("XDG_CACHE_HOME", "").strip() or f"{home}/.cache"
    return f"{os.path.expanduser(base)}/lambdapack"


def record_path(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the path of a command's record, "" where nothing is remembered."""
    directory = user_cache_directory(environ)
    name = hashlib.sha256(json.dumps([os.getcwd(), list(argv)]).encode()).hexdigest()
    return f"{directory}/{RUNS_DIRECTORY}/{name}.json" if directory else ""


def command_signature(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return a digest over what a command is given besides files: words, directory, variables, streams, day."""
    variables = sorted((name, value) for name, value in environ.items() if name not in IGNORED_VARIABLES)
    streams = [stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    given = [RUN_SCHEMA, sys.version, sys.prefix, os.getcwd(), list(argv), variables, streams, day]
    return hashlib.sha256(json.dumps(given).encode("utf-8", "surrogatepass")).hexdigest()


def seal(text: str) -> str:
    """Return the line that proves a record whole."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def names_digest(names: Sequence[str]) -> str:
    """Return a digest over the names of a directory. The interpreter may make its cache there at any time."""
    counted = sorted(name for name in names if name != BYTECODE_DIRECTORY)
    return hashlib.sha256("\0".join(counted).encode("utf-8", "surrogateescape")).hexdigest()


def bytes_digest(path: str) -> str:
    """Return the SHA-256 of a file's bytes, "" when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
