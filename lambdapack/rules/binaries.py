"""Every native file of a tree with its judgement: what becomes of it, and whether anybody loads it."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lambdapack.binary.facts import Binary, Format, Role
from lambdapack.model import Finding, Severity
from lambdapack.project.installed import PackageManifest, name_from
from lambdapack.project.sources import NativeUse
from lambdapack.rules.defect import Defect
from lambdapack.rules.executables import NO_EXEC_BIT
from lambdapack.rules.facts import Facts
from lambdapack.rules.fixes import WRONG_PLATFORM, fix_for
from lambdapack.rules.judge import Conclusion, is_addon, judge
from lambdapack.rules.missing import Needs, Package, missing_builds, missing_platform_packages
from lambdapack.rules.platforms import Family, Installed, variants
from lambdapack.rules.reach import reach
from lambdapack.rules.registration import NOT_AN_ADDON
from lambdapack.rules.selection import Choice, choose, choose_inside
from lambdapack.rules.space import ROOTS, Space, lay_out, seen_from
from lambdapack.rules.tokens import tags
from lambdapack.rules.verdict import Judgement, Outcome
from lambdapack.runtimes.runtime import Runtime

NEVER_OPENED = frozenset({Format.ARCHIVE, Format.WASM})
"""Formats that the loader is never asked to open; WebAssembly runs everywhere."""

LIBRARY_ENDINGS = (".so", ".dylib", ".dll")
NEVER_ASKED = Choice(selected=False, why="nothing opens such a file")


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgements of one tree and the packages that lack a native file."""

    judgements: tuple[Judgement, ...]
    missing: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _File:
    place: str  # absolute
    binary: Binary
    owner: PackageManifest
    choice: Choice
    conclusion: Conclusion


@dataclass(frozen=True, slots=True)
class _Mild:
    """What makes a defect weigh less."""

    directories: Mapping[str, Severity | None]  # packages that can be done without
    good: frozenset[str]  # packages whose addons all load
    unnamed: frozenset[str]  # programs that their package never names


def judge_whole(facts: Facts, runtime: Runtime) -> Judged:
    """Return the judgements alone, for who wants no report."""
    space = lay_out(facts)
    installed = Installed(space, runtime)
    return judge_all(facts, space, installed, reach(space, installed, runtime).dead, runtime)


def judge_all(facts: Facts, space: Space, installed: Installed, dead: frozenset[str], runtime: Runtime) -> Judged:
    """Return a judgement for every native file of a tree and its layers, in byte order; a layer's as /opt/...

    `dead` are directories of packages that nothing reaches: their files are judged and do not count.
    """
    every = tuple(each for each in installed.families(runtime) if each.owner.directory not in dead)
    families, required = tuple(each for each in every if not each.serves(runtime)), installed.required()
    packages = _packages(space, runtime)
    files = [
        _File(place, binary, package.manifest, _choice(package, place), judge(place, binary, space, runtime))
        for package, places in packages
        for place, binary in places.items()
    ]
    wrong = _installed_instead(families, required)
    living = [each for each in files if each.owner.directory not in dead]
    members = frozenset(member.directory for each in every for member in each.installed)
    selected = _selected(living, _taken_instead(living, wrong, runtime), members)
    good = _good(living, selected)
    spare = {path: Severity.WARNING for path, plain in variants(every, runtime).items() if plain & good}
    bad = (each.owner for each in files if each.conclusion.defect)
    idle = {each.directory for each in bad if each.native_use is NativeUse.ELSEWHERE}
    mild = _Mild({**spare, **dict.fromkeys(idle, Severity.NOTE), **wrong}, good, space.unnamed)
    judgements = [_judgement(each, selected, mild, runtime) for each in files]
    found = tuple(each for each in _with_all(packages, space) if each.manifest.directory not in dead)
    asked = frozenset(name for path in required for name in space.manifests[path].dependencies)
    lacking = missing_platform_packages(Needs(families, required, asked), space, runtime)
    missing = (*lacking, *missing_builds(found, Needs(every, required, asked), space, runtime))
    doubted = _doubted(files, judgements, selected)
    absent = (replace(each, path=seen_from(facts.root, each.path)) for each in missing)
    return Judged(tuple(sorted(judgements, key=lambda each: _in_order(each.binary.path))), (*absent, *doubted))


