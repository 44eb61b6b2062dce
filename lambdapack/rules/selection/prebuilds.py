"""How node-gyp-build 3, 4 and the -optional-packages fork choose among prebuilds."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from lambdapack.runtimes.runtime import Runtime

UV_MAJOR = "1"
"""process.versions.uv's major on every Node.js that Lambda has had."""

BUILD_DIRECTORIES = ("build/Release", "build/Debug")


@dataclass(frozen=True, slots=True)
class PrebuildName:
    """The tags in a file name such as `node.abi127.glibc.node` (node-gyp-build 4.8.4, parseTags)."""

    file: str
    runtime: str = ""
    napi: bool = False
    abi: str = ""
    uv: str = ""
    armv: str = ""
    libc: str = ""
    tags: int = 0


def parse_prebuild_name(file: str) -> PrebuildName | None:
    """Return the tags of a file name, None when it does not end in .node."""
    *parts, extension = file.split(".")
    if extension != "node":
        return None
    known: dict[str, str] = {}
    count = 0
    for part in parts:
        tag = _parse_tag(part)
        if tag is not None:
            known[tag[0]] = tag[1]
            count += 1
    napi = known.pop("napi", "") != ""
    return PrebuildName(file, napi=napi, tags=count, **known)


def _parse_tag(word: str) -> tuple[str, str] | None:
    if word in {"node", "electron", "node-webkit"}:
        return "runtime", word
    if word == "napi":
        return "napi", word
    if word in {"glibc", "musl"}:
        return "libc", word
    for prefix in ("abi", "uv", "armv"):
        if word.startswith(prefix):
            return prefix, word.removeprefix(prefix)
    return None


def has_matching_tags(name: PrebuildName, runtime: Runtime) -> bool:
    """Tell whether the tags allow a file on the runtime (matchTags)."""
    arm_version = "8" if runtime.target.architecture.node == "arm64" else ""
    return (
        name.runtime in {"", "node"}
        and (name.napi or name.abi in {"", str(runtime.abi)})
        and name.uv in {"", UV_MAJOR}
        and name.armv in {"", arm_version}
        and name.libc in {"", "glibc"}
    )


def pick_best_prebuild(files: Iterable[str], runtime: Runtime) -> str | None:
    """Return the file name that node-gyp-build prefers (compareTags), None when none fits."""
    named = [name for file in sorted(files) if (name := parse_prebuild_name(file)) and has_matching_tags(name, runtime)]
    ranked = sorted(
        named, key=lambda prebuild_name: (prebuild_name.runtime != "node", not prebuild_name.abi, -prebuild_name.tags)
    )
    return ranked[0].file if ranked else None


def _names_in(files: Iterable[str], directory: str) -> list[str]:
    return sorted(posixpath.basename(path) for path in files if posixpath.dirname(path) == directory)


def parse_platform_tuple(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return platform and CPUs of a directory such as `darwin-x64+arm64`, None when it is no such name."""
    platform, dash, cpus = name.partition("-")
    names = tuple(cpus.split("+"))
    return (platform, names) if platform and dash and "-" not in cpus and all(names) else None


def find_built_addon(files: Iterable[str]) -> str | None:
    """Return what was compiled in place: it comes before every prebuild, whatever it is for."""
    paths = list(files)
    for directory in BUILD_DIRECTORIES:
        names = [name for name in _names_in(paths, directory) if name.endswith(".node")]
        if names:
            return f"{directory}/{names[0]}"
    return None


def pick_for_version_4(files: tuple[str, ...], runtime: Runtime) -> str | None:
    """Return the path that node-gyp-build 4 loads out of a package's files, None when there is none."""
    compiled = find_built_addon(files)
    if compiled:
        return compiled
    tuples = [
        (len(parsed[1]), name)
        for name in _prebuild_directories(files)
        if (parsed := parse_platform_tuple(name))
        and parsed[0] == "linux"
        and runtime.target.architecture.node in parsed[1]
    ]
    if not tuples:
        return None
    directory = f"prebuilds/{min(tuples)[1]}"
    chosen = pick_best_prebuild(_names_in(files, directory), runtime)
    return f"{directory}/{chosen}" if chosen else None


def _prebuild_directories(files: Iterable[str]) -> list[str]:
    return sorted({path.split("/")[1] for path in files if path.startswith("prebuilds/") and path.count("/") >= 2})


def pick_for_version_3(files: tuple[str, ...], runtime: Runtime) -> str | None:
    """Return the path that node-gyp-build 3 loads: linux-x64 or linuxglibc-x64, -v8 on arm64, last first."""
    compiled = find_built_addon(files)
    if compiled:
        return compiled
    cpu = runtime.target.architecture.node
    names = [f"linux-{cpu}", f"linuxglibc-{cpu}"]
    if cpu == "arm64":
        names += [f"{name}-v8" for name in names]
    files_in_order = (f"node-{runtime.abi}.node", "node-napi.node")
    wanted = (f"prebuilds/{name}/{file}" for name in reversed(names) for file in files_in_order)
    return next((path for path in wanted if path in files), None)


def is_prebuildify_layout(files: Iterable[str]) -> bool:
    """Tell whether the prebuilds directory is prebuildify's, whoever loads from it."""
    names = _prebuild_directories(files)
    return bool(names) and all(parse_platform_tuple(_strip_arm_version(name)) for name in names)


def _strip_arm_version(name: str) -> str:
    """linuxglibc-arm64-v8 of version 3 is a tuple with one word more."""
    return name.removesuffix("-v8").removesuffix("-v7").removesuffix("-v6")


def is_version_3(files: Iterable[str]) -> bool:
    """Tell whether the directories carry the libc, as only version 3 names them."""
    return any(name.startswith(("linuxglibc-", "linuxmusl-")) for name in _prebuild_directories(files))
