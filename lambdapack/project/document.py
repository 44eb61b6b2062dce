"""Reads JSON files of a project as npm would. Never guesses: a broken file is LP003 with line and column."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BROKEN_MANIFEST, TOO_LARGE

INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
"""What `npm ci` runs for the root and every package, in this order (npm lib/commands/ci.js, 11.19.1)."""

REPOSITORY_TOOLS = frozenset(
    ("husky", "lefthook", "simple-git-hooks", "is-ci", "only-allow", "commitlint", "lint-staged", "all-contributors")
)
"""Commands that set up a checkout and change nothing that ships: their failure may be passed over."""

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
"""Bytes of a text file of a project; the lockfile of a repository with 2000 packages has about one million."""

MAX_DOCUMENT_NODES = 1_500_000
"""Values of a JSON document, about a hundred bytes of memory each: a locked package has about twelve."""

MAX_YAML_CHARACTERS = 16_000_000
"""Characters of a YAML document; pnpm's lock of 3000 packages has one million."""

CONFLICT_START = re.compile(r"^<{7}(?: |$)", re.MULTILINE)
CONFLICT_END = re.compile(r"^>{7}(?: |$)", re.MULTILINE)


def read_text(path: Path) -> str:
    """Return a text file without its byte order mark. LP003 when it cannot be read or is not UTF-8, LP019."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise LambdapackError(BROKEN_MANIFEST, f"{path}: {error.strerror or error}") from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LambdapackError(TOO_LARGE, f"{path}: it has more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # PowerShell 5 writes UTF-16 with `>`; npm refuses that too.
        kind = "UTF-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else f"not UTF-8 (byte {error.start})"
        hint = "Save the file as UTF-8."
        raise LambdapackError(BROKEN_MANIFEST, f"{path}: the text is {kind}", hint=hint) from error


def parse_object(text: str, path: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds. LP003 with line and column when it is something else, LP019."""
    # Every value but the first of its array or object follows a comma. A text has no more commas than that and its own.
    if len(text) > MAX_DOCUMENT_NODES and sum(map(text.count, ",{[")) > MAX_DOCUMENT_NODES:
        raise LambdapackError(TOO_LARGE, f"{path}: it has more than {MAX_DOCUMENT_NODES} values")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _broken_json_error(text, path, error) from error
    except (ValueError, RecursionError) as error:  # a number of 5000 digits; brackets nested without end
        raise LambdapackError(BROKEN_MANIFEST, f"{path}: {error}") from error
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}.get(
            type(value), "a number"
        )
        raise LambdapackError(BROKEN_MANIFEST, f"{path}:1:1: an object is expected, not {kind}")
    return value


def parse_yaml(text: str, path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds. LP003 when it is something else, LP019."""
    import yaml  # noqa: PLC0415  # 15 ms that most projects need not pay

    if len(text) > MAX_YAML_CHARACTERS:
        raise LambdapackError(TOO_LARGE, f"{path}: it has more than {MAX_YAML_CHARACTERS} characters")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(text, loader)  # noqa: S506  # both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise LambdapackError(BROKEN_MANIFEST, f"{path}: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LambdapackError(BROKEN_MANIFEST, f"{path}:1:1: a mapping is expected")
    return {str(key): part for key, part in value.items()}


def _broken_json_error(text: str, path: Path, error: json.JSONDecodeError) -> LambdapackError:
    conflict = CONFLICT_START.search(text)
    if conflict and CONFLICT_END.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        return LambdapackError(
            BROKEN_MANIFEST,
            f"{path}:{line}:1: the file holds merge-conflict markers",
            hint=_conflict_hint(path),
        )
    where = f"{path}:{error.lineno}:{error.colno}"
    return LambdapackError(BROKEN_MANIFEST, f"{where}: {'the file is empty' if not text.strip() else error.msg}")


def _conflict_hint(path: Path) -> str:
    if path.name == "package.json":
        return "Resolve the conflict in package.json, then run `npm install --package-lock-only`."
    # npm merges the two sides itself (parse-conflict-json, part of npm since 7).
    return "Run `npm install --package-lock-only`: npm resolves conflicts of its lockfile itself; then commit the file."


def key_lines(text: str, section: str, keys: Iterable[str]) -> dict[str, int]:
    """Return the 1-based line of each key, which are given in file order, inside the object called `section`.

    A key that is written with other escapes than ours keeps the line of the one before it.
    """
    position = max(text.find(json.dumps(section)), 0)
    line = text.count("\n", 0, position) + 1
    lines = {}
    for key in keys:
        place = _find_key(text, key, position)
        if place >= 0:
            line += text.count("\n", position, place)
            position = place
        lines[key] = line
    return lines


def _find_key(text: str, key: str, start: int) -> int:
    quoted = json.dumps(key, ensure_ascii=False)
    place = text.find(f"{quoted}:", start)
    if place >= 0:
        return place
    spaced = re.compile(re.escape(quoted) + r"\s*:").search(text, start)
    return spaced.start() if spaced else -1


def string_entries(value: object) -> Mapping[str, str]:
    """Return the entries of a JSON object that are strings; npm passes over the others too."""
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}
