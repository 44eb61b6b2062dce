"""The packages that are installed in function and layers, and which of them another one gets by a name."""

from collections.abc import Iterator

from lambdapack.packages.file_system import node_modules_above
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.file_system import TREE_ROOTS, LambdaFileSystem
from lambdapack.runtimes.runtime import Runtime


class InstalledPackages:
    """Packages by their manifests, along node's search path; which file a specifier means is ModuleResolver's."""

    def __init__(self, file_system: LambdaFileSystem, runtime: Runtime) -> None:
        """Keep the files, and the directories of NODE_PATH."""
        self._file_system = file_system
        self._manifests = file_system.manifests
        self._node_path = runtime.behaviour.node_path
        self._searched: dict[str, tuple[str, ...]] = {}

    def find(self, owner: PackageManifest, name: str) -> PackageManifest | None:
        """Return the package that require(name) would find from inside another one."""
        candidates = (self.package_at(modules, name) for modules in self.search_path(owner.directory))
        return next((manifest for manifest in candidates if manifest is not None), None)

    def search_path(self, directory: str) -> Iterator[str]:
        """Yield where node looks for a package that a file of a directory requires, in order."""
        known = self._searched.get(directory)
        if known is None:
            known = self._searched[directory] = (*node_modules_above(directory), *self._node_path)
        yield from known

    def package_at(self, modules: str, name: str) -> PackageManifest | None:
        """Return the package of a name in a node_modules, links followed."""
        path = f"{modules}/{name}"
        manifest = self._manifests.get(path)
        return (
            manifest if manifest or not self._file_system.links else self._manifests.get(self._file_system.real(path))
        )

    def required_directories(self) -> frozenset[str]:
        """Return the directories of the packages that something needs and cannot do without."""
        return self.reachable_directories(
            [manifest for root in TREE_ROOTS for manifest in self.root_manifests(root)], optional=False
        )

    def reachable_directories(self, roots: list[PackageManifest], *, optional: bool) -> frozenset[str]:
        """Return the directories of some packages, of their dependencies, and of theirs."""
        roots, seen = list(roots), {manifest.directory for manifest in roots}
        while roots:
            for manifest in self._found_dependencies(roots.pop(), optional=optional):
                if manifest.directory not in seen:
                    seen.add(manifest.directory)
                    roots.append(manifest)
        return frozenset(seen)

    def _found_dependencies(self, owner: PackageManifest, *, optional: bool) -> Iterator[PackageManifest]:
        names = owner.needed_names if optional else owner.dependencies
        yield from (manifest for name in names if (manifest := self.find(owner, name)))

    def root_manifests(self, root: str) -> list[PackageManifest]:
        """Return a tree's own manifest; without one, every package that nothing in the tree asks for."""
        inside = [manifest for directory, manifest in self._manifests.items() if f"{directory}/".startswith(f"{root}/")]
        own = [manifest for manifest in inside if "node_modules" not in manifest.directory.split("/")]
        if any(manifest.dependencies for manifest in own):
            return own
        asked = {
            dependency.directory
            for manifest in inside
            for dependency in self._found_dependencies(manifest, optional=True)
        }
        return [manifest for manifest in inside if manifest.directory not in asked]


def is_runtime_folder(name: str) -> bool:
    """Tell whether a directory's name is that of a layer's part for one runtime: node22."""
    return name.startswith("node") and name[4:].isdigit()
