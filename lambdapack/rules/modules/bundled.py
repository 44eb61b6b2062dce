"""Loaders of native addons that a bundler took into a file of the function, without the addon."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.model import Finding, Severity
from lambdapack.packages.modules import is_installed_path
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import path_in_report
from lambdapack.rules.modules.records import ADDON_BUNDLED

MODULE_COMMENT = re.compile(rb"^(?://|/\*) ((?:[^\n*]*/)?node_modules/(?:@[\w.-]+/)?[\w.-]+)[^\n]*", re.MULTILINE)
"""What esbuild and rollup write above each module that they take in: `// node_modules/bcrypt/bcrypt.js`."""

GUARDED = re.compile(rb"\btry\s*\{[^}]{0,200}\Z")
"""Right before a call: an open try."""


@dataclass(frozen=True, slots=True)
class BundledLoader:
    """One kind of loader: a text that only it has, and how it is called in a bundle."""

    sign: bytes
    call: re.Pattern[bytes]
    at_import: bool  # packages call it when they are loaded, not when they are used first


_NEVER = re.compile(rb"(?!)")


def _calls(name: bytes) -> re.Pattern[bytes]:
    """Return how esbuild writes a call of a loader, or of the variable that holds it."""
    return re.compile(
        rb"\brequire_" + name + rb"\d*\(\)\(|\b(?:var|let|const) [\w$]+ = require_" + name + rb"\d*\(\)[;,]"
    )


LOADERS = (
    BundledLoader(b"No native build was found for ", _calls(b"node_gyp_build"), at_import=True),
    BundledLoader(b"Could not locate the bindings file", _calls(b"bindings"), at_import=False),
    BundledLoader(b'Could not load the "sharp" module using the', _NEVER, at_import=True),
    BundledLoader(b"Failed to load native binding", _NEVER, at_import=True),
    BundledLoader(b"Cannot find native binding", _NEVER, at_import=True),
)
"""The sentences of node-gyp-build 4, bindings 1.5, sharp 0.33 and napi-rs 2 and 3 when nothing is found."""


def check_bundled_addons(case: Case) -> Iterator[Finding]:
    """Yield each bundle with a loader that finds nothing: an addon anywhere beside it may be what it loads."""
    modules = case.modules
    if modules is None:
        return
    for path in modules.graph.files:
        if is_installed_path(path) or not path.endswith(("js", "/index")):
            continue
        data = modules.files.read(path)
        loader = next((loader for loader in LOADERS if loader.sign in data), None)
        if loader is not None and not _has_addon(case, path):
            finding = _bundled_finding(case, path, data, loader)
            if finding is not None:
                yield finding


def _has_addon(case: Case, path: str) -> bool:
    """Tell whether there is an addon below the directory above the bundle's, where inlined loaders still look."""
    start = posixpath.dirname(posixpath.dirname(path))
    return any(place.endswith(".node") and place.startswith(start) for place in case.file_system.binaries)


def _bundled_finding(case: Case, path: str, data: bytes, loader: BundledLoader) -> Finding | None:
    calls = [match.start() for match in loader.call.finditer(data)]
    bare = [start for start in calls if GUARDED.search(data, max(0, start - 250), start) is None]
    if calls and not bare:
        return None  # the package goes on without its addon
    package = _package_around(data, bare[0] if bare else data.index(loader.sign))
    certain = loader.at_import and (bool(bare) or loader.call is _NEVER)
    what = f"the loader of {package}'s native addon" if package else "the loader of a native addon"
    message = f"it contains {what}, which finds no .node file beside the bundle"
    name = package or "NAME"
    return Finding(
        ADDON_BUNDLED,
        path_in_report(case.facts.root, path),
        message,
        package=package,
        line=data.count(b"\n", 0, bare[0]) + 1 if bare else None,
        fix=f"Mark it as external (`--external:{name}` of esbuild, `externals` of webpack), and ship {name} in "
        "node_modules: list it in dependencies and run `lambdapack build`.",
        severity=None if certain else Severity.WARNING,
        evidence=(("loader", loader.sign.decode().strip()), ("package", package)),
    )


def _package_around(data: bytes, place: int) -> str:
    """Return the package whose module stands at a place of a bundle, as the bundler's comment above names it."""
    names = [match[1].decode() for match in MODULE_COMMENT.finditer(data, 0, place)]
    return names[-1].rpartition("node_modules/")[2] if names else ""
