"""Symbols that a file leaves undefined, and those it defines for others. Never enumerates what nobody asked for."""

from collections.abc import Iterable, Iterator

from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.facts import Symbol
from lambdapack.binary.hashes import open_hash
from lambdapack.binary.image import Image
from lambdapack.binary.relocations import Bindings
from lambdapack.binary.table import SymbolTable
from lambdapack.binary.versions import Versions


def undefined(dynamic: Dynamic, table: SymbolTable, versions: Versions, bindings: Bindings) -> tuple[Symbol, ...]:
    """Return what the loader must find elsewhere, in the order of the symbol table."""
    found = []
    for index, name in table.undefined(bindings.at_load | bindings.lazy):
        version = versions.of(index)
        found.append(
            Symbol(
                name=dynamic.strings.text(name),
                version=version.name,
                file=version.file,
                weak=table.is_weak(index),
                at_load=index in bindings.at_load,
            )
        )
    return tuple(found)


class Definitions:
    """What a file offers to others, found through its own hash table as the loader would."""

    __slots__ = ("_hash", "_strings", "_table", "_versions")

    def __init__(self, image: Image, dynamic: Dynamic, table: SymbolTable, versions: Versions) -> None:
        self._hash = open_hash(image, dynamic)
        self._strings = dynamic.strings
        self._table = table
        self._versions = versions

    def find(self, name: str) -> Iterator[int]:
        """Yield the index of each definition of a name: one for each version."""
        wanted = name.encode()
        for index in self._hash.candidates(wanted) if self._hash else ():
            at = self._table.name(index)
            if self._strings.raw[at : at + len(wanted) + 1] != wanted + b"\0" or not self._table.is_offered(index):
                continue
            if not self._versions.of(index).local:
                yield index

    def has(self, name: str) -> bool:
        """Tell whether others can bind to this name."""
        return any(True for _ in self.find(name))

    def among(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        """Return the definitions of those names that are defined here, in the order of the names."""
        found = []
        for name in names:
            for index in self.find(name):
                version = self._versions.of(index)
                found.append(Symbol(name, version.name, weak=self._table.is_weak(index), default=not version.hidden))
        return tuple(found)

    def all(self) -> Iterator[tuple[str, str | None]]:
        """Yield the name and version of every definition."""
        if self._hash is None:
            return
        for index, name in self._table.offered(*self._hash.bounds()):
            version = self._versions.of(index)
            if not version.local:
                yield self._strings.text(name), version.name
