"""Which part of /var/task ships after an install: what the install made. Never a manifest, a lockfile or an input."""

from collections.abc import Iterator

from lambdapack.model import Architecture
from lambdapack.project.lockfile import NAMES, link_target
from lambdapack.project.manifest import installs_on
from lambdapack.project.nouns import LockedPackage, Lockfile
from lambdapack.tree.compose import Filtered
from lambdapack.tree.entry import Entry, Kind, Tree

MODULES = "node_modules"

MANIFESTS = frozenset(("package.json", ".npmrc", *NAMES))
"""At the root these are the copies that npm was given; the source's own ship."""


def owned(lockfile: Lockfile | None) -> tuple[str, ...]:
    """Return node_modules and the targets of `file:` links inside the project, which npm builds in place."""
    targets = [link_target(each) for each in lockfile.production if each.link] if lockfile else []
    return tuple(dict.fromkeys([MODULES, *sorted(each for each in targets if each and not each.startswith(".."))]))


def shipped(after: Tree, before: Tree, directories: tuple[str, ...]) -> Filtered:
    """Return what lies in `directories` and whatever else differs from `before`: root scripts may write anywhere."""

    def keep(entry: Entry) -> bool:
        path = entry.path
        if any(path == each or path.startswith(f"{each}/") for each in directories):
            return True
        return path not in MANIFESTS and _made(after, before, entry)

    return Filtered(after, keep)


def _made(after: Tree, before: Tree, now: Entry) -> bool:
    """Tell whether an entry was not put in, or was changed since."""
    was = before.entries.get(now.path)
    if now.kind is Kind.DIRECTORY:
        return was is None and not any(each.startswith(f"{now.path}/") for each in before.entries)
    if was is None or (was.kind, was.size, was.target) != (now.kind, now.size, now.target):
        return True
    if now.kind is not Kind.FILE:
        return False
    with after.view(now.path) as new, before.view(now.path) as old:
        return bytes(new) != bytes(old)


def absent(lockfile: Lockfile, architecture: Architecture, tree: Tree) -> tuple[str, ...]:
    """Name the optional packages for this CPU that are locked and not there: npm drops what fails, and exits with 0."""
    manifest = "package.json"
    there = {path.removesuffix(f"/{manifest}") for path in tree.entries if path.endswith(f"/{manifest}")}
    expected = _expected(lockfile, architecture)
    return tuple(f"{each.name}@{each.version}" for each in expected if each.path not in there)


def _expected(lockfile: Lockfile, architecture: Architecture) -> Iterator[LockedPackage]:
    for each in lockfile.production:
        chosen = each.has_install_script or architecture.node in each.cpu
        if each.optional and not each.link and chosen and installs_on(each, architecture):
            yield each
