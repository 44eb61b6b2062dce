"""Finds scripts that need an interpreter besides a shell and node, and the JavaScript that names them. Judges nothing.

Packages hold many scripts that nobody starts on Lambda (tests, release tools), so a script counts only where a file
that the handler reaches names its path.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambdapack.model import LAYER_ROOT, NODE_MODULES
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.scripts.shebang import MAX_SHEBANG_BYTES, Shebang, parse_shebang
from lambdapack.script.specifier import ImportCertainty
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
class ScriptUse:
    """JavaScript that names a script."""

    path: str  # absolute
    line: int  # 0: only its name stands somewhere in that file
    certainty: ImportCertainty  # of that line, once its file is loaded
    starts: bool  # the script is the first argument of spawn or execFile


@dataclass(frozen=True, slots=True)
class ScriptProgram:
    """A script of a package that something reached names."""

    path: str  # relative to the tree's root
    mode: int
    shebang: Shebang
    uses: tuple[ScriptUse, ...]


def find_script_programs(
    tree: Tree, root: str, start: str | None, layers: Sequence[Tree], manifests: Mapping[str, PackageManifest]
) -> tuple[ScriptProgram, ...]:
    """Return the scripts with an unusual first line, or without execute bit, that reached JavaScript names.

    `start` is the handler's file as an absolute path; None: whatever lies in node_modules may be loaded.
    """
    scripts = dict(_unusual_scripts(tree))
    if not scripts:
        return ()
    from lambdapack.packages.scripts.uses import ScriptUses  # noqa: PLC0415  # the parser, for a package that has any

    uses = ScriptUses([*((LAYER_ROOT, layer) for layer in layers), (root, tree)], start, manifests)
    programs = (
        ScriptProgram(path, tree.entries[path].mode, shebang, tuple(uses.find(f"{root}/{path}")))
        for path, shebang in scripts.items()
    )
    return tuple(program for program in programs if program.uses)


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
