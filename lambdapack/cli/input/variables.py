"""Parses environment variables of a function: NAME=VALUE of `--env`, and the lines of `--env-file`."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE

VARIABLE_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
"""What POSIX calls a name (XBD, "Name"): what a shell, docker and node's --env-file take."""

LAMBDA_VARIABLE_NAME = re.compile(r"[A-Za-z]\w+", re.ASCII)
"""What Lambda takes ([a-zA-Z]([a-zA-Z0-9_])+, API reference, "Environment")."""

ENV_HINT = "Write `--env STAGE=test`."
LAMBDA_ENV_HINT = f"{ENV_HINT[:-1]}; a name begins with a letter and has two or more letters, digits and underscores."
ENV_FILE_HINT = "Write one NAME=VALUE a line; lines that begin with # are comments."


def read_function_variables(files: Iterable[Path], texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of files and NAME=VALUE for a function in AWS, which takes fewer names than a container.

    A text replaces a file's value. LP001 for a name that Lambda does not take.
    """
    variables: dict[str, str] = {}
    for file in files:
        for name, value in _read_env_file(file):
            if not LAMBDA_VARIABLE_NAME.fullmatch(name):
                raise LambdapackError(
                    USAGE, f"--env-file {file}: Lambda takes no variable {name}", hint=LAMBDA_ENV_HINT
                )
            variables[name] = value
    variables |= _parse_options(texts, LAMBDA_VARIABLE_NAME, LAMBDA_ENV_HINT)
    return tuple(variables.items())


def read_variables(files: Iterable[Path], texts: Iterable[str]) -> Mapping[str, str]:
    """Return the variables of files and of NAME=VALUE texts; a later one replaces an earlier, a text that of a file.

    NAME alone takes the value it has here; a file's NAME that has none here is left out. LP001 for anything else.
    """
    variables = dict(pair for file in files for pair in _read_env_file(file))
    return {**variables, **_parse_options(texts, VARIABLE_NAME, ENV_HINT)}


def read_load_variables(files: Sequence[Path], texts: Sequence[str], *, load: bool) -> Mapping[str, str]:
    """Return the variables for a load test; LP001 where none is asked for."""
    if (files or texts) and not load:
        raise LambdapackError(USAGE, "--env and --env-file are for --load", hint="Pass `--load` too.")
    return read_variables(files, texts)


def _parse_options(texts: Iterable[str], allowed: re.Pattern[str], hint: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    for text in texts:
        name, value = _split_variable(text)
        if value is None or not allowed.fullmatch(name):
            raise LambdapackError(USAGE, f"--env {name}: NAME=VALUE is expected", hint=hint)
        variables[name] = value
    return variables


def _split_variable(text: str) -> tuple[str, str | None]:
    """Return name and value; NAME alone has the value of this process's environment, None when it has none."""
    name, equals, value = text.partition("=")
    return name, value if equals else os.environ.get(name)


def _read_env_file(file: Path) -> Iterator[tuple[str, str]]:
    """Lines as `docker run --env-file` and node's --env-file take them; quotes around a value are not part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LambdapackError(USAGE, f"--env-file {file}: {why or error}", hint="Name a text file.") from error
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        name, value = _split_variable(re.sub(r"^export\s+", "", line))
        name = name.rstrip()
        if not VARIABLE_NAME.fullmatch(name):
            place = f"--env-file {file}:{number}"
            raise LambdapackError(USAGE, f"{place}: NAME=VALUE is expected", hint=ENV_FILE_HINT)
        if value is not None:
            yield name, _strip_quotes(value.lstrip()) if "=" in line else value


def _strip_quotes(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`"
    return value[1:-1] if quoted else value
