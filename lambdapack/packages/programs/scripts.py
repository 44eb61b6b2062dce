"""Finds scripts that need an interpreter besides a shell and node. Judges nothing.

Packages hold many scripts that nobody starts on Lambda (tests, release tools), so a script counts only where a file
that the handler reaches names its path: uses.py finds those.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.model import NODE_MODULES
from lambdapack.packages.programs.shebang import MAX_SHEBANG_BYTES, Shebang, parse_shebang
from lambdapack.tree.entry import Entry, EntryKind, Tree

ORDINARY_PROGRAMS = frozenset(("sh", "bash", "node"))
ORDINARY_INTERPRETERS = frozenset(("/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash"))
ENV_PATHS = frozenset(("/usr/bin/env", "/bin/env"))
"""What every Lambda runtime of Node.js has, by env's search and by path."""

SCRIPT_EXTENSIONS = frozenset(
    ("", ".awk", ".bash", ".bin", ".cgi", ".command", ".lua", ".php", ".pl", ".pm", ".py", ".pyz", ".r", ".rb", ".run",
     ".sed", ".sh", ".tcl", ".zsh")
)  # fmt: skip
"""Extensions of the files whose first line is read. JavaScript is not among them: node runs it whatever it says."""


@dataclass(frozen=True, slots=True)
class ScriptProgram:
    """A script whose first line is unusual, or that lacks the execute bit."""

    path: str  # relative to the tree's root
    mode: int
    shebang: Shebang


def find_script_programs(tree: Tree) -> tuple[ScriptProgram, ...]:
    """Return the scripts of a tree that the kernel may refuse."""
    return tuple(ScriptProgram(path, tree.entries[path].mode, shebang) for path, shebang in _unusual_scripts(tree))


def _unusual_scripts(tree: Tree) -> Iterator[tuple[str, Shebang]]:
    for path, entry in tree.entries.items():
        if entry.kind is not EntryKind.FILE or not _has_script_name(path):
            continue
        with tree.view(path) as data:
            shebang = parse_shebang(bytes(data[:MAX_SHEBANG_BYTES])) if entry.size else None
        if shebang is not None and (not _is_ordinary(shebang) or _is_own_without_bit(entry)):
            yield path, shebang


def _has_script_name(path: str) -> bool:
    name = posixpath.basename(path)
    return posixpath.splitext(name)[1].lower() in SCRIPT_EXTENSIONS and not name.startswith(".") and not name.isupper()


def _is_ordinary(shebang: Shebang) -> bool:
    by_env = shebang.interpreter in ENV_PATHS and shebang.program in ORDINARY_PROGRAMS
    return by_env or shebang.interpreter in ORDINARY_INTERPRETERS


def _is_own_without_bit(entry: Entry) -> bool:
    return not entry.mode & 0o001 and NODE_MODULES not in entry.path.split("/")
