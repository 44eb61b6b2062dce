"""Layers of a function: how many, whether node searches them, links and imports into them. Reads no file."""

import posixpath
from collections.abc import Iterator
from typing import Final

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, Finding, Rule, Severity
from lambdapack.rules.binary.file_system import LambdaFileSystem, path_in_report
from lambdapack.rules.model.case import Case
from lambdapack.rules.selection.platforms import ModuleResolver, node_modules_above
from lambdapack.rules.selection.reach import is_runtime_folder
from lambdapack.runtimes.measure import IMPORT_SEARCHES_NODE_PATH_SINCE, layer_modules, node_path
from lambdapack.runtimes.runtime import Runtime

LINK_DANGLES = Rule(
    "LP314",
    "link-dangles",
    "a link from the function into a layer, or back, points at nothing",
    "Lambda stores the link as it is; whoever follows it gets ENOENT.",
    "Put the file into the layer where the link points (`unzip -l LAYER.zip` lists it), or remove the link.",
    Severity.ERROR,
)
LAYER_NOT_SEARCHED = Rule(
    "LP315",
    "layer-not-searched",
    "a layer has its packages where this runtime does not look",
    "Lambda unpacks a layer at /opt, and NODE_PATH names /opt/nodejs/node_modules and the folder of the runtime's own "
    "Node.js, such as /opt/nodejs/node22/node_modules. node finds no package elsewhere in a layer.",
    "Build the layer with `lambdapack build --layer`, which puts packages into nodejs/node_modules.",
    Severity.ERROR,
)
TOO_MANY_LAYERS = Rule(
    "LP316",
    "too-many-layers",
    "a function has more layers than Lambda takes",
    "AWS refuses a function with more than 5 layers.",
    "Merge layers: install their packages from one package.json with `lambdapack build --layer`.",
    Severity.ERROR,
)
LAYER_IMPORT = Rule(
    "LP317",
    "layer-import",
    "an ES module imports a package that only a layer has",
    "node itself never looks into NODE_PATH for an import and throws ERR_MODULE_NOT_FOUND. "
    "AWS says that Lambda does from nodejs18.x on; node on a developer's machine or in a test does not.",
    "Install the package into the function (`npm install NAME`), or take it from the layer with "
    "`createRequire(import.meta.url)('NAME')`.",
    Severity.ERROR,
)

MAX_LAYERS: Final = 5
"""Layers of a function: "Cannot reference more than 5 layers." (AWS Lambda quotas, read 2026-11-20)."""

MAX_NAMED_IMPORTS = 5


def layer_findings(facts: Case, space: LambdaFileSystem, runtime: Runtime) -> Iterator[Finding]:
    """Yield what is wrong with the layers as such, and with a layer that is judged alone."""
    if len(facts.layers) > MAX_LAYERS:
        message = f"there are {len(facts.layers)} layers, {MAX_LAYERS} are allowed"
        evidence = (("layers", len(facts.layers)), ("limit", MAX_LAYERS))
        yield Finding(TOO_MANY_LAYERS, "", message, evidence=evidence)
    trees = (*facts.layers, facts) if facts.root == LAYER_ROOT else facts.layers
    for case in trees:
        yield from _unsearched_findings(facts.root, case, runtime)
    yield from _dangling_link_findings(facts, space)


def _unsearched_findings(root: str, layer: Case, runtime: Runtime) -> Iterator[Finding]:
    """A layer for several runtimes has a folder for each; it is at fault only when this runtime's is not there."""
    there = dict.fromkeys(modules for path in layer.entries if (modules := _outermost_modules(path)))
    searched = layer_modules(runtime.node_major)
    serves = any(posixpath.join(LAYER_ROOT, each) in searched for each in there)
    for modules in there:
        place = posixpath.join(LAYER_ROOT, modules)
        if place in searched or not _is_for_functions(modules, serves=serves):
            continue
        size = sum(entry.size for path, entry in layer.entries.items() if path.startswith(f"{modules}/"))
        message = f"{runtime.target.runtime} searches {' and '.join(searched)}, not {place}; it has {size} bytes"
        evidence = (("searched", list(searched)), ("bytes", size))
        severity = Severity.NOTE if serves else None
        yield Finding(LAYER_NOT_SEARCHED, path_in_report(root, place), message, severity=severity, evidence=evidence)


