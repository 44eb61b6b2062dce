"""Why a native part is not there, and the command that cures that reason. Says; finds nothing missing."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lambdapack.project.installed import PackageManifest
from lambdapack.rules.fixes import build_for
from lambdapack.rules.platforms import Family
from lambdapack.rules.space import Space
from lambdapack.runtimes.runtime import Runtime

SWALLOWS = re.compile(r"\|\|\s*(?:exit 0|true|echo|:)|;\s*(?:exit 0|true)\s*\Z")
"""What ends an install command that never fails."""

TRACES = ("build/config.gypi", "build/Makefile", "build/Release", "build/CMakeCache.txt")
"""What a compilation leaves in a package, whether or not it ended well; no package publishes it."""

OTHERS_SHOWN = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in its words."""

    name: str
    message: str
    fix: str


def of_family(family: Family, owners: Iterable[PackageManifest], runtime: Runtime) -> Reason:
    """Return why no member of a family is installed; `owners` are the trees' own manifests, with their lockfiles."""
    cpu = runtime.target.architecture.node
    if not family.fitting:
        return Reason("no-build", f"it has no platform package for linux-{cpu}", "")
    wanted = " or ".join(family.fitting)
    install = f"npm ci --include=optional --os=linux --cpu={cpu} --libc=glibc"
    locks = [each.locked for each in owners if each.locked is not None]
    if locks and not any(name in lock for lock in locks for name in family.fitting):
        message = f"{wanted} is not installed, and package-lock.json has lost it (npm/cli#4828)"
        return Reason(
            "lost-from-lock",
            message,
            f"Run `npx npm@11 install --package-lock-only`, then `{install}`.",
        )
    if locks:
        message = f"{wanted} is not installed, though package-lock.json has it: --omit=optional, or another platform"
        return Reason("optional-omitted", message, f"Run `{install}`.")
    return Reason("not-installed", f"{wanted} is not installed", f"Run `{install}`.")


def of_build(manifest: PackageManifest, foreign: list[str], space: Space, runtime: Runtime) -> Reason:
    """Return why a package that is compiled or downloaded at install time has nothing for the target.

    `foreign` are the addons that it does have, relative to it.
    """
    fix = build_for(runtime)
    if foreign:
        return _for_others(manifest, foreign, runtime)
    if any(_has(space, manifest, each) for each in TRACES):
        message = "its compilation was begun and left no file: it failed"
        return Reason("compile-failed", message, fix)
    skipped = "--ignore-scripts, or npm 12 without `npm install-scripts approve`"
    if not manifest.install_script and not manifest.gypfile:
        return Reason("not-published", "no file of it is native, and no install script would make one", "")
    if SWALLOWS.search(manifest.install_script):
        message = f"its install script was skipped ({skipped}), or failed silently: it ends with success in any case"
        return Reason("scripts-skipped", message, fix)
    if manifest.script.fetches:
        return Reason(
            "scripts-skipped", f"its install script, which downloads it, was skipped ({skipped}) or failed", fix
        )
    return Reason(
        "scripts-skipped", f"it was never compiled or downloaded: its install script was skipped ({skipped})", fix
    )


def _for_others(manifest: PackageManifest, foreign: list[str], runtime: Runtime) -> Reason:
    cpu = runtime.target.architecture.node
    more = f" and {len(foreign) - OTHERS_SHOWN} more" if len(foreign) > OTHERS_SHOWN else ""
    message = f"it has {foreign[0]}{more}, but nothing for linux-{cpu} and Node.js {runtime.node_major}"
    compiles = manifest.gypfile or "gyp" in manifest.install_script or "cmake" in manifest.install_script
    return Reason("no-prebuild", message, build_for(runtime) if compiles else "")


def _has(space: Space, manifest: PackageManifest, name: str) -> bool:
    path = posixpath.join(manifest.directory, name)
    return path in space.entries or space.is_directory(path)
