"""Packages whose native part is not there at all for the target. What is there is judged elsewhere."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdapack.model import Finding, Rule, Severity
from lambdapack.project.installed import PackageManifest
from lambdapack.rules.fixes import install_for
from lambdapack.rules.platforms import Family
from lambdapack.rules.selection import Choice, expected_path, package_is_foreign
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.entry import Entry

MISSING_ADDON = Rule(
    "LP221",
    "missing-addon",
    "a package has no native file for this target",
    "Its loader finds nothing to load. node says: Cannot find module, or: Could not locate the bindings file, or: "
    "No native build was found.",
    "Install with its scripts and for the function's platform: `lambdapack build`.",
    Severity.ERROR,
)

BUILDS = re.compile(
    r"node-gyp|prebuild-install|node-pre-gyp|cmake-js|cmake-ts|pkg-prebuilds|install-from-cache|buildcheck"
)
"""What an install script of a package with a native part calls, read from 71 packages."""

MAY_FETCH = re.compile(r"node (\./)?(scripts/)?(install|prebuild|build)")
"""A script of the package's own may fetch a program (ffmpeg-static) or only greet: worth a warning."""

FALLBACK_FILES = ("fallback.js", "fallback/index.js", "elliptic.js", "js.js")
"""JavaScript in the addon's stead: bufferutil and utf-8-validate, secp256k1, keccak (read 2026-11)."""

FALLBACK_NAMES = frozenset({"bigint-buffer"})
"""Packages whose own code is the fallback, in no file of its own (require() without its addon tried, VERIFY 3.6)."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a tree with its native files and what its loader makes of them."""

    manifest: PackageManifest
    choices: Mapping[str, Choice]  # by path relative to the package


def missing_platform_packages(
    families: tuple[Family, ...], required: frozenset[str], runtime: Runtime
) -> Iterator[Finding]:
    """Yield a finding for each family of which no member at all is installed."""
    for family in families:
        if any(each for each in family.installed if "wasm" not in each.name):
            continue
        needed = family.carries_owner and family.owner.directory in required and not family.has_fallback
        cpu = runtime.target.architecture.node
        wanted = " or ".join(family.fitting)
        message = f"{wanted} is not installed" if wanted else f"it has no platform package for linux-{cpu}"
        yield Finding(
            MISSING_ADDON,
            family.owner.directory,
            message,
            package=family.owner.name,
            fix=install_for(runtime) if wanted else "",
            severity=None if needed else Severity.NOTE,
            evidence=(("wanted", list(family.fitting)),),
        )


def missing_builds(
    packages: tuple[Package, ...], families: tuple[Family, ...], entries: Mapping[str, Entry], runtime: Runtime
) -> Iterator[Finding]:
    """Yield a finding for each package that compiles or downloads a native file and has none for the target."""
    with_platforms = {each.owner.directory for each in families}
    for package in packages:
        manifest = package.manifest
        if manifest.directory in with_platforms or package_is_foreign(manifest, runtime):
            continue
        certain = _has_native_part(manifest, entries)
        if not certain and not _may_have(manifest):
            continue
        if any(choice.selected for path, choice in package.choices.items() if path.endswith(".node") or not certain):
            continue
        yield Finding(
            MISSING_ADDON,
            manifest.directory,
            _message(package, runtime),
            package=manifest.name,
            fix=_fix(manifest, runtime),
            severity=_severity(manifest, entries, certain=certain),
            evidence=(("files", sorted(package.choices)[:20]),),
        )


def _severity(manifest: PackageManifest, entries: Mapping[str, Entry], *, certain: bool) -> Severity | None:
    """A package that falls back to JavaScript is only slower."""
    files = (posixpath.join(manifest.directory, each) for each in FALLBACK_FILES)
    if manifest.name in FALLBACK_NAMES or any(each in entries for each in files):
        return Severity.NOTE
    return None if certain else Severity.WARNING


def _has_native_part(manifest: PackageManifest, entries: Mapping[str, Entry]) -> bool:
    """The function itself is built by its own scripts, and npm runs node-gyp for a binding.gyp it did not tell of."""
    if "node_modules" not in manifest.directory.split("/"):
        return False
    gyp = posixpath.join(manifest.directory, "binding.gyp") in entries
    return gyp or manifest.gypfile or bool(manifest.module_name) or bool(BUILDS.search(manifest.install_script))


def _may_have(manifest: PackageManifest) -> bool:
    return "node_modules" in manifest.directory.split("/") and bool(MAY_FETCH.search(manifest.install_script))


def _message(package: Package, runtime: Runtime) -> str:
    cpu = runtime.target.architecture.node
    foreign = sorted(path for path, choice in package.choices.items() if choice.foreign and path.endswith(".node"))
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        return f"it has {foreign[0]}{more}, but nothing for linux-{cpu} and Node.js {runtime.node_major}"
    if package.manifest.module_path:
        return f"{expected_path(package.manifest, runtime)} is not there: its install script did not run or failed"
    return "it was never compiled or downloaded: its install script did not run or failed"


def _fix(manifest: PackageManifest, runtime: Runtime) -> str:
    """Ours runs install scripts; npm 12 skips those that are not allowed (`npm install-scripts approve`)."""
    if not manifest.install_script and not manifest.gypfile:
        return ""
    target = f"--runtime {runtime.target.runtime} --arch {runtime.target.architecture}"
    return f"Run `lambdapack build {target}`, which runs its install script."
