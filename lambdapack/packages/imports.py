"""Npm packages that a function's own ES modules import, found by regular expression. Runs and parses nothing."""

import posixpath
import re
from collections.abc import Iterator, Mapping

from lambdapack.packages.manifests import PackageManifest
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file

MAX_MODULE_BYTES = 16 * 1024 * 1024
"""Bytes of a module that is looked at; bundles of functions stay below."""

JS_COMMENT = re.compile(rb"/\*.*?\*/|^[ \t]*//[^\n]*", re.DOTALL | re.MULTILINE)

IMPORT_STATEMENT = re.compile(
    rb"""(?:^|[;}\n])\s*(?:import|export)\b\s*(?:[\w$*{}\s,]*?\bfrom\s*)?["']([^"'\\\n]+)["']"""
)
"""import x from "y", import "y", export {x} from "y"; also in minified text, where a statement follows a semicolon."""

SPECIFIER_PACKAGE = re.compile(r"(?:@[a-z0-9~._-]+/)?[a-z0-9~_-][a-z0-9~._-]*", re.IGNORECASE)
"""The package's part of a specifier; paths, URLs, node: and #imports do not match or are cut off before."""


def read_imports(tree: Tree, manifests: Mapping[str, PackageManifest]) -> Mapping[str, frozenset[str]]:
    """Return path to the npm names that it imports, for every ES module outside node_modules."""
    modules = (entry for entry in tree.entries.values() if _is_es_module(entry, manifests))
    return {
        entry.path: names for entry in modules if (names := frozenset(_imported_packages(read_file(tree, entry.path))))
    }


def _is_es_module(entry: Entry, manifests: Mapping[str, PackageManifest]) -> bool:
    if entry.kind is not EntryKind.FILE or entry.size > MAX_MODULE_BYTES or "node_modules" in entry.path.split("/"):
        return False
    return entry.path.endswith(".mjs") or (entry.path.endswith(".js") and _has_module_type(entry.path, manifests))


def _has_module_type(path: str, manifests: Mapping[str, PackageManifest]) -> bool:
    """Tell what the nearest package.json says of .js files: "type": "module" or not."""
    directory = posixpath.dirname(path)
    while directory and directory not in manifests:
        directory = posixpath.dirname(directory)
    return directory in manifests and manifests[directory].es_module


def _imported_packages(text: bytes) -> Iterator[str]:
    for match in IMPORT_STATEMENT.finditer(JS_COMMENT.sub(b"", text)):
        name = SPECIFIER_PACKAGE.match(specifier := match[1].decode("utf-8", "replace"))
        if name and specifier[name.end() :][:1] in {"", "/"} and not specifier.startswith("."):
            yield name[0]
