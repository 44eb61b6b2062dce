"""The memory of a scan: what a store knows of a place, and what it shall know next time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lambdapack.binary.memory import FORGETFUL, Memory
from lambdapack.memory.binaries import Remembered
from lambdapack.memory.store import Store


@contextmanager
def remembering(store: Store | None, *place: object) -> Iterator[Memory]:
    """Enclose a scan; `place` tells trees apart. Without a store nothing is known and nothing is kept."""
    if store is None:
        yield FORGETFUL
        return
    memory = Remembered(store, "\n".join(map(str, place)), time.time_ns())
    yield memory
    memory.save()
