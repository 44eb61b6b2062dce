"""What the first bytes of a file say it is. Never trusts a name, but hears what a name promises."""

import re
from codecs import getincrementaldecoder

from lambdapack.binary.facts import Format
from lambdapack.binary.foreign import MACH_MAGICS, PE_MAGIC
from lambdapack.binary.header import MAGIC

HEAD_BYTES = 64
"""Enough to rule a file out. 50 000 files are opened for no more than this."""
SMALLEST_BYTES = 28
"""No native file is smaller: a Mach-O header for 32 bits."""
TEXT_BYTES = 512  # looked at to tell text from data
SHOWN_CHARACTERS = 60  # of a file that is no binary, in a message

_ARCHIVES = (b"!<arch>\n", b"!<thin>\n")
_DEBIAN = b"debian-binary"  # a .deb is an ar archive too
_NATIVE = (MAGIC, *MACH_MAGICS, PE_MAGIC, *_ARCHIVES)
_NOT_NATIVE = (
    (b"version https://git-lfs.github.com/spec/", Format.LFS_POINTER),
    (b"\x1f\x8b", Format.GZIP),
    (b"PK\x03\x04", Format.ZIP),
    (b"\0asm", Format.WASM),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<error")
_PROMISE = re.compile(r"\.(?:node|so(?:\.[0-9]+)*)\Z")
_BLANKS = re.compile(r"[ \t\r\n]+")
_ADDONS = (".node", ".bare")  # of Node.js, and of the runtime Bare, which no Node.js can load


def promises_native(path: str) -> bool:
    """Tell whether a file of this name can only be a native one: .node, .so, .so.1.2."""
    return _PROMISE.search(path) is not None


def promises_addon(path: str) -> bool:
    """Tell whether somebody's require() loads a file of this name as an addon."""
    return path.endswith(_ADDONS)


def may_be_native(head: bytes) -> bool:
    """Tell whether a file that begins like this is worth opening."""
    return head.startswith(_NATIVE)


def is_archive(head: bytes) -> bool:
    """Tell whether this is a static library."""
    return head.startswith(_ARCHIVES) and head[8 : 8 + len(_DEBIAN)] != _DEBIAN


def mistaken_for_native(head: bytes, size: int) -> Format:
    """Return what stands where a native file should. `head`: the first TEXT_BYTES, or all."""
    if size == 0:
        return Format.EMPTY
    known = next((found for magic, found in _NOT_NATIVE if head.startswith(magic)), None)
    if known is not None:
        return known
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        return Format.HTML
    return Format.TEXT if _is_text(head, whole=size <= len(head)) else Format.UNKNOWN


def _is_text(head: bytes, *, whole: bool) -> bool:
    try:
        getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def printable(head: bytes) -> str:
    """Return how a file begins, on one line, with escapes for what cannot be shown."""
    text = head.decode("utf-8", "backslashreplace")
    words = _BLANKS.sub(" ", text).strip(" ")[:SHOWN_CHARACTERS]
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in words)
