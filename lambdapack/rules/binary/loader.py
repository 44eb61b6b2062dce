"""Simulates ld.so's search for needed libraries, and the process that results. Opens no file.

Verified against glibc 2.31 and 2.36 in Debian images with Node.js 18 to 24: RPATH of the object and of its
loaders (only without RUNPATH), LD_LIBRARY_PATH, RUNPATH of the object itself, then the default directories.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lambdapack.binary.facts import Binary, Elf, Symbol
from lambdapack.errors.system_packages import describe_system_package
from lambdapack.model import TASK_ROOT, Architecture
from lambdapack.rules.binary.linking_records import MISSING_LIBRARY, MUSL
from lambdapack.rules.binary.loader_records import NOT_ELF, WRONG_CLASS, WRONG_CPU
from lambdapack.rules.binary.opening import check_library, cpu_name
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.model.report import Defect
from lambdapack.rules.selection.tokens import is_musl
from lambdapack.runtimes.runtime import Library, Runtime

DEFAULT_LIBRARY_DIRECTORY = "/lib64"
"""Where a library counts as found of which only the name is known; it is in LD_LIBRARY_PATH of every image."""

LOADER_PLATFORMS = {Architecture.X86_64: "x86_64", Architecture.ARM64: "aarch64"}
"""AT_PLATFORM, for $PLATFORM in a search path."""


class NotLoadableError(Exception):
    """The loader gives up; internal to the simulation."""

    def __init__(self, defect: Defect) -> None:
        super().__init__(defect.message)
        self.defect = defect


@dataclass(slots=True, eq=False)
class LoadedObject:
    """One object in the process: a library of the runtime, or a file of the package."""

    path: str
    names: set[str]  # what it was asked for by; a later request for one of them finds it
    library: Library | None = None
    binary: Binary | None = None
    loader: "LoadedObject | None" = None  # the object whose needed entry brought it first
    needs: list["LoadedObject"] = field(default_factory=list)
    _defines: dict[str, list[Symbol]] = field(default_factory=dict)

    def defines(self, name: str) -> Sequence[Symbol]:
        """Return the definitions of a name, of which an object of the package has one for each version."""
        if not self._defines and self.binary is not None and self.binary.elf is not None:
            for symbol in self.binary.elf.defines:
                self._defines.setdefault(symbol.name, []).append(symbol)
        return self._defines.get(name, ())

    @property
    def soname(self) -> str | None:
        """DT_SONAME."""
        if self.library is not None:
            return self.library.soname
        return self.binary.elf.soname if self.binary and self.binary.elf else None

    @property
    def needed(self) -> tuple[str, ...]:
        """DT_NEEDED, in file order."""
        if self.library is not None:
            return self.library.needed
        return self.binary.elf.needed if self.binary and self.binary.elf else ()

    @property
    def rpath(self) -> tuple[str, ...]:
        """DT_RPATH, which counts only in an object without DT_RUNPATH."""
        elf = self.binary.elf if self.binary else None
        return elf.rpath if elf is not None and not elf.runpath else ()

    @property
    def runpath(self) -> tuple[str, ...]:
        """DT_RUNPATH."""
        return self.binary.elf.runpath if self.binary and self.binary.elf else ()


class LinkMap:
    """A process with node's own libraries in it, into which one file is loaded."""

    def __init__(self, runtime: Runtime, file_system: LambdaFileSystem, *, inside_node: bool = True) -> None:
        """Start with what node has loaded, or with nothing for a program of its own."""
        self.runtime = runtime
        self._file_system = file_system
        self.objects: list[LoadedObject] = []
        loaded = sorted(runtime.loaded) if inside_node else []
        for name in loaded:
            library = runtime.libraries.get(name) or Library(name, "")
            self.objects.append(LoadedObject(library.path or name, {name}, library))
        self.global_scope = tuple(self.objects)

    def find(self, name: str) -> LoadedObject | None:
        """Return the loaded object that a needed entry of this name means."""
        return next(
            (
                loaded_object
                for loaded_object in self.objects
                if name in loaded_object.names or loaded_object.soname == name
            ),
            None,
        )

    def load(self, path: str, binary: Binary) -> tuple[LoadedObject, ...]:
        """Load a file and all that it needs, breadth first; return what is new, itself first."""
        first = self._add(LoadedObject(path, {path}, binary=binary))
        before = len(self.objects) - 1
        queue, done = [first], {id(first)}
        while queue:
            current = queue.pop(0)
            for name in current.needed:
                found = self._need(name, current)
                if found is None:
                    continue
                current.needs.append(found)
                if id(found) not in done:
                    done.add(id(found))
                    queue.append(found)
        return tuple(self.objects[before:])

    def _add(self, new: LoadedObject) -> LoadedObject:
        self.objects.append(new)
        return new

    def _need(self, name: str, by: LoadedObject) -> LoadedObject | None:
        """A library of the runtime whose own need is not recorded is believed: the image starts with it."""
        found = self.find(name) or self._search(name, by)
        if found is not None:
            found.names.add(name)
            return found
        if by.library is not None:
            return None
        raise NotLoadableError(_missing_library(name, by))

    def _search(self, name: str, by: LoadedObject) -> LoadedObject | None:
        if "/" in name:
            return self._named(self._expand(name, by), by)
        doubtful: list[Library] = []
        skipped: list[Binary] = []
        for directory in self._directories(by):
            found = self._in_directory(directory, name, by, doubtful) or self._file(
                posixpath.join(directory, name), by, skipped
            )
            if found is not None:
                return found
        if doubtful:
            return self._add(LoadedObject(doubtful[0].path or name, {name}, doubtful[0], loader=by))
        if skipped:
            raise NotLoadableError(_foreign_copy_defect(name, skipped[0], self.runtime.target.architecture))
        return None

    def _named(self, path: str, by: LoadedObject) -> LoadedObject | None:
        """A path is opened as it is; there is nothing else to go on to when it is for another CPU."""
        skipped: list[Binary] = []
        found = self._file(path, by, skipped)
        defect = check_library(skipped[0], self.runtime.target.architecture) if skipped else None
        if defect is not None:
            raise NotLoadableError(_dependency_defect(path, by, defect))
        return found

    def _directories(self, by: LoadedObject) -> Iterator[str]:
        if not by.runpath:
            yield from self._inherited(by)
        yield from self.runtime.library_path
        yield from (self._expand(directory, by) for directory in by.runpath)
        if by.binary is None or by.binary.elf is None or "nodeflib" not in by.binary.elf.flags:
            yield from self.runtime.default_path

    def _inherited(self, by: LoadedObject) -> Iterator[str]:
        """RPATH, unlike RUNPATH, is inherited along the chain of loaders."""
        current: LoadedObject | None = by
        while current is not None:
            owner = current
            yield from (self._expand(directory, owner) for directory in owner.rpath)
            current = current.loader

    def _expand(self, text: str, by: LoadedObject) -> str:
        words = {
            "ORIGIN": posixpath.dirname(self._file_system.real(by.path)),
            "LIB": "lib64",
            "PLATFORM": LOADER_PLATFORMS[self.runtime.target.architecture],
        }
        for word, value in words.items():
            text = text.replace(f"${{{word}}}", value).replace(f"${word}", value)
        # An empty or relative search directory is the current one; Lambda starts in the task root.
        return posixpath.normpath(text) if text.startswith("/") else posixpath.normpath(f"{TASK_ROOT}/{text}")

    def _in_directory(
        self, directory: str, name: str, by: LoadedObject, doubtful: list[Library]
    ) -> LoadedObject | None:
        """A library that only an image is known to have counts when nothing else is found."""
        library = self.runtime.libraries.get(name)
        if library is None or directory != (posixpath.dirname(library.path) or DEFAULT_LIBRARY_DIRECTORY):
            return None
        if not library.certain:
            doubtful.append(library)
            return None
        return self._add(LoadedObject(library.path or name, {name}, library, loader=by))

    def _file(self, path: str, by: LoadedObject, skipped: list[Binary]) -> LoadedObject | None:
        """Another CPU or class is passed over in silence; anything else that is no library ends the search."""
        if not self._file_system.is_file(path):
            return None
        real = self._file_system.real(path)
        known = next((loaded_object for loaded_object in self.objects if loaded_object.path == real), None)
        if known is not None:
            return known
        binary = self._file_system.binary(path)
        defect = (
            check_library(binary, self.runtime.target.architecture) if binary else Defect(NOT_ELF, "invalid ELF header")
        )
        if binary is not None and defect is not None and defect.rule in {WRONG_CPU, WRONG_CLASS}:
            skipped.append(binary)
            return None
        if defect is not None or binary is None:
            raise NotLoadableError(_dependency_defect(path, by, defect or Defect(NOT_ELF, "invalid ELF header")))
        return self._add(LoadedObject(real, {path}, binary=binary, loader=by))


