"""Whether a runtime's library defines a symbol version. Floor and ceiling decide, an image can only say no."""

import re
from enum import Enum
from functools import lru_cache

from lambdapack.runtimes.runtime import Library, Runtime


class Provided(Enum):
    """How sure it is that a version node is there."""

    YES = "yes"
    UNPROVED = "unproved"  # in an image, not proved for the managed runtime
    NO = "no"
    UNKNOWN = "unknown"


NUMBERED = re.compile(r"([A-Z]+)_(\d+(?:\.\d+)*)\Z")

UNNUMBERED = frozenset({"GLIBC_PRIVATE", "CXXABI_TM_1", "CXXABI_FLOAT128", "CXXABI_LDBL_1.3"})
"""Version nodes without a place in the order that glibc 2.26 and gcc 7 already define."""

FAMILIES = {
    "GLIBC": re.compile(r"(libc|libm|libmvec|libdl|libpthread|librt|libutil|libresolv|libanl|libgcc_s|ld-linux.*)\.so"),
    "GLIBCXX": re.compile(r"libstdc\+\+\.so"),
    "CXXABI": re.compile(r"libstdc\+\+\.so"),
    "GCC": re.compile(r"libgcc_s\.so"),
    "ZLIB": re.compile(r"libz\.so"),
}
"""Which library a numbered prefix belongs to. On arm64 libgcc_s.so.1 itself defines GLIBC_2.0."""


def provided(runtime: Runtime, library: Library, version: str) -> Provided:
    """Tell whether `library` of `runtime` defines the version node `version`."""
    if library.versions and version not in library.versions:
        return Provided.NO
    limit = _by_limit(runtime, library, version)
    if limit is not Provided.UNKNOWN:
        return limit
    return Provided.YES if library.versions else Provided.UNKNOWN


def _by_limit(runtime: Runtime, library: Library, version: str) -> Provided:
    if not runtime.floor:
        return Provided.UNKNOWN
    prefix = version.split("_", 1)[0]
    family = FAMILIES.get(prefix)
    if family is None or prefix not in runtime.floor or not family.match(library.soname):
        return Provided.UNKNOWN
    numbered = NUMBERED.match(version)
    if numbered is None:
        return Provided.YES if version in UNNUMBERED else Provided.NO
    return _between(numbered.group(2), runtime.floor[prefix], runtime.ceiling[prefix])


def _between(need: str, floor: str, ceiling: str) -> Provided:
    if order(need) <= order(floor):
        return Provided.YES
    return Provided.UNPROVED if order(need) <= order(ceiling) else Provided.NO


@lru_cache(4096)
def order(number: str) -> tuple[int, ...]:
    """Return a key that sorts "3.4.9" before "3.4.29"."""
    return tuple(int(part) for part in number.split("."))
