"""What shows that a package has a native part of its own, or a program that its install script fetches.

A require() of a computed name is no evidence: frameworks load plug-ins that way. Neither is an install script alone.
"""

import posixpath
import re
from collections.abc import Iterator

from lambdapack.packages.native_use import NativeUse
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.selection.selection import PackageChoices
from lambdapack.tree.entry import EntryKind

BUILD_TOOLS = (
    r"node-gyp|prebuild-install|node-pre-gyp|cmake-js|cmake-ts|pkg-prebuilds|install-from-cache|buildcheck"
    r"|cargo-cp-artifact"
)
"""Programs that compile an addon or download one, read from the install scripts of 153 packages."""

BUILD_COMMAND = re.compile(rf"{BUILD_TOOLS}|neon build|cargo build|napi build")
"""What an install script of a package with a native part calls."""

BUILD_LITERAL = re.compile(
    r"(?:(?:npx|npm|pnpm|yarn|exec|run|node|cross-env|&&|--?[\w=-]+)\s+)*"
    rf"(?:[^\s]*/)?(?:{BUILD_TOOLS})(?:\.js|\.cmd)?(?:/[^\s]*)?(?:\s+[\w./=-]+)*"
)
"""A string of a script that is such a command, or the tool's name; a sentence about one is something else."""

FETCHED_EXTENSIONS = (
    ".7z", ".br", ".bz2", ".exe", ".gz", ".jar", ".lz4", ".tar", ".tgz", ".txz", ".war", ".xz", ".zip", ".zst",
)  # fmt: skip
"""Archives and Java programs: npm packages seldom publish one, and install scripts fetch them."""

SOURCE_EXTENSIONS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx", ".map", ".md", ".markdown")

PUBLISHED_DIRECTORIES = frozenset(
    {"test", "tests", "__tests__", "fixtures", "example", "examples", "docs", "src", "source", "sources"}
)
"""Directories whose files npm brought: examples, and the sources that are compiled where a download fails."""


def has_native_part(package: PackageChoices) -> bool:
    """Tell whether a package brings an addon or makes one when it is installed."""
    manifest = package.manifest
    script = manifest.install_script
    if manifest.gypfile or manifest.module_name or BUILD_COMMAND.search(script):
        return True
    if any(BUILD_LITERAL.fullmatch(literal) for literal in manifest.script.literals):
        return True
    if package.addons:
        return manifest.native_use is not NativeUse.UNKNOWN
    if not manifest.napi and not script:
        return False
    return (manifest.napi and bool(script)) or manifest.names_native_part


def fetches_files(package: PackageChoices) -> bool:
    """Tell whether an install script downloads something and keeps it."""
    script = package.manifest.script
    return script.fetches and (script.writes or script.makes_program)


def has_fetched_files(package: PackageChoices, file_system: LambdaFileSystem) -> bool:
    """Tell whether what an install script downloads is there: a program, a script, an archive, or a file it names."""
    script = package.manifest.script
    if script.programs - script.node_scripts or any(choice.selected for choice in package.choices.values()):
        return True
    named = frozenset(posixpath.basename(literal) for literal in script.literals)
    extensions = () if script.makes_program else FETCHED_EXTENSIONS  # it unpacks them
    return any(
        path.endswith(extensions) or posixpath.basename(path) in named
        for path in _fetchable_files(package, file_system)
    )


def _fetchable_files(package: PackageChoices, file_system: LambdaFileSystem) -> Iterator[str]:
    """Yield a package's own files without its sources, its examples and the binaries for other targets."""
    directory = package.manifest.directory
    for path, entry in file_system.below(directory):
        own = path[len(directory) + 1 :]
        *directories, name = own.split("/")
        published = "node_modules" in directories or not PUBLISHED_DIRECTORIES.isdisjoint(directories)
        source = name == "package.json" or name.lower().endswith(SOURCE_EXTENSIONS)
        known = own in package.choices or own in package.manifest.script.node_scripts
        if entry.kind is EntryKind.FILE and entry.size and not (published or source or known):
            yield own
