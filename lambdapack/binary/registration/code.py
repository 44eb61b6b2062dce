"""The protocol of a machine code reader, and the Node-API versions that are plausible."""

from collections.abc import Callable, Iterator
from typing import Protocol

from lambdapack.binary.facts import NODE_API_EXPERIMENTAL

FetchCode = Callable[[int], bytes]
"""Code bytes at an address: enough of them for one short function, empty outside the file."""

MAX_FOLLOWED_JUMPS = 3
MAX_PLAUSIBLE_NODE_API = 64
"""Node-API versions count from 1 and had reached 10 in 2026."""


def is_node_api_level(value: int) -> bool:
    """Tell whether a number can be a Node-API version."""
    return 1 <= value <= MAX_PLAUSIBLE_NODE_API or value == NODE_API_EXPERIMENTAL


class CodeReader(Protocol):
    """A reader of one CPU's code; a module satisfies it."""

    def returned_constant(self, code: bytes, address: int, fetch: FetchCode) -> int | None:
        """Return the constant that the function at `address` returns, None when its code is not of a known form."""
        ...

    def addresses_taken(self, code: bytes, address: int) -> Iterator[int]:
        """Yield the addresses that the function at `address` takes, in order, up to its end."""
        ...

    def constants(self, code: bytes) -> Iterator[int]:
        """Yield every constant that is moved somewhere, in order."""
        ...
