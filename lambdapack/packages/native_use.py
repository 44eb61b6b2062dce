"""What a package's own JavaScript does when its native part is missing. Reads sources, runs nothing."""

import posixpath
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from lambdapack.model import package_of_specifier
from lambdapack.script.specifier import Likelihood, ModuleRequest
from lambdapack.tree.entry import EntryKind, Tree, read_file

MAX_SOURCE_FILES = 400
MAX_SOURCE_BYTES = 8 * 1024 * 1024
MAX_SOURCE_FILE_BYTES = 2 * 1024 * 1024
"""What is read of one package at most, in files and bytes; nothing is concluded from a package that has more."""

MAX_READING_SECONDS = 5.0
"""What one package's sources may take. All sources of 832 installed packages took 1.0 s together (measured 2026-11)."""

NATIVE_ARGUMENT = re.compile(
    r"\.node\b|node-gyp-build|pkg-prebuilds|node-pre-gyp|cmake-ts|build/(?:Release|Debug)|\A\s*['\"]bindings['\"]"
)
"""Arguments of require() that stand for a native file: its name, its directory, or a package that looks for it."""

REQUIRE_ENDINGS = ("", ".js", ".cjs", ".mjs", ".json", "/index.js", "/index.cjs", "/index.mjs")


class NativeUse(Enum):
    """What happens to a package without its native part, as far as its sources tell."""

    UNKNOWN = "unknown"  # they do not show where it is loaded
    REQUIRED = "required"  # an error reaches whoever requires the package, or calls it
    STOPGAP = "stopgap"  # it is asked for only where Node.js lacks something that it may have by now
    GUARDED = "guarded"  # it is caught, and JavaScript takes over
    ELSEWHERE = "elsewhere"  # only on other systems is it asked for


@dataclass(frozen=True, slots=True)
class NativePart:
    """What a package's sources tell about its native part."""

    use: NativeUse = NativeUse.UNKNOWN
    is_named: bool = False  # by a loader's call, or as a file; a computed require() names nothing


DISPENSABLE_USES = frozenset({NativeUse.GUARDED, NativeUse.ELSEWHERE})
"""What a package can do without on Lambda."""

