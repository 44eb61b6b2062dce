"""What a package's install script is there for, as far as its text tells. Reads; runs nothing."""

import posixpath
import re
from dataclasses import dataclass

from lambdapack.project.javascript import wants
from lambdapack.project.sources import LARGEST, resolved
from lambdapack.tree.entry import Tree, read

MOST_FILES = 20
"""Files that are read of one script; those that download are a handful."""

NODE = re.compile(r"\bnode\s+(?:--?[\w=-]+\s+)*['\"]?([\w./@-]+)")

FETCHES = re.compile(
    r"\bhttps?\.(?:get|request)\s*\(|\bfetch\s*\(|require\(['\"](?:node:)?https?['\"]\)|from\s*['\"](?:node:)?https?['\"]"
    r"|\bdownload\w*\s*\(|['\"](?:@[\w-]+/)?bin-(?:build|wrapper)['\"]|\baxios\b|\bgot\s*\("
)
"""Calls by which install scripts download, read from 30 packages that do."""

MAKES_PROGRAM = re.compile(r"\bchmod(?:Sync)?\s*\(|\b0o?7[0-7]{2}\b|['\"](?:@[\w-]+/)?bin-(?:build|wrapper)['\"]")
"""What is done only to a file that is to be started; bin-build and bin-wrapper do it inside."""


@dataclass(frozen=True, slots=True)
class InstallScript:
    """The traits of an install script and of the files that it requires."""

    fetches: bool = False
    makes_program: bool = False


def install_script(tree: Tree, directory: str, command: str) -> InstallScript:
    """Return the traits of a package's install command; of one that starts no file of the package, none."""
    pending = [found for each in NODE.findall(command) if (found := resolved(tree, directory, directory, each))]
    seen: set[str] = set()
    text = []
    while pending and len(seen) < MOST_FILES:
        path = pending.pop(0)
        if path in seen or tree.entries[path].size > LARGEST or path.endswith(".json"):
            continue
        seen.add(path)
        source = read(tree, path).decode("utf-8", "replace")
        text.append(source)
        named = (each.literal for each in wants(source) if each.literal.startswith("."))
        pending += [found for each in named if (found := resolved(tree, directory, posixpath.dirname(path), each))]
    whole = "\n".join(text)
    return InstallScript(FETCHES.search(whole) is not None, MAKES_PROGRAM.search(whole) is not None)
