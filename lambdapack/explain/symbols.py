"""Explains an undefined symbol: whose function it is, and what its absence means."""

from lambdapack.explain.facts.nouns import Slots
from lambdapack.explain.nouns import Meaning
from lambdapack.messages import Certainty
from lambdapack.rules.binary.linking_records import MUSL, UNDEFINED_SYMBOL
from lambdapack.runtimes.versions import node_api_level

GLIBC_ONLY_SYMBOLS = ("__res_", "gnu_", "__register_atfork", "__cxa_thread_atexit_impl", "fcntl64", "__isoc", "__xpg_")
"""Names of glibc that musl does not have (musl's wiki, "Functional differences from glibc"); so does every *_chk."""

NODE_CPP_PREFIXES = ("_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node", "_ZTIN2v8", "_ZTVN2v8")
"""C++ of node's own namespaces: it changes with every major."""


def explain_undefined_symbol(slots: Slots) -> Meaning:
    """What the loader of glibc or macOS means by a symbol that nothing defines."""
    symbol = slots["symbol"].lstrip("_") if slots["symbol"].startswith("_n") else slots["symbol"]
    level = node_api_level(symbol)
    if level is not None:
        said = f"{{file}} calls {symbol}, which is newer than this Node.js (Node-API {level})"
        return Meaning(UNDEFINED_SYMBOL, Certainty.CERTAIN, said)
    if symbol.lstrip("_").startswith(tuple(prefix.lstrip("_") for prefix in NODE_CPP_PREFIXES)):
        said = "{file} was compiled for another Node.js: it calls C++ of V8 that this one does not have"
        return Meaning(UNDEFINED_SYMBOL, Certainty.CERTAIN, said)
    said = f"{{file}} calls {symbol}, which nothing in the process defines: a library is absent or another version"
    return Meaning(UNDEFINED_SYMBOL, Certainty.CERTAIN, said)


def explain_musl_symbol(slots: Slots) -> Meaning:
    """What musl's loader means: a glibc build, unless the name is node's."""
    symbol = slots["symbol"]
    if node_api_level(symbol) is not None or symbol.startswith(NODE_CPP_PREFIXES):
        return explain_undefined_symbol(slots)
    sure = symbol.endswith("_chk") or symbol.startswith(GLIBC_ONLY_SYMBOLS)
    said = f"{{file}} was made for glibc: musl (Alpine) has no {symbol}"
    return Meaning(MUSL, Certainty.CERTAIN if sure else Certainty.LIKELY, said)