def _doubted(files: list[_File], judgements: list[Judgement], selected: frozenset[str]) -> Iterator[Finding]:
    """Yield what is said of files that lie where a loader looks, though perhaps nobody asks for them on Lambda."""
    for file, judgement in zip(files, judgements, strict=True):
        if file.place in selected and not judgement.selected and judgement.finding is not None:
            yield judgement.finding


def _in_order(path: str) -> tuple[bool, bytes]:
    return path.startswith("/"), path.encode("utf-8", "surrogateescape")


def _packages(space: Space, runtime: Runtime) -> list[tuple[Package, Mapping[str, Binary]]]:
    owned: dict[str, dict[str, Binary]] = {}
    found: list[tuple[Package, Mapping[str, Binary]]] = []
    for place, binary in space.binaries.items():
        owned.setdefault(_owner(place, space.manifests), {})[place] = binary
    for directory, places in owned.items():
        manifest = space.manifests.get(directory) or PackageManifest(directory, name_from(directory), "")
        paths = tuple(_relative(each, directory) for each, binary in places.items() if _openable(binary))
        found.append((Package(manifest, choose(manifest, paths, runtime)), places))
    return found


def _owner(path: str, manifests: Mapping[str, PackageManifest]) -> str:
    """The package that a file belongs to; inside node_modules also one whose package.json is gone."""
    directory = posixpath.dirname(path)
    while directory and directory not in manifests and not _is_package_root(directory):
        directory = posixpath.dirname(directory)
    return directory


def _is_package_root(directory: str) -> bool:
    name = name_from(directory)
    return bool(name) and f"/{directory}".endswith(f"/node_modules/{name}") and name.startswith("@") == ("/" in name)


def _relative(path: str, directory: str) -> str:
    return path[len(directory) + 1 :]


def _openable(binary: Binary) -> bool:
    name = posixpath.basename(binary.path)
    if binary.format in NEVER_OPENED and not is_addon(binary):
        return False
    named = is_addon(binary) or name.endswith(LIBRARY_ENDINGS) or ".so." in name
    return named or binary.role in {Role.LIBRARY, Role.EXECUTABLE}


def _choice(package: Package, place: str) -> Choice:
    return package.choices.get(_relative(place, package.manifest.directory), NEVER_ASKED)


def _with_all(packages: list[tuple[Package, Mapping[str, Binary]]], space: Space) -> tuple[Package, ...]:
    """The packages that have no native file at all are the ones that may lack one."""
    known = {each.manifest.directory for each, _ in packages}
    return (
        *(each for each, _ in packages),
        *(Package(each, {}) for path, each in space.manifests.items() if path not in known),
    )


def _installed_instead(families: tuple[Family, ...], required: frozenset[str]) -> Mapping[str, Severity | None]:
    """Directories of platform packages for other targets where the right one is absent: that is what is wrong.

    A family that its owner can do without (next's compiler), or whose owner is optional, only earns a warning.
    """
    found: dict[str, Severity | None] = {}
    for family in families:
        needed = family.is_needed(required)
        for each in family.installed:
            if "wasm" not in tags(each.name).systems:
                found[each.directory] = None if needed else found.get(each.directory, Severity.WARNING)
    return found


def _taken_instead(files: list[_File], wrong: Mapping[str, Severity | None], runtime: Runtime) -> frozenset[str]:
    """Paths of the files that a loader would open in those directories, if it looked there."""
    inside: dict[str, list[_File]] = {}
    for each in files:
        if each.owner.directory in wrong and _openable(each.binary):
            inside.setdefault(each.owner.directory, []).append(each)
    found: set[str] = set()
    for directory, there in inside.items():
        paths = tuple(_relative(each.place, directory) for each in there)
        found |= {posixpath.join(directory, each) for each in choose_inside(there[0].owner, paths, runtime)}
    return frozenset(found)


def _good(files: list[_File], selected: frozenset[str]) -> frozenset[str]:
    """Directories of the packages whose addons all load, and that have one."""
    of: dict[str, list[Outcome]] = {}
    for each in files:
        if each.place in selected and is_addon(each.binary):
            of.setdefault(each.owner.directory, []).append(each.conclusion.outcome)
    return frozenset(path for path, outcomes in of.items() if all(each is Outcome.LOADS for each in outcomes))


def _selected(files: list[_File], wrong: frozenset[str], members: frozenset[str]) -> frozenset[str]:
    """Places that count: what a loader picks, what that brings along, and what lies where the right file should."""
    roots = [each for each in files if _is_root(each, wrong) and not _is_stray(each, files)]
    roots += _alone_and_foreign(files, wrong, members)
    brought = frozenset(path for each in roots for path in each.conclusion.brings)
    return brought | {each.place for each in roots}


