"""Reads Debian packages (ar, tar, xz) as bytes. Never runs a maintainer script."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from typing import Final

AR_MAGIC: Final = b"!<arch>\n"
AR_HEADER: Final = 60
"""Bytes of a member header: name 16, mtime 12, uid 6, gid 6, mode 8, size 10, terminator 2 (ar(5))."""

DECOMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "data.tar": bytes,
    "data.tar.gz": gzip.decompress,
    "data.tar.xz": lzma.decompress,
}
"""By member name. Debian 12 uses xz throughout; only Ubuntu's packages are zst."""


class DamagedPackageError(ValueError):
    """The bytes are not a Debian package."""


def members(package: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each member of an ar archive."""
    if not package.startswith(AR_MAGIC):
        raise DamagedPackageError("no ar archive: the magic is missing")
    at = len(AR_MAGIC)
    while at < len(package):
        header = package[at : at + AR_HEADER]
        if len(header) < AR_HEADER or not header.endswith(b"`\n"):
            raise DamagedPackageError(f"damaged ar header at byte {at}")
        size = int(header[48:58])
        content = package[at + AR_HEADER : at + AR_HEADER + size]
        if len(content) < size:
            raise DamagedPackageError(f"the archive ends in the member at byte {at}")
        yield header[:16].decode("ascii").rstrip().removesuffix("/"), content
        at += AR_HEADER + size + size % 2  # members start at even bytes


def open_data(package: bytes) -> tarfile.TarFile:
    """The package's file tree, decompressed as a whole: hard links then cost no second decompression."""
    for name, content in members(package):
        if name in DECOMPRESS:
            return tarfile.open(fileobj=io.BytesIO(DECOMPRESS[name](content)), mode="r:")
    raise DamagedPackageError("no data.tar in the package that can be read")


def control(package: bytes) -> str:
    """The package's control file: name, version, dependencies."""
    for name, content in members(package):
        decompress = DECOMPRESS.get(name.replace("control.tar", "data.tar"))
        if name.startswith("control.tar") and decompress:
            with tarfile.open(fileobj=io.BytesIO(decompress(content)), mode="r:") as archive:
                file = archive.extractfile("./control")
                if file is not None:
                    return file.read().decode("utf-8")
    raise DamagedPackageError("no control file in the package that can be read")
