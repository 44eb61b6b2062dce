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


def timed_out(error: BaseException) -> bool:
    """Return True when an answer did not come in time. Each layer has its own class for that, and the same words."""
    return any(isinstance(each, TimeoutError) or "timed out" in str(each).lower() for each in causes(error))


def no_answer(error: BaseException) -> str:
    """Return one short line that says why a server could not be reached."""
    if "paramiko" in str(error):
        return "ssh:// needs another package: `pip install paramiko`"
    if insecure := next((each for each in causes(error) if isinstance(each, ssl.SSLError)), None):
        return f"TLS: {getattr(insecure, 'verify_message', '') or insecure.strerror or insecure}"
    found = innermost(error)
    if isinstance(found, PermissionError):
        return "Permission denied: `sudo usermod -aG docker $USER` and log in again, or use sudo"
    if found is None and timed_out(error):
        return "it did not answer in time"
    words = found.strerror if found else str(error)
    return " ".join(str(words).split())[:200] or type(error).__name__
