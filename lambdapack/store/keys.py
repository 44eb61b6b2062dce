"""Remembers of what the last dependency key of each function and target was made, and says what has changed since."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from lambdapack.install.request import DependencyKey
from lambdapack.managers.lock import Lock
from lambdapack.store.records import Store

KEY_RECORDS = "keys"

MAX_TEXT_BYTES: Final = 4096
"""Bytes of a part of a key that are remembered as text; longer ones are compared by digest alone."""

MAX_NAMED_CHANGES: Final = 5
"""Packages of a lockfile that are named; the others are counted."""

FILE_PREFIXES: Final = ("file ", "link ")


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """A dependency key with what people know its parts by."""

    digest: str
    parts: Mapping[str, str]  # name -> digest
    texts: Mapping[str, str]  # name -> content, of short parts
    packages: Mapping[str, str]  # of the lockfile: path -> version
    lockfile: str  # its name, "" without one
    image: str  # reference of the image, "" where none is needed


def state_key(key: DependencyKey, contents: Mapping[str, bytes], lock: Lock | None, image: str) -> KeyStatement:
    """Return the statement of a key whose parts have these contents."""
    texts = {
        name: data.decode()
        for name, data in contents.items()
        if len(data) <= MAX_TEXT_BYTES and not name.startswith(FILE_PREFIXES) and _is_text(data)
    }
    packages = {package.path: package.version for package in lock.packages.values() if package.path} if lock else {}
    return KeyStatement(key.digest, dict(key.parts), texts, packages, lock.path.name if lock else "", image)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class KeyRecords:
    """The last statement of each place."""

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self._store = store

    def get(self, place: str) -> KeyStatement | None:
        """Return the statement of the last build of a place, None when none is known."""
        try:
            document = json.loads(self._store.get(KEY_RECORDS, _record_key(place)) or b"null")
            return KeyStatement(**document) if document else None
        except (ValueError, TypeError, RecursionError):
            return None

    def put(self, place: str, statement: KeyStatement) -> None:
        """Remember a statement."""
        document: dict[str, Any] = asdict(statement)
        self._store.put(KEY_RECORDS, _record_key(place), json.dumps(document, separators=(",", ":")).encode())


def _record_key(place: str) -> str:
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()


def describe_changes(before: KeyStatement | None, now: KeyStatement) -> tuple[str, ...]:
    """Return what makes a key another one, a line each; one line when nothing does or nothing is known."""
    if before is None:
        return ("no earlier build of this function for this target is remembered",)
    if before.digest == now.digest:
        return ("nothing that decides the dependencies has changed since the last build",)
    return tuple(_changes(before, now)) or ("another version of lambdapack makes other keys",)


def _changes(before: KeyStatement, now: KeyStatement) -> Iterator[str]:
    names = {name for name in {*before.parts, *now.parts} if before.parts.get(name) != now.parts.get(name)}
    if "image" in names:
        yield _image_change(before, now, names)
    for name in sorted(names - {"image"}):
        if name == now.lockfile and before.lockfile == now.lockfile:
            yield from _lock_changes(before, now)
        elif name == "node" and "image" in names:
            continue
        else:
            label = name.partition(" ")[2] if name.startswith(FILE_PREFIXES) else name
            yield f"{label}: {_part_change(name, before, now)}"


def _image_change(before: KeyStatement, now: KeyStatement, names: set[str]) -> str:
    """Name the image as people type it: the last part of its path, and its tag."""
    if before.image != now.image:
        return f"image: {before.image or 'none'} -> {now.image or 'none'}"
    nodes = f" (node {before.texts.get('node')} -> {now.texts.get('node')})" if "node" in names else ""
    return f"image: a newer {now.image.rpartition('/')[2]}{nodes}"


def _lock_changes(before: KeyStatement, now: KeyStatement) -> Iterator[str]:
    lines = list[str]()
    for path in sorted({*before.packages, *now.packages}):
        old, new = before.packages.get(path), now.packages.get(path)
        name = path.rpartition("node_modules/")[2]
        if old is None:
            lines.append(f"{name} {new} is new")
        elif new is None:
            lines.append(f"{name} {old} is gone")
        elif old != new:
            lines.append(f"{name} {old} -> {new}")
    for line in lines[:MAX_NAMED_CHANGES]:
        yield f"{now.lockfile}: {line}"
    if len(lines) > MAX_NAMED_CHANGES:
        yield f"{now.lockfile}: {len(lines) - MAX_NAMED_CHANGES} more packages"
    if not lines:
        yield f"{now.lockfile}: the same versions; something else of their entries has changed"


def _part_change(name: str, before: KeyStatement, now: KeyStatement) -> str:
    if name not in before.parts or name not in now.parts:
        return "is new" if name in now.parts else "is gone"
    old, new = before.texts.get(name), now.texts.get(name)
    if old is None or new is None:
        return "has changed"
    if name == "package.json":
        return f"{', '.join(_changed_sections(old, new)) or 'it'} changed"
    if "\n" in old.strip() or "\n" in new.strip() or name == ".npmrc":
        return _line_changes(old, new)
    return f"{old or 'nothing'} -> {new or 'nothing'}"


def _changed_sections(old: str, new: str) -> list[str]:
    try:
        one, other = json.loads(old), json.loads(new)
        return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    except (ValueError, TypeError, AttributeError):
        return []


def _line_changes(old: str, new: str) -> str:
    gone = [line for line in old.splitlines() if line not in new.splitlines()]
    come = [line for line in new.splitlines() if line not in old.splitlines()]
    return ", ".join([*(f"without {line}" for line in gone), *(f"with {line}" for line in come)]) or "has changed"
