"""The dynamic section: the loader's own instructions. Never judges them."""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.definitions import (
    DF_1_NODEFLIB,
    DF_1_NODELETE,
    DF_1_NOOPEN,
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DF_STATIC_TLS,
    DT_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_NULL,
    DT_STRSZ,
    DT_STRTAB,
    PT_DYNAMIC,
)
from lambdapack.binary.image import PATH_LIMIT, Damage, Image, Segment, Strings

ENTRIES_AT_MOST = 1 << 16
"""Of a dynamic section; the largest of 69 npm packages' has 42."""
ELEMENTS_AT_MOST = 1 << 12
"""Of a search path; sharp's, the longest known, has five."""
ENDLESS = "its tables overlap or have no end"

_TAG = Struct("<qQ")
_FLAGS = ((DF_BIND_NOW, "now"), (DF_STATIC_TLS, "static-tls"))
_FLAGS_1 = (
    (DF_1_NOW, "now"),
    (DF_1_PIE, "pie"),
    (DF_1_NOOPEN, "noopen"),
    (DF_1_NODEFLIB, "nodeflib"),
    (DF_1_NODELETE, "nodelete"),
)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """The tags, and the string table that they speak in."""

    tags: Mapping[int, int]  # the last of each wins, as in glibc's l_info
    needed_at: tuple[int, ...]  # string offsets, in file order
    strings: Strings

    @property
    def needed(self) -> tuple[str, ...]:
        """DT_NEEDED, in file order; to ask twice changes nothing."""
        return tuple(dict.fromkeys(self.strings.text(each) for each in self.needed_at))

    def text(self, tag: int) -> str | None:
        """Return the string that a tag names, None without the tag."""
        return self.strings.text(self.tags[tag]) if tag in self.tags else None

    def paths(self, tag: int) -> tuple[str, ...]:
        """Return a search path, split at ":"; an empty element is the current directory, an empty path none.

        What is longer than the kernel opens is left out.
        """
        text = self.text(tag)
        found = text.split(":", ELEMENTS_AT_MOST) if text else []
        if len(found) > ELEMENTS_AT_MOST:
            raise Damage(ENDLESS)
        return tuple(each for each in found if len(each) <= PATH_LIMIT)

    @property
    def flags(self) -> frozenset[str]:
        """The words of facts.Elf.flags that the tags set."""
        flags, flags_1 = self.tags.get(DT_FLAGS, 0), self.tags.get(DT_FLAGS_1, 0)
        found = {word for bit, word in _FLAGS if flags & bit} | {word for bit, word in _FLAGS_1 if flags_1 & bit}
        return frozenset(found | ({"now"} if DT_BIND_NOW in self.tags else set()))


def read_dynamic(image: Image, segments: tuple[Segment, ...]) -> Dynamic | None:
    """Return the dynamic section, None when the file has none; Damage when it is cut off."""
    segment = next((each for each in segments if each.kind == PT_DYNAMIC), None)
    if segment is None or not segment.file_bytes:
        return None
    tags, needed = _tags(image, segment.address)
    if DT_STRTAB not in tags:
        raise Damage("its dynamic section has no string table")
    strings = Strings(image, tags[DT_STRTAB], tags.get(DT_STRSZ, len(image.data)))
    return Dynamic(tags, needed, strings)


def _tags(image: Image, address: int) -> tuple[dict[int, int], tuple[int, ...]]:
    # The loader reads from p_vaddr to DT_NULL and does not care for p_filesz.
    table = image.tail(address)
    if len(table) < _TAG.size:
        raise Damage("its dynamic section is not in the file")
    tags: dict[int, int] = {}
    needed: dict[int, None] = {}
    for tag, value in _TAG.iter_unpack(table[: len(table) // _TAG.size * _TAG.size]):
        image.spend()
        if len(tags) + len(needed) > ENTRIES_AT_MOST:
            raise Damage(ENDLESS)
        if tag == DT_NULL:
            break
        if tag == DT_NEEDED:
            needed[value] = None
        else:
            tags[tag] = value
    return tags, tuple(needed)
