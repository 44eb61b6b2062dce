"""Reads how an addon registers with Node.js and the ABI it was built for. Never runs its code."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.elf.definitions import DT_INIT_ARRAY, DT_INIT_ARRAYSZ, EM_AARCH64, EM_X86_64, RELOCATION_TYPES
from lambdapack.binary.elf.dynamic import DynamicSection, SymbolTable
from lambdapack.binary.elf.image import MappedImage
from lambdapack.binary.elf.symbols import DefinedSymbols, read_pointers
from lambdapack.binary.facts import NODE_API_STRUCT_ABI, Registration, RegistrationKind
from lambdapack.binary.registration import code_aarch64, code_x86_64
from lambdapack.binary.registration.code import CodeReader

# node::node_module (node's src/node.h, 64-bit, unchanged from Node 0.12 to 24; read 2026-11): int nm_version@0,
# unsigned nm_flags@4, nm_dso_handle@8, nm_filename@16, nm_register_func@24, nm_context_register_func@32,
# nm_modname@40, nm_priv@48, nm_link@56.
_V8_MODULE = Struct("<iIQQQQQQQ")
# napi_module (node's src/node_api.h, read 2026-11): int nm_version@0, unsigned nm_flags@4, nm_filename@8,
# nm_register_func@16, nm_modname@24, nm_priv@32, and four reserved pointers from 40 on.
_NODE_API_MODULE = Struct("<iIQQQQQQQQ")
_PLAUSIBLE_ABIS = range(10, 2000)
"""NODE_MODULE_VERSION: 11 in Node 0.10, 147 in Node 26, so far."""
_MAX_MODULE_FLAGS = 0xFF
_MAX_NAME_BYTES = 4096  # bytes of a file or module name

PointerSlots = Mapping[int, int]
"""Address of a pointer in the data, to the address that it points to after relocation."""


def find_v8_modules(image: MappedImage, slots: PointerSlots) -> Iterator[tuple[int, int]]:
    """Yield address and nm_version of every node::node_module in initialised data."""
    for slot in slots:
        start = slot - 16
        if start + 40 in slots and not {start, start + 8, start + 56} & slots.keys():
            version = _v8_module_abi(image, slots, start)
            if version is not None:
                yield start, version


def _v8_module_abi(image: MappedImage, slots: PointerSlots, start: int) -> int | None:
    fields = _read_fields(image, _V8_MODULE, start)
    if fields is None:
        return None
    version, flags, handle, link = fields[0], fields[1], fields[2], fields[8]
    plausible = version in _PLAUSIBLE_ABIS and flags <= _MAX_MODULE_FLAGS and not handle and not link
    entries = [slots[number] for number in (start + 24, start + 32) if number in slots]
    has_stray_fields = any(fields[at] and start + offset not in slots for at, offset in ((4, 24), (5, 32)))
    if not plausible or has_stray_fields or not entries or not all(image.is_code(entry) for entry in entries):
        return None
    has_names = _read_text(image, slots[start + 16]) is not None and _read_text(image, slots[start + 40])
    return version if has_names else None


def find_node_api_modules(image: MappedImage, slots: PointerSlots) -> Iterator[int]:
    """Yield the address of every napi_module in initialised data."""
    for slot in slots:
        start = slot - 8
        if (
            start + 16 in slots
            and start + 24 in slots
            and start not in slots
            and _is_node_api_module(image, slots, start)
        ):
            yield start


def _is_node_api_module(image: MappedImage, slots: PointerSlots, start: int) -> bool:
    fields = _read_fields(image, _NODE_API_MODULE, start)
    if fields is None or fields[0] not in {-1, 0, 1} or fields[1] > _MAX_MODULE_FLAGS or any(fields[6:]):
        return False
    if any(start + 40 + 8 * index in slots for index in range(4)) or not image.is_code(slots[start + 16]):
        return False
    return _read_text(image, slots[start + 8]) is not None and _read_text(image, slots[start + 24]) is not None


def _read_fields(image: MappedImage, layout: Struct, start: int) -> tuple[int, ...] | None:
    data = image.bytes_from(start)
    return layout.unpack_from(data) if len(data) >= layout.size else None


def _read_text(image: MappedImage, address: int) -> str | None:
    image.count_steps()
    raw = bytes(image.bytes_from(address)[:_MAX_NAME_BYTES])
    end = raw.find(b"\0")
    try:
        text = raw[:end].decode() if end >= 0 else None
    except UnicodeDecodeError:
        return None
    return text if text is not None and text.isprintable() else None


NODE_API_ENTRY_SYMBOL = "napi_register_module_v1"
NODE_API_VERSION_SYMBOL = "node_api_module_get_api_version_v1"
V8_REGISTER_SYMBOL = "node_module_register"
NODE_API_REGISTER_SYMBOL = "napi_module_register"
V8_ENTRY_PREFIX = b"node_register_module_v"

_V8_ENTRY_NAME = re.compile(V8_ENTRY_PREFIX + rb"([1-9][0-9]{0,3})\0")
_CODE_READERS: Mapping[int, CodeReader] = {EM_X86_64: code_x86_64, EM_AARCH64: code_aarch64}
_FUNCTION_BYTES = 64  # read of a function without a size
_MAX_FUNCTION_BYTES = 512  # bytes; a getter that is larger is none
_CONSTRUCTOR_BYTES = 256  # a registering constructor takes the struct's address at once
_FILLING_BYTES = 1024  # of a constructor that fills the struct at run time
_MAX_CONSTRUCTORS = 256  # DT_INIT_ARRAY entries looked at
_KNOWN_ABIS = frozenset({83, 88, 93, 102, 108, 111, 115, 120, 127, 131, 137, 141, 147})
"""NODE_MODULE_VERSION of Node 14 to 26 (node's doc/abi_version_registry.json, read 2026-11). Older ones collide with
sizes: 64 is sizeof(node_module)."""


@dataclass(frozen=True, slots=True)
class AddonImage:
    """The parts of an ELF file that registration is read from."""

    image: MappedImage
    dynamic: DynamicSection
    machine: int
    table: SymbolTable
    definitions: DefinedSymbols
    imports: Collection[str]  # names left undefined

    @property
    def code(self) -> CodeReader:
        """The reader of this file's machine code."""
        return _CODE_READERS[self.machine]

    def fetch(self, address: int, size: int = _FUNCTION_BYTES) -> bytes:
        """Return at most `size` bytes of code at an address."""
        return bytes(self.image.bytes_from(address)[:size])


def read_registration(addon: AddonImage) -> Registration:
    """Return how Node.js 18 to 24 would find the addon's entry (node's src/node_binding.cc, DLOpen)."""
    abis = _entry_abis(addon)
    level, is_level_unread = _read_node_api_level(addon)
    struct_abi, is_struct_unsure = _read_struct_abi(addon)
    return Registration(
        kind=_registration_kind(
            v8=bool(abis) or V8_REGISTER_SYMBOL in addon.imports,
            node_api=NODE_API_REGISTER_SYMBOL in addon.imports or addon.definitions.has(NODE_API_ENTRY_SYMBOL),
        ),
        abis=abis,
        struct_abi=struct_abi,
        node_api=level,
        uncertain=is_level_unread or is_struct_unsure,
    )


def _registration_kind(*, v8: bool, node_api: bool) -> RegistrationKind:
    if v8 and node_api:
        return RegistrationKind.BOTH
    if v8:
        return RegistrationKind.V8
    return RegistrationKind.NODE_API if node_api else RegistrationKind.NONE


def _entry_abis(addon: AddonImage) -> tuple[int, ...]:
    names = addon.dynamic.strings.raw
    numbers = {int(match[1]) for match in _V8_ENTRY_NAME.finditer(names)} if V8_ENTRY_PREFIX in names else set()
    return tuple(sorted(number for number in numbers if addon.definitions.has(f"node_register_module_v{number}")))


def _read_node_api_level(addon: AddonImage) -> tuple[int | None, bool]:
    """Return what the version function returns, and whether there is one that could not be read."""
    index = next(addon.definitions.find(NODE_API_VERSION_SYMBOL), None)
    if index is None:
        return None, False
    address, size = addon.table.value(index), addon.table.size(index)
    code = addon.fetch(address, size if 0 < size <= _MAX_FUNCTION_BYTES else _FUNCTION_BYTES)
    level = addon.code.returned_constant(code, address, addon.fetch)
    return level, level is None


def _read_struct_abi(addon: AddonImage) -> tuple[int | None, bool]:
    """Return nm_version of the struct that constructors register last, and whether that is a guess or unknown."""
    if V8_REGISTER_SYMBOL not in addon.imports:
        return (NODE_API_STRUCT_ABI, False) if NODE_API_REGISTER_SYMBOL in addon.imports else (None, False)
    slots = read_pointers(addon.image, addon.dynamic, RELOCATION_TYPES[addon.machine], addon.table)
    modules = dict(find_v8_modules(addon.image, slots))
    if NODE_API_REGISTER_SYMBOL in addon.imports:
        modules |= dict.fromkeys(find_node_api_modules(addon.image, slots), NODE_API_STRUCT_ABI)
    if not modules:
        guesses = _guess_abis(addon, slots)
        return (guesses.pop() if len(guesses) == 1 else None), True
    if len(set(modules.values())) == 1:
        return next(iter(modules.values())), False
    order = [number for number in _addresses_in_constructor_order(addon, slots) if number in modules]
    return modules[order[-1] if order else max(modules)], set(order) != modules.keys()


def _addresses_in_constructor_order(addon: AddonImage, slots: PointerSlots) -> Iterator[int]:
    for constructor in _constructors(addon, slots):
        yield from addon.code.addresses_taken(addon.fetch(constructor, _CONSTRUCTOR_BYTES), constructor)


def _guess_abis(addon: AddonImage, slots: PointerSlots) -> set[int]:
    abis: set[int] = set()
    for constructor in _constructors(addon, slots):
        abis.update(_KNOWN_ABIS & set(addon.code.constants(addon.fetch(constructor, _FILLING_BYTES))))
    return abis


def _constructors(addon: AddonImage, slots: PointerSlots) -> Iterator[int]:
    start = addon.dynamic.tags.get(DT_INIT_ARRAY, 0)
    count = min(addon.dynamic.tags.get(DT_INIT_ARRAYSZ, 0) // 8, _MAX_CONSTRUCTORS)
    return (slots[address] for address in range(start, start + 8 * count, 8) if address in slots)
