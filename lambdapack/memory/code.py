"""The name of the code whose records may be read: facts are only as good as the program that found them."""

import hashlib
from pathlib import Path

from lambdapack import __version__, binary

FOLDERS = ("tree", "binary", "memory")
"""What reads the bytes and says when they may have changed, what makes the facts, and what writes them down."""


def code_digest() -> str:
    """Return a text that changes with the version, and with every change of the code that gathers facts."""
    digest = hashlib.sha256(__version__.encode())
    package = Path(binary.__path__[0]).parent
    for folder in FOLDERS:
        for module in sorted((package / folder).glob("*.py")):  # none in a zip: then the version alone counts
            digest.update(module.name.encode() + b"\0" + module.read_bytes())
    return digest.hexdigest()
