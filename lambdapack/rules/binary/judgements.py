"""Judges every native file of a tree, and whether a loader of its package would open it."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lambdapack.binary.facts import Binary, BinaryRole, Format
from lambdapack.model import Finding, Severity
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.native_use import NativeUse
from lambdapack.rules.binary.file_system import TREE_ROOTS, LambdaFileSystem, merge_layers, path_in_report
from lambdapack.rules.binary.judge import Conclusion, is_addon, judge_binary
from lambdapack.rules.binary.node_records import NO_EXEC_BIT, NOT_AN_ADDON
from lambdapack.rules.fixes import WRONG_PLATFORM_CAUSES, defect_fix
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.report import Defect, Judgement, Outcome
from lambdapack.rules.package.missing import (
    PackageChoices,
    PackageNeeds,
    missing_build_findings,
    missing_family_findings,
)
from lambdapack.rules.selection.platforms import ModuleResolver, PlatformFamily, find_plain_variants
from lambdapack.rules.selection.reach import find_reach
from lambdapack.rules.selection.selection import Choice, choose_files, choose_foreign_files
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import Runtime

UNOPENED_FORMATS = frozenset({Format.ARCHIVE, Format.WASM})
"""Formats that the loader is never asked to open; WebAssembly runs everywhere."""

LIBRARY_EXTENSIONS = (".so", ".dylib", ".dll")
UNOPENED_CHOICE = Choice(selected=False, why="nothing opens such a file")


@dataclass(frozen=True, slots=True)
class BinaryJudgements:
    """The judgements of one tree and the packages that lack a native file."""

    judgements: tuple[Judgement, ...]
    missing: tuple[Finding, ...]


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
    unnamed: frozenset[str]  # programs that their package never names


def judge_tree(facts: Case, runtime: Runtime) -> BinaryJudgements:
    """Return the judgements alone, for who wants no report."""
    space = merge_layers(facts)
    installed = ModuleResolver(space, runtime)
    return judge_binaries(facts, space, installed, find_reach(space, installed, runtime).dead, runtime)


def judge_binaries(
    facts: Case, space: LambdaFileSystem, installed: ModuleResolver, dead: frozenset[str], runtime: Runtime
) -> BinaryJudgements:
    """Return a judgement for every native file of a tree and its layers, in byte order; a layer's as /opt/...

    `dead` are directories of packages that nothing reaches: their files are judged and do not count.
    """
    every = tuple(
        platform_family
        for platform_family in installed.families(runtime)
        if platform_family.owner.directory not in dead
    )
    families, required = (
        tuple(platform_family for platform_family in every if not platform_family.serves(runtime)),
        installed.required(),
    )
    packages = _group_by_package(space, runtime)
    files = [
        _JudgedFile(
            place, binary, package.manifest, _file_choice(package, place), judge_binary(place, binary, space, runtime)
        )
        for package, places in packages
        for place, binary in places.items()
    ]
    wrong = _wrong_platform_directories(families, required)
    living = [judged_file for judged_file in files if judged_file.owner.directory not in dead]
    members = frozenset(member.directory for platform_family in every for member in platform_family.installed)
    selected = _selected_places(living, _wrong_platform_files(living, wrong, runtime), members)
    good = _loadable_packages(living, selected)
    spare = {path: Severity.WARNING for path, plain in find_plain_variants(every, runtime).items() if plain & good}
    bad = (judged_file.owner for judged_file in files if judged_file.conclusion.defect)
    idle = {each.directory for each in bad if each.native_use is NativeUse.ELSEWHERE}
    mild = _Leniency({**spare, **dict.fromkeys(idle, Severity.NOTE), **wrong}, good, space.unnamed)
    judgements = [_make_judgement(judged_file, selected, mild, runtime) for judged_file in files]
    found = tuple(
        package_choices
        for package_choices in _all_packages(packages, space)
        if package_choices.manifest.directory not in dead
    )
    asked = frozenset(name for path in required for name in space.manifests[path].dependencies)
    lacking = missing_family_findings(PackageNeeds(families, required, asked), space, runtime)
    missing = (*lacking, *missing_build_findings(found, PackageNeeds(every, required, asked), space, runtime))
    doubted = _doubtful_findings(files, judgements, selected)
    absent = (replace(each, path=path_in_report(facts.root, each.path)) for each in missing)
    return BinaryJudgements(
        tuple(sorted(judgements, key=lambda judgement: _report_order(judgement.binary.path))), (*absent, *doubted)
    )


def _doubtful_findings(
    files: list[_JudgedFile], judgements: list[Judgement], selected: frozenset[str]
) -> Iterator[Finding]:
    """Yield what is said of files that lie where a loader looks, though perhaps nobody asks for them on Lambda."""
    for file, judgement in zip(files, judgements, strict=True):
        if file.place in selected and not judgement.selected and judgement.finding is not None:
            yield judgement.finding


def _report_order(path: str) -> tuple[bool, bytes]:
    return path.startswith("/"), path.encode("utf-8", "surrogateescape")


def _group_by_package(space: LambdaFileSystem, runtime: Runtime) -> list[tuple[PackageChoices, Mapping[str, Binary]]]:
    owned: dict[str, dict[str, Binary]] = {}
    found: list[tuple[PackageChoices, Mapping[str, Binary]]] = []
    for place, binary in space.binaries.items():
        owned.setdefault(_owner_directory(place, space.manifests), {})[place] = binary
    for directory, places in owned.items():
        manifest = space.manifests.get(directory) or PackageManifest(directory, name_from_directory(directory), "")
        paths = tuple(_path_in_package(each, directory) for each, binary in places.items() if _is_openable(binary))
        found.append((PackageChoices(manifest, choose_files(manifest, paths, runtime)), places))
    return found


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
    packages: list[tuple[PackageChoices, Mapping[str, Binary]]], space: LambdaFileSystem
) -> tuple[PackageChoices, ...]:
    """The packages that have no native file at all are the ones that may lack one."""
    known = {package_choices.manifest.directory for package_choices, _ in packages}
    return (
        *(package_choices for package_choices, _ in packages),
        *(PackageChoices(each, {}) for path, each in space.manifests.items() if path not in known),
    )


def _wrong_platform_directories(
    families: tuple[PlatformFamily, ...], required: frozenset[str]
) -> Mapping[str, Severity | None]:
    """Directories of platform packages for other targets where the right one is absent: that is what is wrong.

    A family that its owner can do without (next's compiler), or whose owner is optional, only earns a warning.
    """
    found: dict[str, Severity | None] = {}
    for family in families:
        needed = family.is_needed(required)
        for each in family.installed:
            if "wasm" not in parse_platform_tags(each.name).systems:
                found[each.directory] = None if needed else found.get(each.directory, Severity.WARNING)
    return found


def _wrong_platform_files(
    files: list[_JudgedFile], wrong: Mapping[str, Severity | None], runtime: Runtime
) -> frozenset[str]:
    """Paths of the files that a loader would open in those directories, if it looked there."""
    inside: dict[str, list[_JudgedFile]] = {}
    for judged_file in files:
        if judged_file.owner.directory in wrong and _is_openable(judged_file.binary):
            inside.setdefault(judged_file.owner.directory, []).append(judged_file)
    found: set[str] = set()
    for directory, there in inside.items():
        paths = tuple(_path_in_package(judged_file.place, directory) for judged_file in there)
        found |= {posixpath.join(directory, file) for file in choose_foreign_files(there[0].owner, paths, runtime)}
    return frozenset(found)


def _loadable_packages(files: list[_JudgedFile], selected: frozenset[str]) -> frozenset[str]:
    """Directories of the packages whose addons all load, and that have one."""
    of: dict[str, list[Outcome]] = {}
    for judged_file in files:
        if judged_file.place in selected and is_addon(judged_file.binary):
            of.setdefault(judged_file.owner.directory, []).append(judged_file.conclusion.outcome)
    return frozenset(path for path, outcomes in of.items() if all(outcome is Outcome.LOADS for outcome in outcomes))


def _selected_places(files: list[_JudgedFile], wrong: frozenset[str], members: frozenset[str]) -> frozenset[str]:
    """Places that count: what a loader picks, what that brings along, and what lies where the right file should."""
    roots = [judged_file for judged_file in files if _is_root(judged_file, wrong) and not _is_stray(judged_file, files)]
    roots += _foreign_only_addons(files, wrong, members)
    brought = frozenset(path for judged_file in roots for path in judged_file.conclusion.brings)
    return brought | {judged_file.place for judged_file in roots}


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
    beside = [
        judged_file
        for judged_file in files
        if judged_file.owner is file.owner and judged_file is not file and is_addon(judged_file.binary)
    ]
    return any(
        judged_file.choice.selected and judged_file.conclusion.outcome is Outcome.LOADS for judged_file in beside
    )


def _foreign_only_addons(files: list[_JudgedFile], wrong: frozenset[str], members: frozenset[str]) -> list[_JudgedFile]:
    """The addons of a package that has them for one other target only: it was built or packed on such a machine.

    A platform package is no such: all of a family are installed where their package.json names no platform.
    """
    by_owner: dict[str, list[_JudgedFile]] = {}
    for judged_file in files:
        meant = judged_file.owner.os or judged_file.owner.cpu or judged_file.owner.directory in members
        if is_addon(judged_file.binary) and judged_file.place not in wrong and not meant:
            by_owner.setdefault(judged_file.owner.directory, []).append(judged_file)
    found = []
    for addons in by_owner.values():
        said = (
            parse_platform_tags(_path_in_package(judged_file.place, judged_file.owner.directory))
            for judged_file in addons
        )
        targets = {(platform_tags.systems, platform_tags.cpus) for platform_tags in said}
        prebuilt = any("/prebuilds/" in judged_file.place for judged_file in addons)
        if len(targets) == 1 and not prebuilt and all(judged_file.choice.foreign for judged_file in addons):
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
    return Severity.WARNING if foreign or idle or file.place in mild.unnamed else None


def counted_findings(judgements: tuple[Judgement, ...], *, everything: bool) -> Iterator[Finding]:
    """Yield the findings that the verdict counts: of selected files, or of all."""
    for judgement in judgements:
        if judgement.finding is not None and (judgement.selected or everything):
            yield judgement.finding
