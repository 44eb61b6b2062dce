"""One file with all that it brought into the process: what the later checks look at."""

from dataclasses import dataclass

from lambdapack.binary.facts import Binary, Elf
from lambdapack.rules.loader import LinkMap, Loaded
from lambdapack.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Process:
    """The state after the loader has mapped a file and everything it needs."""

    runtime: Runtime
    link_map: LinkMap
    new: tuple[Loaded, ...]  # mapped for this file, itself first

    @property
    def files(self) -> tuple[tuple[Loaded, Elf], ...]:
        """The new objects that come from the package, not from the runtime."""
        return tuple((each, each.binary.elf) for each in self.new if each.binary and each.binary.elf)

    @property
    def first(self) -> Binary:
        """The file that was asked for."""
        binary = self.new[0].binary
        assert binary is not None  # noqa: S101  # a link map is only ever asked to load a file of the package
        return binary

    @property
    def scope(self) -> tuple[Loaded, ...]:
        """Where symbols are looked up: node's own objects, then the file with its needs, breadth first."""
        local = list(self.new[:1])
        for each in local:
            for need in each.needs:
                if need not in local:
                    local.append(need)
        return (*self.link_map.global_scope, *(each for each in local if each not in self.link_map.global_scope))

    def other_files(self, asking: Loaded) -> str:
        """Return " (needed by NAME)" when it is not the first file that asks."""
        return "" if asking is self.new[0] else f" (needed by {asking.path.rpartition('/')[2]})"
