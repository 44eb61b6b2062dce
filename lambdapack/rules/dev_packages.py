"""Which packages came along though only development needs them. Silent where nothing says so."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lambdapack.model import Finding, Rule, Severity
from lambdapack.project.installed import PackageManifest
from lambdapack.project.nouns import Lockfile, in_node_modules
from lambdapack.rules.contents import MIB
from lambdapack.rules.facts import Facts
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import Space
from lambdapack.tree.entry import Kind

DEV_PACKAGES = Rule(
    "LP318",
    "dev-packages",
    "packages that only development needs are in the package",
    "They count against Lambda's 250 MB and lengthen the cold start, and nothing of them is ever called.",
    "Run `npm ci --omit=dev` before zipping, or let `lambdapack build` install.",
    Severity.WARNING,
)

SHOWN: Final = 3
"""Packages that are named, the largest first."""


def dev_packages(facts: Facts, space: Space, installed: Installed) -> frozenset[str]:
    """Return the absolute directories of the packages that a lockfile or package.json has for development only.

    What something in production can find, by node's own lookup, is never one of them.
    """
    roots = [each for each in space.manifests.values() if not in_node_modules(each.directory)]
    locked = _by_lock(facts, space)
    marked = _reached(installed, roots, dev=True) if locked is None else locked
    marked = {each for each in marked if each.startswith(f"{facts.root}/")}  # a layer's are there on purpose
    return frozenset(marked - _reached(installed, roots, dev=False)) if marked else frozenset()


def _by_lock(facts: Facts, space: Space) -> set[str] | None:
    locks = facts.locks
    lock = _speaking(locks.own, facts.origin.lockfile if facts.origin else None, locks.hidden)
    if lock is None or locks.foreign:
        return None
    places = {posixpath.join(facts.root, locks.base, path): each for path, each in lock.packages.items()}
    return {place for place, each in places.items() if each.dev and each.path and place in space.manifests}


def _speaking(*locks: Lockfile | None) -> Lockfile | None:
    return next((each for each in locks if each is not None and each.packages), None)


def _reached(installed: Installed, roots: Iterable[PackageManifest], *, dev: bool) -> set[str]:
    """Return the directories that can be found from the roots' devDependencies, or from all their others."""
    waiting = [(each, each.dev_dependencies if dev else _needs(each)) for each in roots]
    seen: set[str] = set()
    while waiting:
        owner, names = waiting.pop()
        for found in (installed.find(owner, name) for name in names):
            if found is not None and found.directory not in seen and in_node_modules(found.directory):
                seen.add(found.directory)
                waiting.append((found, _needs(found)))
    return seen


def _needs(package: PackageManifest) -> frozenset[str]:
    return package.dependencies | package.optional_dependencies | package.peer_dependencies


def dev_findings(facts: Facts, space: Space, found: frozenset[str]) -> Iterator[Finding]:
    """Yield one finding for all of them, with what they weigh."""
    if not found:
        return
    sizes = _sizes(facts, found)
    names = {space.manifests[each].name: sizes.get(each, 0) for each in sorted(found)}
    ordered = sorted(names, key=lambda name: (-names[name], name))
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    total = sum(sizes.values())
    weigh = "weighs" if len(ordered) == 1 else "weigh"
    message = f"{', '.join(ordered[:SHOWN])}{more} {weigh} {total / MIB:.1f} MB"
    evidence = (("packages", ordered), ("bytes", total))
    path = posixpath.join(facts.locks.base, "node_modules")
    yield Finding(DEV_PACKAGES, path, message, package=ordered[0] if len(ordered) == 1 else "", evidence=evidence)


def _sizes(facts: Facts, found: frozenset[str]) -> Mapping[str, int]:
    """Return the bytes of each package without the packages inside it."""
    owners: dict[str, str] = {}
    sizes = dict.fromkeys(found, 0)
    for path, entry in facts.entries.items():
        if entry.kind is Kind.FILE:
            owner = _owner(posixpath.dirname(posixpath.join(facts.root, path)), found, owners)
            if owner:
                sizes[owner] += entry.size
    return sizes


def _owner(directory: str, found: frozenset[str], owners: dict[str, str]) -> str:
    """Return the package that a directory belongs to, "" when it is none of these."""
    if directory in found:
        return directory
    if directory not in owners:
        above = posixpath.dirname(directory)
        ends = above == directory or posixpath.basename(directory) == "node_modules"
        owners[directory] = "" if ends else _owner(above, found, owners)
    return owners[directory]
