"""Packages that have no native file for the target, why, and the command that installs one."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lambdapack.model import Finding, Rule, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.native_use import DISPENSABLE_USES, NativeUse
from lambdapack.rules.fixes import build_fix
from lambdapack.rules.model.file_system import TREE_ROOTS, LambdaFileSystem
from lambdapack.rules.package.evidence import fetches_files, has_fetched_files, has_native_part
from lambdapack.rules.package.records import MISSING_ADDON, MISSING_PROGRAM
from lambdapack.rules.selection.platforms import PlatformFamily
from lambdapack.rules.selection.selection import PackageChoices, expected_addon_path, foreign_package_reason
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import Runtime

SWALLOWED_FAILURE = re.compile(r"\|\|\s*(?:exit 0|true|echo|:)|;\s*(?:exit 0|true)\s*\Z")
"""What ends an install command that never fails."""

COMPILATION_TRACES = ("build/config.gypi", "build/Makefile", "build/Release", "build/CMakeCache.txt")
"""What a compilation leaves in a package, whether or not it ended well; no package publishes it."""

MAX_NAMED_FOREIGN_ADDONS = 1


@dataclass(frozen=True, slots=True)
class MissingReason:
    """One reason, in its words."""

    name: str
    message: str
    fix: str


def missing_family_reason(family: PlatformFamily, owners: Iterable[PackageManifest], runtime: Runtime) -> MissingReason:
    """Return why no member of a family is installed; `owners` are the trees' own manifests, with their lockfiles."""
    cpu = runtime.target.architecture.node
    if not family.fitting:
        others = sorted(member.name for member in family.installed)
        beside = f", only {others[0]}" if others else ""
        fix = f"Choose a version of {family.owner.name} that has one for linux-{cpu}, or another CPU (`--arch`)."
        return MissingReason("no-build", f"no platform package of it is published for linux-{cpu}{beside}", fix)
    wanted = " or ".join(family.fitting)
    install = f"npm ci --include=optional --os=linux --cpu={cpu} --libc=glibc"
    locks = [owner.locked for owner in owners if owner.locked is not None]
    if locks and not any(name in lock for lock in locks for name in family.fitting):
        message = f"{wanted} is not installed, and package-lock.json has lost it (npm/cli#4828)"
        return MissingReason(
            "lost-from-lock",
            message,
            f"Run `npx npm@11 install --package-lock-only`, then `{install}`.",
        )
    if locks:
        message = f"{wanted} is not installed, though package-lock.json has it: --omit=optional, or another platform"
        return MissingReason("optional-omitted", message, f"Run `{install}`.")
    return MissingReason("not-installed", f"{wanted} is not installed", f"Run `{install}`.")


def missing_build_reason(
    manifest: PackageManifest, foreign: list[str], file_system: LambdaFileSystem, runtime: Runtime
) -> MissingReason:
    """Return why a package that is compiled or downloaded at install time has nothing for the target.

    `foreign` are the addons that it does have, relative to it.
    """
    fix = build_fix(runtime)
    if foreign:
        return _foreign_addons_reason(manifest, foreign, runtime)
    if any(_has_path(file_system, manifest, trace) for trace in COMPILATION_TRACES):
        message = "its compilation failed: it started and left no file"
        return MissingReason("compile-failed", message, fix)
    if manifest.name in file_system.scripts_run:
        silent = "; it always exits with 0" if SWALLOWED_FAILURE.search(manifest.install_script) else ""
        message = f"its install script ran and left no file for linux-{runtime.target.architecture.node}{silent}"
        return MissingReason("script-made-nothing", message, fix)
    skipped = "--ignore-scripts, or npm 12 without `npm install-scripts approve`"
    if not manifest.install_script and not manifest.gypfile:
        return MissingReason("not-published", "no file of it is native, and no install script would make one", "")
    if SWALLOWED_FAILURE.search(manifest.install_script):
        message = f"its install script was skipped ({skipped}), or failed silently: it always exits with 0"
        return MissingReason("scripts-skipped", message, fix)
    if manifest.script.fetches:
        return MissingReason(
            "scripts-skipped", f"its install script, which downloads it, was skipped ({skipped}) or failed", fix
        )
    return MissingReason(
        "scripts-skipped", f"it was never compiled or downloaded: its install script was skipped ({skipped})", fix
    )


def _foreign_addons_reason(manifest: PackageManifest, foreign: list[str], runtime: Runtime) -> MissingReason:
    cpu = runtime.target.architecture.node
    more = f" and {len(foreign) - MAX_NAMED_FOREIGN_ADDONS} more" if len(foreign) > MAX_NAMED_FOREIGN_ADDONS else ""
    message = f"it has {foreign[0]}{more}, but nothing for linux-{cpu} and Node.js {runtime.node_major}"
    compiles = manifest.gypfile or "gyp" in manifest.install_script or "cmake" in manifest.install_script
    return MissingReason("no-prebuild", message, build_fix(runtime) if compiles else "")


