"""The package.json that goes into the sandbox, and the scripts that npm will run there. Never runs one."""

import json
from collections.abc import Mapping

from lambdapack.model import Architecture
from lambdapack.project.document import strings
from lambdapack.project.nouns import LockedPackage, Lockfile, Project
from lambdapack.tree.entry import Tree

INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
"""What `npm ci` runs for the root and every package, in this order (npm lib/commands/ci.js, 11.19.1)."""

AUTHOR_SCRIPTS = ("prepublish", "preprepare", "prepare", "postprepare")
"""What it runs for the root besides: they build or set up a checkout with devDependencies, which are not there."""

GYP_SCRIPT = "node-gyp rebuild"


def sandbox_manifest(project: Project) -> bytes:
    """Return package.json without the author's scripts."""
    manifest = dict(project.manifest)
    if isinstance(manifest.get("scripts"), dict):
        manifest["scripts"] = {name: text for name, text in manifest["scripts"].items() if name not in AUTHOR_SCRIPTS}
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def root_scripts(project: Project, inputs: Tree | None = None) -> Mapping[str, str]:
    """Return the scripts of the root that npm will run in the sandbox, in the order in which it does.

    With a binding.gyp among the inputs npm compiles the root itself, unless a script of it takes care.
    """
    written = strings(project.manifest.get("scripts"))
    found = {name: written[name] for name in INSTALL_SCRIPTS if written.get(name)}
    has_gyp = inputs is not None and "binding.gyp" in inputs.entries and project.manifest.get("gypfile") is not False
    if has_gyp and not {"preinstall", "install"} & set(found):
        found = {"install": GYP_SCRIPT, **found}
    return found


def needs_scripts(lockfile: Lockfile, architecture: Architecture) -> tuple[LockedPackage, ...]:
    """Return the production packages with an install script that npm would put down on the target."""
    return tuple(each for each in lockfile.production if each.has_install_script and installs_on(each, architecture))


def installs_on(package: LockedPackage, architecture: Architecture) -> bool:
    """Tell whether npm's platform check lets a package onto Lambda: linux, glibc, this CPU."""
    return _admits("linux", package.os) and _admits(architecture.node, package.cpu) and _admits("glibc", package.libc)


def _admits(value: str, listed: tuple[str, ...]) -> bool:
    """Follow npm-install-checks 7 (lib/index.js, checkList): `!x` excludes, an empty list takes all."""
    if not listed or listed == ("any",):
        return True
    excluded = [each[1:] for each in listed if each.startswith("!")]
    if value in excluded:
        return False
    return value in listed or len(excluded) == len(listed)
