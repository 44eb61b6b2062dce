"""Reads the AArch64 instructions that registration needs. Never emulates, never follows a call."""

from collections.abc import Iterator
from struct import Struct

from lambdapack.binary.registration.code import MAX_FOLLOWED_JUMPS, FetchCode

_INSTRUCTION_WORD = Struct("<I")
_RETURNS = frozenset({0xD65F03C0, 0xD65F0BFF, 0xD65F0FFF})  # ret, retaa, retab
_DESTINATION_MASK = 0x1F  # mask of the destination register field, which is 0 for w0


def _has_bits(word: int, mask: int, value: int) -> bool:
    return word & mask == value


def returned_constant(code: bytes, address: int, fetch: FetchCode) -> int | None:
    """Return the constant that the function at `address` returns, None when its code is not of a known form."""
    return _find_return_value(code, address, fetch, MAX_FOLLOWED_JUMPS)


def _find_return_value(code: bytes, address: int, fetch: FetchCode, jumps: int) -> int | None:
    w0: int | None = None
    for at, word in _instruction_words(code):
        if word in _RETURNS:
            break
        if _has_bits(word, 0xFC000000, 0x14000000) and w0 is None:  # b: a tail jump
            target = address + at + 4 * _sign_extend(word & 0x3FFFFFF, 26)
            return _find_return_value(fetch(target), target, fetch, jumps - 1) if jumps else None
        called = _has_bits(word, 0xFC000000, 0x94000000)  # bl: the callee may change w0
        w0 = None if called else _value_after_move(word, w0)
    return None if w0 is None else _sign_extend(w0, 32)


def _value_after_move(word: int, w0: int | None) -> int | None:
    """Return what w0 holds after an instruction; those that are none of the moves leave it alone."""
    immediate = word >> 5 & 0xFFFF
    shift = 16 * (word >> 21 & 1)
    family = word & 0xFFC00000 | word & _DESTINATION_MASK
    if family == 0x52800000:  # movz w0
        return immediate << shift
    if family == 0x12800000:  # movn w0
        return ~(immediate << shift) & 0xFFFFFFFF
    if family == 0x72800000 and w0 is not None:  # movk w0
        return w0 & ~(0xFFFF << shift) | immediate << shift
    if _has_bits(word, 0xFFC003FF, 0x320003E0):  # orr w0, wzr, #bitmask
        return _decode_bitmask(word)
    return w0


def _decode_bitmask(word: int) -> int | None:
    """Decode a 32-bit logical immediate (Arm ARM, DecodeBitMasks)."""
    rotation, ones = word >> 16 & 63, word >> 10 & 63
    length = (~ones & 63).bit_length() - 1
    if length < 1:
        return None
    size = 1 << length
    width = (ones & size - 1) + 1
    rotation &= size - 1
    pattern = (1 << width) - 1
    pattern = (pattern >> rotation | pattern << size - rotation) & (1 << size) - 1
    return sum(pattern << at for at in range(0, 32, size))


def addresses_taken(code: bytes, address: int) -> Iterator[int]:
    """Yield the addresses that the function at `address` takes (adrp and add, or adr), in order, up to its end."""
    pages: dict[int, int] = {}
    for at, word in _instruction_words(code):
        if word in _RETURNS or _has_bits(word, 0xFC000000, 0x14000000):
            return
        distance = _sign_extend(word >> 3 & 0x1FFFFC | word >> 29 & 3, 21)
        if _has_bits(word, 0x9F000000, 0x90000000):  # adrp
            pages[word & 31] = (address + at & ~0xFFF) + 0x1000 * distance
        elif _has_bits(word, 0x9F000000, 0x10000000):  # adr: lld makes one of the pair when the target is near
            yield address + at + distance
        elif _has_bits(word, 0xFF800000, 0x91000000) and (word >> 5 & 31) in pages:  # add xD, xN, #imm12
            yield pages[word >> 5 & 31] + ((word >> 10 & 0xFFF) << 12 * (word >> 22 & 1))


def constants(code: bytes) -> Iterator[int]:
    """Yield every 16-bit constant that is moved to a w register (movz without shift), in order."""
    for _, word in _instruction_words(code):
        if _has_bits(word, 0xFFE00000, 0x52800000):
            yield word >> 5 & 0xFFFF


def _instruction_words(code: bytes) -> Iterator[tuple[int, int]]:
    for at in range(0, len(code) // 4 * 4, 4):
        yield at, _INSTRUCTION_WORD.unpack_from(code, at)[0]


def _sign_extend(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value
