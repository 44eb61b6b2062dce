"""The module structs that addons hand to Node.js, found through the relocations of their pointers. Runs nothing."""

from collections.abc import Iterator, Mapping
from struct import Struct

from lambdapack.binary.image import Image

# node::node_module (node's src/node.h, 64-bit, unchanged from Node 0.12 to 24; read 2026-11): int nm_version@0,
# unsigned nm_flags@4, nm_dso_handle@8, nm_filename@16, nm_register_func@24, nm_context_register_func@32,
# nm_modname@40, nm_priv@48, nm_link@56.
_V8 = Struct("<iIQQQQQQQ")
# napi_module (node's src/node_api.h, read 2026-11): int nm_version@0, unsigned nm_flags@4, nm_filename@8,
# nm_register_func@16, nm_modname@24, nm_priv@32, and four reserved pointers from 40 on.
_NODE_API = Struct("<iIQQQQQQQQ")
_VERSIONS = range(10, 2000)
"""NODE_MODULE_VERSION: 11 in Node 0.10, 147 in Node 26, so far."""
_FLAGS = 0xFF
_TEXT_LIMIT = 4096  # bytes of a file or module name

Pointers = Mapping[int, int]
"""Slot address to the address that it will point to."""


def v8_modules(image: Image, slots: Pointers) -> Iterator[tuple[int, int]]:
    """Yield address and nm_version of every node::node_module in initialised data."""
    for slot in slots:
        start = slot - 16
        if start + 40 in slots and not {start, start + 8, start + 56} & slots.keys():
            version = _v8_version(image, slots, start)
            if version is not None:
                yield start, version


def _v8_version(image: Image, slots: Pointers, start: int) -> int | None:
    fields = _fields(image, _V8, start)
    if fields is None:
        return None
    version, flags, handle, link = fields[0], fields[1], fields[2], fields[8]
    plausible = version in _VERSIONS and flags <= _FLAGS and not handle and not link
    entries = [slots[each] for each in (start + 24, start + 32) if each in slots]
    stray = any(fields[at] and start + offset not in slots for at, offset in ((4, 24), (5, 32)))
    if not plausible or stray or not entries or not all(image.is_code(each) for each in entries):
        return None
    named = _text(image, slots[start + 16]) is not None and _text(image, slots[start + 40])
    return version if named else None


def node_api_modules(image: Image, slots: Pointers) -> Iterator[int]:
    """Yield the address of every napi_module in initialised data."""
    for slot in slots:
        start = slot - 8
        if start + 16 in slots and start + 24 in slots and start not in slots and _is_node_api(image, slots, start):
            yield start


def _is_node_api(image: Image, slots: Pointers, start: int) -> bool:
    fields = _fields(image, _NODE_API, start)
    if fields is None or fields[0] not in {-1, 0, 1} or fields[1] > _FLAGS or any(fields[6:]):
        return False
    if any(start + 40 + 8 * each in slots for each in range(4)) or not image.is_code(slots[start + 16]):
        return False
    return _text(image, slots[start + 8]) is not None and _text(image, slots[start + 24]) is not None


def _fields(image: Image, layout: Struct, start: int) -> tuple[int, ...] | None:
    data = image.tail(start)
    return layout.unpack_from(data) if len(data) >= layout.size else None


def _text(image: Image, address: int) -> str | None:
    image.spend()
    raw = bytes(image.tail(address)[:_TEXT_LIMIT])
    end = raw.find(b"\0")
    try:
        text = raw[:end].decode() if end >= 0 else None
    except UnicodeDecodeError:
        return None
    return text if text is not None and text.isprintable() else None
