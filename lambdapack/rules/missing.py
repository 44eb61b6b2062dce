"""Packages whose native part is not there at all for the target. What is there is judged elsewhere."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdapack.model import Finding, Rule, Severity
from lambdapack.project.installed import PackageManifest
from lambdapack.project.sources import DISPENSABLE, NativeUse
from lambdapack.rules.absence import Reason, of_build, of_family
from lambdapack.rules.platforms import Family
from lambdapack.rules.selection import Choice, expected_path, package_is_foreign
from lambdapack.rules.space import ROOTS, Space
from lambdapack.rules.tokens import tags
from lambdapack.runtimes.runtime import Runtime

MISSING_ADDON = Rule(
    "LP221",
    "missing-addon",
    "a package has no native file for this target",
    "Its loader finds nothing to load. node says: Cannot find module, or: Could not locate the bindings file, or: "
    "No native build was found.",
    "Install with its scripts and for the function's platform: `lambdapack build`.",
    Severity.ERROR,
)
MISSING_PROGRAM = Rule(
    "LP228",
    "missing-program",
    "a package's program was not downloaded",
    "Its install script fetches a program that npm does not bring. child_process says: spawn ENOENT.",
    "Install with its scripts: `lambdapack build`.",
    Severity.ERROR,
)

BUILDS = re.compile(
    r"node-gyp|prebuild-install|node-pre-gyp|cmake-js|cmake-ts|pkg-prebuilds|install-from-cache|buildcheck|neon build"
    r"|cargo-cp-artifact|cargo build|napi build"
)
"""What an install script of a package with a native part calls."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a tree with its native files and what its loader makes of them."""

    manifest: PackageManifest
    choices: Mapping[str, Choice]  # by path relative to the package

    @property
    def addons(self) -> tuple[str, ...]:
        """Paths of what require() would open."""
        return tuple(path for path in self.choices if path.endswith(".node"))


@dataclass(frozen=True, slots=True)
class Needs:
    """What the packages of a space need."""

    families: tuple[Family, ...]  # all of them, served or not
    required: frozenset[str]  # directories of the packages that something needs without a fallback of its own
    asked: frozenset[str]  # names that those packages depend on


def missing_platform_packages(needs: Needs, space: Space, runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each family of which no member at all is installed."""
    owners = [space.manifests[root] for root in ROOTS]
    for family in needs.families:
        if any(each for each in family.installed if "wasm" not in each.name):
            continue
        reason = of_family(family, owners, runtime)
        yield _finding(
            MISSING_ADDON,
            family.owner,
            reason,
            None if family.is_needed(needs.required) else Severity.NOTE,
            ("wanted", list(family.fitting)),
        )


def missing_builds(packages: tuple[Package, ...], needs: Needs, space: Space, runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each package that compiles or downloads a native file and has none for the target."""
    with_platforms = {each.owner.directory for each in needs.families}
    for package in packages:
        manifest = package.manifest
        if "node_modules" not in manifest.directory.split("/"):
            continue  # the function itself is built by its own scripts
        if manifest.directory in with_platforms:
            continue
        rule = _lacks(package)
        if rule is None or (package_is_foreign(manifest, runtime) and not _is_wanted(manifest, needs)):
            continue
        files = ("files", sorted(package.choices)[:20])
        severity = _severity(manifest, rule, needs.required)
        yield _finding(rule, manifest, _why(package, space, runtime), severity, files)


def _is_wanted(manifest: PackageManifest, needs: Needs) -> bool:
    """A package for other platforms is one too few when it is a plain dependency: npm --force installed it."""
    named = tags(manifest.name).names_platform
    return manifest.directory in needs.required and manifest.name in needs.asked and not named


def _lacks(package: Package) -> Rule | None:
    """An addon when its files or its sources show that it has one; a program when its install script makes one."""
    manifest = package.manifest
    if _has_addon(package):
        return None if any(package.choices[each].selected for each in package.addons) else MISSING_ADDON
    fetched = manifest.script.fetches and not any(each.selected for each in package.choices.values())
    return MISSING_PROGRAM if fetched else None


def _has_addon(package: Package) -> bool:
    """Npm runs node-gyp for a binding.gyp it did not tell of."""
    manifest = package.manifest
    if manifest.gypfile or manifest.module_name or BUILDS.search(manifest.install_script):
        return True
    return manifest.native_use is not NativeUse.UNKNOWN and bool(package.addons or manifest.install_script)


def _severity(manifest: PackageManifest, rule: Rule, required: frozenset[str]) -> Severity | None:
    """A package that falls back to JavaScript is only slower; a script that only fetches may fetch anything."""
    if manifest.native_use in DISPENSABLE or manifest.directory not in required:
        return Severity.NOTE
    if manifest.native_use is NativeUse.STOPGAP:
        return Severity.WARNING
    return Severity.WARNING if rule is MISSING_PROGRAM and not manifest.script.makes_program else None


def _why(package: Package, space: Space, runtime: Runtime) -> Reason:
    manifest = package.manifest
    foreign = sorted(each for each in package.addons if package.choices[each].foreign)
    reason = of_build(manifest, foreign, space, runtime)
    if foreign or not manifest.module_path:
        return reason
    return Reason(reason.name, f"{expected_path(manifest, runtime)} is not there: {reason.message}", reason.fix)


def _finding(
    rule: Rule, manifest: PackageManifest, reason: Reason, severity: Severity | None, evidence: tuple[str, object]
) -> Finding:
    return Finding(
        rule,
        manifest.directory,
        _with_fallback(reason.message, manifest),
        package=manifest.name,
        fix=reason.fix,
        severity=severity,
        evidence=(("reason", reason.name), ("native_use", manifest.native_use.value), evidence),
    )


def _with_fallback(message: str, manifest: PackageManifest) -> str:
    more = WITHOUT.get(manifest.native_use)
    return f"{message}; {more}" if more else message


WITHOUT = {
    NativeUse.GUARDED: "its JavaScript takes over",
    NativeUse.ELSEWHERE: "its JavaScript asks for it on other systems only",
    NativeUse.STOPGAP: "its JavaScript asks for it only where Node.js lacks something that newer versions have",
}
"""What becomes of a package all the same, as far as its sources tell."""
