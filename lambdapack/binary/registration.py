"""How an addon registers with Node.js, and the ABI that it was made for. Reads code and data, runs neither."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.binary import code_aarch64, code_x86_64
from lambdapack.binary.code import Code
from lambdapack.binary.definitions import DT_INIT_ARRAY, DT_INIT_ARRAYSZ, EM_AARCH64, EM_X86_64, RELOCATIONS
from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.facts import Registration, RegistrationKind
from lambdapack.binary.image import Image
from lambdapack.binary.relocations import pointers
from lambdapack.binary.structs import Pointers, node_api_modules, v8_modules
from lambdapack.binary.symbols import Definitions
from lambdapack.binary.table import SymbolTable

NODE_API_ENTRY = "napi_register_module_v1"
NODE_API_LEVEL = "node_api_module_get_api_version_v1"
V8_CALL = "node_module_register"
NODE_API_CALL = "napi_module_register"
NODE_API_STRUCT = -1
"""nm_version of the node_module that Node.js makes of a napi_module (node's src/node_api.cc, read 2026-11)."""

V8_ENTRY = b"node_register_module_v"

_ENTRY = re.compile(V8_ENTRY + rb"([1-9][0-9]{0,3})\0")
_CODE: Mapping[int, Code] = {EM_X86_64: code_x86_64, EM_AARCH64: code_aarch64}
_FUNCTION_BYTES = 64  # read of a function without a size
_LONGEST_FUNCTION = 512  # bytes; a getter that is larger is none
_CONSTRUCTOR_BYTES = 256  # a registering constructor takes the struct's address at once
_FILLING_BYTES = 1024  # of a constructor that fills the struct at run time
_CONSTRUCTORS = 256  # DT_INIT_ARRAY entries looked at
_KNOWN_ABIS = frozenset({83, 88, 93, 102, 108, 111, 115, 120, 127, 131, 137, 141, 147})
"""NODE_MODULE_VERSION of Node 14 to 26 (node's doc/abi_version_registry.json, read 2026-11). Older ones collide with
sizes: 64 is sizeof(node_module)."""


@dataclass(frozen=True, slots=True)
class Addon:
    """All that registration is read from."""

    image: Image
    dynamic: Dynamic
    machine: int
    table: SymbolTable
    definitions: Definitions
    imports: Collection[str]  # names left undefined

    @property
    def code(self) -> Code:
        """The reader of this file's machine code."""
        return _CODE[self.machine]

    def fetch(self, address: int, size: int = _FUNCTION_BYTES) -> bytes:
        """Return code at an address, as much as there is of `size` bytes."""
        return bytes(self.image.tail(address)[:size])


def read_registration(addon: Addon) -> Registration:
    """Return how Node.js 18 to 24 would find the addon's entry (node's src/node_binding.cc, DLOpen)."""
    abis = _abis(addon)
    level, unread = _node_api_level(addon)
    struct, unsure = _registered(addon)
    return Registration(
        kind=_kind(
            v8=bool(abis) or V8_CALL in addon.imports,
            node_api=NODE_API_CALL in addon.imports or addon.definitions.has(NODE_API_ENTRY),
        ),
        abis=abis,
        struct_abi=struct,
        node_api=level,
        uncertain=unread or unsure,
    )


def _kind(*, v8: bool, node_api: bool) -> RegistrationKind:
    if v8 and node_api:
        return RegistrationKind.BOTH
    if v8:
        return RegistrationKind.V8
    return RegistrationKind.NODE_API if node_api else RegistrationKind.NONE


def _abis(addon: Addon) -> tuple[int, ...]:
    names = addon.dynamic.strings.raw
    named = {int(each[1]) for each in _ENTRY.finditer(names)} if V8_ENTRY in names else set()
    return tuple(sorted(each for each in named if addon.definitions.has(f"node_register_module_v{each}")))


def _node_api_level(addon: Addon) -> tuple[int | None, bool]:
    """Return what the version function returns, and whether there is one that could not be read."""
    index = next(addon.definitions.find(NODE_API_LEVEL), None)
    if index is None:
        return None, False
    address, size = addon.table.value(index), addon.table.size(index)
    code = addon.fetch(address, size if 0 < size <= _LONGEST_FUNCTION else _FUNCTION_BYTES)
    level = addon.code.returned_constant(code, address, addon.fetch)
    return level, level is None


def _registered(addon: Addon) -> tuple[int | None, bool]:
    """Return nm_version of the struct that constructors register last, and whether that is a guess or unknown."""
    if V8_CALL not in addon.imports:
        return (NODE_API_STRUCT, False) if NODE_API_CALL in addon.imports else (None, False)
    slots = pointers(addon.image, addon.dynamic, RELOCATIONS[addon.machine], addon.table)
    found = dict(v8_modules(addon.image, slots))
    if NODE_API_CALL in addon.imports:
        found |= dict.fromkeys(node_api_modules(addon.image, slots), NODE_API_STRUCT)
    if not found:
        guesses = _guesses(addon, slots)
        return (guesses.pop() if len(guesses) == 1 else None), True
    if len(set(found.values())) == 1:
        return next(iter(found.values())), False
    order = [each for each in _addresses_in_constructor_order(addon, slots) if each in found]
    return found[order[-1] if order else max(found)], set(order) != found.keys()


def _addresses_in_constructor_order(addon: Addon, slots: Pointers) -> Iterator[int]:
    for constructor in _constructors(addon, slots):
        yield from addon.code.addresses_taken(addon.fetch(constructor, _CONSTRUCTOR_BYTES), constructor)


def _guesses(addon: Addon, slots: Pointers) -> set[int]:
    found: set[int] = set()
    for constructor in _constructors(addon, slots):
        found.update(_KNOWN_ABIS & set(addon.code.constants(addon.fetch(constructor, _FILLING_BYTES))))
    return found


def _constructors(addon: Addon, slots: Pointers) -> Iterator[int]:
    start = addon.dynamic.tags.get(DT_INIT_ARRAY, 0)
    count = min(addon.dynamic.tags.get(DT_INIT_ARRAYSZ, 0) // 8, _CONSTRUCTORS)
    return (slots[each] for each in range(start, start + 8 * count, 8) if each in slots)
