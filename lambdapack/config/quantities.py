"""Sizes, times and counts as settings write them: "512m", "4GiB", "90s", "1h30m"."""

import re

SIZE_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
"""As `docker run --memory` reads them: powers of 1024."""

TIME_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_size(value: object) -> int:
    """Return bytes: a number, or "512m", "4g", "4GiB"."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    words = value.strip().lower() if isinstance(value, str) else ""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", words)
    bytes_ = int(float(match[1]) * SIZE_UNITS[match[2]]) if match else 0
    if bytes_ <= 0:
        raise ValueError('a size such as "512m" or "4g" is expected')
    return bytes_


DURATION_FORM = r"(?:\d{1,9}(?:\.\d+)?[smh])*\d{1,9}(?:\.\d+)?[smh]?"
"""Every number but the last has its unit: a text is read in one way only, so that no text takes long."""


def parse_duration(value: object) -> float:
    """Return seconds: a number, or "90s", "30m", "1h30m"."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    if isinstance(value, str) and re.fullmatch(DURATION_FORM, value.strip().lower()):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", value.strip().lower())
        seconds = sum(float(number) * TIME_UNITS[unit] for number, unit in parts)
        if seconds > 0 and (len(parts) == 1 or all(unit for _number, unit in parts)):
            return seconds
    raise ValueError('a time such as 600 (seconds), "90s" or "30m" is expected')


def parse_count(value: object) -> int:
    """Return a whole number from 1."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("a whole number from 1 is expected")
