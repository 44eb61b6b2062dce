"""Undefined symbols: whether an object in the process defines them, at load or at the first call."""

import re
from collections.abc import Iterator

from lambdapack.binary.facts import RegistrationKind, Symbol
from lambdapack.model import Severity
from lambdapack.rules.binary.linking_records import UNDEFINED_SYMBOL
from lambdapack.rules.binary.loader import LoadedObject, Process
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.symbols import Definition, library_definition, node_names, recorded_names
from lambdapack.runtimes.versions import node_api_level, node_defines_symbol

NODE_CXX_PREFIXES = ("_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node", "_ZTIN2v8", "_ZTVN2v8", "_ZTIN4node", "_ZTVN4node")
"""Mangled names of V8's and node's own classes; which of them exist follows from the ABI number."""

PROVE_BY_LOADING = "Open it in the runtime image: `lambdapack verify --load`."
"""What proves a symbol that is bound at load."""

PROVE_BY_INVOKING = "Invoke what uses it in the runtime image: `lambdapack invoke --event FILE`."
"""What proves a symbol that is bound at its first call: opening the file does not come so far."""

_MAX_NAME_PARTS = 8  # parts of a C++ name


def explain_doubt(process: Process, symbol: Symbol) -> tuple[str, str]:
    """Return why nobody can tell whether the symbol will be there, and the command that shows it."""
    name = demangle_name(symbol.name)
    if not symbol.name.startswith(NODE_CXX_PREFIXES):
        return f"{name} {_describe_possible_source(process, symbol)}", _proving_fix(symbol)
    exports = process.runtime.node_exports
    if exports is not None and symbol.name not in exports:
        why = f"the node of the image has no {name}; it loads all the same, and the process ends if that is ever called"
        return why, _proving_fix(symbol)
    tags = parse_platform_tags(process.first.path)
    names = "names another one" if tags.abis or tags.majors else "does not say which"
    why = f"a Node-API addon that calls V8 itself ({name}) works with one Node.js only, and its file name {names}"
    return why, _proving_fix(symbol)


def _proving_fix(symbol: Symbol) -> str:
    return PROVE_BY_LOADING if symbol.at_load else PROVE_BY_INVOKING


def _describe_possible_source(process: Process, symbol: Symbol) -> str:
    sources: dict[Definition, list[str]] = {}
    for loaded_object in process.scope:
        if loaded_object.library is not None:
            definition = library_definition(loaded_object.library, symbol.name, process.runtime)
            sources.setdefault(definition, []).append(loaded_object.library.soname)
    if newer := sources.get(Definition.NEWER):
        version = (recorded_names(newer[0]) or {}).get(symbol.name)
        return f"came to {newer[0]} with {version}, which the managed runtime may lack"
    names = sources.get(Definition.UNRECORDED, [])
    listed = f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 3 else ", ".join(names) or "node"
    return f"may come from {listed}, whose names are not recorded"


def demangle_name(name: str) -> str:
    """Return v8::Isolate::GetCurrent for _ZN2v87Isolate10GetCurrentEv, any other name as it is."""
    if not name.startswith(NODE_CXX_PREFIXES):
        return name
    rest = re.sub(r"\A_Z(?:T[IV])?NK?", "", name)
    parts: list[str] = []
    while (number := re.match(r"\d+", rest)) and len(parts) < _MAX_NAME_PARTS:
        end = number.end() + int(number[0])
        parts.append(rest[number.end() : end])
        rest = rest[end:]
    return "::".join(parts)


CALLED_AT_INIT = frozenset({"node_module_register", "napi_module_register", "bare_module_register"})
"""Called by a static constructor, so lazy binding saves nobody: the process dies inside dlopen."""


def check_symbols(process: Process) -> Defect | None:
    """Return the worst symbol that is missing: at load, then later, then one that nothing decides."""
    missing = list(_missing_symbols(process))
    at_load = [(by, symbol) for by, symbol, sure in missing if sure and _fails_at_load(symbol)]
    if at_load:
        return _symbol_defect(process, at_load, Outcome.FAILS)
    later = [(by, symbol) for by, symbol, sure in missing if sure]
    if later:
        return _symbol_defect(process, later, Outcome.DIES_LATER)
    doubtful = [(by, symbol) for by, symbol, _ in missing]
    return _symbol_defect(process, doubtful, Outcome.UNKNOWN) if doubtful else None


def _fails_at_load(symbol: Symbol) -> bool:
    return symbol.at_load or symbol.name in CALLED_AT_INIT


def _symbol_defect(process: Process, missing: list[tuple[LoadedObject, Symbol]], outcome: Outcome) -> Defect:
    by, symbol = missing[0]
    names = tuple(dict.fromkeys(symbol.name for _, symbol in missing))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    words = f"undefined symbol: {_spell_symbol(symbol)}{more}{process.other_files(by)}"
    evidence = (("symbols", list(names[:20])), ("count", len(names)))
    if outcome is Outcome.UNKNOWN:
        why, proof = explain_doubt(process, symbol)
        message = f"cannot be decided from the file: {why}; {words}"
        return Defect(UNDEFINED_SYMBOL, message, "", outcome, Severity.WARNING, proof, evidence)
    message = f"the process exits at the first call: {words}" if outcome is Outcome.DIES_LATER else words
    return Defect(UNDEFINED_SYMBOL, message, "", outcome, None, _symbol_fix(names), evidence)


