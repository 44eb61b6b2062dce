"""Opens what is named on the command line: a directory or a zip, read where it lies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors import BAD_TARGET, LambdapackError
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import Prefixed, readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Kind, Tree

MODULES = "node_modules"

LAYER_MARKS = ("nodejs/node_modules/", "nodejs/node")
"""What a layer's paths begin with: nodejs/node_modules and nodejs/nodeNN (AWS developer guide, "Packaging layers")."""

PASSED_OVER = frozenset((".git", ".hg", ".svn", ".jj", ".lambdapack", ".aws-sam", ".serverless", "cdk.out"))
"""Directories of a bare directory that are not its package: history, and what packers put there."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something to judge, opened."""

    tree: Tree
    kind: str  # "directory", "zip", "layer"


@contextmanager
def opened(path: Path) -> Iterator[Found]:
    """Open a directory or zip; a zip or directory in layer form is a layer. LP007 when it is neither or empty."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_dir():
        tree: Tree = DirectoryTree(path, keep=lambda below, _directory: below.partition("/")[0] not in PASSED_OVER)
        if path.resolve().name == MODULES:
            tree = Prefixed(tree, MODULES)
        yield _found(path, tree, "directory")
        return
    with ZipTree(path) as archive:
        yield _found(path, archive, "zip")


def _found(path: Path, tree: Tree, otherwise: str) -> Found:
    if not any(each.kind is Kind.FILE for each in tree.entries.values()):
        hint = "Name the directory that holds package.json, or a zip."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no file in it", hint=hint)
    return Found(tree, _kind(tree, otherwise))


def _kind(tree: Tree, otherwise: str) -> str:
    return "layer" if any(path.startswith(LAYER_MARKS) for path in tree.entries) else otherwise


def unpacked(path: Path, found: Found) -> Tree:
    """Return a tree as Lambda would unpack it: a zip's own modes; a directory's as a zip of ours would have them."""
    return readable(found.tree) if path.is_dir() else found.tree


def unzipped_bytes(tree: Tree) -> int:
    """Return the bytes of all files, as Lambda counts them against its limit."""
    return sum(entry.size for entry in tree.entries.values())
