"""Finds the npm package that a path, a stack trace or a line of npm is about."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lambdapack.messages import NAME
from lambdapack.rules.selection.tokens import CPU_TOKENS, LIBC_TOKENS, SYSTEM_TOKENS, parse_platform_tags

LOADER_PACKAGES = frozenset(
    [
        "bindings",
        "node-gyp-build",
        "node-gyp-build-optional-packages",
        "node-pre-gyp",
        "@mapbox/node-pre-gyp",
        "file-uri-to-path",
        "pkg-prebuilds",
        "cmake-ts",
        "require-addon",
        "node-addon-loader",
        "prebuild-install",
        "prebuildify",
        "detect-libc",
        "node-gyp",
        "npm",
        "npx",
        "yarn",
        "pnpm",
        "corepack",
        "cmake-js",
        "@npmcli/run-script",
        "@npmcli/promise-spawn",
        "node-addon-api",
        "napi-macros",
        "neon-cli",
        "require-in-the-middle",
        "import-in-the-middle",
        "pirates",
        "ts-node",
        "tsx",
        "@babel/register",
        "esbuild-register",
        "source-map-support",
        "v8-compile-cache",
        "graceful-fs",
        "nan",
        "jest-runtime",
        "jest-resolve",
        "@electron/rebuild",
        "electron-rebuild",
    ]
)
"""Packages that load or build for others: a path inside one is never about itself."""

ADDON_OWNERS: Mapping[str, str] = {
    "bcrypt_lib.node": "bcrypt",
    "node_sqlite3.node": "sqlite3",
    "better_sqlite3.node": "better-sqlite3",
    "canvas.node": "canvas",
    "argon2.node": "argon2",
    "re2.node": "re2",
    "fse.node": "fsevents",
    "fsevents.node": "fsevents",
    "ffi_bindings.node": "ffi-napi",
    "serialport.node": "serialport",
    "nodegit.node": "nodegit",
    "node-librdkafka.node": "node-rdkafka",
    "isolated_vm.node": "isolated-vm",
    "deasync.node": "deasync",
    "leveldown.node": "leveldown",
    "grpc_node.node": "grpc",
    "kerberos.node": "kerberos",
    "libxmljs.node": "libxmljs",
    "xmljs.node": "libxmljs",
    "zeromq.node": "zeromq",
    "oracledb.node": "oracledb",
    "duckdb.node": "duckdb",
    "addon.node": "",
}
"""The names that packages give their addons (binding.gyp of each, read in the registry 2026-11)."""

LIBRARY_OWNERS: Mapping[str, str] = {
    "libvips": "sharp",
    "libquery_engine": "@prisma/client",
    "libduckdb": "@duckdb/node-api",
    "libclntsh": "oracledb",
    "libonnxruntime": "onnxruntime-node",
    "libtensorflow": "@tensorflow/tfjs-node",
    "libpq": "pg-native",
    "librdkafka": "node-rdkafka",
}
"""Libraries that one package brings or asks for (its tarball, or its binding.gyp, 2026-11)."""

PLATFORM_PACKAGE_OWNERS: Mapping[str, str] = {"@img/sharp": "sharp", "@img/sharp-libvips": "sharp", "@next/swc": "next"}
"""Platform packages whose owner has another name."""

_PACKAGE_SEGMENT = r"node_modules[/\\]+((?:@[\w.~-]+[/\\]+)?[A-Za-z0-9_~][\w.~-]*)"
_PACKAGE_MANAGER_PATH = r"node_modules[/\\]+(?:npm|yarn|pnpm|corepack)[/\\]"
"""What a package manager brings along is never about the project."""

_NODE_MODULES_PATH = r"[^\s'\"`(),;]*node_modules[/\\]+[^\s'\"`(),;]*"
_COMMAND = (
    rf"\b(?:npm (?:i|install|rebuild|add)|yarn add|pnpm (?:add|rebuild)) (?:-\S+ )*({NAME})(?:@\S*)?\s*(?:$|\n|['\"`])"
)
_BANNER = (
    rf"(?m)^\W*(?P<banner>{NAME})@\d[\w.+-]* (?:pre|post)?(?:install|prepare|build|rebuild|verify-build)\b"
    rf"|Failed at the (?P<failed>{NAME})@"
    rf"|^\W*(?:npm \w+!? )?(?P<error>{NAME})@\d[\w.+-]* (?:pre|post)?install: `"
    rf"|node-pre-gyp .*?(?P<gyp>{NAME})@\d[\w.+-]*|/(?P<download>[\w.-]+)-v\d+\.\d+\.\d+-(?:napi|node|electron)-v"
)


def package_of_file(path: str) -> str:
    """Return the package that is known for a file of this name, wherever it lies."""
    name = path.replace("\\", "/").rpartition("/")[2]
    known = ADDON_OWNERS.get(name)
    return known or next((owner for stem, owner in LIBRARY_OWNERS.items() if re.match(rf"{stem}\b", name)), "")


def package_of_path(path: str) -> str:
    """Return the package of a path, "" when the path does not say; the innermost that is no mere loader."""
    if re.search(_PACKAGE_MANAGER_PATH, path):
        return ""
    if re.search(r"node_modules[/\\]+\.prisma[/\\]", path):
        return "@prisma/client"  # what `prisma generate` makes
    for found in reversed(re.findall(_PACKAGE_SEGMENT, path)):
        name = found.replace("\\", "/").replace("//", "/")
        if name not in LOADER_PACKAGES:
            return platform_package_owner(name)
    return ""


def platform_package_owner(name: str) -> str:
    """Return the package whose binary a platform package holds: esbuild of @esbuild/linux-x64."""
    scope, slash, bare = name.rpartition("/")
    said = parse_platform_tags(bare)
    if not (said.systems and said.cpus):
        return name
    parts = [part for part in re.split(r"[-.]", bare) if part]
    while parts and parts[-1] in _PLATFORM_TOKENS:
        parts.pop()
    if not parts and not slash:
        return name
    stem = "-".join(parts)
    owner = f"{scope}/{stem}" if scope and stem else scope.removeprefix("@") if scope else stem
    if scope and stem == scope.removeprefix("@"):
        owner = stem
    return PLATFORM_PACKAGE_OWNERS.get(owner, owner)


_PLATFORM_TOKENS = frozenset(
    {*SYSTEM_TOKENS, *CPU_TOKENS, *LIBC_TOKENS, "msvc", "gnux32", "eabi", "eabihf", "linux32", "x86_64"}
)


BANNER_CHARACTERS = 100_000
"""How far above a message npm's line about the script is looked for: some hundred lines of a compiler."""