_WORST_FIRST = (NativeUse.REQUIRED, NativeUse.STOPGAP, NativeUse.GUARDED, NativeUse.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class _SourceFile:
    use: NativeUse  # by its own hands, whatever the argument
    named_use: NativeUse  # the same, computed arguments left out
    is_named: bool
    edges: tuple[tuple[str, NativeUse], ...]  # files of the package that it requires, and how bad their lack can be


def read_native_part(tree: Tree, directory: str, manifest: Mapping[str, Any], parts: frozenset[str]) -> NativePart:
    """Return it for the package at a directory; `parts` are the platform packages that it depends on.

    Where a native file is asked for by name, a computed require() elsewhere is for something else, unless its own
    file has the name of a native file: sharp tries a list of paths, and elsewhere an optional package by name.
    """
    files: dict[str, _SourceFile] = {}
    entries = [
        found for point in _entry_points(manifest) if (found := resolve_relative(tree, directory, directory, point))
    ]
    pending, left = list(entries), MAX_SOURCE_BYTES
    end = time.monotonic() + MAX_READING_SECONDS
    while pending:
        path = pending.pop()
        size = tree.entries[path].size
        left -= size
        if path in files:
            continue
        if len(files) >= MAX_SOURCE_FILES or size > MAX_SOURCE_FILE_BYTES or left < 0 or time.monotonic() > end:
            return NativePart(is_named=any(source_file.is_named for source_file in files.values()))
        source_file = _read_source(tree, directory, path, parts)
        if source_file is None:
            return NativePart(is_named=any(source_file.is_named for source_file in files.values()))
        files[path] = source_file
        pending += [edge for edge, _ in source_file.edges]
    named = any(source_file.named_use is not NativeUse.UNKNOWN for source_file in files.values())
    uses = _propagate_uses(
        {
            path: replace(source_file, use=source_file.named_use) if named and not source_file.is_named else source_file
            for path, source_file in files.items()
        }
    )
    is_named = any(source_file.is_named for source_file in files.values())
    return NativePart(_worst_use(uses[path] for path in entries), is_named)


def _read_source(tree: Tree, directory: str, path: str, parts: frozenset[str]) -> _SourceFile | None:
    """Return what one file does, None when it was not read to its end."""
    if path.endswith(".json"):
        return _SourceFile(NativeUse.UNKNOWN, NativeUse.UNKNOWN, False, ())  # a record
    from lambdapack.script.requests import read_requests  # noqa: PLC0415  # the parser, for packages with native parts

    script = read_requests(read_file(tree, path))
    if not script.is_complete:
        return None
    requests = script.requests
    forgives = (
        any(module_request.guarded or module_request.likely < Likelihood.PERHAPS for module_request in requests)
        and not script.has_native_error
    )
    native = tuple(
        (module_request, _use_of_request(module_request) if forgives else NativeUse.REQUIRED)
        for module_request in requests
        if _is_native(module_request, parts)
    )
    asked = any(NATIVE_ARGUMENT.search(module_request.text) for module_request, _ in native)
    edges = (
        (target, _use_of_request(module_request) if forgives else NativeUse.REQUIRED)
        for module_request in requests
        if module_request.literal.startswith(".")
        and (target := resolve_relative(tree, directory, posixpath.dirname(path), module_request.literal))
    )
    return _SourceFile(
        _worst_use(use for _, use in native),
        _worst_use(use for module_request, use in native if _is_named(module_request)),
        asked or script.names_native_file,
        tuple(edges),
    )


def _is_named(want: ModuleRequest) -> bool:
    return bool(want.literal) or NATIVE_ARGUMENT.search(want.text) is not None


def _is_native(want: ModuleRequest, parts: frozenset[str]) -> bool:
    """What is worked out when it runs (sharp tries a list of paths) may be the native part as well."""
    if not want.literal:
        return True
    return package_of_specifier(want.literal) in parts or NATIVE_ARGUMENT.search(want.text) is not None


def _use_of_request(want: ModuleRequest) -> NativeUse:
    if want.likely is Likelihood.NEVER:
        return NativeUse.ELSEWHERE
    if want.guarded:
        return NativeUse.GUARDED
    return NativeUse.STOPGAP if want.likely is Likelihood.HARDLY else NativeUse.REQUIRED


def _worst_use(uses: Iterator[NativeUse]) -> NativeUse:
    present = set(uses)
    return next((native_use for native_use in _WORST_FIRST if native_use in present), NativeUse.UNKNOWN)


def _propagate_uses(files: Mapping[str, _SourceFile]) -> Mapping[str, NativeUse]:
    """Let each file have what the files have that it requires, until nothing changes."""
    uses = {path: source_file.use for path, source_file in files.items()}
    changed = True
    while changed:
        changed = False
        for path, source_file in files.items():
            reached = (_milder_use(uses.get(target, NativeUse.UNKNOWN), most) for target, most in source_file.edges)
            use = _worst_use(iter((uses[path], *reached)))
            changed |= use is not uses[path]
            uses[path] = use
    return uses


def _milder_use(use: NativeUse, most: NativeUse) -> NativeUse:
    """Return what a file's use is for one that requires it under a condition; of nothing known, nothing."""
    return use if use is NativeUse.UNKNOWN else max(use, most, key=_WORST_FIRST.index)


def _entry_points(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `require(package)` and `import` may begin with."""
    exports = manifest.get("exports")
    main = exports.get(".", exports) if isinstance(exports, dict) else exports
    yield from _nested_strings(
        main, lambda key: key not in {"types", "browser", "react-native"} and not key.startswith("./")
    )
    yield from _nested_strings(manifest.get("main"), lambda _: True)
    if exports is None and not manifest.get("main"):
        yield "index.js"


def _nested_strings(value: Any, follows: Callable[[str], bool]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, nested in value.items():
            if follows(str(key)):
                yield from _nested_strings(nested, follows)


def resolve_relative(tree: Tree, root: str, directory: str, name: str) -> str | None:
    """Return the file of the package that a relative name stands for, as require() looks for it."""
    plain = posixpath.normpath(posixpath.join(directory, name))
    for ending in REQUIRE_ENDINGS:
        entry = tree.entries.get(plain + ending)
        if entry is not None and entry.kind is EntryKind.FILE and plain.startswith(f"{root}/" if root else ""):
            return entry.path if entry.path.endswith((".js", ".cjs", ".mjs", ".json")) else None
    return None
