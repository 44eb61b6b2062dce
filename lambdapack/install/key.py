"""The dependency key: one digest over everything that decides an install's result. Never over a secret."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DependencyKey:
    """The key and what it is made of, so that two of them can be compared part by part."""

    digest: str  # "sha256:..."
    parts: Mapping[str, str]  # name -> "sha256:..." of that part


def dependency_key(parts: Mapping[str, bytes]) -> DependencyKey:
    """Return the key over named parts. The order does not count; names and lengths do."""
    digests = {name: _digest(parts[name]) for name in sorted(parts)}
    whole = json.dumps(digests, sort_keys=True, ensure_ascii=True).encode()
    return DependencyKey(_digest(whole), digests)


def differing_parts(parts: Mapping[str, bytes], remembered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of parts whose content is not what a key remembers, or that it does not know, in order."""
    return tuple(name for name in sorted(parts) if remembered.get(name) != _digest(parts[name]))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
