"""Judges every native file of a tree, and whether a loader of its package would open it."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lambdapack.binary.facts import Binary, BinaryRole, Format
from lambdapack.model import Finding, Severity
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.native_use import NativeUse
from lambdapack.rules.binary.check import WRONG_PLATFORM_CAUSES
from lambdapack.rules.binary.cpu_level import apply_cpu_flags
from lambdapack.rules.binary.judge import Conclusion, is_addon, judge_binary
from lambdapack.rules.binary.node_records import NO_EXEC_BIT, NOT_AN_ADDON
from lambdapack.rules.fixes import defect_fix
from lambdapack.rules.model.file_system import TREE_ROOTS, LambdaFileSystem, merge_layers, path_in_report
from lambdapack.rules.model.installed import InstalledPackages
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import BinaryJudgements, Defect, Judgement, Outcome, PrunedFile
from lambdapack.rules.package.chromium import missing_browser_findings
from lambdapack.rules.package.engines import missing_engine_findings
from lambdapack.rules.package.missing import PackageNeeds, missing_build_findings, missing_family_findings
from lambdapack.rules.selection.platforms import PlatformFamily, find_families, find_plain_variants, find_spare_builds
from lambdapack.rules.selection.prisma import parse_engine_name
from lambdapack.rules.selection.reach import find_reach
from lambdapack.rules.selection.selection import Choice, PackageChoices, choose_files, choose_foreign_files
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.entry import EntryKind

UNOPENED_FORMATS = frozenset({Format.ARCHIVE, Format.WASM})
"""Formats that the loader is never asked to open; WebAssembly runs everywhere."""

LIBRARY_EXTENSIONS = (".so", ".dylib", ".dll")
UNOPENED_CHOICE = Choice(selected=False, why="nothing opens such a file")


@dataclass(frozen=True, slots=True)
class _JudgedFile:
    place: str  # absolute
    binary: Binary
    owner: PackageManifest
    choice: Choice
    conclusion: Conclusion


@dataclass(frozen=True, slots=True)
class _Leniency:
    """What makes a defect weigh less."""

    directories: Mapping[str, Severity | None]  # packages that can be done without
    good: frozenset[str]  # packages whose addons all load
    unnamed_programs: frozenset[str]  # programs that their package never names


def judge_tree(facts: PackageFacts, runtime: Runtime) -> BinaryJudgements:
    """Return the judgements alone, without a report."""
    file_system = merge_layers(facts)
    installed = InstalledPackages(file_system, runtime)
    return judge_binaries(facts, file_system, installed, find_reach(file_system, installed, runtime).dead, runtime)


def judge_binaries(
    facts: PackageFacts,
    file_system: LambdaFileSystem,
    installed: InstalledPackages,
    dead: frozenset[str],
    runtime: Runtime,
) -> BinaryJudgements:
    """Return a judgement for every native file of a tree and its layers, in byte order; a layer's as /opt/...

    `dead` are directories of packages that nothing reaches: their files are judged and do not count.
    """
    families = tuple(
        family
        for family in find_families(installed, file_system.manifests.values(), runtime)
        if family.owner.directory not in dead
    )
    unserved = tuple(family for family in families if not family.serves(runtime))
    required = installed.required_directories()
    packages = _group_by_package(file_system, runtime)
    files = [
        _JudgedFile(
            place,
            binary,
            package.manifest,
            _file_choice(package, place),
            judge_binary(place, binary, file_system, runtime),
        )
        for package, places in packages
        for place, binary in places.items()
    ]
    wrong = _wrong_platform_directories(unserved, required)
    living = [file for file in files if file.owner.directory not in dead]
    members = frozenset(member.directory for family in families for member in family.installed)
    selected = _selected_places(living, _wrong_platform_files(living, wrong, runtime), members)
    good = _loadable_packages(living, selected)
    spare = {path: Severity.WARNING for path, plain in find_plain_variants(families, runtime).items() if plain & good}
    faulty = [file.owner for file in files if file.conclusion.defect]
    idle = {owner.directory: Severity.NOTE for owner in faulty if owner.native_use is NativeUse.ELSEWHERE}
    mild = _Leniency({**spare, **idle, **wrong}, good, file_system.unnamed_programs)
    judgements = [apply_cpu_flags(_make_judgement(file, selected, mild, runtime), facts, runtime) for file in files]
    choices = tuple(choice for choice in _all_packages(packages, file_system) if choice.manifest.directory not in dead)
    asked = frozenset(name for path in required for name in file_system.manifests[path].dependencies)
    missing = (
        *missing_family_findings(PackageNeeds(unserved, required, asked), file_system, runtime),
        *missing_build_findings(choices, PackageNeeds(families, required, asked), file_system, runtime),
        *missing_engine_findings(choices, runtime),
        *missing_browser_findings(choices, required, file_system, runtime),
    )
    absent = (replace(finding, path=path_in_report(facts.root, finding.path)) for finding in missing)
    ordered = sorted(judgements, key=lambda judgement: _report_order(judgement.binary.path))
    fallbacks = _fallback_files(find_spare_builds(families, good, runtime), facts.root, file_system)
    doubtful = _doubtful_findings(files, judgements, selected)
    return BinaryJudgements(tuple(ordered), (*absent, *doubtful), tuple(fallbacks))


def _fallback_files(directories: frozenset[str], root: str, file_system: LambdaFileSystem) -> Iterator[PrunedFile]:
    """Yield the WebAssembly of packages whose native counterpart loads."""
    for directory in sorted(directories):
        for path, entry in file_system.below(directory):
            if path.endswith(".wasm") and entry.kind is EntryKind.FILE:
                yield PrunedFile(path_in_report(root, path), entry.size, "its native build loads")


def _doubtful_findings(
    files: list[_JudgedFile], judgements: list[Judgement], selected: frozenset[str]
) -> Iterator[Finding]:
    """Yield the findings of files that lie where a loader looks, though perhaps nothing loads them on Lambda."""
    for file, judgement in zip(files, judgements, strict=True):
        if file.place in selected and not judgement.selected and judgement.finding is not None:
            yield judgement.finding


def _report_order(path: str) -> tuple[bool, bytes]:
    return path.startswith("/"), path.encode("utf-8", "surrogateescape")


def _group_by_package(
    file_system: LambdaFileSystem, runtime: Runtime
) -> list[tuple[PackageChoices, Mapping[str, Binary]]]:
    owned: dict[str, dict[str, Binary]] = {}
    packages: list[tuple[PackageChoices, Mapping[str, Binary]]] = []
    for place, binary in file_system.binaries.items():
        owned.setdefault(_owner_directory(place, file_system.manifests), {})[place] = binary
    for directory, places in owned.items():
        manifest = file_system.manifests.get(directory) or PackageManifest(
            directory, name_from_directory(directory), ""
        )
        paths = tuple(_path_in_package(place, directory) for place, binary in places.items() if _is_openable(binary))
        packages.append((PackageChoices(manifest, choose_files(manifest, paths, runtime)), places))
    return packages


def _owner_directory(path: str, manifests: Mapping[str, PackageManifest]) -> str:
    """The package that a file belongs to; inside node_modules also one whose package.json is gone."""
    directory = posixpath.dirname(path)
    while directory and directory not in manifests and not _is_package_root(directory):
        directory = posixpath.dirname(directory)
    return directory


def _is_package_root(directory: str) -> bool:
    name = name_from_directory(directory)
    return bool(name) and f"/{directory}".endswith(f"/node_modules/{name}") and name.startswith("@") == ("/" in name)


def _path_in_package(path: str, directory: str) -> str:
    return path[len(directory) + 1 :]


def _is_openable(binary: Binary) -> bool:
    name = posixpath.basename(binary.path)
    if binary.format in UNOPENED_FORMATS and not is_addon(binary):
        return False
    named = is_addon(binary) or name.endswith(LIBRARY_EXTENSIONS) or ".so." in name
    return named or binary.role in {BinaryRole.LIBRARY, BinaryRole.EXECUTABLE}


def _file_choice(package: PackageChoices, place: str) -> Choice:
    return package.choices.get(_path_in_package(place, package.manifest.directory), UNOPENED_CHOICE)


def _all_packages(
    packages: list[tuple[PackageChoices, Mapping[str, Binary]]], file_system: LambdaFileSystem
) -> tuple[PackageChoices, ...]:
    """The packages that have no native file at all are the ones that may lack one."""
    known = {choices.manifest.directory for choices, _ in packages}
    return (
        *(choices for choices, _ in packages),
        *(PackageChoices(manifest, {}) for path, manifest in file_system.manifests.items() if path not in known),
    )


def _wrong_platform_directories(
    families: tuple[PlatformFamily, ...], required: frozenset[str]
) -> Mapping[str, Severity | None]:
    """Directories of platform packages for other targets where the right one is absent: that is what is wrong.

    A family that its owner can do without (next's compiler), or whose owner is optional, only earns a warning.
    """
    severities: dict[str, Severity | None] = {}
    for family in families:
        needed = family.is_needed(required)
        for member in family.installed:
            if "wasm" not in parse_platform_tags(member.name).systems:
                severities[member.directory] = None if needed else severities.get(member.directory, Severity.WARNING)
    return severities


def _wrong_platform_files(
    files: list[_JudgedFile], wrong: Mapping[str, Severity | None], runtime: Runtime
) -> frozenset[str]:
    """Paths of the files that a loader would open in those directories, if it looked there."""
    inside: dict[str, list[_JudgedFile]] = {}
    for file in files:
        if file.owner.directory in wrong and _is_openable(file.binary):
            inside.setdefault(file.owner.directory, []).append(file)
    found: set[str] = set()
    for directory, there in inside.items():
        paths = tuple(_path_in_package(file.place, directory) for file in there)
        found |= {posixpath.join(directory, file) for file in choose_foreign_files(there[0].owner, paths, runtime)}
    return frozenset(found)


def _loadable_packages(files: list[_JudgedFile], selected: frozenset[str]) -> frozenset[str]:
    """Directories of the packages whose addons all load, and that have one."""
    of: dict[str, list[Outcome]] = {}
    for file in files:
        if file.place in selected and is_addon(file.binary):
            of.setdefault(file.owner.directory, []).append(file.conclusion.outcome)
    return frozenset(path for path, outcomes in of.items() if all(outcome is Outcome.LOADS for outcome in outcomes))


def _selected_places(files: list[_JudgedFile], wrong: frozenset[str], members: frozenset[str]) -> frozenset[str]:
    """Places that count: what a loader picks, what that brings along, and what lies where the right file should."""
    roots = [file for file in files if _is_root(file, wrong) and not _is_stray(file, files)]
    roots += _foreign_only_addons(files, wrong, members)
    brought = frozenset(path for file in roots for path in file.conclusion.brings)
    return brought | {file.place for file in roots}


def _is_root(file: _JudgedFile, wrong: frozenset[str]) -> bool:
    """A library counts by itself only outside node_modules: there it was put by the function's author."""
    if file.place in wrong:
        return True
    if not file.choice.selected:
        return False
    runs = is_addon(file.binary) or file.binary.role is BinaryRole.EXECUTABLE
    return runs or "node_modules" not in file.place.split("/")


def _is_stray(file: _JudgedFile, files: list[_JudgedFile]) -> bool:
    """A .node that registers nothing beside one that does is no addon: better-sqlite3's test_extension.node."""
    if file.conclusion.defect is None or file.conclusion.defect.rule is not NOT_AN_ADDON:
        return False
    siblings = (other for other in files if other.owner is file.owner and other is not file and is_addon(other.binary))
    return any(other.choice.selected and other.conclusion.outcome is Outcome.LOADS for other in siblings)


def _foreign_only_addons(files: list[_JudgedFile], wrong: frozenset[str], members: frozenset[str]) -> list[_JudgedFile]:
    """The addons of a package that has them for one other target only: it was built or packed on such a machine.

    A platform package is no such: all of a family are installed where their package.json names no platform.
    """
    by_owner: dict[str, list[_JudgedFile]] = {}
    for file in files:
        meant = file.owner.os or file.owner.cpu or file.owner.directory in members
        engine = parse_engine_name(file.place) is not None  # its client's finding says it
        if is_addon(file.binary) and file.place not in wrong and not meant and not engine:
            by_owner.setdefault(file.owner.directory, []).append(file)
    found = []
    for addons in by_owner.values():
        tags = [parse_platform_tags(_path_in_package(file.place, file.owner.directory)) for file in addons]
        targets = {(file_tags.systems, file_tags.cpus) for file_tags in tags}
        prebuilt = any("/prebuilds/" in file.place for file in addons)
        if len(targets) == 1 and not prebuilt and all(file.choice.foreign for file in addons):
            found += addons
    return found


def _make_judgement(file: _JudgedFile, selected: frozenset[str], mild: _Leniency, runtime: Runtime) -> Judgement:
    defect = file.conclusion.defect
    softened = _softened_severity(file, defect, mild) if defect else None
    finding = _defect_finding(file, defect, softened, runtime) if defect else None
    return Judgement(
        binary=file.binary,
        package=_package_name(file.owner),
        version=file.owner.version if _package_name(file.owner) else "",
        selected=file.place in selected and softened is None,
        outcome=file.conclusion.outcome,
        cause=_cause_name(file.conclusion),
        finding=finding,
        spare=file.choice.spare and file.place not in selected,
    )


def _package_name(owner: PackageManifest) -> str:
    """The npm name of a package; what lies outside every one of them is the function's or the layer's own."""
    return "" if owner.directory in TREE_ROOTS else owner.name


def _cause_name(conclusion: Conclusion) -> str | None:
    """What loads has no cause, even when there is something to say about it."""
    if conclusion.defect is None or conclusion.outcome is Outcome.LOADS:
        return None
    return conclusion.defect.word


def _defect_finding(file: _JudgedFile, defect: Defect, softened: Severity | None, runtime: Runtime) -> Finding:
    return Finding(
        rule=defect.rule,
        path=file.binary.path,
        message=defect.message,
        package=_package_name(file.owner),
        fix=defect_fix(defect, file.owner, runtime),
        severity=softened or defect.severity,
        evidence=(("cause", defect.word), ("outcome", defect.outcome.value), *defect.evidence),
    )


def _softened_severity(file: _JudgedFile, defect: Defect, mild: _Leniency) -> Severity | None:
    """What the owner can do without, or a program that a package publishes and may never start.

    A foreign one may be for that system only (active-win's main); one without execute bit beside an addon that
    loads was published so, and nothing starts it on any machine (the swc beside swc.linux-x64-gnu.node); one that its
    package never names, though it names its neighbours, came along with them (the viewer beside cwebp).
    """
    if mild.directories.get(file.owner.directory) is not None and defect.outcome is not Outcome.LOADS:
        return mild.directories[file.owner.directory]
    if file.binary.role is not BinaryRole.EXECUTABLE or not _package_name(file.owner) or file.owner.install_script:
        return None
    foreign = defect.word in WRONG_PLATFORM_CAUSES and not file.owner.os
    idle = defect.rule is NO_EXEC_BIT and file.owner.directory in mild.good
    return Severity.WARNING if foreign or idle or file.place in mild.unnamed_programs else None
