"""What a package's install script does, as far as its source shows: downloads, makes programs. Runs nothing."""

import posixpath
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.packages.native_use import MAX_READING_SECONDS, MAX_SOURCE_FILE_BYTES, resolve_relative
from lambdapack.tree.entry import EntryKind, Tree, read_file

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


WRITE_CALL = re.compile(
    r"\bcreateWriteStream\b|\b(?:append|write|copy)File|\bpipe(?:line)?\s*\(|\bextract|\bunzip|\btar\b|\bgunzip"
    r"|\bdownload\w*\s*\(|['\"](?:@[\w-]+/)?bin-(?:build|wrapper)['\"]",
    re.IGNORECASE,
)
"""What is done with a download that is kept; what only asks for news, or reports an installation, does none of it."""

MAX_LITERALS = 2000
MAX_LITERAL_LENGTH = 200
"""Strings of a script that are kept, and their characters: names of files and commands are shorter."""


@dataclass(frozen=True, slots=True)
class InstallScriptTraits:
    """The traits of an install script and of the files that it requires."""

    fetches: bool = False
    makes_program: bool = False
    writes: bool = False
    literals: tuple[str, ...] = ()  # the strings in it: files that it makes, commands that it starts
    programs: frozenset[str] = frozenset()  # of a package that fetches: its `#!` files, by path in it
    node_scripts: frozenset[str] = frozenset()  # those of them that node runs: npm publishes such


def read_install_script(tree: Tree, directory: str, command: str) -> InstallScriptTraits:
    """Return the traits of a package's install command; of one that starts no file of the package, none."""
    pending = [
        file for match in NODE_COMMAND.findall(command) if (file := resolve_relative(tree, directory, directory, match))
    ]
    if not pending:
        return InstallScriptTraits()
    from lambdapack.script.requests import read_literals, read_requests  # noqa: PLC0415  # the parser, for a few packages

    seen: set[str] = set()
    text: list[str] = []
    literals: dict[str, None] = {}
    end = time.monotonic() + MAX_READING_SECONDS
    while pending and len(seen) < MAX_SCRIPT_FILES and time.monotonic() < end:
        path = pending.pop(0)
        if path in seen or tree.entries[path].size > MAX_SOURCE_FILE_BYTES or path.endswith(".json"):
            continue
        seen.add(path)
        data = read_file(tree, path)
        text.append(data.decode("utf-8", "replace"))
        literals |= dict.fromkeys(read_literals(data, MAX_LITERALS, MAX_LITERAL_LENGTH))
        requests = read_requests(data).requests
        named = (request.literal for request in requests if request.literal.startswith("."))
        pending += [
            file for name in named if (file := resolve_relative(tree, directory, posixpath.dirname(path), name))
        ]
    whole = "\n".join(text)
    fetches = DOWNLOAD_CALL.search(whole) is not None
    programs = dict(_read_shebangs(tree, directory)) if fetches else {}
    return InstallScriptTraits(
        fetches,
        makes_program=CHMOD_CALL.search(whole) is not None,
        writes=WRITE_CALL.search(whole) is not None,
        literals=tuple(literals)[:MAX_LITERALS],
        programs=frozenset(programs),
        node_scripts=frozenset(path for path, line in programs.items() if NODE_SHEBANG.search(line)),
    )


def _read_shebangs(tree: Tree, directory: str) -> Iterator[tuple[str, bytes]]:
    """Yield the executable scripts of a package, by path in it, with their first line."""
    start = f"{directory}/"
    for path, entry in tree.entries.items():
        own = path.startswith(start) and "node_modules/" not in path[len(start) :]
        if own and entry.kind is EntryKind.FILE and entry.mode & 0o111 and entry.size > len(SHEBANG):
            with tree.view(path) as data:
                line = bytes(data[:MAX_SHEBANG_BYTES]).partition(b"\n")[0]
            if line.startswith(SHEBANG):
                yield path[len(start) :], line


SHEBANG = b"#!"
MAX_SHEBANG_BYTES = 256
"""Bytes of a `#!` line that Linux reads (BINPRM_BUF_SIZE)."""

NODE_SHEBANG = re.compile(rb"\bnode\b")