def _outermost_modules(path: str) -> str:
    """The outermost node_modules of a path."""
    before, found, _ = f"/{path}".partition(f"/{NODE_MODULES}/")
    return f"{before}/{NODE_MODULES}"[1:] if found else ""


def _is_for_functions(modules: str, *, serves: bool) -> bool:
    """Tell whether packages lie there for functions: at the top, for another runtime, or below a stray directory.

    What an extension or a wrapper script keeps beside itself (extensions/x/node_modules) is its own business.
    """
    before = modules.split("/")[:-1]
    if before in ([], ["nodejs"]):
        return True
    if before[0] == "nodejs":
        return len(before) == 2 and is_runtime_folder(before[1])
    return not serves and before[-1] == "nodejs"


def _dangling_link_findings(facts: Case, space: LambdaFileSystem) -> Iterator[Finding]:
    """Links across the trees; when the other tree is not given, nothing can be said, and that is said."""
    roots = {case.root for case in (facts, *facts.layers)}
    for path in space.links:
        root = next((each for each in (TASK_ROOT, LAYER_ROOT) if path.startswith(f"{each}/")), "")
        end = space.real(path)
        other = next((each for each in (TASK_ROOT, LAYER_ROOT) if f"{end}/".startswith(f"{each}/")), root)
        if other == root or space.is_file(end) or space.is_directory(end) or end == other:
            continue
        given = other in roots
        what = "the layers have no such file" if other == LAYER_ROOT else "the function has no such file"
        unknown = "only its layers tell whether that is there (--layer)"
        if other == TASK_ROOT:
            unknown = "only the function tells whether that is there"
        message = f"it points to {end}, {what if given else unknown}"
        severity = None if given else Severity.NOTE
        evidence = (("target", end), ("decided", given))
        yield Finding(LINK_DANGLES, path_in_report(facts.root, path), message, severity=severity, evidence=evidence)


def layer_import_findings(
    facts: Case, space: LambdaFileSystem, installed: ModuleResolver, runtime: Runtime
) -> Iterator[Finding]:
    """Yield every ES module of the function that imports what node finds through NODE_PATH alone."""
    for path, names in facts.imports.items():
        start = posixpath.dirname(posixpath.join(facts.root, path))
        absent = sorted(
            name
            for name in names
            if not any(_is_in_modules(space, installed, at, name) for at in node_modules_above(start))
        )
        by_path = {each: _find_in_node_path(space, installed, each, runtime) for each in absent}
        found = {name: place for name, place in by_path.items() if place}
        if found:
            more = f" and {len(found) - MAX_NAMED_IMPORTS} more" if len(found) > MAX_NAMED_IMPORTS else ""
            named = ", ".join(list(found)[:MAX_NAMED_IMPORTS])
            message = f"it imports {named}{more}, found in {next(iter(found.values()))} alone"
            severity = Severity.NOTE if runtime.node_major >= IMPORT_SEARCHES_NODE_PATH_SINCE else None
            evidence = (("imports", found),)
            yield Finding(LAYER_IMPORT, path, message, severity=severity, evidence=evidence)


def _find_in_node_path(space: LambdaFileSystem, installed: ModuleResolver, name: str, runtime: Runtime) -> str:
    places = (each for each in node_path(runtime.node_major) if each.startswith(f"{LAYER_ROOT}/"))
    return next((each for each in places if _is_in_modules(space, installed, each, name)), "")


def _is_in_modules(space: LambdaFileSystem, installed: ModuleResolver, modules: str, name: str) -> bool:
    return installed.at(modules, name) is not None or space.is_directory(posixpath.join(modules, name))
