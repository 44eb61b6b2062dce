"""Where the directories of a local sandbox are on this host, and its paths as this host's. Never runs anything."""

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

TMP_DIRECTORY = "/tmp"  # noqa: S108  # of the sandbox
USERS_FILE = "/etc/passwd"
LANG_DIRECTORY = "/var/lang"
"""Where Lambda's images keep node, and the local engine's sandboxes too."""

USERS_LINES = "root:x:0:0::/tmp:/bin/sh\n"


@dataclass(frozen=True, slots=True)
class Place:
    """One directory or file of a sandbox."""

    inside: str  # absolute path in the sandbox
    outside: Path  # on this host
    read_only: bool = False


@dataclass(slots=True)
class SandboxPlaces:
    """The directories of one sandbox, below one private directory of this host or mounted from elsewhere."""

    root: Path  # private, removed with the sandbox
    places: dict[str, Place] = field(default_factory=dict)

    def add(self, inside: str, outside: Path, *, read_only: bool = False) -> None:
        """Mount what lies at `outside`."""
        self.places[inside] = Place(inside, outside, read_only)

    def make(self, inside: str) -> Path:
        """Return the host's directory for one of the sandbox, made when nothing is mounted there or above."""
        directory = PurePosixPath(inside)
        for parent in (directory, *directory.parents):
            place = self.places.get(str(parent))
            if place is not None:
                outside = place.outside / directory.relative_to(parent)
                outside.mkdir(parents=True, exist_ok=True)
                return outside
        outside = self.root / f"place-{len(self.places)}"
        outside.mkdir()
        self.add(inside, outside)
        return outside

    def list_mounts(self, *, read_only: frozenset[str] = frozenset()) -> Iterator[Place]:
        """Yield the places, outer ones first; those of `read_only` as such."""
        for inside in sorted(self.places, key=lambda path: (path.count("/"), path)):
            place = self.places[inside]
            yield Place(inside, place.outside, place.read_only or inside in read_only)

    def translate(self, text: str) -> str:
        """Return a text with this host's paths in place of the sandbox's: for a process that sees the host's."""
        inside = sorted(self.places, key=len, reverse=True)
        pattern = rf"(?<![\w./-])({'|'.join(map(re.escape, inside))})(?![\w.-])"
        return re.sub(pattern, lambda found: str(self.places[found[1]].outside), text)

    def translate_bytes(self, content: bytes) -> bytes:
        """Return a settings file with this host's paths."""
        return self.translate(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def translate_all(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return variables with this host's paths."""
        return {name: self.translate(value) for name, value in variables.items()}


def lay_out_places(root: Path, node: Path) -> SandboxPlaces:
    """Return the places that every sandbox has: node, /tmp, and a passwd file of its own."""
    places = SandboxPlaces(root)
    for inside in (TMP_DIRECTORY, USERS_FILE):
        outside = root / inside.strip("/").replace("/", "-")
        if inside == USERS_FILE:
            outside.write_text(USERS_LINES, "utf-8")
        else:
            outside.mkdir()
        places.add(inside, outside)
    places.add(LANG_DIRECTORY, node, read_only=True)
    return places


def remove_directory(directory: Path) -> None:
    """Remove a directory with its contents, those of directories that nobody may write to included."""
    for path, names, _files in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                inner = Path(path, name)
                if not inner.is_symlink():
                    inner.chmod(inner.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(directory)
