"""Which names may stand in a tree and which links leave it. Looks at text alone, never at a file system."""

import posixpath
import re
from collections.abc import Mapping

from lambdapack.errors import HOSTILE_ARCHIVE, LambdapackError
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.tree.entry import Entry, Kind

DRIVE = re.compile(r"[A-Za-z]:")

ORDINARY = re.compile(r"(?:[A-Za-z0-9_@+~-][A-Za-z0-9_@+~.-]{0,99}(?:/(?=.)|\Z)){1,20}")
"""Nearly every name there is, admitted at once: the tests beyond it cost as much as the rest of a walk."""

NAME_MAX = 255
"""Bytes of one part of a path that Linux can create: NAME_MAX of linux/limits.h. Longer is ENAMETOOLONG on Lambda."""

PATH_MAX = 4096
"""Bytes of a path or of a link's target, the closing zero included: PATH_MAX of linux/limits.h."""

LAMBDA_ROOTS = (LAYER_ROOT, TASK_ROOT)
"""What points there points into a package."""

LINKS_AT_MOST = 40
"""MAXSYMLINKS of Linux: a longer chain is ELOOP."""


def canonical(name: str) -> str:
    """Return an archive's name without "./", doubled and closing slashes; a leading slash and ".." stay."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/" * name.startswith("/") + "/".join(parts)


def objection(path: str) -> str | None:
    """Return why a canonical path must not be in a tree, None when it may."""
    if ORDINARY.fullmatch(path):
        return None
    if not path:
        return "it has no name"
    if path.startswith("/") or DRIVE.match(path):
        return "it is an absolute path"
    if "\\" in path:
        return "it has a backslash, which is a separator on one system and a letter on another"
    if "\0" in path:
        return "it has a zero byte"
    parts = path.split("/")
    if ".." in parts:
        return "it leaves the archive"
    if not {"", "."}.isdisjoint(parts):
        return "it has an empty part"
    return _length_objection(path, parts)


def _length_objection(path: str, parts: list[str]) -> str | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if size >= PATH_MAX or (size > NAME_MAX and any(len(part.encode()) > NAME_MAX for part in parts)):
        return "it is longer than Linux allows"
    return None


def target_objection(target: str) -> str | None:
    """Return why a text cannot be a link's target, None when it can; where it leads is another question."""
    try:
        size = len(target.encode())
    except UnicodeEncodeError:
        return "it is a link to a name that is not valid UTF-8"
    if not 0 < size < PATH_MAX or "\0" in target:
        return "it is a link to nothing that can be a name"
    return None


def refused(where: object, path: str, reason: str, *, hint: str | None = None) -> LambdapackError:
    """Return LP008 for an entry; the name is quoted, so that control characters in it do nothing."""
    return LambdapackError(HOSTILE_ARCHIVE, f"{where}: {path!r}: {reason}", hint=hint)


def admitted(name: str, where: object) -> str:
    """Return the canonical path of an archive's entry, "" for its root; LP008 when it must not be unpacked."""
    path = canonical(name)
    reason = objection(path) if path else None
    if reason is not None:
        raise refused(where, name, reason)
    return path


def escapes(path: str, target: str) -> bool:
    """Tell whether a symlink at `path` names a place outside the tree, read letter by letter.

    Absolute targets below /opt and /var/task stay: that is where Lambda puts layers and functions.
    """
    if target.startswith("/"):
        real = "/" + posixpath.normpath(target).lstrip("/")
        return not any(real == root or real.startswith(f"{root}/") for root in LAMBDA_ROOTS)
    real = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return real == ".." or real.startswith("../")


def leaves(entries: Mapping[str, Entry], path: str) -> bool:
    """Tell whether the symlink at `path` leads out of the tree when the links on its way are followed too."""
    done, pending, link = path.split("/")[:-1], list[str](), entries[path]
    for _ in range(LINKS_AT_MOST):
        if link.target.startswith("/"):
            return escapes(link.path, "/".join((link.target, *pending)))
        pending[:0] = [part for part in link.target.split("/") if part not in ("", ".")]
        following = _advance(entries, done, pending)
        if following is None:
            return pending == [".."]
        link = following
    return False


def _advance(entries: Mapping[str, Entry], done: list[str], pending: list[str]) -> Entry | None:
    """Walk to the next link; None at the end, with [".."] left in `pending` when the walk left the tree."""
    while pending:
        step = pending.pop(0)
        if step == "..":
            if not done:
                pending[:] = [".."]
                return None
            done.pop()
            continue
        done.append(step)
        entry = entries.get("/".join(done))
        if entry is not None and entry.kind is Kind.SYMLINK:
            done.pop()
            return entry
    return None
