"""Why a package that the function loads is not there, in words, with the cure of that reason."""

import posixpath
from dataclasses import dataclass

from lambdapack.model import NODE_MODULES
from lambdapack.packages.graph import ModuleEdge, package_directory
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.modules import ResolvedModules, is_installed_path
from lambdapack.packages.resolver import package_name
from lambdapack.rules.fixes import add_package_command, install_command
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import has_node_modules


@dataclass(frozen=True, slots=True)
class AbsenceReason:
    """One reason, in its words."""

    name: str
    words: str
    fix: str


def absence_reason(case: Case, modules: ResolvedModules, edge: ModuleEdge) -> AbsenceReason:
    """Return the likeliest reason why the package of a specifier is not found, the surest evidence first."""
    name = package_name(edge.specifier.text or "") or ""
    installed = modules.resolver.package_directory(name, edge.asking)
    if installed is not None:
        return AbsenceReason(
            "incomplete",
            f"the package {name} is there without that file",
            f"Install it again: `rm -rf {NODE_MODULES}`, then `{install_command(case.facts)}`.",
        )
    if not _is_own(edge.asking):
        return _reason_in_package(case, edge, name)
    return _reason_of_own(case, modules, edge, name)


def _is_own(path: str) -> bool:
    return not is_installed_path(path)


def _reason_of_own(case: Case, modules: ResolvedModules, edge: ModuleEdge, name: str) -> AbsenceReason:
    facts = case.facts
    declaring = own_manifest(case, edge.asking)
    member = next(
        (found for found in facts.manifests.values() if found.name == name and not is_installed_path(found.directory)),
        None,
    )
    if member is not None and member.directory:
        return AbsenceReason(
            "workspace-member",
            f"{name} is the workspace {member.directory} of this repository and is not installed",
            f"Declare it in dependencies and build from the repository's root: `npm install {name} -w MEMBER`, then "
            "`lambdapack build`.",
        )
    if declaring is not None and name in declaring.dependencies | declaring.optional_dependencies:
        return AbsenceReason(
            "not-installed",
            f"package.json declares {name}, and it is not installed",
            f"Run `{install_command(facts)}`, or let `lambdapack build` install.",
        )
    if declaring is not None and name in declaring.peer_dependencies:
        return AbsenceReason(
            "peer-only",
            f"package.json has {name} in peerDependencies only, and it is not installed",
            f"Add it to dependencies: `{add_package_command(facts, name)}`.",
        )
    if declaring is not None and name in declaring.dev_dependencies:
        return AbsenceReason(
            "dev-only",
            f"package.json has {name} in devDependencies only",
            f"Move it to dependencies: `{add_package_command(facts, name)}`.",
        )
    if facts.possible_layers:
        return AbsenceReason(
            "layer",
            f"only a layer of the function can have {name}, and its layers were not named",
            "Name the layer: `lambdapack verify --layer ZIP`, `lambdapack build --with-layer ZIP`.",
        )
    if not has_node_modules(case.file_system) and modules.is_bundle(edge.asking):
        return AbsenceReason(
            "external",
            f"the bundle leaves {name} out as an external package, and there is no node_modules with it",
            f"Ship {name} in node_modules beside the bundle (package.json with it, then `lambdapack build`), or remove "
            "it from the bundler's externals.",
        )
    return AbsenceReason(
        "not-declared",
        f"no package.json declares {name}",
        f"Add it to dependencies: `{add_package_command(facts, name)}`; if a layer has it, pass "
        "`--layer ZIP` (`--with-layer ZIP` for build).",
    )


def _reason_in_package(case: Case, edge: ModuleEdge, name: str) -> AbsenceReason:
    facts, directory = case.facts, package_directory(edge.asking)
    owner = case.file_system.manifests.get(directory)
    title = name_from_directory(directory.lstrip("/"))
    declared = owner is not None and name in owner.dependencies | owner.optional_dependencies
    if declared:
        return AbsenceReason(
            "not-installed",
            f"{title} depends on {name}, and it is not installed",
            f"Install again: `rm -rf {NODE_MODULES}`, then `{install_command(facts)}`.",
        )
    if owner is not None and name in owner.peer_dependencies:
        return AbsenceReason(
            "peer",
            f"{title} has {name} as a peer dependency, and it is not installed",
            f"Add it to dependencies: `{add_package_command(facts, name)}`.",
        )
    return AbsenceReason(
        "undeclared-by-package",
        f"{title} loads {name} without declaring it",
        f"Add it to dependencies: `{add_package_command(facts, name)}`; under pnpm also set "
        f"`public-hoist-pattern[]={name}` in .npmrc.",
    )


def own_manifest(case: Case, path: str) -> PackageManifest | None:
    """Return the package.json with the dependencies of one of the function's own files: the nearest with some."""
    manifests = case.file_system.manifests
    directory, nearest = posixpath.dirname(path), None
    while directory not in {"/", ""}:
        found = manifests.get(directory)
        if found is not None and (found.dependencies or found.dev_dependencies or found.peer_dependencies):
            return found
        nearest = nearest or found
        directory = posixpath.dirname(directory)
    return nearest
