"""The Observer protocol, through which a stage reports progress. Draws nothing itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Reports that this many more units of a task are done."""


class Observer(Protocol):
    """Receives progress. Called from any thread; implementations lock themselves."""

    def task(self, label: str, total: int | None = None, unit: str = "") -> AbstractContextManager[Advance]:
        """Enclose a step that may take more than a second; `unit` "B" means bytes, "" a step without counts."""
        ...

    def line(self, text: str) -> None:
        """Pass on one line of another program's output, without its line end."""
        ...

    def note(self, text: str) -> None:
        """Tell the user something that matters whatever happens next: a warning, a choice that was made."""
        ...


class _SilentObserver:
    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:  # noqa: ARG002
        yield lambda _amount: None

    def line(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass


SILENT: Observer = _SilentObserver()
"""An observer that ignores everything, for library use."""