def _missing_library(name: str, by: LoadedObject) -> Defect:
    """The loader stops at the first that is absent; a file made for musl needs another build all the same."""
    android = by.binary is not None and by.binary.elf is not None and by.binary.elf.is_android
    musl = not android and any(is_musl(library) for library in by.needed)
    aside = "; it is made for musl as well" if musl and not is_musl(name) else ""
    aside = "; it is made for Android" if android else aside
    message = f"{name}: cannot open shared object file: No such file or directory{_needed_by(by)}{aside}"
    return Defect(
        MUSL if musl and is_musl(name) else MISSING_LIBRARY,
        message,
        fix=MUSL.fix if aside else _missing_library_fix(name),
        evidence=(("library", name), ("needed_by", by.path)),
    )


def _missing_library_fix(name: str) -> str:
    flag = describe_system_package(name)
    if not flag:
        return ""
    return f"Run `lambdapack build` with {flag}: it takes {name} along in `lib/`, unless bundle-libraries is off."


def _needed_by(by: LoadedObject) -> str:
    return f" (needed by {posixpath.basename(by.path)})" if by.loader is not None else ""


def _foreign_copy_defect(name: str, found: Binary, architecture: Architecture) -> Defect:
    cpu = cpu_name(found.elf.machine) if found.elf else "another system"
    message = f"{name}: the only copy, {found.path}, is for {cpu}, the function runs on {architecture}"
    return Defect(MISSING_LIBRARY, message, evidence=(("library", name), ("passed_over", found.path)))


