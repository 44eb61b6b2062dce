"""Reads what a samconfig.toml states for `sam deploy`: parameters of the template, and the region."""

import re
import shlex
from pathlib import Path
from typing import Any

SAM_CONFIG_NAME = "samconfig.toml"


def read_sam_config(path: Path) -> tuple[dict[str, str], str]:
    """Return the parameters and the region that `sam deploy` takes when it is told nothing else."""
    if not path.is_file():
        return {}, ""
    import tomllib  # noqa: PLC0415  # few projects have such a file

    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}, ""
    overrides, region = dict[str, str](), ""
    for command in ("global", "deploy"):
        table: Any = document
        for key in ("default", command, "parameters"):
            table = table.get(key, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            overrides |= _parse_overrides(table.get("parameter_overrides"))
            region = str(table.get("region") or region)
    return overrides, region


def _parse_overrides(written: object) -> dict[str, str]:
    """Return parameters by name: `Key=Value`, or `ParameterKey=Key,ParameterValue=Value`, in a text or a list."""
    words = list[str]()
    for line in written if isinstance(written, list) else [written]:
        if isinstance(line, str):
            try:
                words += shlex.split(line)
            except ValueError:
                words += line.split()
    overrides = {}
    for word in words:
        match = re.fullmatch(r"ParameterKey=([^,]+),ParameterValue=(.*)|([^=]+)=(.*)", word, re.DOTALL)
        if match:
            overrides[match[1] or match[3]] = match[2] if match[1] else match[4]
    return overrides
