"""Which files of an installed /var/task ship, and which packages were left out. Never a copied input."""

from collections.abc import Iterator

from lambdapack.managers.interface import PackageManager
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource, Lock, LockedPackage, is_installable
from lambdapack.model import NODE_MODULES, Architecture
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Entry, EntryKind, Tree

MAX_NAMED_ABSENT = 5


def select_shipped_files(
    after: Tree, before: Tree, directories: tuple[str, ...], manager: PackageManager
) -> FilteredTree:
    """Return what lies in `directories` and whatever else differs from `before`: root scripts may write anywhere.

    At the root, package.json, lockfile and settings are the copies that the install was given; the source's own ship.
    """
    copies = frozenset(("package.json", *manager.settings_files, *manager.lockfiles))

    def keep(entry: Entry) -> bool:
        path = entry.path
        if any(path == directory or path.startswith(f"{directory}/") for directory in directories):
            return True
        return path not in copies and _is_made_by_install(after, before, entry)

    return FilteredTree(after, keep)


def _is_made_by_install(after: Tree, before: Tree, now: Entry) -> bool:
    """Tell whether an entry was not put in, or was changed since."""
    was = before.entries.get(now.path)
    if now.kind is EntryKind.DIRECTORY:
        return was is None and not any(entry.startswith(f"{now.path}/") for entry in before.entries)
    if was is None or (was.kind, was.size, was.target) != (now.kind, now.size, now.target):
        return True
    if now.kind is not EntryKind.FILE:
        return False
    with after.view(now.path) as new, before.view(now.path) as old:
        return bytes(new) != bytes(old)


def find_absent_packages(
    source: DependencySource, architecture: Architecture, tree: Tree, omitted: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Name the packages for this CPU that are locked and not there: npm drops what fails, and exits with 0.

    Those of an omitted kind are all named; otherwise those that somebody can have waited for.
    """
    manifest = "package.json"
    there = {path.removesuffix(f"/{manifest}") for path in tree.entries if path.endswith(f"/{manifest}")}
    expected = _expected_packages(source.lock, architecture, omitted) if source.lock else ()
    if sandbox_layout(source).is_moved:
        names = {path.rpartition(f"{NODE_MODULES}/")[2] for path in there}
        return tuple(f"{package.name}@{package.version}" for package in expected if package.directory_name not in names)
    return tuple(f"{package.name}@{package.version}" for package in expected if package.path not in there)


def describe_absent(manager: str, absent: tuple[str, ...], omitted: tuple[str, ...]) -> str:
    """Return the sentence that names absent packages, and the setting that left them out."""
    more = f" and {len(absent) - MAX_NAMED_ABSENT} more" if len(absent) > MAX_NAMED_ABSENT else ""
    names = ", ".join(absent[:MAX_NAMED_ABSENT])
    why = f" ({', '.join(f'omit={kind}' for kind in omitted)} in the npm settings)" if omitted else ""
    return f"{manager} left out optional packages that are locked for this target{why}: {names}{more}"


def _expected_packages(lock: Lock, architecture: Architecture, omitted: tuple[str, ...]) -> Iterator[LockedPackage]:
    for package in lock.production:
        chosen = package.has_install_script or architecture.node in package.cpu or "optional" in omitted
        wanted = (package.optional and chosen) or (package.peer and "peer" in omitted)
        if wanted and not package.link and is_installable(package, architecture):
            yield package
