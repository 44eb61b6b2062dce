"""The node_modules that lie in a project, made by whatever package manager, and which of them a function needs."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, is_in_node_modules
from lambdapack.pack.source import HOST_MODULES_REASON, ExcludedPath, read_ignore_rules
from lambdapack.packages.tree_locks import is_unused_link
from lambdapack.project.function import Function
from lambdapack.rules.function.handler import find_handler_file
from lambdapack.runtimes.runtime import runtime_node_major
from lambdapack.tree.compose import FilteredTree, make_readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Entry, Tree

UNREACHED_MODULES_REASON = "no file that the handler reaches looks for packages there"


@dataclass(frozen=True, slots=True)
class ReadyTree:
    """The installed packages that ship, below the function's directory."""

    tree: Tree  # modes as the zip has them
    modules: tuple[str, ...]  # paths of the node_modules directories that it holds
    excluded: tuple[ExcludedPath, ...]  # the other ones, with the reason


def read_ready_tree(function: Function, *, layer: bool, layers: Sequence[Tree] = ()) -> ReadyTree:
    """Return what is installed in a function's directory, as far as its handler needs it; for a layer, its root's.

    The root's node_modules ships whole. One further down ships where a file that the handler reaches looks for
    packages there: that is node's own search, so a computed require() finds its package too.
    """
    ignore = read_ignore_rules(function.directory)

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the form that DirectoryTree asks in
        if is_in_node_modules(posixpath.dirname(path)):
            return True
        return ignore.reason(path, is_directory=is_directory) in {None, HOST_MODULES_REASON}

    whole = DirectoryTree(function.directory, keep=keep)
    found = tuple(sorted(_find_modules(whole.entries)))
    nested = frozenset(found) - {NODE_MODULES}
    needed = nested if not layer else frozenset[str]()
    if needed:
        needed = _find_needed_modules(whole, function, layers, nested)
    shipped = tuple(path for path in found if path == NODE_MODULES or path in needed)
    kept = FilteredTree(whole, lambda entry: _is_shipped(entry, shipped))
    excluded = tuple((path, UNREACHED_MODULES_REASON) for path in found if path not in shipped)
    return ReadyTree(make_readable(kept), shipped, excluded)


def _find_modules(entries: Mapping[str, Entry]) -> Iterable[str]:
    """Return the outermost node_modules on every path, links of that name among them."""
    paths = (_modules_above(path) for path in entries)
    return {path for path in paths if path}


def _modules_above(path: str) -> str:
    """Return the outermost node_modules that a path is or lies in, "" for none."""
    before, found, _ = f"/{path}/".partition(f"/{NODE_MODULES}/")
    return posixpath.join(before.lstrip("/"), NODE_MODULES) if found else ""


def _is_shipped(entry: Entry, shipped: Sequence[str]) -> bool:
    return _modules_above(entry.path) in shipped and not is_unused_link(entry)


def _find_needed_modules(
    whole: Tree, function: Function, layers: Sequence[Tree], nested: frozenset[str]
) -> frozenset[str]:
    """Return the node_modules in which the reached files lie, or look; all of them when there is no handler's file."""
    own = {f"{TASK_ROOT}/{path}" for path in whole.entries if not is_in_node_modules(path)}
    place = find_handler_file(function.handler, own)
    if place is None:
        return nested
    from lambdapack.packages.modules import NODE_VARIABLES, FunctionModules  # noqa: PLC0415  # the parser, for nested trees alone
    from lambdapack.packages.node import lambda_node  # noqa: PLC0415

    known = {name: value for name in NODE_VARIABLES if (value := function.environment.get(name)) is not None}
    modules = FunctionModules([*((LAYER_ROOT, layer) for layer in layers), (TASK_ROOT, whole)], function.handler, known)
    options, paths = known.get("NODE_OPTIONS", ""), known.get("NODE_PATH")
    graphs = [
        modules.resolve(
            lambda_node(runtime_node_major(target.runtime), options=options, own_node_path=paths),
            target.architecture.node,
        ).graph
        for target in function.targets
    ]
    reached = (path.removeprefix(f"{TASK_ROOT}/") for graph in graphs for path in graph.files)
    return frozenset(modules for path in reached for modules in _searched_modules(path)) & nested


def _searched_modules(path: str) -> Iterator[str]:
    """Yield the node_modules that a file lies in, or that node looks into for it on the way up."""
    inside = _modules_above(path)
    if inside:
        yield inside
    directory = posixpath.dirname(inside or path)
    while directory:
        yield posixpath.join(directory, NODE_MODULES)
        directory = posixpath.dirname(directory)