def _has_path(file_system: LambdaFileSystem, manifest: PackageManifest, name: str) -> bool:
    path = posixpath.join(manifest.directory, name)
    return path in file_system.entries or file_system.is_directory(path)


@dataclass(frozen=True, slots=True)
class PackageNeeds:
    """What the packages of a space need."""

    families: tuple[PlatformFamily, ...]  # all of them, served or not
    required: frozenset[str]  # directories of the packages that something needs without a fallback of its own
    asked: frozenset[str]  # names that those packages depend on


def missing_family_findings(needs: PackageNeeds, file_system: LambdaFileSystem, runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each family of which no member at all is installed."""
    owners = [file_system.manifests[root] for root in TREE_ROOTS]
    for family in needs.families:
        if any("wasm" not in member.name for member in family.installed):
            continue
        reason = missing_family_reason(family, owners, runtime)
        yield _missing_finding(
            MISSING_ADDON,
            family.owner,
            reason,
            None if family.is_needed(needs.required) else Severity.NOTE,
            ("wanted", list(family.fitting)),
        )


def missing_build_findings(
    packages: tuple[PackageChoices, ...], needs: PackageNeeds, file_system: LambdaFileSystem, runtime: Runtime
) -> Iterator[Finding]:
    """Yield a finding for each package that compiles or downloads a native file and has none for the target."""
    with_platforms = {platform_family.owner.directory for platform_family in needs.families}
    for package in packages:
        manifest = package.manifest
        if "node_modules" not in manifest.directory.split("/"):
            continue  # the function itself is built by its own scripts
        if manifest.directory in with_platforms:
            continue
        rule = _missing_rule(package, file_system)
        if rule is None or (foreign_package_reason(manifest, runtime) and not _is_plain_dependency(manifest, needs)):
            continue
        files = ("files", sorted(package.choices)[:20])
        severity = _missing_severity(manifest, rule, needs.required)
        yield _missing_finding(rule, manifest, _missing_reason(package, file_system, runtime), severity, files)


def _is_plain_dependency(manifest: PackageManifest, needs: PackageNeeds) -> bool:
    """A package for other platforms is one too few when it is a plain dependency: npm --force installed it."""
    named = parse_platform_tags(manifest.name).names_platform
    return manifest.directory in needs.required and manifest.name in needs.asked and not named


def _missing_rule(package: PackageChoices, file_system: LambdaFileSystem) -> Rule | None:
    """An addon when something shows that the package has one; else what its install script fetches, if it does."""
    if has_native_part(package):
        return None if any(package.choices[addon].selected for addon in package.addons) else MISSING_ADDON
    absent = fetches_files(package) and not has_fetched_files(package, file_system)
    return MISSING_PROGRAM if absent else None


def _missing_severity(manifest: PackageManifest, rule: Rule, required: frozenset[str]) -> Severity | None:
    """A package that falls back to JavaScript is only slower; a script that only fetches may fetch anything."""
    if manifest.native_use in DISPENSABLE_USES or manifest.directory not in required:
        return Severity.NOTE
    if manifest.native_use is NativeUse.STOPGAP:
        return Severity.WARNING
    return Severity.WARNING if rule is MISSING_PROGRAM and not manifest.script.makes_program else None


def _missing_reason(package: PackageChoices, file_system: LambdaFileSystem, runtime: Runtime) -> MissingReason:
    manifest = package.manifest
    foreign = sorted(addon for addon in package.addons if package.choices[addon].foreign)
    reason = missing_build_reason(manifest, foreign, file_system, runtime)
    if foreign or not manifest.module_path:
        return reason
    return MissingReason(
        reason.name, f"{expected_addon_path(manifest, runtime)} is missing: {reason.message}", reason.fix
    )


def _missing_finding(
    rule: Rule,
    manifest: PackageManifest,
    reason: MissingReason,
    severity: Severity | None,
    evidence: tuple[str, object],
) -> Finding:
    return Finding(
        rule,
        manifest.directory,
        _add_fallback_note(reason.message, manifest),
        package=manifest.name,
        fix=reason.fix,
        severity=severity,
        evidence=(("reason", reason.name), ("native_use", manifest.native_use.value), evidence),
    )


def _add_fallback_note(message: str, manifest: PackageManifest) -> str:
    more = FALLBACK_NOTES.get(manifest.native_use)
    return f"{message}; {more}" if more else message


FALLBACK_NOTES = {
    NativeUse.GUARDED: "its JavaScript takes over",
    NativeUse.ELSEWHERE: "its JavaScript asks for it on other systems only",
    NativeUse.STOPGAP: "its JavaScript asks for it only where Node.js lacks something that newer versions have",
}
"""What becomes of a package all the same, as far as its sources tell."""
