"""Which of a package's native files its loader picks on a target, and why. Judges no file.

The order: package.json fields, platform words in the package's name, Prisma's engines, node-gyp-build's prebuilds,
files tagged at the top of a platform package, node-pre-gyp's module_path, cmake-ts's index, the words of the path.
Checked against require() with process.dlopen hooked: 153 packages, Node.js 18 to 24.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lambdapack.managers.lock import admits_platform
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.selection import prebuilds, prisma
from lambdapack.rules.selection.tokens import (
    CPU_TOKENS,
    LIBC_TOKENS,
    OPENSSL_VERSION,
    SYSTEM_TOKENS,
    count_target_properties,
    distribution_of_word,
    distribution_rank,
    find_contradiction,
    parse_platform_tags,
    split_words,
)
from lambdapack.runtimes.runtime import Runtime

INTERMEDIATE_DIRECTORIES = frozenset({"obj.target", ".deps", "CMakeFiles", "obj"})
"""Directories of half-built files; node-pre-gyp leaves build-tmp-* as well."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a loader picks a file, and the reason."""

    selected: bool
    why: str
    foreign: bool = False  # made for another target, by its own name or its package's fields
    spare: bool = False  # weight: what a loader opens instead is beside it


@dataclass(frozen=True, slots=True)
class PackageChoices:
    """One package of a tree with its native files and what its loader makes of them."""

    manifest: PackageManifest
    choices: Mapping[str, Choice]  # by path relative to the package

    @property
    def addons(self) -> tuple[str, ...]:
        """Paths of what require() would open."""
        return tuple(path for path in self.choices if path.endswith(".node"))


SELECTED_CHOICE = Choice(selected=True, why="fits this target")
NOT_BEST_CHOICE = Choice(selected=False, why="another file fits better")
BUILD_LEFTOVER_CHOICE = Choice(selected=False, why="left over from a build")


def _foreign_choice(why: str) -> Choice:
    return Choice(selected=False, why=why, foreign=True)


def foreign_package_reason(manifest: PackageManifest, runtime: Runtime) -> str | None:
    """Return why no file of a package is meant for this target, None when nothing speaks against it."""
    fields = (
        ("os", manifest.os, "linux"),
        ("cpu", manifest.cpu, runtime.target.architecture.node),
        ("libc", manifest.libc, "glibc"),
    )
    for name, field, wanted in fields:
        if not admits_platform(field, wanted):
            return f"its package.json says {name} {', '.join(field)}"
    if not parse_platform_tags(manifest.name).systems and not parse_platform_tags(manifest.name).libcs:
        return None
    contradiction = find_contradiction(parse_platform_tags(manifest.name), runtime)
    return f"its package's name says {contradiction}" if contradiction else None


