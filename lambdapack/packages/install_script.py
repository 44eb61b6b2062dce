"""What a package's install script does, as far as its source shows: downloads, makes programs. Runs nothing."""

import posixpath
import re
from dataclasses import dataclass

from lambdapack.packages.native_use import MAX_SOURCE_FILE_BYTES, resolve_relative
from lambdapack.packages.requires import find_module_requests
from lambdapack.tree.entry import Tree, read_file

MAX_SCRIPT_FILES = 20
"""Files that are read of one script; those that download are a handful."""

NODE_COMMAND = re.compile(r"\bnode\s+(?:--?[\w=-]+\s+)*['\"]?([\w./@-]+)")

DOWNLOAD_CALL = re.compile(
    r"\bhttps?\.(?:get|request)\s*\(|\bfetch\s*\(|require\(['\"](?:node:)?https?['\"]\)|from\s*['\"](?:node:)?https?['\"]"
    r"|\bdownload\w*\s*\(|['\"](?:@[\w-]+/)?bin-(?:build|wrapper)['\"]|\baxios\b|\bgot\s*\("
)
"""Calls by which install scripts download, read from 30 packages that do."""

CHMOD_CALL = re.compile(r"\bchmod(?:Sync)?\s*\(|\b0o?7[0-7]{2}\b|['\"](?:@[\w-]+/)?bin-(?:build|wrapper)['\"]")
"""What is done only to a file that is to be started; bin-build and bin-wrapper do it inside."""


@dataclass(frozen=True, slots=True)
class InstallScriptTraits:
    """The traits of an install script and of the files that it requires."""

    fetches: bool = False
    makes_program: bool = False


def read_install_script(tree: Tree, directory: str, command: str) -> InstallScriptTraits:
    """Return the traits of a package's install command; of one that starts no file of the package, none."""
    pending = [
        file for match in NODE_COMMAND.findall(command) if (file := resolve_relative(tree, directory, directory, match))
    ]
    seen: set[str] = set()
    text = []
    while pending and len(seen) < MAX_SCRIPT_FILES:
        path = pending.pop(0)
        if path in seen or tree.entries[path].size > MAX_SOURCE_FILE_BYTES or path.endswith(".json"):
            continue
        seen.add(path)
        source = read_file(tree, path).decode("utf-8", "replace")
        text.append(source)
        named = (
            module_request.literal
            for module_request in find_module_requests(source)
            if module_request.literal.startswith(".")
        )
        pending += [
            file for name in named if (file := resolve_relative(tree, directory, posixpath.dirname(path), name))
        ]
    whole = "\n".join(text)
    return InstallScriptTraits(DOWNLOAD_CALL.search(whole) is not None, CHMOD_CALL.search(whole) is not None)
