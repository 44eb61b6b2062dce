"""What to say of a symbol that nothing which is known decides: what is in doubt, why, and what proves it."""

import re

from lambdapack.binary.facts import Symbol
from lambdapack.rules.process import Process
from lambdapack.rules.tokens import tags

OF_NODE = ("_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node", "_ZTIN2v8", "_ZTVN2v8", "_ZTIN4node", "_ZTVN4node")
"""Mangled names of V8's and node's own classes; which of them exist follows from the ABI number."""

OPENING = "Open it in the runtime image: `lambdapack verify --load`."
"""What proves a symbol that is bound at load."""

CALLING = "Invoke what uses it in the runtime image: `lambdapack invoke --event FILE`."
"""What proves a symbol that is bound at its first call: opening the file does not come so far."""

_NAMES_AT_MOST = 8  # parts of a C++ name


def doubt(process: Process, symbol: Symbol) -> tuple[str, str]:
    """Return why nobody can tell whether the symbol will be there, and the command that shows it."""
    name = readable(symbol.name)
    if not symbol.name.startswith(OF_NODE):
        return f"{name} may come from {_silent_ones(process)}, whose names are not recorded", _proof(symbol)
    exports = process.runtime.node_exports
    if exports is not None and symbol.name not in exports:
        why = f"the node of the image has no {name}; it loads all the same, and the process ends if that is ever called"
        return why, _proof(symbol)
    said = tags(process.first.path)
    made_for = "another Node.js by its name" if said.abis or said.majors else "no Node.js that its name would tell"
    return f"a Node-API addon that calls V8 itself ({name}) fits one Node.js only; it is for {made_for}", _proof(symbol)


def _proof(symbol: Symbol) -> str:
    return OPENING if symbol.at_load else CALLING


def _silent_ones(process: Process) -> str:
    names = [each.library.soname for each in process.scope if each.library and each.library.exports is None]
    return f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 3 else ", ".join(names) or "node"


def readable(name: str) -> str:
    """Return v8::Isolate::GetCurrent for _ZN2v87Isolate10GetCurrentEv, any other name as it is."""
    if not name.startswith(OF_NODE):
        return name
    rest = re.sub(r"\A_Z(?:T[IV])?NK?", "", name)
    parts: list[str] = []
    while (number := re.match(r"\d+", rest)) and len(parts) < _NAMES_AT_MOST:
        end = number.end() + int(number[0])
        parts.append(rest[number.end() : end])
        rest = rest[end:]
    return "::".join(parts)