def find_package_near(text: str, start: int, end: int) -> str:
    """Return the package that a message is about: named below it in the trace, else above it, else by npm."""
    below = _first_package(_find_module_paths(text, end, end + 6000))
    if below:
        return below
    above = _last_package(_find_module_paths(text, max(0, start - 6000), start))
    banner = None
    for banner in re.compile(_BANNER).finditer(text, max(0, start - BANNER_CHARACTERS), min(len(text), end + 6000)):
        if banner.end() > start:
            break
    named = next((group for group in banner.groups() if group), "") if banner else ""
    named = ADDON_OWNERS.get(f"{named}.node") or named  # a download bears the name of the file in it
    return above or (named if named not in LOADER_PACKAGES else "") or _package_of_command(text)


def _find_module_paths(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    if text.find("node_modules", start, end) >= 0:  # most logs have none, and looking for a word is quick
        yield from re.compile(_NODE_MODULES_PATH).finditer(text, start, end)


@lru_cache(maxsize=8)
def _package_of_command(text: str) -> str:
    """The one package that a command in the text installs."""
    names = {match for match in re.findall(_COMMAND, text) if match not in LOADER_PACKAGES}
    return platform_package_owner(names.pop()) if len(names) == 1 else ""


def _first_package(found: Iterator[re.Match[str]]) -> str:
    return next((name for match in found if (name := package_of_path(match[0]))), "")


def _last_package(found: Iterator[re.Match[str]]) -> str:
    names = [name for match in found if (name := package_of_path(match[0]))]
    return names[-1] if names else ""
