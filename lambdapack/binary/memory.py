"""What a scan asks of whoever remembers earlier ones. Whoever answers must be sure: an answer stands for the bytes."""

from typing import Protocol

from lambdapack.binary.facts import Content, Symbol
from lambdapack.tree.entry import Entry

NOT_NATIVE = ""
"""In place of a digest: the file is known, and nothing native."""


class Memory(Protocol):
    """Remembers what bytes said. Its methods are called from several threads."""

    def digest(self, entry: Entry) -> str | None:
        """Return the SHA-256 (hex) of an unchanged file, NOT_NATIVE, or None when it has to be read."""
        ...

    def content(self, sha256: str) -> Content | None:
        """Return what bytes of this digest say, None when that is unknown."""
        ...

    def keep(self, entry: Entry, content: Content | None) -> None:
        """Remember what a file that was just read says; None: nothing native."""
        ...

    def definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:
        """Return which of the names bytes of this digest define, None when that is unknown."""
        ...

    def keep_definitions(self, sha256: str, names: tuple[str, ...], found: tuple[Symbol, ...]) -> None:
        """Remember it."""
        ...


class _Forgetful:
    def digest(self, entry: Entry) -> str | None:  # noqa: ARG002
        return None

    def content(self, sha256: str) -> Content | None:  # noqa: ARG002
        return None

    def keep(self, entry: Entry, content: Content | None) -> None:
        pass

    def definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:  # noqa: ARG002
        return None

    def keep_definitions(self, sha256: str, names: tuple[str, ...], found: tuple[Symbol, ...]) -> None:
        pass


FORGETFUL: Memory = _Forgetful()
"""Knows nothing: every file is read."""
