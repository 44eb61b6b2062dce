"""What an engine's own words mean to us. Pure: never talks to an engine."""

import re
import ssl
from collections.abc import Iterator

from lambdapack.build.daemon import NotRunningError, NotThereError
from lambdapack.errors import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED, LambdapackError

FULL = re.compile(r"no space left on device|disk quota exceeded|not enough space", re.IGNORECASE)
STOPPED = re.compile(r"is not running|on running containers|container state improper|is stopped", re.IGNORECASE)
DYING = re.compile(
    r"shutting down|transport is closing|connection refused|connection error|context canceled", re.IGNORECASE
)

GATEWAY = frozenset((502, 503, 504))
"""What a proxy or a relay before the engine answers when the engine itself does not."""


def meaning(words: str, status: int) -> Exception:
    """Return the error for a refused request: its HTTP status tells little, its text more."""
    if FULL.search(words):
        return LambdapackError(DISK_FULL, words)
    if STOPPED.search(words):
        return NotRunningError(words)
    if status == 404:
        return NotThereError(words)
    if status in GATEWAY or (status == 500 and DYING.search(words)):
        return LambdapackError(ENGINE_LOST, words)
    return LambdapackError(ENGINE_REFUSED, words)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, outermost first: the SDK wraps a cause five times."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__


def innermost(error: BaseException) -> OSError | None:
    """Return the operating system's own error at the bottom, None when there is none that has words."""
    found = [each for each in causes(error) if isinstance(each, OSError) and each.strerror]
    found = [each for each in found if not isinstance(each, ssl.SSLError)]
    return found[-1] if found else None