def choose_files(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """Return the choice for each of a package's own files (paths relative to the package)."""
    foreign = foreign_package_reason(manifest, runtime)
    if foreign:
        return dict.fromkeys(files, _foreign_choice(foreign))
    chosen: dict[str, Choice] = {file: BUILD_LEFTOVER_CHOICE for file in files if _is_build_leftover(file)}
    for strategy in (
        _choose_engines,
        _choose_prebuilds,
        _choose_tagged_at_top,
        _choose_module_path,
        _choose_by_index,
        _choose_by_words,
    ):
        rest = tuple(file for file in files if file not in chosen)
        chosen.update(strategy(manifest, rest, runtime))
    return chosen


def choose_foreign_files(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> frozenset[str]:
    """Return what would be loaded of a package for another platform, were it taken: all when nothing tells."""
    taken = choose_files(replace(manifest, name="", os=(), cpu=(), libc=()), files, runtime)
    return frozenset(file for file in files if taken[file].selected) or frozenset(files)


def _is_build_leftover(path: str) -> bool:
    return any(part in INTERMEDIATE_DIRECTORIES or part.startswith("build-tmp-") for part in path.split("/")[:-1])


def _choices_for(files: Iterable[str], picked: Iterable[str], runtime: Runtime) -> dict[str, Choice]:
    """The picked ones are selected; of the others, those that name another target are foreign."""
    selected = frozenset(picked)
    choices = {}
    for file in files:
        contradiction = find_contradiction(parse_platform_tags(file), runtime)
        if file in selected:
            choices[file] = SELECTED_CHOICE
        else:
            choices[file] = _foreign_choice(f"its path says {contradiction}") if contradiction else NOT_BEST_CHOICE
    return choices


def _choose_engines(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """Prisma's client opens the engine that is named after distribution, CPU and OpenSSL, and no other one."""
    chosen = prisma.choose_engines(files, runtime)
    spare = prisma.find_spare_engines(files, manifest.name, runtime) if chosen else frozenset()
    why = f"Prisma opens the engine for {prisma.engine_target(runtime)}" if chosen else ""
    return {
        path: SELECTED_CHOICE if fits else Choice(selected=False, why=why, foreign=True, spare=path in spare)
        for path, fits in chosen.items()
    }


def _choose_prebuilds(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """Prebuildify's layout, with or without the dependency: bundled copies of the loader are common."""
    addons = tuple(file for file in files if file.endswith(".node"))
    layout = prebuilds.is_prebuildify_layout(addons)
    depends = any(
        dependency.startswith("node-gyp-build") and "optional" not in dependency for dependency in manifest.dependencies
    )
    if not layout and not depends:
        return {}
    version = prebuilds.pick_for_version_3 if prebuilds.is_version_3(addons) else prebuilds.pick_for_version_4
    pick = version(addons, runtime)
    places = (
        "prebuilds/",
        *(f"{directory}/" for directory in prebuilds.BUILD_DIRECTORIES if pick and pick.startswith("build/")),
    )
    governed = tuple(addon for addon in addons if addon.startswith(places))
    beside = _untagged_siblings(pick, governed) if pick and version is prebuilds.pick_for_version_4 else []
    picked = [pick, *beside] if pick else []
    return _choices_for(governed, picked, runtime)


def _untagged_siblings(pick: str, files: Iterable[str]) -> list[str]:
    """Several names without tags in one prebuild directory: each is asked for by its name."""
    chosen = prebuilds.parse_prebuild_name(posixpath.basename(pick))
    if not pick.startswith("prebuilds/") or chosen is None or chosen.tags:
        return []
    beside = [file for file in files if posixpath.dirname(file) == posixpath.dirname(pick)]
    return [
        file for file in beside if (name := prebuilds.parse_prebuild_name(posixpath.basename(file))) and not name.tags
    ]


def _choose_tagged_at_top(_: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """node-gyp-build-optional-packages: node.abi127.glibc.node beside node.napi.glibc.node."""
    top = tuple(file for file in files if "/" not in file and file.endswith(".node"))
    named = [name for file in top if (name := prebuilds.parse_prebuild_name(file)) is not None]
    if len(top) < 2 or not any(prebuild_name.napi or prebuild_name.abi for prebuild_name in named):
        return {}
    pick = prebuilds.pick_best_prebuild(top, runtime)
    return _choices_for(top, [pick] if pick else [], runtime)


def _choose_module_path(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """node-pre-gyp loads module_path/module_name.node and nothing else."""
    if not manifest.module_name or not manifest.module_path:
        return {}
    wanted = expected_addon_path(manifest, runtime)
    return (
        _choices_for([file for file in files if file.endswith(".node")], [wanted], runtime) if wanted in files else {}
    )


def expected_addon_path(manifest: PackageManifest, runtime: Runtime) -> str:
    """Return the file that node-pre-gyp's template names on a target (lib/util/versioning.js)."""
    levels = [level for level in manifest.napi_versions if level <= runtime.node_api]
    level = str(max(levels)) if levels else ""
    abi = f"node-v{runtime.abi}"
    values = {
        "node_abi": abi,
        "node_napi_label": f"napi-v{level}" if level else abi,
        "napi_build_version": level,
        "platform": "linux",
        "arch": runtime.target.architecture.node,
        "target_arch": runtime.target.architecture.node,
        "libc": "glibc",
        "module_name": manifest.module_name,
        "name": manifest.name,
        "version": manifest.version,
        "configuration": "Release",
        "toolset": "",
    }
    filled = re.sub(r"\{(\w+)\}", lambda found: values.get(found.group(1), ""), manifest.module_path)
    return posixpath.normpath(f"{filled}/{manifest.module_name}.node")


def _choose_by_index(manifest: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """cmake-ts tries its builds for this platform from the highest ABI down, whatever the runtime's is."""
    if not manifest.builds:
        return {}
    wanted = ("linux", runtime.target.architecture.node, "glibc")
    fitting = [
        package_build
        for package_build in manifest.builds
        if (package_build.os, package_build.cpu, package_build.libc) == wanted
    ]
    order = [
        package_build.path
        for package_build in sorted(fitting, key=lambda package_build: -package_build.abi)
        if package_build.path in files
    ]
    governed = {package_build.path for package_build in manifest.builds} & set(files)
    choices = {path: _foreign_choice("the package's index says so") for path in governed}
    choices.update(dict.fromkeys(order, NOT_BEST_CHOICE))
    choices.update(dict.fromkeys(order[:1], SELECTED_CHOICE))
    return choices


def _choose_by_words(_: PackageManifest, files: tuple[str, ...], runtime: Runtime) -> Mapping[str, Choice]:
    """Files that differ only in words about the target are rivals; the most explicit one wins, equals all count."""
    rivals: dict[str, list[str]] = {}
    choices: dict[str, Choice] = {}
    for file in files:
        contradiction = find_contradiction(parse_platform_tags(file), runtime)
        if contradiction:
            choices[file] = _foreign_choice(f"its path says {contradiction}")
        else:
            rivals.setdefault(_subject_words(file), []).append(file)
    for group in rivals.values():
        tags = {file: parse_platform_tags(file) for file in group}
        counts = {file: (distribution_rank(tags[file]), count_target_properties(tags[file], runtime)) for file in group}
        most = max(counts.values())
        choices.update((file, SELECTED_CHOICE if count == most else NOT_BEST_CHOICE) for file, count in counts.items())
    return choices


def _subject_words(path: str) -> str:
    """What a file is about, without its target: sharp-linux-x64.node and sharp-darwin-arm64.node are rivals."""
    name = OPENSSL_VERSION.sub("", posixpath.basename(path).lower())
    plain = (word for word in split_words(name) if not _is_target_word(word))
    return re.sub(r"\d+", "#", "/".join(sorted(set(plain))))


def _is_target_word(word: str) -> bool:
    known = word in SYSTEM_TOKENS or word in CPU_TOKENS or word in LIBC_TOKENS
    return known or word.isdigit() or distribution_of_word(word) is not None
