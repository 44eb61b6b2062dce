"""The facts of one native file, in ELF's own words. Contains no judgement."""

from dataclasses import dataclass, field
from enum import Enum

ET_EXEC, ET_DYN = 2, 3
"""Values of e_type, System V gABI "ELF Header": a program at a fixed address; a shared object or a PIE."""

CUT_HEADERS_DAMAGE = "cannot read file data"
"""The loader's words for program headers beyond the end. It has none for a truncated segment: SIGBUS, or zeros."""

NODE_API_EXPERIMENTAL = 0x7FFFFFFF
"""NAPI_VERSION_EXPERIMENTAL (node's src/js_native_api.h, read 2026-11): runs on every Node.js."""
NODE_API_STRUCT_ABI = -1
"""nm_version of the node_module that Node.js makes of a napi_module (node's src/node_api.cc, read 2026-11)."""


class Format(Enum):
    """The format of a file by its first bytes. The value is the report's word."""

    ELF = "elf"
    MACH_O = "mach-o"
    PE = "pe"
    WASM = "wasm"
    ARCHIVE = "archive"  # ar: a static library
    GZIP = "gzip"
    ZIP = "zip"
    LFS_POINTER = "lfs-pointer"  # text that git-lfs left in place of the file
    HTML = "html"  # an error page that was saved under a binary's name
    TEXT = "text"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class BinaryRole(Enum):
    """The role of a file, from its registration, type and name. The value is the report's word."""

    ADDON = "addon"
    LIBRARY = "library"
    EXECUTABLE = "executable"
    UNKNOWN = "unknown"


class RegistrationKind(Enum):
    """How Node.js finds the entry of an addon."""

    NODE_API = "node-api"
    V8 = "v8"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Registration:
    """How an addon registers itself (nodejs/node src/node_binding.cc; node.h; node_api.h)."""

    kind: RegistrationKind = RegistrationKind.NONE
    abis: tuple[int, ...] = ()  # every node_register_module_v<N> symbol, sorted
    struct_abi: int | None = None  # nm_version of the struct that a constructor registers last; -1: Node-API's
    node_api: int | None = None  # value of node_api_module_get_api_version_v1; None: no such function or unread
    uncertain: bool = False  # it registers, but the number could not be read

    @property
    def abi(self) -> int | None:
        """The V8 ABI when there is exactly one to name, else None."""
        abis = {*self.abis, *([self.struct_abi] if self.struct_abi and self.struct_abi > 0 else [])}
        return abis.pop() if len(abis) == 1 else None


@dataclass(frozen=True, slots=True)
class VersionNeed:
    """One entry of .gnu.version_r: this file must define this version node."""

    file: str  # SONAME
    version: str  # "GLIBC_2.34"
    weak: bool = False  # VER_FLG_WEAK: its absence is only a warning


@dataclass(frozen=True, slots=True)
class Symbol:
    """An undefined symbol of a binary, or a definition that another binary of the tree needs."""

    name: str
    version: str | None = None  # None: unversioned
    file: str | None = None  # the SONAME that the version is bound to; undefined symbols only
    weak: bool = False
    at_load: bool = True  # undefined: bound when the file is opened; False: at its first call (lazy PLT)
    default: bool = True  # a definition: unversioned references bind to it; False: "name@VERSION", hidden from them


@dataclass(frozen=True, slots=True)
class Elf:
    """Header, dynamic section, versions and symbols of one ELF file."""

    bits: int  # 32 or 64
    little_endian: bool
    machine: int  # e_machine: 62 EM_X86_64, 183 EM_AARCH64
    os_abi: int  # EI_OSABI; 0 System V, 3 GNU
    abi_version: int  # EI_ABIVERSION
    type: int  # e_type: 1 REL, 2 EXEC, 3 DYN
    interpreter: str | None = None  # PT_INTERP
    dynamic: bool = False  # has PT_DYNAMIC
    soname: str | None = None
    needed: tuple[str, ...] = ()  # DT_NEEDED, in file order
    rpath: tuple[str, ...] = ()  # DT_RPATH, split at ":"
    runpath: tuple[str, ...] = ()  # DT_RUNPATH, split at ":"
    flags: frozenset[str] = frozenset()  # of now, pie, noopen, static-tls, nodeflib, nodelete
    version_needs: tuple[VersionNeed, ...] = ()
    version_definitions: tuple[str, ...] = ()
    undefined: tuple[Symbol, ...] = ()
    defines: tuple[Symbol, ...] = ()  # only names that some binary of the same inventory leaves undefined
    tls_bytes: int = 0  # p_memsz of PT_TLS
    executable_stack: bool = False
    relocations: frozenset[str] = frozenset()  # unusual kinds: relr, android
    isa_needed: str | None = None  # GNU property ISA_1_NEEDED: "x86-64-v2" and up
    missing_bytes: int = 0  # how far PT_LOAD or the program headers reach beyond the end of the file
    missing_pages: int = 0  # of those, whole 4096-byte pages: touching one is SIGBUS; 0: the cut page loads with zeros
    damage: str = ""  # what stopped the reading, in the loader's words where it has some; "" when sound or merely cut
    registration: Registration = field(default_factory=Registration)

    @property
    def is_android(self) -> bool:
        """Whether it is made for Android, whose C library is called libc.so as musl's is where zig links it."""
        return (
            (self.interpreter or "").startswith("/system/bin/linker")
            or "android" in self.relocations
            or not ANDROID_LIBRARIES.isdisjoint(self.needed)
            or any(need.file == "libc.so" and need.version.startswith("LIBC") for need in self.version_needs)
        )


ANDROID_LIBRARIES = frozenset({"liblog.so", "libandroid.so", "libc++_shared.so"})
"""Libraries that only Android's NDK links with ("Android NDK Native APIs")."""


@dataclass(frozen=True, slots=True)
class Content:
    """The facts in the bytes of a file, independent of its path."""

    sha256: str  # hex
    size: int  # bytes
    format: Format
    machines: tuple[str, ...] = ()  # "x86_64", "arm64", "ia32", ...: several in a universal Mach-O
    elf: Elf | None = None  # of an ELF file with a whole header (64 bytes); `defines` is empty
    role: BinaryRole = BinaryRole.UNKNOWN  # of Mach-O and PE; an ELF file's follows from its facts and its name
    first_bytes: str = ""  # printable start of a file that is no binary


@dataclass(frozen=True, slots=True)
class Binary:
    """One native file of a tree, or another file with the name of one."""

    path: str  # relative to the tree's root
    size: int  # bytes
    mode: int  # permission bits as in the tree
    sha256: str  # hex
    format: Format
    role: BinaryRole
    machines: tuple[str, ...] = ()  # "x86_64", "arm64", "ia32", ...: several in a universal Mach-O
    elf: Elf | None = None  # of an ELF file with a whole header (64 bytes)
    first_bytes: str = ""  # printable start of a file that is no binary, for the message


@dataclass(frozen=True, slots=True)
class Inventory:
    """All native files of a tree, in byte order of their paths."""

    binaries: tuple[Binary, ...]
