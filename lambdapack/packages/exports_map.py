"""Package.json's `exports` and `imports`: the target of a key under conditions, as node works it out.

PACKAGE_IMPORTS_EXPORTS_RESOLVE and PACKAGE_TARGET_RESOLVE of the Node.js docs ("ECMAScript modules", "Resolution
Algorithm Specification"), with the order of checks of lib/internal/modules/esm/resolve.js.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdapack.packages.resolution import Refusal, Resolution

_BAD_SEGMENT = re.compile(
    r"(?:^|[\\/])(?:(?:\.|%2e){1,2}|(?:n|%6e|%4e)(?:o|%6f|%4f)(?:d|%64|%44)(?:e|%65|%45)(?:_|%5f)(?:m|%6d|%4d)"
    r"(?:o|%6f|%4f)(?:d|%64|%44)(?:u|%75|%55)(?:l|%6c|%4c)(?:e|%65|%45)(?:s|%73|%53))(?:[\\/]|$)",
    re.IGNORECASE,
)

SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
"""What begins a URL."""

ResolveBare = Callable[[str, str, frozenset[str]], Resolution | str]
"""Resolves a bare target (specifier, asking file, conditions): `imports` may name other packages."""


class PackageMaps:
    """Looks keys up in both kinds of table."""

    def __init__(self, resolve_bare: ResolveBare) -> None:
        """Keep what resolves targets outside the package."""
        self._bare = resolve_bare

    def match(
        self, table: Mapping[str, Any], key: str, directory: str, conditions: frozenset[str], *, internal: bool
    ) -> Resolution | str | None:
        """Return what a table has for a key: a path, or what a bare target resolves to; None when it has nothing."""
        if key in table and "*" not in key and not key.endswith("/"):
            found = self._target(table[key], "", _Lookup(directory, key, conditions, internal, pattern=False))
            return None if found is _UNDEFINED else found
        best, inner = "", ""
        for candidate in table:
            start, star, end = candidate.partition("*")
            if not star or "*" in end or not key.startswith(start) or key == start:
                continue
            if len(key) >= len(candidate) and key.endswith(end) and _is_better(candidate, best):
                best, inner = candidate, key[len(start) : len(key) - len(end)]
        if not best:
            return None
        found = self._target(table[best], inner, _Lookup(directory, key, conditions, internal, pattern=True))
        return None if found is _UNDEFINED else found

    def _target(self, target: Any, inner: str, lookup: "_Lookup", depth: int = 0) -> Any:
        if depth > 100:  # deeper than any package; node's own limit is its stack
            return None
        if isinstance(target, str):
            return self._target_string(target, inner, lookup)
        if isinstance(target, list):
            return self._target_list(target, inner, lookup, depth)
        if isinstance(target, dict):
            if any(key.isdigit() and (key == "0" or key[0] != "0") for key in target):
                path = f"{lookup.directory}/package.json"
                raise Refusal("ERR_INVALID_PACKAGE_CONFIG", f"Invalid package config {path}.", path)
            for condition, value in target.items():
                if condition in lookup.conditions:
                    found = self._target(value, inner, lookup, depth + 1)
                    if found is not _UNDEFINED:
                        return found
            return _UNDEFINED
        if target is None:
            return None
        raise lookup.invalid(target)

    def _target_list(self, targets: list[Any], inner: str, lookup: "_Lookup", depth: int) -> Any:
        last: Refusal | None = None
        if not targets:
            return None
        for target in targets:
            try:
                found = self._target(target, inner, lookup, depth + 1)
            except Refusal as refusal:
                if refusal.error.code != "ERR_INVALID_PACKAGE_TARGET":
                    raise
                last = refusal
                continue
            if found is _UNDEFINED:
                continue
            if found is None:
                last = None
                continue
            return found
        if last is None:
            return None
        raise last

    def _target_string(self, target: str, inner: str, lookup: "_Lookup") -> Resolution | str:
        if inner and not lookup.pattern and not target.endswith("/"):
            raise lookup.invalid(target)
        if not target.startswith("./"):
            outward = target.startswith(("../", "/"))
            if not lookup.internal or outward or SCHEME.match(target):
                raise lookup.invalid(target)
            bare = target.replace("*", inner) if lookup.pattern else target + inner
            return self._bare(bare, f"{lookup.directory}/package.json", lookup.conditions)
        if _BAD_SEGMENT.search(target[2:]):
            raise lookup.invalid(target)
        if inner and _BAD_SEGMENT.search(inner):
            raise Refusal(
                "ERR_INVALID_MODULE_SPECIFIER", f"Invalid module '{lookup.key}'", f"{lookup.directory}/package.json"
            )
        path = target.replace("*", inner) if lookup.pattern else target
        joined = posixpath.normpath(posixpath.join(lookup.directory, path))
        return f"{joined}/" if path.endswith("/") else joined


@dataclass(frozen=True, slots=True)
class _Lookup:
    """What stays the same while a target is worked out."""

    directory: str
    key: str
    conditions: frozenset[str]
    internal: bool
    pattern: bool

    def invalid(self, target: Any) -> Refusal:
        """Return node's error for a target that it does not take."""
        path = f"{self.directory}/package.json"
        return Refusal("ERR_INVALID_PACKAGE_TARGET", f"Invalid target {target!r} for '{self.key}' in {path}", path)


_UNDEFINED: Any = object()
"""JavaScript's undefined: no condition matched; null is None."""


def is_main_sugar(exports: Any, directory: str) -> bool:
    """Tell whether `exports` is a target itself, not a table of subpaths; a mix is refused."""
    if not isinstance(exports, dict):
        return True
    dotted = [key.startswith(".") for key in exports]
    if any(dotted) and not all(dotted):
        path = f"{directory}/package.json"
        raise Refusal("ERR_INVALID_PACKAGE_CONFIG", f"Invalid package config {path}.", path)
    return not dotted or not dotted[0]


def _is_better(candidate: str, best: str) -> bool:
    """Tell whether a pattern is more exact (PATTERN_KEY_COMPARE): the longer start, then the longer key."""
    if not best:
        return True
    base, best_base = candidate.index("*") + 1, best.index("*") + 1
    return base > best_base if base != best_base else len(candidate) > len(best)
