"""Symbol versions: what a file demands of others, and what it defines. Never follows a chain without an end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.definitions import DT_VERDEF, DT_VERNEED, DT_VERSYM, VER_FLG_BASE, VER_FLG_WEAK
from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.facts import VersionNeed
from lambdapack.binary.image import Image

_NEED = Struct("<HHIII")  # vn_version vn_cnt vn_file vn_aux vn_next
_NEED_AUX = Struct("<IHHII")  # vna_hash vna_flags vna_other vna_name vna_next
_DEFINITION = Struct("<HHHHIII")  # vd_version vd_flags vd_ndx vd_cnt vd_hash vd_aux vd_next
_DEFINITION_NAME = Struct("<I")  # vda_name
_HIDDEN = 0x8000  # in .gnu.version: "name@VERSION", bound to only by who names the version
_INDEX = 0x7FFF


@dataclass(frozen=True, slots=True)
class SymbolVersion:
    """What .gnu.version says of a symbol."""

    name: str | None = None  # None: unversioned
    file: str | None = None  # the SONAME that must define it; references only
    hidden: bool = False
    local: bool = False  # VER_NDX_LOCAL: nobody else binds to it


UNVERSIONED = SymbolVersion()


@dataclass(frozen=True, slots=True)
class Versions:
    """The version sections of one file."""

    needs: tuple[VersionNeed, ...]
    definitions: tuple[str, ...]  # without the base one, which names the file itself
    by_value: Mapping[int, SymbolVersion]  # an entry of .gnu.version to its meaning
    values: memoryview | None  # DT_VERSYM, one a symbol

    def of(self, symbol: int) -> SymbolVersion:
        """Return the version of a symbol by its index; unversioned beyond the table."""
        if self.values is None or symbol >= len(self.values):
            return UNVERSIONED
        return self.by_value.get(self.values[symbol], UNVERSIONED)


def read_versions(image: Image, dynamic: Dynamic) -> Versions:
    """Return the versions of a file; Damage when a chain leaves the file or never ends."""
    by_value = {0: SymbolVersion(local=True), _HIDDEN: SymbolVersion(local=True)}
    needs: list[VersionNeed] = []
    for index, need in _needs(image, dynamic):
        needs.append(need)
        _name(by_value, index, need.version, need.file)
    definitions: list[str] = []
    for index, base, name in _definitions(image, dynamic):
        if not base:
            definitions.append(name)
            _name(by_value, index, name, None)
    return Versions(tuple(needs), tuple(definitions), by_value, _values(image, dynamic))


def _name(by_value: dict[int, SymbolVersion], index: int, name: str, file: str | None) -> None:
    if index > 1:  # 0 and 1 are reserved: local, global without a version
        by_value[index] = SymbolVersion(name, file)
        by_value[index | _HIDDEN] = SymbolVersion(name, file, hidden=True)


def _values(image: Image, dynamic: Dynamic) -> memoryview | None:
    if DT_VERSYM not in dynamic.tags:
        return None
    table = image.tail(dynamic.tags[DT_VERSYM])
    return table[: len(table) // 2 * 2].cast("H")


def _needs(image: Image, dynamic: Dynamic) -> Iterator[tuple[int, VersionNeed]]:
    # Like the loader: the counts are not looked at, a zero offset to the next one ends each chain.
    at, more = dynamic.tags.get(DT_VERNEED, 0), DT_VERNEED in dynamic.tags
    while more:
        image.spend()
        _, _, file, first, following = _NEED.unpack(image.at(at, _NEED.size))
        name = dynamic.strings.text(file)
        for flags, index, version in _auxiliaries(image, at + first):
            yield index, VersionNeed(name, dynamic.strings.text(version), bool(flags & VER_FLG_WEAK))
        at, more = at + following, following != 0


def _auxiliaries(image: Image, at: int) -> Iterator[tuple[int, int, int]]:
    following = 1
    while following:
        image.spend()
        _, flags, index, name, following = _NEED_AUX.unpack(image.at(at, _NEED_AUX.size))
        yield flags, index & _INDEX, name
        at += following


def _definitions(image: Image, dynamic: Dynamic) -> Iterator[tuple[int, bool, str]]:
    at, more = dynamic.tags.get(DT_VERDEF, 0), DT_VERDEF in dynamic.tags
    while more:
        image.spend()
        _, flags, index, _, _, first, following = _DEFINITION.unpack(image.at(at, _DEFINITION.size))
        (name,) = _DEFINITION_NAME.unpack(image.at(at + first, _DEFINITION_NAME.size))
        yield index & _INDEX, bool(flags & VER_FLG_BASE), dynamic.strings.text(name)
        at, more = at + following, following != 0