def _dependency_defect(path: str, by: LoadedObject, defect: Defect) -> Defect:
    message = f"its library {posixpath.basename(path)}: {defect.message}{_needed_by(by)}"
    return Defect(defect.rule, message, fix=defect.fix, evidence=(("library", path), *defect.evidence))


@dataclass(frozen=True, slots=True)
class Process:
    """The state after the loader has mapped a file and everything it needs."""

    runtime: Runtime
    link_map: LinkMap
    new: tuple[LoadedObject, ...]  # mapped for this file, itself first

    @property
    def files(self) -> tuple[tuple[LoadedObject, Elf], ...]:
        """The new objects that come from the package, not from the runtime."""
        return tuple(
            (loaded_object, loaded_object.binary.elf)
            for loaded_object in self.new
            if loaded_object.binary and loaded_object.binary.elf
        )

    @property
    def first(self) -> Binary:
        """The file that was asked for."""
        binary = self.new[0].binary
        assert binary is not None  # noqa: S101  # a link map is only ever asked to load a file of the package
        return binary

    @property
    def scope(self) -> tuple[LoadedObject, ...]:
        """Where symbols are looked up: node's own objects, then the file with its needs, breadth first."""
        local = list(self.new[:1])
        for loaded_object in local:
            for need in loaded_object.needs:
                if need not in local:
                    local.append(need)
        return (
            *self.link_map.global_scope,
            *(loaded_object for loaded_object in local if loaded_object not in self.link_map.global_scope),
        )

    def other_files(self, asking: LoadedObject) -> str:
        """Return " (needed by NAME)" when it is not the first file that asks."""
        return "" if asking is self.new[0] else f" (needed by {asking.path.rpartition('/')[2]})"
