"""The result of packing: a zip on disk and the two digests that name it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Archive:
    """A deployment package or a layer."""

    path: Path
    code_digest: str  # base64 of SHA-256 over the zip's bytes: AWS's CodeSha256
    content_digest: str  # "sha256:..." over names, modes and contents; the same whatever compressed it
    zip_bytes: int
    unzipped_bytes: int
    entries: int
