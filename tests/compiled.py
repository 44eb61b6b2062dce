"""ELF files that gcc linked once, so that a pure test needs no compiler: tests/compiled.tar.xz has them by recipe.

A test of tests/unit that asks for a new one fails until `pytest --update-compiled` and the path of that test have
added it; tests of other tiers compile what is missing. To make all of them anew, delete the archive and run
`pytest --update-compiled tests/unit`. tests/compiler/ compiles every recipe and compares.
"""

import functools
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ARCHIVE = Path(__file__).with_name("compiled.tar.xz")
HERE = "{directory}"
"""Stands in a recipe for the directory in which the compiler runs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the bytes of one linked file."""

    name: str
    source: str
    flags: tuple[str, ...]
    files: Mapping[str, str]  # version scripts: name and text
    libraries: tuple[tuple[str, bytes], ...]  # name and content, in the order of the command line

    @property
    def document(self) -> dict[str, object]:
        libraries = [[name, hashlib.sha256(content).hexdigest()] for name, content in self.libraries]
        return {
            "name": self.name,
            "source": self.source,
            "flags": self.flags,
            "files": dict(self.files),
            "libraries": libraries,
        }

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()[:20]

    def compile(self) -> bytes:
        """Return what the compiler of this machine makes of it."""
        with TemporaryDirectory(prefix="compiled-") as place:
            directory = Path(place)
            for name, text in {f"{self.name}.c": self.source, **self.files}.items():
                (directory / name).write_text(text, encoding="utf-8")
            for name, content in self.libraries:
                (directory / name).write_bytes(content)
            flags = [flag.replace(HERE, place) for flag in self.flags]
            searched = {f"lib{flag[2:]}.so" for flag in self.flags if flag.startswith("-l")}
            paths = [str(directory / name) for name, _content in self.libraries if name not in searched]
            command = [compiler(), "-w", "-fno-stack-protector", *flags, "-o", self.name, f"{self.name}.c", *paths]
            subprocess.run(command, cwd=directory, check=True)
            made = (directory / self.name).read_bytes()
        assert not [path for path in paths if path.encode() in made], f"{self.name}: a library needs a SONAME"
        return made


def compiler() -> str:
    """Return the C compiler; a machine without one skips what needs it."""
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("a C compiler makes the ELF files of this test: install gcc")
    return found


class Shelf:
    """The archive, and what this run asked for beyond it."""

    def __init__(self) -> None:
        self.updates = False
        self.pure = False
        self._new: dict[str, tuple[Recipe, bytes]] = {}

    @functools.cached_property
    def made(self) -> dict[str, bytes]:
        """What is shipped, by its key."""
        return {name.removeprefix("made/"): data for name, data in _members() if name.startswith("made/")}

    def find(self, recipe: Recipe) -> bytes:
        """Return the linked file: shipped, made before in this run, or compiled now."""
        key = recipe.key
        if key in self.made:
            return self.made[key]
        if self.pure:
            pytest.fail(
                f"tests/compiled.tar.xz has no {recipe.name} of this recipe: `pytest --update-compiled` adds it"
            )
        if key not in self._new:
            self._new[key] = (recipe, recipe.compile())
        return self._new[key][1]

    @contextmanager
    def without_compiler(self) -> Iterator[None]:
        """Compile nothing meanwhile."""
        self.pure = True
        yield
        self.pure = False

    def write(self) -> None:
        """Add what this run compiled to the archive."""
        members = dict(_members())
        for key, (recipe, data) in self._new.items():
            members[f"made/{key}"] = data
            members[f"recipes/{key}.json"] = json.dumps(recipe.document, indent=1).encode()
            members |= {f"libraries/{hashlib.sha256(content).hexdigest()}": content for _, content in recipe.libraries}
        with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
            for name in sorted(members):
                entry = tarfile.TarInfo(name)
                entry.size = len(members[name])
                archive.addfile(entry, io.BytesIO(members[name]))


SHELF = Shelf()


def recipes() -> dict[str, Recipe]:
    """Return the recipe of every shipped file, by its key."""
    members = dict(_members())
    found = {}
    for name, data in members.items():
        if name.startswith("recipes/"):
            document = json.loads(data)
            libraries = tuple((library, members[f"libraries/{digest}"]) for library, digest in document["libraries"])
            flags = tuple(document["flags"])
            recipe = Recipe(document["name"], document["source"], flags, document["files"], libraries)
            found[name.removeprefix("recipes/").removesuffix(".json")] = recipe
    return found


def _members() -> Iterator[tuple[str, bytes]]:
    if ARCHIVE.exists():
        with tarfile.open(ARCHIVE) as archive:
            yield from ((entry.name, file.read()) for entry in archive if (file := archive.extractfile(entry)))
