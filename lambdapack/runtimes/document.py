"""What a runtime file holds; runtimefile.py writes and reads it."""

from typing import Annotated, Literal, TypedDict

from lambdapack.model import Architecture
from lambdapack.schema import described, number, text, word


class LibraryDocument(TypedDict):
    """One shared library."""

    soname: Annotated[str, text("Its own name.")]
    path: Annotated[str, text("Where the loader finds it; empty when only the name is known.", empty=True)]
    versions: Annotated[list[str], described("Symbol versions that it defines.")]
    needed: Annotated[list[str], described("Libraries that it asks for.")]
    exports: Annotated[list[str] | None, described("Symbols that it defines; null when not recorded.")]
    certain: Annotated[bool, described("False: seen in an image, not proved for the managed runtime.")]


class RuntimeFileDocument(TypedDict):
    """What a runtime provides to binaries."""

    schema: Literal["lambdapack/runtime/1"]
    runtime: Annotated[str, text("The Lambda runtime that it stands for.")]
    arch: Annotated[
        str, word("The instruction set, under AWS's name.", [architecture.aws for architecture in Architecture])
    ]
    node: Annotated[str | None, text("The version of Node.js; null when only the major is known.")]
    node_major: Annotated[int, number("Its major version.")]
    abi: Annotated[int, number("Its NODE_MODULE_VERSION.")]
    node_api: Annotated[int, number("The highest Node-API version that it has.")]
    source: Annotated[str, word("Whence it is known.", ("shipped", "image", "file"))]
    digest: Annotated[str, text("Over the image's layers or the root file system; empty for shipped data.", empty=True)]
    library_path: Annotated[list[str], described("LD_LIBRARY_PATH of node's process, in order.")]
    default_path: Annotated[list[str], described("Where ld.so looks after that and its cache.")]
    interpreters: Annotated[list[str], described("The loaders that a program may ask for.")]
    loaded: Annotated[list[str], described("Libraries that are in node's process before any addon.")]
    floor: Annotated[dict[str, str], described("Highest version by prefix, such as GLIBC: 2.34, that is surely there.")]
    ceiling: Annotated[
        dict[str, str], described("Highest version by prefix, such as GLIBC: 2.34, that any image was seen to have.")
    ]
    libraries: Annotated[dict[str, LibraryDocument], described("By the name that a binary asks for.")]
    node_exports: Annotated[list[str] | None, described("Symbols that node exports; null when they were not recorded.")]
