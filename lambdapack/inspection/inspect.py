"""Inspects a verified package: sizes by package and category, binaries, duplicates and prunable files."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from lambdapack.binary.facts import Binary
from lambdapack.inspection.dependents import (
    DependentChain,
    HashFile,
    find_dependent_chains,
    find_duplicate_files,
    find_duplicate_packages,
)
from lambdapack.inspection.model import (
    FileCategory,
    FileTotals,
    InspectedBinary,
    InspectedFile,
    Inspection,
    Loading,
    PackageWeight,
    PrunableFile,
    categorize_file,
)
from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT
from lambdapack.pack.cleanup import find_leftovers
from lambdapack.packages.graph import ModuleGraph, ReachedFile, package_directory
from lambdapack.packages.manifests import PACKAGE_ROOT, name_from_directory
from lambdapack.packages.node import runtime_node
from lambdapack.rules.model.file_system import LambdaFileSystem, merge_layers, path_in_report
from lambdapack.rules.model.installed import InstalledPackages
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Judgement, Report
from lambdapack.rules.selection.prune import prunable_files
from lambdapack.rules.selection.tokens import is_musl
from lambdapack.runtimes.versions import NUMBERED_VERSION, version_key
from lambdapack.script.specifier import ImportCertainty
from lambdapack.tree.entry import EntryKind


def weigh_packages(
    facts: PackageFacts,
    file_system: LambdaFileSystem,
    chains: Mapping[str, DependentChain],
    natives: Collection[str],
    loadings: "Loadings | None" = None,
) -> tuple[PackageWeight, ...]:
    """Return the packages, the heaviest first; `natives` are the paths of native files as a report has them."""
    owners: dict[str, str] = {}
    files: dict[str, list[InspectedFile]] = {}
    for place, entry in file_system.entries.items():
        if entry.kind is not EntryKind.FILE:
            continue
        owner = _find_owner_directory(posixpath.dirname(place), owners)
        path = path_in_report(facts.root, place)
        sort = categorize_file(
            place[len(owner) + 1 :], native=path in natives, dependency=bool(name_from_directory(owner))
        )
        files.setdefault(owner, []).append(InspectedFile(path, entry.size, sort))
    weighed = (_weigh_package(facts, file_system, owner, inside, chains.get(owner)) for owner, inside in files.items())
    found = (
        replace(package, loading=loadings.of_package(owner) if loadings and name_from_directory(owner) else None)
        for owner, package in zip(files, weighed, strict=True)
    )
    return tuple(sorted(found, key=lambda package_weight: (-package_weight.size, package_weight.path)))


def _find_owner_directory(directory: str, known: dict[str, str]) -> str:
    """Return the package that a directory is of: inside node_modules also one without a package.json.

    What lies in node_modules and in no package, such as .bin, is node_modules' own; the rest the function's or layer's.
    """
    owner, passed = directory, []
    while owner not in known:
        passed.append(owner)
        stops = owner in {TASK_ROOT, LAYER_ROOT, "/", ""} or posixpath.basename(owner) == NODE_MODULES
        if stops or PACKAGE_ROOT.match(owner) is not None:
            known[owner] = owner
        else:
            owner = posixpath.dirname(owner)
    known.update(dict.fromkeys(passed, known[owner]))
    return known[directory]


def _weigh_package(
    facts: PackageFacts,
    file_system: LambdaFileSystem,
    place: str,
    files: Iterable[InspectedFile],
    chain: DependentChain | None,
) -> PackageWeight:
    manifest = file_system.manifests.get(place)
    return PackageWeight(
        path=path_in_report(facts.root, place),
        name=name_from_directory(place)
        and (manifest.name if manifest and manifest.name else name_from_directory(place)),
        version=manifest.version if manifest else "",
        files=tuple(sorted(files, key=lambda inspected_file: (-inspected_file.size, inspected_file.path))),
        chain=chain.steps if chain else None,
        dev=chain.dev if chain else False,
    )


def sum_by_category(packages: Iterable[PackageWeight]) -> Mapping[FileCategory, FileTotals]:
    """Return files and bytes of each sort that is there, the heaviest first."""
    found: dict[FileCategory, FileTotals] = {}
    for inspected_file in _iterate_files(packages):
        weight = found.get(inspected_file.sort, FileTotals())
        found[inspected_file.sort] = FileTotals(weight.files + 1, weight.size + inspected_file.size)
    return dict(sorted(found.items(), key=lambda item: (-item[1].size, item[0].value)))


def _iterate_files(packages: Iterable[PackageWeight]) -> Iterator[InspectedFile]:
    for package in packages:
        yield from package.files


def build_inspection(report: Report, facts: PackageFacts, digest: HashFile) -> Inspection:
    """Return what is in a package. What pruning would save is what the build's own rules say, and nothing else."""
    file_system = merge_layers(facts)
    way = find_dependent_chains(facts, file_system, InstalledPackages(file_system, report.runtime))
    judged = {judgement.binary.path: judgement for judgement in report.judgements}
    loadings = _read_loadings(report, facts)
    packages = weigh_packages(facts, file_system, way, judged.keys(), loadings)
    known = {path: judgement.binary.sha256 for path, judgement in judged.items()}
    return Inspection(
        report=report,
        sorts=sum_by_category(packages),
        packages=packages,
        natives=_list_binaries(facts, packages, judged, loadings),
        same_packages=find_duplicate_packages(packages),
        same_bytes=find_duplicate_files(packages, lambda path: known.get(path) or digest(path)),
        spares=tuple(
            sorted(
                _find_prunable_files(report, facts),
                key=lambda prunable_file: (-prunable_file.size, prunable_file.path),
            )
        ),
    )


