"""ld.so's search for needed libraries, simulated. Which file it finds, in which order; nothing is judged by taste.

Verified against glibc 2.31 and 2.36 in Debian images with Node.js 18 to 24: RPATH of the object and of its
loaders (only without RUNPATH), LD_LIBRARY_PATH, RUNPATH of the object itself, then the default directories.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lambdapack.binary.facts import Binary, Symbol
from lambdapack.model import TASK_ROOT, Architecture, Rule, Severity
from lambdapack.rules.defect import Defect
from lambdapack.rules.opening import NOT_ELF, WRONG_CLASS, WRONG_CPU, machine_name, refused
from lambdapack.rules.space import Space
from lambdapack.runtimes.runtime import Library, Runtime

MISSING_LIBRARY = Rule(
    "LP204",
    "missing-library",
    "a binary needs a library that is not there",
    "The loader says: cannot open shared object file: No such file or directory, and names the library.",
    "Put the library into `lib/` of the function or of a layer, or use a build of the package that brings it.",
    Severity.ERROR,
)
MUSL = Rule(
    "LP205",
    "musl",
    "a binary is made for musl (Alpine), Lambda has glibc",
    "The loader says: libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory.",
    "Install the glibc build: `npm ci --os=linux --libc=glibc`, or `lambdapack build`.",
    Severity.ERROR,
)

SHIPPED_DIRECTORY = "/lib64"
"""Where a library counts as found of which only the name is known; it is in LD_LIBRARY_PATH of every image."""

PLATFORM = {Architecture.X86_64: "x86_64", Architecture.ARM64: "aarch64"}
"""AT_PLATFORM, for $PLATFORM in a search path."""


class NotLoadableError(Exception):
    """The loader gives up; internal to the simulation."""

    def __init__(self, defect: Defect) -> None:
        super().__init__(defect.message)
        self.defect = defect


@dataclass(slots=True, eq=False)
class Loaded:
    """One object in the process: a library of the runtime, or a file of the package."""

    path: str
    names: set[str]  # what it was asked for by; a later request for one of them finds it
    library: Library | None = None
    binary: Binary | None = None
    loader: "Loaded | None" = None  # the object whose needed entry brought it first
    needs: list["Loaded"] = field(default_factory=list)
    _defines: dict[str, list[Symbol]] = field(default_factory=dict)

    def defines(self, name: str) -> Sequence[Symbol]:
        """Return the definitions of a name, of which an object of the package has one for each version."""
        if not self._defines and self.binary is not None and self.binary.elf is not None:
            for each in self.binary.elf.defines:
                self._defines.setdefault(each.name, []).append(each)
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

    def __init__(self, runtime: Runtime, space: Space, *, inside_node: bool = True) -> None:
        """Start with what node has loaded, or with nothing for a program of its own."""
        self.runtime = runtime
        self._space = space
        self.objects: list[Loaded] = []
        loaded = sorted(runtime.loaded) if inside_node else []
        for name in loaded:
            library = runtime.libraries.get(name) or Library(name, "")
            self.objects.append(Loaded(library.path or name, {name}, library))
        self.global_scope = tuple(self.objects)

    def find(self, name: str) -> Loaded | None:
        """Return the loaded object that a needed entry of this name means."""
        return next((each for each in self.objects if name in each.names or each.soname == name), None)

    def load(self, path: str, binary: Binary) -> tuple[Loaded, ...]:
        """Load a file and all that it needs, breadth first; return what is new, itself first."""
        first = self._add(Loaded(path, {path}, binary=binary))
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

    def _add(self, new: Loaded) -> Loaded:
        self.objects.append(new)
        return new

    def _need(self, name: str, by: Loaded) -> Loaded | None:
        """A library of the runtime whose own need is not recorded is believed: the image starts with it."""
        found = self.find(name) or self._search(name, by)
        if found is not None:
            found.names.add(name)
            return found
        if by.library is not None:
            return None
        raise NotLoadableError(_missing(name, by))

    def _search(self, name: str, by: Loaded) -> Loaded | None:
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
            return self._add(Loaded(doubtful[0].path or name, {name}, doubtful[0], loader=by))
        if skipped:
            raise NotLoadableError(_only_foreign(name, skipped[0], self.runtime.target.architecture))
        return None

    def _named(self, path: str, by: Loaded) -> Loaded | None:
        """A path is opened as it is; there is nothing else to go on to when it is for another CPU."""
        skipped: list[Binary] = []
        found = self._file(path, by, skipped)
        defect = refused(skipped[0], self.runtime.target.architecture) if skipped else None
        if defect is not None:
            raise NotLoadableError(_bad_dependency(path, by, defect))
        return found

    def _directories(self, by: Loaded) -> Iterator[str]:
        if not by.runpath:
            yield from self._inherited(by)
        yield from self.runtime.library_path
        yield from (self._expand(each, by) for each in by.runpath)
        if by.binary is None or by.binary.elf is None or "nodeflib" not in by.binary.elf.flags:
            yield from self.runtime.default_path

    def _inherited(self, by: Loaded) -> Iterator[str]:
        """RPATH, unlike RUNPATH, is inherited along the chain of loaders."""
        current: Loaded | None = by
        while current is not None:
            owner = current
            yield from (self._expand(each, owner) for each in owner.rpath)
            current = current.loader

    def _expand(self, text: str, by: Loaded) -> str:
        words = {
            "ORIGIN": posixpath.dirname(self._space.real(by.path)),
            "LIB": "lib64",
            "PLATFORM": PLATFORM[self.runtime.target.architecture],
        }
        for word, value in words.items():
            text = text.replace(f"${{{word}}}", value).replace(f"${word}", value)
        # An empty or relative search directory is the current one; Lambda starts in the task root.
        return posixpath.normpath(text) if text.startswith("/") else posixpath.normpath(f"{TASK_ROOT}/{text}")

    def _in_directory(self, directory: str, name: str, by: Loaded, doubtful: list[Library]) -> Loaded | None:
        """A library that only an image is known to have counts when nothing else is found."""
        library = self.runtime.libraries.get(name)
        if library is None or directory != (posixpath.dirname(library.path) or SHIPPED_DIRECTORY):
            return None
        if not library.certain:
            doubtful.append(library)
            return None
        return self._add(Loaded(library.path or name, {name}, library, loader=by))

    def _file(self, path: str, by: Loaded, skipped: list[Binary]) -> Loaded | None:
        """Another CPU or class is passed over in silence; anything else that is no library ends the search."""
        if not self._space.is_file(path):
            return None
        real = self._space.real(path)
        known = next((each for each in self.objects if each.path == real), None)
        if known is not None:
            return known
        binary = self._space.binary(path)
        defect = refused(binary, self.runtime.target.architecture) if binary else Defect(NOT_ELF, "invalid ELF header")
        if binary is not None and defect is not None and defect.rule in {WRONG_CPU, WRONG_CLASS}:
            skipped.append(binary)
            return None
        if defect is not None or binary is None:
            raise NotLoadableError(_bad_dependency(path, by, defect or Defect(NOT_ELF, "invalid ELF header")))
        return self._add(Loaded(real, {path}, binary=binary, loader=by))


MUSL_NAMES = frozenset(f"lib{each}.so" for each in ("c", "m", "dl", "pthread", "rt", "util", "crypt", "resolv", "xnet"))
"""What zig and musl-cross call musl's libc and its empty companions; glibc's carry a version (musl's Makefile)."""


def is_musl(name: str) -> bool:
    """Tell whether a SONAME is musl's libc: Alpine's, or one without a version."""
    return name in MUSL_NAMES or name.startswith(("libc.musl-", "ld-musl-"))


def _missing(name: str, by: Loaded) -> Defect:
    """The loader stops at the first that is absent; a file made for musl needs another build all the same."""
    musl = any(is_musl(each) for each in by.needed)
    aside = "; it is made for musl as well" if musl and not is_musl(name) else ""
    message = f"{name}: cannot open shared object file: No such file or directory{_through(by)}{aside}"
    return Defect(
        MUSL if is_musl(name) else MISSING_LIBRARY,
        message,
        fix=MUSL.fix if aside else "",
        evidence=(("library", name), ("needed_by", by.path)),
    )


def _through(by: Loaded) -> str:
    return f" (needed by {posixpath.basename(by.path)})" if by.loader is not None else ""


def _only_foreign(name: str, found: Binary, architecture: Architecture) -> Defect:
    cpu = machine_name(found.elf.machine) if found.elf else "another system"
    message = f"{name}: the only copy, {found.path}, is for {cpu}, the function runs on {architecture}"
    return Defect(MISSING_LIBRARY, message, evidence=(("library", name), ("passed_over", found.path)))


def _bad_dependency(path: str, by: Loaded, defect: Defect) -> Defect:
    message = f"its library {posixpath.basename(path)}: {defect.message}{_through(by)}"
    return Defect(defect.rule, message, fix=defect.fix, evidence=(("library", path), *defect.evidence))
