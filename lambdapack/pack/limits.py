"""AWS Lambda's quotas on packages. AWS writes "MB" and enforces MiB.

Sizes in bytes. Read from the developer guide's "Lambda quotas" and from the service's own messages, 2026-11
(FACTS section 4).
"""

from typing import Final

MIB: Final = 1024 * 1024

ZIPPED_MAX: Final = 50 * MIB
"""A zip that is uploaded directly: "Zipped size must be smaller than 52428800 bytes". None through S3."""

REQUEST_MAX: Final = 70167211
"""The body of an update, base64 included: "Request must be smaller than 70167211 bytes" (issue threads, 2026-11)."""

UNZIPPED_MAX: Final = 250 * MIB
"""Function code plus all of its layers: "Unzipped size must be smaller than 262144000 bytes"."""

LAYERS_MAX: Final = 5
"""Layers of a function, a count."""

CONSOLE_EDITOR_MAX: Final = 3 * MIB
"""A package that the console's code editor still shows."""
