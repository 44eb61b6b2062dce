"""What a runtime file holds; runtimefile.py writes and reads it."""

from typing import Annotated, Literal, TypedDict

from lambdapack.model import Architecture
from lambdapack.schema import describe, number, text, word


class LibraryDocument(TypedDict):
    """One shared library."""

    soname: Annotated[str, text("SONAME of the library.")]
    path: Annotated[str, text("Path of the library; empty when only the name is known.", empty=True)]
    versions: Annotated[list[str], describe("Symbol versions that it defines.")]
    needed: Annotated[list[str], describe("Libraries that it needs.")]
    exports: Annotated[list[str] | None, describe("Symbols that it exports; null when not recorded.")]
    certain: Annotated[bool, describe("False: seen in an image, but not guaranteed in the managed runtime.")]


class RuntimeFileDocument(TypedDict):
    """What a runtime provides to binaries."""

    schema: Literal["lambdapack/runtime/1"]
    runtime: Annotated[str, text("Lambda runtime of the target.")]
    arch: Annotated[
        str, word("The instruction set, under AWS's name.", [architecture.aws for architecture in Architecture])
    ]
    node: Annotated[str | None, text("Version of Node.js; null when only the major version is known.")]
    node_major: Annotated[int, number("Its major version.")]
    abi: Annotated[int, number("NODE_MODULE_VERSION of its Node.js.")]
    node_api: Annotated[int, number("The highest Node-API version that it has.")]
    source: Annotated[str, word("Where the facts come from.", ("shipped", "image", "file"))]
    digest: Annotated[
        str, text("Digest over the image's layers or the root file system; empty for shipped data.", empty=True)
    ]
    library_path: Annotated[list[str], describe("LD_LIBRARY_PATH of node's process, in order.")]
    default_path: Annotated[list[str], describe("Directories that ld.so searches after that and its cache.")]
    interpreters: Annotated[list[str], describe("Program interpreters that exist.")]
    loaded: Annotated[list[str], describe("Libraries that node's process has loaded before any addon.")]
    floor: Annotated[dict[str, str], describe("Highest version by prefix, such as GLIBC: 2.34, that is guaranteed.")]
    ceiling: Annotated[dict[str, str], describe("Highest version by prefix, such as GLIBC: 2.34, that some image has.")]
    libraries: Annotated[dict[str, LibraryDocument], describe("Libraries by the name that a binary needs.")]
    node_exports: Annotated[list[str] | None, describe("Symbols that node exports; null when they were not recorded.")]
    programs: Annotated[
        list[str] | None, describe("Paths of the programs in PATH's directories; null when they were not recorded.")
    ]
