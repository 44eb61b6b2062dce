"""Parses the options of `deploy` before anything is built or sent."""

import json
import re
from pathlib import Path

from lambdapack.deploy.nouns import SmokeTest
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE


def parse_canary(text: str) -> float:
    """Return a part from 0 to 1 of "10%" or "0.1"; 0 for ""; LP001 for anything else."""
    if not text:
        return 0.0
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)(%?)", text.strip())
    part = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < part < 1:
        hint = "Pass a share between 0 and 1: `--canary 10%` or `--canary 0.1`."
        raise LambdapackError(USAGE, f"--canary {text} is not a share of the traffic", hint=hint)
    return part


def read_smoke_event(path: Path, status: int | None) -> SmokeTest:
    """Return the test event of a file; LP001 when it is no JSON document."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        hint = "Pass `--smoke FILE` with a JSON document."
        raise LambdapackError(USAGE, f"--smoke {path}: {why or error}", hint=hint) from error
    return SmokeTest(text.encode(), path.name, status)
