"""Ways to hurt a file so that its structure lies: sizes, counts, offsets, chains, names without an end."""

import struct
from collections.abc import Callable, Sequence
from random import Random

from hypothesis import strategies as st

from tests.fuzz.originals import Original

Blow = Callable[[bytearray, Original, int, int], None]
"""Changes the image; the two numbers say where and what."""

EXTREMES = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
HUGE = (1 << 40, 1 << 60, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
TAGS = (0, 1, 2, 4, 5, 6, 7, 8, 10, 12, 14, 15, 23, 25, 27, 29, 30, 35, 36, 0x6000000F, 0x60000010, 0x60000011)
MORE_TAGS = (0x60000012, 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFF9, 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFE)
FILLED = 1 << 16  # bytes that a blow at a table may reach
MOST = 4 << 20  # bytes that a grown file has at most


def field(image: bytearray, original: Original, where: int, what: int) -> None:
    """Write a number into a field."""
    at, width = original.fields[where % len(original.fields)]
    _write(image, at, what, width)


def shifted(image: bytearray, original: Original, where: int, what: int) -> None:
    """Move a field by a little."""
    at, width = original.fields[where % len(original.fields)]
    _write(image, at, int.from_bytes(image[at : at + width], "little") + what % 33 - 16, width)


def retagged(image: bytearray, original: Original, where: int, what: int) -> None:
    """Turn a number that may be a dynamic tag into another tag."""
    at, width = original.fields[where % len(original.fields)]
    _write(image, at, (*TAGS, *MORE_TAGS)[what % (len(TAGS) + len(MORE_TAGS))], width)


def swapped(image: bytearray, original: Original, where: int, what: int) -> None:
    """Give a field the value of another one: tables that overlap, chains that come back."""
    source, width = original.fields[what % len(original.fields)]
    field(image, original, where, int.from_bytes(image[source : source + width], "little"))


def filled(image: bytearray, original: Original, where: int, what: int) -> None:
    """Fill a table with one number: every hash bucket and chain the same, every version's next the same."""
    at = _table(image, original, where)
    words = min(FILLED, len(image) - at) // 4
    image[at : at + 4 * words] = struct.pack("<I", what & 0xFFFFFFFF) * words


def endless(image: bytearray, original: Original, where: int, what: int) -> None:
    """Take the NULs out of a table: no name ends."""
    at = _table(image, original, where)
    size = min(1 + what % FILLED, len(image) - at)
    image[at : at + size] = image[at : at + size].replace(b"\0", b"x")


def anywhere(image: bytearray, _: Original, where: int, what: int) -> None:
    """Write a number anywhere."""
    if image:
        _write(image, where % len(image), what, (1, 2, 4, 8)[what % 4])


def cut(image: bytearray, _: Original, where: int, what: int) -> None:  # noqa: ARG001
    """End the file early."""
    del image[where % (len(image) + 1) :]


def grown(image: bytearray, original: Original, where: int, what: int) -> None:
    """Repeat a piece of the file at its end, and let the last segment hold it."""
    at = _table(image, original, where)
    piece = bytes(image[at : at + 1 + what % 4096])
    image += (piece * (MOST // max(len(piece), 1)))[: min(MOST, 1 << what % 23)]
    if original.tables:
        _write(image, 64 + 56 * (where % 6) + 32, len(image), 8)  # p_filesz of one of the first segments


BLOWS: Sequence[Blow] = (*(3 * (field, filled, swapped)), *(2 * (shifted, retagged, endless, grown)), anywhere, cut)


def _table(image: bytearray, original: Original, where: int) -> int:
    if original.tables:
        return min(original.tables[where % len(original.tables)], len(image))
    return where % (len(image) + 1)


def _write(image: bytearray, at: int, value: int, width: int) -> None:
    if at + width <= len(image):
        image[at : at + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")


NUMBERS = st.one_of(st.sampled_from((*EXTREMES, *HUGE)), st.integers(0, 1 << 16), st.integers(0, (1 << 64) - 1))
PLACES = st.integers(0, (1 << 32) - 1)


def drawn(random: Random, originals: Sequence[Original]) -> tuple[Original, bytes]:
    """Return one of the files after one to eight blows, for the long run: evenly drawn, nothing remembered."""
    original = random.choice(originals)
    image = bytearray(original.data)
    for _ in range(random.randint(1, 8)):
        what = random.choice((random.choice((*EXTREMES, *HUGE)), random.getrandbits(16), random.getrandbits(64)))
        random.choice(BLOWS)(image, original, random.getrandbits(32), what)
    return original, bytes(image)


@st.composite
def hurt(draw: st.DrawFn, originals: Sequence[Original]) -> tuple[Original, bytes]:
    """Return one of the files after one to eight blows."""
    original = draw(st.sampled_from(originals))
    image = bytearray(original.data)
    for _ in range(draw(st.integers(1, 8))):
        draw(st.sampled_from(BLOWS))(image, original, draw(PLACES), draw(NUMBERS))
    return original, bytes(image)
