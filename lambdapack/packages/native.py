"""Native files that a loader's call means: bindings, node-gyp-build and its kind, process.dlopen. Only looks."""

import posixpath
from collections.abc import Iterator

from lambdapack.packages.file_system import FileSystem
from lambdapack.script.specifier import Form, Platform, Specifier

BINDINGS_PLACES = (
    "build", "build/Debug", "build/Release", "out/Debug", "Debug", "out/Release", "Release", "build/default",
    "addon-build/release/install-root", "addon-build/debug/install-root", "addon-build/default/install-root",
)  # fmt: skip
"""Where `bindings` 1.5 looks below the package (its bindings.js), besides lib/binding/ and compiled/ by version."""

NODE_ARCHES = ("x64", "arm64")


def native_files(files: FileSystem, platform: Platform, specifier: Specifier, asking: str) -> Iterator[str]:
    """Yield the real paths of the files that a loader's call can mean and that are there."""
    text = specifier.text or ""
    here = posixpath.dirname(asking)
    if specifier.form is Form.ADDON:
        paths = [posixpath.normpath(posixpath.join(here, text))]
    elif specifier.form is Form.BINDINGS:
        name = text if text.endswith(".node") else f"{text}.node"
        root = _package_root(files, here)
        versions = [f"lib/binding/{part}" for part in files.names(f"{root}/lib/binding")]
        compiled = [f"compiled/{part}/linux/{arch}" for part in files.names(f"{root}/compiled") for arch in NODE_ARCHES]
        places = [*BINDINGS_PLACES, *versions, *compiled]
        paths = [posixpath.normpath(f"{root}/{place}/{name}") for place in places]
    else:
        paths = list(_prebuilds(files, platform, posixpath.normpath(posixpath.join(here, text))))
    yield from dict.fromkeys(files.real(path) for path in paths if files.is_file(path))


def _package_root(files: FileSystem, directory: str) -> str:
    """Return the directory that `bindings` takes for the package: the nearest with a package.json or node_modules."""
    while directory not in {"/", ""}:
        if files.is_file(f"{directory}/package.json") or files.is_directory(f"{directory}/node_modules"):
            return directory
        directory = posixpath.dirname(directory)
    return directory


def _prebuilds(files: FileSystem, platform: Platform, directory: str) -> Iterator[str]:
    arches = (platform.arch,) if platform.arch else NODE_ARCHES
    places = ["build/Release", "build/Debug"]
    for name in files.names(f"{directory}/prebuilds"):
        system, _, rest = name.partition("-")
        if system == platform.system and any(arch in rest.replace("+", "-").split("-") for arch in arches):
            places.append(f"prebuilds/{name}")
    for place in places:
        for name in files.names(f"{directory}/{place}"):
            if name.endswith((".node", ".bare")):
                yield f"{directory}/{place}/{name}"
