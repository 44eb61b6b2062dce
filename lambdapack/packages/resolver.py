"""Node's module resolution, once: which file a specifier means for the file that asks, for require() and import.

Follows lib/internal/modules/{cjs/loader,esm/resolve,package_json_reader}.js of Node.js 20 to 24 step by step; a
differential test holds it against real node. Errors are values with node's own code.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from lambdapack.model import package_of_specifier
from lambdapack.packages.exports_map import SCHEME, PackageMaps, is_main_sugar
from lambdapack.packages.file_system import (
    FileSystem,
    InvalidPackageConfigError,
    PackageFiles,
    node_modules_above,
)
from lambdapack.packages.node import ResolutionSettings
from lambdapack.packages.resolution import (
    BuiltinModule,
    ModuleSystem,
    ProvidedPackage,
    Refusal,
    Resolution,
    ResolutionError,
    ResolvedFile,
)

EXTENSIONS = (".js", ".json", ".node")
"""What require() tries, in order (`Object.keys(require.extensions)` of node 20, 22 and 24)."""

STRIPS_TYPES_SINCE = (22, 18)
"""Version from which `import` takes TypeScript whose types can be stripped, without a flag."""

SLASH_IMPORTS_SINCE = (24, 14)
"""Version from which `#/name` may stand in `imports`."""


_NAME = re.compile(r"((?:@[^/\\%]+/)?[^./\\%][^/\\%]*)(/.*)?", re.DOTALL)
_ENCODED_SEPARATOR = re.compile(r"%2f|%5c", re.IGNORECASE)


class ModuleResolver:
    """Resolves in one file system for one node."""

    def __init__(self, files: FileSystem, node: ResolutionSettings) -> None:
        """Keep both; package.json files are read once."""
        self._files = files
        self._node = node
        self._packages = PackageFiles(files, objects_only=node.objects_only)
        self._known: dict[tuple[bool, str, str], Resolution] = {}
        self._exists: dict[str, int] = {}

    @cached_property
    def _maps(self) -> PackageMaps:
        return PackageMaps(self._package)

    def require(self, specifier: str, asking: str) -> Resolution:
        """Return what `require` of a specifier loads in a file (its real path)."""
        return self._cached(False, specifier, asking, self._require)

    def import_(self, specifier: str, asking: str) -> Resolution:
        """Return what `import` of a specifier loads in a file (its real path)."""
        return self._cached(True, specifier, asking, self._import)

    def _cached(self, esm: bool, specifier: str, asking: str, resolve: Callable[[str, str], Resolution]) -> Resolution:  # noqa: FBT001
        key = (esm, specifier, posixpath.dirname(asking))
        known = self._known.get(key)
        if known is None:
            try:
                known = resolve(specifier, asking)
            except Refusal as refusal:
                known = refusal.error
            except InvalidPackageConfigError as error:
                path = str(error)
                known = ResolutionError("ERR_INVALID_PACKAGE_CONFIG", f"Invalid package config {path}.", path)
            self._known[key] = known
        return known

    def system_of(self, path: str) -> ModuleSystem:
        """Return how node loads a file; ERR_INVALID_PACKAGE_CONFIG is the resolver's to tell, so it counts as none."""
        extension = posixpath.splitext(path)[1]
        fixed = {
            ".mjs": ModuleSystem.MODULE, ".cjs": ModuleSystem.COMMONJS, ".json": ModuleSystem.JSON,
            ".node": ModuleSystem.ADDON, ".wasm": ModuleSystem.OTHER,
        }.get(extension)  # fmt: skip
        if fixed is not None:
            return fixed
        try:
            scope = self._packages.scope(path)
        except InvalidPackageConfigError:
            return ModuleSystem.COMMONJS
        said = scope[1].get("type") if scope else None
        if extension not in {".js", ""}:
            return ModuleSystem.OTHER
        if said == "module":
            return ModuleSystem.MODULE
        return ModuleSystem.COMMONJS if said == "commonjs" or not self._node.detects_modules else ModuleSystem.DETECT

    def scope_of(self, path: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return directory and package.json of the package that a file is in, None without one that node takes."""
        try:
            return self._packages.scope(path)
        except InvalidPackageConfigError:
            return None

    def manifest_of(self, directory: str) -> Mapping[str, Any] | None:
        """Return the package.json of a directory, None without one that node takes."""
        try:
            return self._packages.read(directory)
        except InvalidPackageConfigError:
            return None

    def package_directory(self, name: str, asking: str) -> str | None:
        """Return the directory of the installed package that a name means for a file."""
        places = (f"{directory}/{name}" for directory in self._lookup_paths(posixpath.dirname(asking)))
        return next((self._files.real(place) for place in places if self._stat(place) == 1), None)

    # --- both systems

    def _stat(self, path: str) -> int:
        """0 for a file, 1 for a directory, -1 for nothing, as node's internal stat."""
        known = self._exists.get(path)
        if known is None:
            known = 0 if self._files.is_file(path) else 1 if self._files.is_directory(path) else -1
            self._exists[path] = known
        return known

    def _at(self, path: str) -> ResolvedFile:
        real = self._files.real(path)
        return ResolvedFile(real, self.system_of(real))

    @cached_property
    def _conditions(self) -> tuple[frozenset[str], frozenset[str]]:
        common = {"node", "node-addons", "default", *self._node.conditions}
        if self._node.requires_modules:
            common.add("module-sync")
        return frozenset({*common, "require"}), frozenset({*common, "import"})

    # --- CommonJS

    def _require(self, specifier: str, asking: str) -> Resolution:
        if self._node.is_builtin(specifier):
            return BuiltinModule(specifier.removeprefix("node:"))
        if specifier.startswith("node:"):  # require() throws this; require.resolve() MODULE_NOT_FOUND
            return ResolutionError("ERR_UNKNOWN_BUILTIN_MODULE", f"No such built-in module: {specifier}")
        conditions = self._conditions[0]
        if specifier == "":
            return ResolutionError("ERR_INVALID_ARG_VALUE", "The argument 'id' must be a non-empty string")
        if specifier.startswith("#"):
            scope = self._packages.scope(asking)
            if scope is not None and isinstance(scope[1].get("imports"), dict):
                return self._finalize_commonjs(self._package_imports(specifier, scope, conditions, asking), specifier)
        target = self._self_reference(specifier, asking, conditions)
        if target is not None:
            return self._finalize_commonjs(target, specifier)
        found = self._find_path(specifier, asking, conditions)
        if isinstance(found, str):
            resolved = self._at(found)
            return self._refuse_module(resolved)
        if found is not None:
            return found
        name = package_name(specifier)
        if name is not None and self._node.is_provided(name):
            return ProvidedPackage(name)
        return ResolutionError("MODULE_NOT_FOUND", f"Cannot find module '{specifier}'")

    def _refuse_module(self, resolved: ResolvedFile) -> Resolution:
        if resolved.system is ModuleSystem.MODULE and not self._node.requires_modules:
            message = f"require() of ES Module {resolved.path} not supported."
            return ResolutionError("ERR_REQUIRE_ESM", message, resolved.path)
        return resolved

    def _finalize_commonjs(self, target: Resolution | str, specifier: str) -> Resolution:
        if isinstance(target, BuiltinModule):  # node takes its URL for a file's (20, 22 and 24 tried)
            return ResolutionError("ERR_INVALID_URL_SCHEME", "The URL must be of scheme file")
        if not isinstance(target, str):
            return target
        if _ENCODED_SEPARATOR.search(target):
            raise Refusal("ERR_INVALID_MODULE_SPECIFIER", f"Invalid module '{specifier}'", target)
        path = unquote(target)
        if self._stat(path) != 0:
            return ResolutionError("MODULE_NOT_FOUND", f"Cannot find module '{path}'", path)
        return self._refuse_module(self._at(path))

    def _lookup_paths(self, directory: str) -> Iterator[str]:
        yield from node_modules_above(directory)
        yield from self._node.node_path

    def _find_path(self, specifier: str, asking: str, conditions: frozenset[str]) -> Resolution | str | None:
        directory = posixpath.dirname(asking)
        relative = specifier in {".", ".."} or specifier.startswith(("./", "../", ".."))
        trailing = specifier in {".", ".."} or specifier.endswith(("/", "/.", "/.."))
        absolute = specifier.startswith("/")
        places: Iterator[str] = iter((directory,)) if relative or absolute else self._lookup_paths(directory)
        for place in places:
            if not absolute and self._stat(place) != 1:
                continue
            if not absolute:
                target = self._exports_of(place, specifier, conditions)
                if target is not None:
                    return self._finalize_commonjs(target, specifier)
            base = posixpath.normpath(posixpath.join(place, specifier))
            kind = self._stat(base)
            found: Resolution | str | None = None
            if not trailing:
                found = base if kind == 0 else self._with_extension(base)
            if found is None and kind == 1:
                found = self._directory(base)
            if found is not None:
                return found
        return None

    def _with_extension(self, base: str) -> str | None:
        return next((base + extension for extension in EXTENSIONS if self._stat(base + extension) == 0), None)

    def _directory(self, directory: str) -> Resolution | str | None:
        manifest = self._packages.read(directory)
        main = manifest.get("main") if manifest is not None else None
        index = self._with_extension(f"{directory}/index")
        if not isinstance(main, str) or not main:
            return index
        base = posixpath.normpath(posixpath.join(directory, main))
        found = base if self._stat(base) == 0 else self._with_extension(base)
        found = found or self._with_extension(f"{base}/index") or index
        if found is not None:
            return found
        message = f"Cannot find module '{base}'. Please verify that the package.json has a valid \"main\" entry"
        return ResolutionError("MODULE_NOT_FOUND", message, f"{directory}/package.json")

    def _exports_of(self, place: str, specifier: str, conditions: frozenset[str]) -> Resolution | str | None:
        match = _NAME.fullmatch(specifier)
        if match is None:
            return None
        directory = f"{place}/{match[1]}"
        manifest = self._packages.read(directory)
        if manifest is None or manifest.get("exports") is None:
            return None
        return self._package_exports(directory, f".{match[2] or ''}", manifest, conditions)

    def _self_reference(self, specifier: str, asking: str, conditions: frozenset[str]) -> Resolution | str | None:
        scope = self._packages.scope(asking)
        if scope is None or scope[1].get("exports") is None or not isinstance(scope[1].get("name"), str):
            return None
        name = str(scope[1]["name"])
        if specifier != name and not specifier.startswith(f"{name}/"):
            return None
        return self._package_exports(scope[0], f".{specifier[len(name) :]}", scope[1], conditions)

    # --- ES modules

    def _import(self, specifier: str, asking: str) -> Resolution:
        target = self._module_target(specifier, asking)
        if not isinstance(target, str):
            return target
        if _ENCODED_SEPARATOR.search(target):
            return ResolutionError("ERR_INVALID_MODULE_SPECIFIER", f"Invalid module '{specifier}'")
        path = unquote(target)
        kind = self._stat(path)
        if kind == 1 or path.endswith("/"):  # with a slash at its end whether anything is there or not
            message = f"Directory import '{path}' is not supported resolving ES modules"
            return ResolutionError("ERR_UNSUPPORTED_DIR_IMPORT", message, path)
        if kind != 0:
            return ResolutionError("ERR_MODULE_NOT_FOUND", f"Cannot find module '{path}'", path)
        resolved = self._at(path)
        return self._refuse_unknown(resolved)

    def _refuse_unknown(self, resolved: ResolvedFile) -> Resolution:
        """`import` loads no addons and no unknown endings, unlike require()."""
        extension = posixpath.splitext(resolved.path)[1]
        known = {".js", ".mjs", ".cjs", ".json", ".wasm", ""}
        if self._node.version >= STRIPS_TYPES_SINCE:
            known |= {".ts", ".mts", ".cts"}
        if extension not in known:
            message = f'Unknown file extension "{extension}" for {resolved.path}'
            return ResolutionError("ERR_UNKNOWN_FILE_EXTENSION", message, resolved.path)
        return resolved

    def _module_target(self, specifier: str, asking: str) -> Resolution | str:
        conditions = self._conditions[1]
        if specifier.startswith(("/", "./", "../")) or specifier in {".", ".."}:
            plain = re.split(r"[?#]", specifier, maxsplit=1)[0]
            path = posixpath.normpath(posixpath.join(posixpath.dirname(asking), plain))
            return f"{path}/" if plain.endswith("/") or plain in {".", ".."} else path
        if specifier.startswith("#"):
            return self._package_imports(specifier, self._packages.scope(asking), conditions, asking)
        if self._node.is_builtin(specifier):
            return BuiltinModule(specifier.removeprefix("node:"))
        if SCHEME.match(specifier):
            return self._by_scheme(specifier)
        return self._package(specifier, asking, conditions)

    def _by_scheme(self, specifier: str) -> Resolution | str:
        scheme = specifier.partition(":")[0].lower()
        if scheme == "file":
            return specifier.removeprefix("file://")
        if scheme == "data":
            return BuiltinModule(specifier[:40])
        if scheme == "node":
            return ResolutionError("ERR_UNKNOWN_BUILTIN_MODULE", f"No such built-in module: {specifier}")
        return ResolutionError("ERR_UNSUPPORTED_ESM_URL_SCHEME", f"Received protocol '{scheme}:'")

    def _package(self, specifier: str, asking: str, conditions: frozenset[str]) -> Resolution | str:
        """PACKAGE_RESOLVE: a bare specifier, also as a target of imports."""
        if self._node.is_builtin(specifier):
            return BuiltinModule(specifier.removeprefix("node:"))
        name = package_name(specifier)
        if name is None:
            raise Refusal("ERR_INVALID_MODULE_SPECIFIER", f"Invalid module '{specifier}' is not a valid package name")
        subpath = f".{specifier[len(name) :]}"
        scope = self._packages.scope(asking)
        if scope is not None and scope[1].get("name") == name and scope[1].get("exports") is not None:
            return self._package_exports(scope[0], subpath, scope[1], conditions)
        for directory in self._import_places(posixpath.dirname(asking), name):
            if self._stat(directory) != 1:
                continue
            manifest = self._packages.read(directory)
            if manifest is not None and manifest.get("exports") is not None:
                return self._package_exports(directory, subpath, manifest, conditions)
            if subpath == ".":
                return self._legacy_main(directory, manifest)
            return posixpath.normpath(f"{directory}/{subpath}") + ("/" if subpath.endswith("/") else "")
        if self._node.is_provided(name):
            return ProvidedPackage(name)
        return ResolutionError("ERR_MODULE_NOT_FOUND", f"Cannot find package '{name}'")

    def _import_places(self, directory: str, name: str) -> Iterator[str]:
        """`import` looks in every node_modules above, also in those right inside another one."""
        while True:
            yield posixpath.join(directory, "node_modules", name)
            if directory in {"/", ""}:
                break
            directory = posixpath.dirname(directory)
        for place in self._node.import_path:
            yield f"{place}/{name}"

    def _legacy_main(self, directory: str, manifest: Mapping[str, Any] | None) -> Resolution | str:
        main = manifest.get("main") if manifest is not None else None
        mains = ("", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node")
        tries = (
            [posixpath.normpath(f"{directory}/{main}{ending}") for ending in mains]
            if isinstance(main, str) and main
            else []
        )
        tries += [f"{directory}/index{ending}" for ending in EXTENSIONS]
        found = next((path for path in tries if self._stat(path) == 0), None)
        if found is not None:
            return found
        return ResolutionError("ERR_MODULE_NOT_FOUND", f"Cannot find package '{directory}'", directory)

    # --- exports and imports maps

    def _package_exports(
        self, directory: str, subpath: str, manifest: Mapping[str, Any], conditions: frozenset[str]
    ) -> Resolution | str:
        exports = manifest["exports"]
        table: Mapping[str, Any] = {".": exports} if is_main_sugar(exports, directory) else exports
        target = self._maps.match(table, subpath, directory, conditions, internal=False)
        if target is None:
            if subpath == ".":
                message = f'No "exports" main defined in {directory}/package.json'
            else:
                message = f"Package subpath '{subpath}' is not defined by \"exports\" in {directory}/package.json"
            raise Refusal("ERR_PACKAGE_PATH_NOT_EXPORTED", message, f"{directory}/package.json")
        return target

    def _package_imports(
        self, name: str, scope: tuple[str, Mapping[str, Any]] | None, conditions: frozenset[str], _asking: str
    ) -> Resolution | str:
        slash = name.startswith("#/") and self._node.version < SLASH_IMPORTS_SINCE
        if name == "#" or slash or name.endswith("/"):
            raise Refusal(
                "ERR_INVALID_MODULE_SPECIFIER",
                f"Invalid module '{name}' is not a valid internal imports specifier name",
            )
        table = scope[1].get("imports") if scope is not None else None
        target = None
        if scope is not None and isinstance(table, dict):
            target = self._maps.match(table, name, scope[0], conditions, internal=True)
        if target is None:
            place = f"{scope[0]}/package.json" if scope is not None else ""
            raise Refusal("ERR_PACKAGE_IMPORT_NOT_DEFINED", f'Package import specifier "{name}" is not defined', place)
        return target


def package_name(specifier: str) -> str | None:
    """Return the package's part of a bare specifier, None for what names no package."""
    name = package_of_specifier(specifier)
    if not name or name[0] == "." or "\\" in name or "%" in name or (name[0] == "@" and "/" not in name):
        return None
    return name
