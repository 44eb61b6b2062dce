"""Layers of a function: how many, whether node searches them, links and imports into them. Reads no file."""

import posixpath
from collections.abc import Iterator
from typing import Final

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.file_system import node_modules_above
from lambdapack.packages.resolution import ModuleSystem
from lambdapack.packages.resolver import package_name
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import LambdaFileSystem, path_in_report
from lambdapack.rules.model.installed import is_runtime_folder
from lambdapack.rules.model.package import PackageFacts
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


def check_layers(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the layers themselves, or with a layer that is checked alone."""
    facts = case.facts
    if len(facts.layers) > MAX_LAYERS:
        message = f"there are {len(facts.layers)} layers, {MAX_LAYERS} are allowed"
        evidence = (("layers", len(facts.layers)), ("limit", MAX_LAYERS))
        yield Finding(TOO_MANY_LAYERS, "", message, evidence=evidence)
    trees = (*facts.layers, facts) if facts.root == LAYER_ROOT else facts.layers
    for layer in trees:
        yield from _unsearched_findings(facts.root, layer, case.runtime)
    yield from _dangling_link_findings(facts, case.file_system)


def _unsearched_findings(root: str, layer: PackageFacts, runtime: Runtime) -> Iterator[Finding]:
    """A layer for several runtimes has a folder for each; only a missing one of this runtime is a defect."""
    there = dict.fromkeys(modules for path in layer.entries if (modules := _outermost_modules(path)))
    searched = runtime.behaviour.layer_modules
    serves = any(posixpath.join(LAYER_ROOT, modules) in searched for modules in there)
    for modules in there:
        place = posixpath.join(LAYER_ROOT, modules)
        if place in searched or not _is_for_functions(modules, serves=serves):
            continue
        size = sum(entry.size for path, entry in layer.entries.items() if path.startswith(f"{modules}/"))
        message = f"{runtime.target.runtime} searches {' and '.join(searched)}, not {place}, which holds {size} bytes"
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


def _dangling_link_findings(facts: PackageFacts, file_system: LambdaFileSystem) -> Iterator[Finding]:
    """Yield links from one tree into another that lead nowhere; a note where the other tree is not given."""
    roots = {tree.root for tree in (facts, *facts.layers)}
    for path in file_system.links:
        root = next((root for root in (TASK_ROOT, LAYER_ROOT) if path.startswith(f"{root}/")), "")
        end = file_system.real(path)
        other = next((root for root in (TASK_ROOT, LAYER_ROOT) if f"{end}/".startswith(f"{root}/")), root)
        if other == root or file_system.is_file(end) or file_system.is_directory(end) or end == other:
            continue
        given = other in roots
        what = "the layers have no such file" if other == LAYER_ROOT else "the function has no such file"
        unknown = "pass the function's layers with --layer to check that it exists"
        if other == TASK_ROOT:
            unknown = "check the function with this layer to see whether it exists"
        message = f"it points to {end}; {what if given else unknown}"
        severity = None if given else Severity.NOTE
        evidence = (("target", end), ("decided", given))
        yield Finding(LINK_DANGLES, path_in_report(facts.root, path), message, severity=severity, evidence=evidence)


def check_layer_imports(case: Case) -> Iterator[Finding]:
    """Yield every ES module of the function that imports what node finds through NODE_PATH alone."""
    if not case.facts.layers or case.modules is None:
        return
    imports: dict[str, dict[str, str]] = {}
    for edge in case.modules.graph.edges:
        name = package_name(edge.specifier.text or "")
        reached = case.modules.graph.files.get(edge.asking)
        is_module = reached is not None and reached.system in {ModuleSystem.MODULE, ModuleSystem.DETECT}
        if name is None or not edge.specifier.form.is_esm or is_in_node_modules(edge.asking) or not is_module:
            continue
        start = posixpath.dirname(edge.asking)
        place = _find_in_node_path(case, name)
        if place and not any(_is_in_modules(case, modules, name) for modules in node_modules_above(start)):
            imports.setdefault(edge.asking, {})[name] = place
    for asking, places in imports.items():
        found = dict(sorted(places.items()))
        more = f" and {len(found) - MAX_NAMED_IMPORTS} more" if len(found) > MAX_NAMED_IMPORTS else ""
        names = ", ".join(list(found)[:MAX_NAMED_IMPORTS])
        message = f"it imports {names}{more}, which only {next(iter(found.values()))} has"
        severity = Severity.NOTE if case.runtime.behaviour.import_searches_node_path else None
        path = path_in_report(case.facts.root, asking)
        yield Finding(LAYER_IMPORT, path, message, severity=severity, evidence=(("imports", found),))


def _find_in_node_path(case: Case, name: str) -> str:
    places = case.runtime.behaviour.layer_modules
    return next((modules for modules in places if _is_in_modules(case, modules, name)), "")


def _is_in_modules(case: Case, modules: str, name: str) -> bool:
    found = case.installed.package_at(modules, name)
    return found is not None or case.file_system.is_directory(posixpath.join(modules, name))
