"""Which of the host's compiler flags reach the sandbox: those that choose a CPU. Paths and libraries stay behind."""

import re
from collections.abc import Mapping

VARIABLES = ("CFLAGS", "CXXFLAGS")
"""Read by gyp's make after a package's own flags, so that the last -march wins; by CMake and configure before them."""

_CARRIED = re.compile(r"-[mOg][\w.=+-]*")
"""A machine, an optimisation, debugging: what means the same on every machine."""


def compiler_flags(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables for the sandbox, without what names a path or library of the host; none for none."""
    found = {name: " ".join(filter(_CARRIED.fullmatch, environ.get(name, "").split())) for name in VARIABLES}
    return {name: flags for name, flags in found.items() if flags}
