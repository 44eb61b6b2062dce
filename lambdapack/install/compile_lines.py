"""What npm's output shows: whose scripts ran, and the CPU flags that each package was compiled with."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(r"> (?:(@?[\w.~/-]+)@[\w.+-]+ [\w:-]+|(?:pre|post)?(?:install|prepare|prepublish))")
"""npm's line in front of each script that it runs in the foreground; a project without a name has only the event."""

_COMPILER = re.compile(
    r"(?:^|[\s/\"'`])(?:[\w.-]+-)?(?:g\+\+|gcc|c\+\+|cc|clang\+\+|clang|gfortran|rustc)(?:-[\d.]+)?[\"']?\s"
)
_SOURCE = re.compile(r"\.(?:c|cc|cpp|cxx|c\+\+|C|m|mm|s|S|f|f90|F90|rs)[\"'`]?(?=\s|$)")
_CPU = re.compile(r"(?<![\w-])(-march=|-mcpu=|-C ?target-cpu=)([\w.+-]+)")
_FEATURE = re.compile(r"(?<![\w-])-m(no-)?(avx512[\w.]*|avx10[\w.-]*|amx-\w+)")


@dataclass(frozen=True, slots=True)
class CompilerFlag:
    """A flag that chose a CPU, and the package whose script called the compiler with it."""

    package: str  # npm name; "" a project without one
    flag: str  # as it was written: "-march=native", "-mcpu=neoverse-v1", "-mavx512f"
    everywhere: bool  # no source file of the package was compiled without it


class CompileLines:
    """Counts the lines that compile a source file, by package, and the flags that chose a CPU in them."""

    def __init__(self) -> None:
        """Begin before any script."""
        self._package = ""
        self._ran: dict[str, None] = {}
        self._compiled: Counter[str] = Counter()
        self._flags: Counter[tuple[str, str]] = Counter()

    def take(self, line: str) -> None:
        """Look at the next line, clean and without its end."""
        if head := _HEAD.fullmatch(line):
            self._package = head[1] or ""
            self._ran[self._package] = None
        elif _COMPILER.search(line) and _SOURCE.search(line):
            self._compiled[self._package] += 1
            self._flags.update((self._package, flag) for flag in cpu_flags(line))

    @property
    def ran(self) -> tuple[str, ...]:
        """The npm names of the packages whose scripts were run, in their order; "" is a project without a name."""
        return tuple(self._ran)

    @property
    def flags(self) -> tuple[CompilerFlag, ...]:
        """All flags that chose a CPU, in the order in which they were seen."""
        counted = self._flags.items()
        return tuple(
            CompilerFlag(package, flag, times == self._compiled[package]) for (package, flag), times in counted
        )


def cpu_flags(line: str) -> tuple[str, ...]:
    """Return the flags of a compiler's command line that decide which instructions it may use, the last of a kind."""
    return (*_cpu_choices(line), *_cpu_features(line))


def _cpu_choices(line: str) -> Iterator[str]:
    last = dict(_CPU.findall(line))
    if "-march=" in last:
        last.pop("-mcpu=", None)  # it only orders instructions then (GCC manual, "AArch64 Options")
    yield from (f"{name}{value}" for name, value in last.items())


def _cpu_features(line: str) -> Iterator[str]:
    last = {name: off for off, name in _FEATURE.findall(line)}
    yield from (f"-m{name}" for name, off in last.items() if not off)
