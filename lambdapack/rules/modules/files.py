"""Why a file that the function loads is not there: letter case, a missing extension, TypeScript, or left out."""

import posixpath
from dataclasses import dataclass

from lambdapack.model import LAYER_ROOT, TASK_ROOT, Rule
from lambdapack.packages.file_system import FileSystem
from lambdapack.packages.graph import ModuleEdge, package_directory
from lambdapack.packages.manifests import name_from_directory
from lambdapack.packages.modules import ResolvedModules, is_installed_path
from lambdapack.packages.resolution import ResolutionError
from lambdapack.packages.resolver import EXTENSIONS
from lambdapack.rules.fixes import install_command
from lambdapack.rules.function.records import REQUIRED_FILE_MISSING
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import path_in_report
from lambdapack.rules.modules.records import IMPORT_WITHOUT_EXTENSION, MODULE_MISSING, WRONG_LETTER_CASE

IMPORT_ENDINGS = (".js", ".mjs", ".cjs", ".json", "/index.js", "/index.mjs", "/index.cjs")
"""What an import may have meant: the extensions of scripts, and the file of a directory."""

TYPESCRIPT_EXTENSIONS = {"": (".ts", ".mts", ".cts"), ".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",)}


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong with one specifier, in words that continue "line 3 loads './a', "."""

    rule: Rule
    reason: str
    words: str
    fix: str  # "" for the rule's own


def is_beside(edge: ModuleEdge) -> bool:
    """Tell whether a specifier is a path, relative or absolute."""
    text = edge.specifier.text or ""
    return text in {".", ".."} or text.startswith(("./", "../", "/", "file:"))


def file_fault(case: Case, modules: ResolvedModules, edge: ModuleEdge, error: ResolutionError) -> FileFault:
    """Return why a path leads to no file that node loads; the path is the specifier's, or what a package names."""
    text = edge.specifier.text or ""
    if is_beside(edge):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(edge.asking), text.removeprefix("file://")))
    else:
        target = error.path
    target = modules.files.real(target)
    if edge.specifier.form.is_esm:
        fault = _import_fault(modules.files, edge, target)
        if fault is not None:
            return fault
    twin = letter_case_twin(modules.files, target)
    if twin:
        shown = path_in_report(case.facts.root, twin)
        meant = _relative_name(twin, posixpath.dirname(edge.asking), text) if is_beside(edge) else shown
        words = f"but the file is called {shown}, and Lambda's file system is case-sensitive"
        return FileFault(WRONG_LETTER_CASE, "letter-case", words, f"Write {meant!r} in place of {text!r}.")
    return _absent_fault(case, modules, edge, target)


def _import_fault(files: FileSystem, edge: ModuleEdge, target: str) -> FileFault | None:
    """Return the fault of an import whose file needs its extension, None when no such file is there."""
    ending = next((ending for ending in IMPORT_ENDINGS if files.is_file(target + ending)), None)
    text = (edge.specifier.text or "").rstrip("/")
    if ending is None or (posixpath.splitext(target)[1] in {".js", ".mjs", ".cjs"} and not files.is_directory(target)):
        return None
    whole = f"./{text}{ending}" if text in {".", ".."} else text + ending
    whole = whole.replace("././", "./").replace("./../", "../")
    words = f"but `import` needs the whole file name, {whole!r}"
    return FileFault(IMPORT_WITHOUT_EXTENSION, "no-extension", words, f"Write {whole!r} in place of {text!r}.")


def _absent_fault(case: Case, modules: ResolvedModules, edge: ModuleEdge, target: str) -> FileFault:
    shown = path_in_report(case.facts.root, target)
    package = package_directory(edge.asking) or package_directory(f"{target}/.")
    if target.startswith(f"{LAYER_ROOT}/") and not case.facts.layers:
        words = f"which only a layer can have at {target}"
        fix = "Name the layer: `lambdapack verify --layer ZIP`, `lambdapack build --with-layer ZIP`."
        return FileFault(MODULE_MISSING, "layer", words, fix)
    if package and not is_installed_path(edge.asking) and not is_beside(edge):
        name = name_from_directory(package.lstrip("/"))
        words = f"but {name} has no such file"
        fix = f"Install it again: `rm -rf node_modules`, then `{install_command(case.facts)}`."
        return FileFault(MODULE_MISSING, "incomplete", words, fix)
    stem, extension = posixpath.splitext(target)
    extension = extension if extension in TYPESCRIPT_EXTENSIONS else ""
    stem = stem if extension else target
    source = next((stem + ts for ts in TYPESCRIPT_EXTENSIONS[extension] if modules.files.is_file(stem + ts)), "")
    if source and not is_installed_path(edge.asking):
        words = f"but {shown} is missing; {path_in_report(case.facts.root, source)} must be compiled first"
        return FileFault(REQUIRED_FILE_MISSING, "typescript", words, "Compile before packing, and ship the output.")
    if _is_left_out(case, target):
        words = f"but {shown} is missing: it was left out of the package"
        fix = f"Bring it back with a line `!{shown}` in .lambdapackignore."
        return FileFault(REQUIRED_FILE_MISSING, "left-out", words, fix)
    return FileFault(REQUIRED_FILE_MISSING, "absent", f"but {shown} is missing", "")


def _is_left_out(case: Case, target: str) -> bool:
    own = target.removeprefix(f"{TASK_ROOT}/")
    tries = (own, *(own + extension for extension in EXTENSIONS))
    return any(path == place or path.startswith(f"{place}/") for path in tries for place in case.facts.left_out)


def letter_case_twin(files: FileSystem, target: str) -> str:
    """Return the file that a path means but for its letter case, "" without one."""
    for ending in ("", *EXTENSIONS, ".mjs", ".cjs", "/index.js"):
        found = _twin(files, target + ending)
        if found and files.is_file(found):
            return found
    return ""


def _twin(files: FileSystem, path: str) -> str:
    place, differs = "", False
    for part in path.strip("/").split("/"):
        names = files.names(place or "/")
        if part in names:
            place = f"{place}/{part}"
            continue
        name = next((name for name in names if name.lower() == part.lower()), "")
        if not name:
            return ""
        place, differs = f"{place}/{name}", True
    return place if differs else ""


def _relative_name(path: str, directory: str, text: str) -> str:
    """Return a path as a specifier of the same kind: with an extension only where the specifier has one."""
    relative = posixpath.relpath(path, directory)
    if not posixpath.splitext(text)[1]:
        relative = posixpath.splitext(relative)[0].removesuffix("/index")
    return relative if relative.startswith("../") else f"./{relative}"