def _spell_symbol(symbol: Symbol) -> str:
    return f"{symbol.name}, version {symbol.version}" if symbol.version else symbol.name


def _symbol_fix(names: tuple[str, ...]) -> str:
    levels = [level for name in names if (level := node_api_level(name)) is not None]
    if not levels or len(levels) < len(names):
        return ""
    return "Choose a newer runtime (`--runtime`), or a version of the package made for an older Node-API."


def _missing_symbols(process: Process) -> Iterator[tuple[LoadedObject, Symbol, bool]]:
    """Each unresolved symbol with whether that is sure. An undefined weak one is simply zero."""
    scope = process.scope
    for loaded, elf in process.files:
        for symbol in elf.undefined:
            if symbol.weak:
                continue
            answer = _is_defined(process, scope, symbol)
            if answer is not True:
                yield loaded, symbol, answer is False


def _is_defined(process: Process, scope: tuple[LoadedObject, ...], symbol: Symbol) -> bool | None:
    doubtful = False
    for loaded_object in scope:
        if _aborts_loader(loaded_object, symbol):
            return False
        if _is_defined_by(loaded_object, symbol):
            return True
        if loaded_object.library is not None and symbol.version is None:
            definition = library_definition(loaded_object.library, symbol.name, process.runtime)
            if definition is Definition.YES:
                return True
            doubtful |= definition is not Definition.NO
    if symbol.version is not None:
        return _is_versioned_defined(process, symbol)
    answer = node_defines_symbol(process.runtime, symbol.name) if process.link_map.global_scope else False
    if symbol.name.startswith(NODE_CXX_PREFIXES):
        return _is_defined_by_node(process, symbol, answer)
    if node_api_level(symbol.name) is not None or symbol.name.startswith("uv_"):
        return answer
    if answer is None and not symbol.name.startswith("_Z") and symbol.name not in node_names():
        answer = False
    return None if answer is False and doubtful else answer


def _is_defined_by(loaded: LoadedObject, symbol: Symbol) -> bool:
    if loaded.library is not None:
        return loaded.library.exports is not None and symbol.name in loaded.library.exports
    elf = loaded.binary.elf if loaded.binary else None
    if elf is None:
        return False
    return any(_definition_fits(define, symbol, elf.version_definitions) for define in loaded.defines(symbol.name))


def _aborts_loader(loaded: LoadedObject, symbol: Symbol) -> bool:
    """Tell whether ld.so asserts: Inconsistency detected by ld.so: dl-lookup.c: check_match.

    A reference with a version meets the very library that it names, and that one has no version table at all.
    Measured with glibc 2.31 and 2.36; a library that itself needs versions has a table, and is accepted.
    """
    elf = loaded.binary.elf if loaded.binary else None
    if elf is None or symbol.version is None or elf.version_definitions or elf.version_needs:
        return False
    return symbol.file in {*loaded.names, loaded.soname} and bool(loaded.defines(symbol.name))


def _definition_fits(definition: Symbol, symbol: Symbol, versions: tuple[str, ...]) -> bool:
    """An unversioned reference takes any definition; a library without versions serves every reference."""
    return symbol.version is None or not versions or definition.version in {symbol.version, None}


def _is_versioned_defined(process: Process, symbol: Symbol) -> bool | None:
    """The version check came before: a node that is there holds the names that belong to it."""
    found = process.link_map.find(symbol.file) if symbol.file else None
    if found is None or found.library is None:
        return False
    exports = found.library.exports
    return True if exports is None else symbol.name in exports


def _is_defined_by_node(process: Process, symbol: Symbol, recorded: bool | None) -> bool | None:  # noqa: FBT001  # an answer
    """An image's node is another build than Lambda's: that it lacks what is bound at a call is a doubt, not a proof.

    lmdb's build for ABI 127 names a constructor that later Node.js 22 have no more, and works without it.
    """
    if recorded is None:
        return _follows_from_abi(process)
    if recorded is False and process.runtime.source == "image" and not _fails_at_load(symbol):
        return None
    return recorded


def _follows_from_abi(process: Process) -> bool | None:
    """An addon whose V8 ABI is the runtime's finds its names there; no false alarm was ever seen.

    A Node-API addon may call V8 as well (lmdb, msgpackr-extract, deasync); then only its file name says
    for which Node.js, and the choice of the file has looked at that.
    """
    registration = process.first.elf.registration if process.first.elf else None
    if registration is None or registration.kind is RegistrationKind.NONE:
        return None
    if process.runtime.abi in {*registration.abis, registration.struct_abi}:
        return True
    tags = parse_platform_tags(process.first.path)
    return True if process.runtime.abi in tags.abis or process.runtime.node_major in tags.majors else None