class Loadings:
    """Who loads what, by the module graph."""

    def __init__(self, graph: ModuleGraph, root: str) -> None:
        """Keep the graph; the surest file of each package stands for it."""
        self._graph, self._root = graph, root
        self._first: dict[str, ReachedFile] = {}
        for reached in graph.files.values():
            directory = package_directory(reached.path)
            known = self._first.get(directory)
            if directory and (known is None or reached.certainty < known.certainty):
                self._first[directory] = reached

    def of_package(self, directory: str) -> Loading:
        """Return who loads a package, by its absolute directory."""
        return self._of(self._first.get(directory))

    def of_file(self, path: str) -> Loading:
        """Return who loads a file, by its absolute path."""
        return self._of(self._graph.files.get(path))

    def _of(self, reached: ReachedFile | None) -> Loading:
        if reached is None:
            return Loading(())
        way = tuple(path_in_report(self._root, path) for path in self._graph.way_to(reached.path))
        return Loading(way, certain=reached.certainty is ImportCertainty.AT_IMPORT)


def _read_loadings(report: Report, facts: PackageFacts) -> Loadings | None:
    if facts.modules is None or not facts.modules.begins:
        return None
    node = runtime_node(report.runtime, facts.modules.environment)
    graph = facts.modules.resolve(node, report.runtime.target.architecture.node).graph
    return Loadings(graph, facts.root) if graph.roots else None


def _list_binaries(
    facts: PackageFacts,
    packages: Iterable[PackageWeight],
    judged: Mapping[str, Judgement],
    loadings: Loadings | None,
) -> tuple[InspectedBinary, ...]:
    owners = (
        (judged[inspected_file.path], package)
        for package in packages
        for inspected_file in package.files
        if inspected_file.path in judged
    )
    found = (
        InspectedBinary(
            judgement,
            libc_of_binary(judgement.binary),
            package,
            loadings.of_file(posixpath.join(facts.root, judgement.binary.path)) if loadings else None,
        )
        for judgement, package in owners
    )
    return tuple(
        sorted(
            found,
            key=lambda inspected_binary: (
                -inspected_binary.judgement.binary.size,
                inspected_binary.judgement.binary.path,
            ),
        )
    )


def libc_of_binary(binary: Binary) -> str | None:
    """Return the C library that an ELF file is linked with, glibc with the newest version that it needs."""
    elf = binary.elf
    if elf is None:
        return None
    if elf.is_android:
        return "Android's"
    if any(is_musl(library) for library in elf.needed) or "ld-musl-" in (elf.interpreter or ""):
        return "musl"
    needs = (NUMBERED_VERSION.match(version_need.version) for version_need in elf.version_needs)
    numbers = [need[2] for need in needs if need and need[1] == "GLIBC"]
    if numbers:
        return f"glibc {max(numbers, key=version_key)}"
    return "glibc" if "libc.so.6" in elf.needed else None


def _find_prunable_files(report: Report, facts: PackageFacts) -> Iterator[PrunableFile]:
    left = {path for path in find_leftovers(facts.entries) if facts.entries[path].kind is EntryKind.FILE}
    yield from (PrunableFile(path, facts.entries[path].size, "leftover") for path in left)
    for file in prunable_files(report):
        if file.path in facts.entries and file.path not in left:
            yield PrunableFile(file.path, file.size, "other-system")
