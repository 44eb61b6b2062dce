"""Undefined symbols: who in the process defines them, at load or at the first call."""

from collections.abc import Iterator

from lambdapack.binary.facts import RegistrationKind, Symbol
from lambdapack.model import Rule, Severity
from lambdapack.rules.defect import Defect
from lambdapack.rules.doubts import OF_NODE, doubt
from lambdapack.rules.loader import Loaded
from lambdapack.rules.process import Process
from lambdapack.rules.tokens import tags
from lambdapack.rules.verdict import Outcome
from lambdapack.runtimes.abi import node_api_level, provides

UNDEFINED_SYMBOL = Rule(
    "LP213",
    "undefined-symbol",
    "a binary calls a function that nothing in the process defines",
    "The loader says: undefined symbol, at once or, for a function bound lazily, at its first call: then the whole "
    "process ends with exit status 127 and no JavaScript error.",
    "Build it for this runtime: `lambdapack build`, or use a version of the package made for it.",
    Severity.ERROR,
)

CALLED_AT_INIT = frozenset({"node_module_register", "napi_module_register", "bare_module_register"})
"""Called by a static constructor, so lazy binding saves nobody: the process dies inside dlopen."""


def undefined_symbol(process: Process) -> Defect | None:
    """Return the worst symbol that is missing: at load, then later, then one that nothing decides."""
    missing = list(_missing(process))
    at_load = [(by, symbol) for by, symbol, sure in missing if sure and _dies_at_load(symbol)]
    if at_load:
        return _defect(process, at_load, Outcome.FAILS)
    later = [(by, symbol) for by, symbol, sure in missing if sure]
    if later:
        return _defect(process, later, Outcome.DIES_LATER)
    doubtful = [(by, symbol) for by, symbol, _ in missing]
    return _defect(process, doubtful, Outcome.UNKNOWN) if doubtful else None


def _dies_at_load(symbol: Symbol) -> bool:
    return symbol.at_load or symbol.name in CALLED_AT_INIT


def _defect(process: Process, missing: list[tuple[Loaded, Symbol]], outcome: Outcome) -> Defect:
    by, symbol = missing[0]
    names = tuple(dict.fromkeys(each.name for _, each in missing))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    words = f"undefined symbol: {_spelled(symbol)}{more}{process.other_files(by)}"
    evidence = (("symbols", list(names[:20])), ("count", len(names)))
    if outcome is Outcome.UNKNOWN:
        why, proof = doubt(process, symbol)
        message = f"not provable from its bytes: {why}; {words}"
        return Defect(UNDEFINED_SYMBOL, message, "", outcome, Severity.WARNING, proof, evidence)
    message = f"the process ends at the first call: {words}" if outcome is Outcome.DIES_LATER else words
    return Defect(UNDEFINED_SYMBOL, message, "", outcome, None, _fix(names), evidence)


def _spelled(symbol: Symbol) -> str:
    return f"{symbol.name}, version {symbol.version}" if symbol.version else symbol.name


def _fix(names: tuple[str, ...]) -> str:
    levels = [level for name in names if (level := node_api_level(name)) is not None]
    if not levels or len(levels) < len(names):
        return ""
    return "Choose a newer runtime (`--runtime`), or a version of the package made for an older Node-API."


def _missing(process: Process) -> Iterator[tuple[Loaded, Symbol, bool]]:
    """Each unresolved symbol with whether that is sure. An undefined weak one is simply zero."""
    scope = process.scope
    for loaded, elf in process.files:
        for symbol in elf.undefined:
            if symbol.weak:
                continue
            answer = _defined(process, scope, symbol)
            if answer is not True:
                yield loaded, symbol, answer is False


def _defined(process: Process, scope: tuple[Loaded, ...], symbol: Symbol) -> bool | None:
    for each in scope:
        if _ends_the_loader(each, symbol):
            return False
        if _defined_by(each, symbol):
            return True
    if symbol.version is not None:
        return _versioned(process, symbol)
    answer = provides(process.runtime, symbol.name) if process.link_map.global_scope else False
    if symbol.name.startswith(OF_NODE):
        return _of_node(process, symbol, answer)
    if answer is False and any(each.library is not None and _silent(each) for each in scope):
        return None if node_api_level(symbol.name) is None and not symbol.name.startswith("uv_") else False
    return answer


def _defined_by(loaded: Loaded, symbol: Symbol) -> bool:
    if loaded.library is not None:
        return loaded.library.exports is not None and symbol.name in loaded.library.exports
    elf = loaded.binary.elf if loaded.binary else None
    if elf is None:
        return False
    return any(_fits(each, symbol, elf.version_definitions) for each in loaded.defines(symbol.name))


def _ends_the_loader(loaded: Loaded, symbol: Symbol) -> bool:
    """Tell whether ld.so asserts: Inconsistency detected by ld.so: dl-lookup.c: check_match.

    A reference with a version meets the very library that it names, and that one has no version table at all.
    Measured with glibc 2.31 and 2.36; a library that itself needs versions has a table, and is accepted.
    """
    elf = loaded.binary.elf if loaded.binary else None
    if elf is None or symbol.version is None or elf.version_definitions or elf.version_needs:
        return False
    return symbol.file in {*loaded.names, loaded.soname} and bool(loaded.defines(symbol.name))


def _fits(definition: Symbol, symbol: Symbol, versions: tuple[str, ...]) -> bool:
    """An unversioned reference takes any definition; a library without versions serves every reference."""
    return symbol.version is None or not versions or definition.version in {symbol.version, None}


def _versioned(process: Process, symbol: Symbol) -> bool | None:
    """The version check came before: a node that is there holds the names that belong to it."""
    found = process.link_map.find(symbol.file) if symbol.file else None
    if found is None or found.library is None:
        return False
    exports = found.library.exports
    return True if exports is None else symbol.name in exports


def _silent(loaded: Loaded) -> bool:
    """A library whose names are not recorded; glibc's and libstdc++'s names are all versioned."""
    library = loaded.library
    return library is not None and library.exports is None and not library.soname.startswith(VERSIONED)


VERSIONED = (
    "ld-linux",
    "libc.",
    "libm.",
    "libmvec.",
    "libdl.",
    "libpthread.",
    "librt.",
    "libutil.",
    "libstdc++.",
    "libgcc_s.",
)


def _of_node(process: Process, symbol: Symbol, recorded: bool | None) -> bool | None:  # noqa: FBT001  # an answer
    """An image's node is another build than Lambda's: that it lacks what is bound at a call is a doubt, not a proof.

    lmdb's build for ABI 127 names a constructor that later Node.js 22 have no more, and works without it.
    """
    if recorded is None:
        return _follows_from_abi(process)
    if recorded is False and process.runtime.source == "image" and not _dies_at_load(symbol):
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
    said = tags(process.first.path)
    return True if process.runtime.abi in said.abis or process.runtime.node_major in said.majors else None