def _is_root(file: _File, wrong: frozenset[str]) -> bool:
    """A library counts by itself only outside node_modules: there it was put by the function's author."""
    if file.place in wrong:
        return True
    if not file.choice.selected:
        return False
    runs = is_addon(file.binary) or file.binary.role is Role.EXECUTABLE
    return runs or "node_modules" not in file.place.split("/")


def _is_stray(file: _File, files: list[_File]) -> bool:
    """A .node that registers nothing beside one that does is no addon: better-sqlite3's test_extension.node."""
    if file.conclusion.defect is None or file.conclusion.defect.rule is not NOT_AN_ADDON:
        return False
    beside = [each for each in files if each.owner is file.owner and each is not file and is_addon(each.binary)]
    return any(each.choice.selected and each.conclusion.outcome is Outcome.LOADS for each in beside)


def _alone_and_foreign(files: list[_File], wrong: frozenset[str], members: frozenset[str]) -> list[_File]:
    """The addons of a package that has them for one other target only: it was built or packed on such a machine.

    A platform package is no such: all of a family are installed where their package.json names no platform.
    """
    by_owner: dict[str, list[_File]] = {}
    for each in files:
        meant = each.owner.os or each.owner.cpu or each.owner.directory in members
        if is_addon(each.binary) and each.place not in wrong and not meant:
            by_owner.setdefault(each.owner.directory, []).append(each)
    found = []
    for addons in by_owner.values():
        said = (tags(_relative(each.place, each.owner.directory)) for each in addons)
        targets = {(each.systems, each.cpus) for each in said}
        prebuilt = any("/prebuilds/" in each.place for each in addons)
        if len(targets) == 1 and not prebuilt and all(each.choice.foreign for each in addons):
            found += addons
    return found


def _judgement(file: _File, selected: frozenset[str], mild: _Mild, runtime: Runtime) -> Judgement:
    defect = file.conclusion.defect
    softened = _softened(file, defect, mild) if defect else None
    finding = _finding(file, defect, softened, runtime) if defect else None
    return Judgement(
        binary=file.binary,
        package=_name(file.owner),
        version=file.owner.version if _name(file.owner) else "",
        selected=file.place in selected and softened is None,
        outcome=file.conclusion.outcome,
        cause=_cause(file.conclusion),
        finding=finding,
    )


def _name(owner: PackageManifest) -> str:
    """The npm name of a package; what lies outside every one of them is the function's or the layer's own."""
    return "" if owner.directory in ROOTS else owner.name


def _cause(conclusion: Conclusion) -> str | None:
    """What loads has no cause, even when there is something to say about it."""
    if conclusion.defect is None or conclusion.outcome is Outcome.LOADS:
        return None
    return conclusion.defect.word


def _finding(file: _File, defect: Defect, softened: Severity | None, runtime: Runtime) -> Finding:
    return Finding(
        rule=defect.rule,
        path=file.binary.path,
        message=defect.message,
        package=_name(file.owner),
        fix=fix_for(defect, file.owner, runtime),
        severity=softened or defect.severity,
        evidence=(("cause", defect.word), ("outcome", defect.outcome.value), *defect.evidence),
    )


def _softened(file: _File, defect: Defect, mild: _Mild) -> Severity | None:
    """What the owner can do without, or a program that a package publishes and may never start.

    A foreign one may be for that system only (active-win's main); one without execute bit beside an addon that
    loads was published so, and nothing starts it on any machine (the swc beside swc.linux-x64-gnu.node); one that its
    package never names, though it names its neighbours, came along with them (the viewer beside cwebp).
    """
    if mild.directories.get(file.owner.directory) is not None and defect.outcome is not Outcome.LOADS:
        return mild.directories[file.owner.directory]
    if file.binary.role is not Role.EXECUTABLE or not _name(file.owner) or file.owner.install_script:
        return None
    foreign = defect.word in WRONG_PLATFORM and not file.owner.os
    idle = defect.rule is NO_EXEC_BIT and file.owner.directory in mild.good
    return Severity.WARNING if foreign or idle or file.place in mild.unnamed else None


def counted(judgements: tuple[Judgement, ...], *, everything: bool) -> Iterator[Finding]:
    """Yield the findings that the verdict counts: of selected files, or of all."""
    for each in judgements:
        if each.finding is not None and (each.selected or everything):
            yield each.finding
