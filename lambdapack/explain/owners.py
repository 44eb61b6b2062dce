"""Whose file a path is: the npm package, found in paths, traces and npm's own lines."""

import re
from collections.abc import Iterator, Mapping

from lambdapack.explain.signs.words import NAME
from lambdapack.rules.tokens import CPUS, LIBCS, SYSTEMS, tags

LOADERS = frozenset(
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

FILES: Mapping[str, str] = {
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

LIBRARIES: Mapping[str, str] = {
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

FAMILIES: Mapping[str, str] = {"@img/sharp": "sharp", "@img/sharp-libvips": "sharp", "@next/swc": "next"}
"""Platform packages whose owner has another name."""

_SEGMENT = re.compile(r"node_modules[/\\]+((?:@[\w.~-]+[/\\]+)?[A-Za-z0-9_~][\w.~-]*)")
_NPM = re.compile(r"node_modules[/\\]+(?:npm|yarn|pnpm|corepack)[/\\]")
"""What a package manager brings along is never about the project."""

_PATH = re.compile(r"[^\s'\"`(),;]*node_modules[/\\]+[^\s'\"`(),;]*")
_COMMAND = re.compile(
    rf"\b(?:npm (?:i|install|rebuild|add)|yarn add|pnpm (?:add|rebuild)) (?:-\S+ )*({NAME})(?:@\S*)?\s*(?:$|\n|['\"`])"
)
_BANNER = re.compile(
    rf"^\W*(?P<banner>{NAME})@\d[\w.+-]* (?:pre|post)?(?:install|prepare|build|rebuild|verify-build)\b"
    rf"|Failed at the (?P<failed>{NAME})@"
    rf"|^\W*(?:npm \w+!? )?(?P<error>{NAME})@\d[\w.+-]* (?:pre|post)?install: `"
    rf"|node-pre-gyp .*?(?P<gyp>{NAME})@\d[\w.+-]*|/(?P<download>[\w.-]+)-v\d+\.\d+\.\d+-(?:napi|node|electron)-v",
    re.MULTILINE,
)


def of_file(path: str) -> str:
    """Return the package that is known for a file of this name, wherever it lies."""
    name = path.replace("\\", "/").rpartition("/")[2]
    known = FILES.get(name)
    return known or next((owner for stem, owner in LIBRARIES.items() if re.match(rf"{stem}\b", name)), "")


def of_path(path: str) -> str:
    """Return the package of a path, "" when the path does not say; the innermost that is no mere loader."""
    if _NPM.search(path):
        return ""
    for found in reversed(_SEGMENT.findall(path)):
        name = found.replace("\\", "/").replace("//", "/")
        if name not in LOADERS:
            return family(name)
    return ""


def family(name: str) -> str:
    """Return the package whose binary a platform package holds: esbuild of @esbuild/linux-x64."""
    scope, slash, bare = name.rpartition("/")
    said = tags(bare)
    if not (said.systems and said.cpus):
        return name
    parts = [each for each in re.split(r"[-.]", bare) if each]
    while parts and parts[-1] in _PLATFORM:
        parts.pop()
    if not parts and not slash:
        return name
    stem = "-".join(parts)
    owner = f"{scope}/{stem}" if scope and stem else scope.removeprefix("@") if scope else stem
    if scope and stem == scope.removeprefix("@"):
        owner = stem
    return FAMILIES.get(owner, owner)


_PLATFORM = frozenset({*SYSTEMS, *CPUS, *LIBCS, "msvc", "gnux32", "eabi", "eabihf", "linux32", "x86_64"})


def near(text: str, start: int, end: int) -> str:
    """Return the package that a message is about: named below it in the trace, else above it, else by npm."""
    below = _first(_PATH.finditer(text, end, end + 6000))
    if below:
        return below
    above = _last(_PATH.finditer(text, max(0, start - 6000), start))
    banner = None
    for banner in _BANNER.finditer(text, 0, min(len(text), end + 6000)):
        if banner.end() > start:
            break
    named = next((each for each in banner.groups() if each), "") if banner else ""
    named = FILES.get(f"{named}.node") or named  # a download bears the name of the file in it
    return above or (named if named not in LOADERS else "") or _asked_for(text)


def _asked_for(text: str) -> str:
    """The one package that a command in the text installs."""
    names = {each for each in _COMMAND.findall(text) if each not in LOADERS}
    return family(names.pop()) if len(names) == 1 else ""


def _first(found: Iterator[re.Match[str]]) -> str:
    return next((name for each in found if (name := of_path(each[0]))), "")


def _last(found: Iterator[re.Match[str]]) -> str:
    names = [name for each in found if (name := of_path(each[0]))]
    return names[-1] if names else ""
