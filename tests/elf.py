"""Real ELF files of a compiler (tests/compiled.py), independent of the libc and the Node.js of this machine."""

import struct
from pathlib import Path

from tests.compiled import HERE, SHELF, Recipe

X86_64, ARM64 = 62, 183  # e_machine

NODE_H = """
typedef struct node_module {
  int nm_version; unsigned nm_flags; void *nm_dso_handle; const char *nm_filename;
  void (*nm_register_func)(void); void (*nm_context_register_func)(void);
  const char *nm_modname; void *nm_priv; struct node_module *nm_link;
} node_module;
typedef struct napi_module {
  int nm_version; unsigned nm_flags; const char *nm_filename; void (*nm_register_func)(void);
  const char *nm_modname; void *nm_priv; void *reserved[4];
} napi_module;
void node_module_register(void *);
void napi_module_register(void *);
#define SHOWN __attribute__((visibility("default")))
#define V8_STRUCT(name, abi, old, contextual) \\
  static node_module name = {abi, 0, 0, __FILE__, old, contextual, #name, 0, 0}
#define NODE_API_STRUCT(name) static napi_module name = {1, 0, __FILE__, init, #name, 0, {0}}
#define REGISTERED(call, name) \\
  static void __attribute__((constructor)) register_##name(void) { call(&name); }
"""
"""The layouts and macros of Node.js's node.h and node_api.h (docs/facts.md#7-registration) in plain C."""

V8_PLAIN = (
    NODE_H
    + """
static void init(void) {}
V8_STRUCT(addon, ABI, init, 0);
REGISTERED(node_module_register, addon)
"""
)  # NODE_MODULE, NAN_MODULE

V8_CONTEXTUAL = (
    NODE_H
    + """
static void init(void) {}
V8_STRUCT(addon, ABI, 0, init);
REGISTERED(node_module_register, addon)
"""
)  # NODE_MODULE_CONTEXT_AWARE

V8_SYMBOL = (
    NODE_H
    + """
#define ENTRY_(abi) node_register_module_v##abi
#define ENTRY(abi) ENTRY_(abi)
SHOWN void ENTRY(ABI)(void) {}
"""
)  # NAN_MODULE_WORKER_ENABLED

V8_BOTH_WAYS = (
    V8_SYMBOL
    + """
V8_STRUCT(addon, ABI, 0, ENTRY(ABI));
REGISTERED(node_module_register, addon)
"""
)  # NODE_MODULE_INIT

V8_TWICE = (
    NODE_H
    + """
static void init(void) {}
V8_STRUCT(zulu, 108, init, 0);
V8_STRUCT(alpha, 127, init, 0);
REGISTERED(node_module_register, FIRST)
REGISTERED(node_module_register, SECOND)
"""
)

V8_AT_RUN_TIME = (
    NODE_H
    + """
static void init(void) {}
static node_module addon;
static void __attribute__((constructor)) fill(void) {
  addon.nm_version = ABI; addon.nm_register_func = init; addon.nm_modname = "addon";
  node_module_register(&addon);
}
"""
)

NODE_API = (
    NODE_H
    + """
int napi_create_object(void *, void *);
SHOWN int napi_register_module_v1(void *env, void *exports) { return napi_create_object(env, exports); }
SHOWN int node_api_module_get_api_version_v1(void) { return LEVEL; }
"""
)

NODE_API_WITHOUT_LEVEL = NODE_H + "SHOWN void *napi_register_module_v1(void *e, void *x) { return x; }\n"

NODE_API_CONSTRUCTOR = (
    NODE_H
    + """
static void init(void) {}
NODE_API_STRUCT(addon);
REGISTERED(napi_module_register, addon)
"""
)  # NAPI_MODULE with headers of Node 16 and older


def link(directory: Path, name: str, source: str, *flags: str, libraries: tuple[Path, ...] = ()) -> Path:
    """Link a shared object without any of the machine's own libraries."""
    return _compile(directory, name, source, "-shared", "-fPIC", "-nostdlib", *flags, libraries=libraries)


def program(directory: Path, name: str, source: str, *flags: str) -> Path:
    """Link an executable that needs no C library."""
    return _compile(directory, name, source, "-nostdlib", "-ffreestanding", *flags)


def _compile(directory: Path, name: str, source: str, *flags: str, libraries: tuple[Path, ...] = ()) -> Path:
    named = [Path(flag) for flag in flags if flag.startswith("/")]
    searched = [path for flag in flags if flag.startswith("-l") and (path := directory / f"lib{flag[2:]}.so").exists()]
    scripts = [Path(flag.partition("=")[2]) for flag in flags if flag.startswith("-Wl,--version-script=")]
    recipe = Recipe(
        name,
        source,
        tuple(flag.replace(str(directory), HERE) for flag in flags if not flag.startswith("/")),
        {script.name: script.read_text(encoding="utf-8") for script in scripts},
        tuple((library.name, library.read_bytes()) for library in (*named, *libraries, *searched)),
    )
    directory.mkdir(parents=True, exist_ok=True)
    made = directory / name
    made.write_bytes(SHELF.find(recipe))
    made.chmod(0o755)
    return made


def library(directory: Path, soname: str, *versions: str, symbol: str = "shiny") -> Path:
    """Link a stub that defines one symbol, with its newest (last) version as the default; unversioned without any."""
    directory.mkdir(parents=True, exist_ok=True)
    if not versions:
        return link(directory, soname, f"int {symbol}(void) {{ return 1; }}", f"-Wl,-soname,{soname}")
    older = "".join(
        f'__asm__(".symver {symbol}_{at}, {symbol}@{version}");\nint {symbol}_{at}(void) {{ return {at}; }}\n'
        for at, version in enumerate(versions[:-1])
    )
    newest = f'__asm__(".symver {symbol}_now, {symbol}@@{versions[-1]}");\nint {symbol}_now(void) {{ return -1; }}\n'
    script = directory / f"{soname}.map"
    nodes = [f"{version} {{ global: {symbol}; }};" for version in versions[:-1]]
    script.write_text("\n".join([*nodes, f"{versions[-1]} {{ global: {symbol}; local: *; }};"]), encoding="utf-8")
    return link(directory, soname, older + newest, f"-Wl,-soname,{soname}", f"-Wl,--version-script={script}")


def using(directory: Path, name: str, *libraries: Path, flags: tuple[str, ...] = ()) -> Path:
    """Link an object that calls `shiny` of the given libraries."""
    source = "int shiny(void);\nint init(void) { return shiny(); }\n"
    return link(directory, name, source, *flags, libraries=libraries)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Return a copy with some bytes replaced."""
    return data[:at] + new + data[at + len(new) :]


def with_machine(data: bytes, machine: int) -> bytes:
    """Return the same file, said to be for another CPU."""
    return patched(data, 18, struct.pack("<H", machine))


def segments(data: bytes, kind: int) -> list[int]:
    """Return the file offsets of the program headers of one p_type."""
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    return [at for at in range(table, table + 56 * count, 56) if struct.unpack_from("<I", data, at)[0] == kind]


def tag(data: bytes, number: int) -> int:
    """Return the value of a dynamic tag; in these small files an address before .data is also the file offset."""
    return _word(data, _tag_at(data, number) + 8)


def with_tag(data: bytes, number: int, value: int) -> bytes:
    """Return the same file with another value of a dynamic tag."""
    return patched(data, _tag_at(data, number) + 8, struct.pack("<Q", value))


def dynamic_entries(data: bytes) -> range:
    """Return the file offsets of the entries of the dynamic section."""
    (header,) = segments(data, 2)
    start = _word(data, header + 8)
    return range(start, start + _word(data, header + 32), 16)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _tag_at(data: bytes, number: int) -> int:
    return next(at for at in dynamic_entries(data) if _word(data, at) == number)


def loaded_end(data: bytes) -> int:
    """Return the file offset behind the last byte that the loader maps."""
    return max(_word(data, at + 8) + _word(data, at + 32) for at in segments(data, 1))  # p_offset + p_filesz


FAR = 1 << 32
"""Address of what `refurnished` adds: beyond everything that a linker laid out."""


def refurnished(data: bytes, tags: list[tuple[int, int]], strings: bytes, rest: bytes = b"") -> bytes:
    """Return the same file with a dynamic section of these tags in front of its own, and another string table.

    Tag values are taken as they are, offsets into `strings`; `rest` follows the strings, from FAR + (1 << 31) on.
    """
    own = b"".join(
        data[at : at + 16] for at in dynamic_entries(data) if _word(data, at) not in {0, 1, 5, 10, 14, 15, 29}
    )
    table = b"".join(struct.pack("<qQ", *each) for each in tags)
    table += struct.pack("<qQqQ", 5, FAR + (1 << 30), 10, len(strings)) + own + bytes(16)
    at = -(-len(data) // 4096) * 4096
    image = bytearray(data.ljust(at, b"\0"))
    spare = iter(
        [*segments(data, 0x6474E551), *segments(data, 0x6474E550), *segments(data, 4), *segments(data, 0x6474E552)]
    )
    for piece, address in ((table, FAR), (strings, FAR + (1 << 30)), (rest, FAR + (1 << 31))):
        if not piece:
            continue
        start = len(image)
        image += piece.ljust(-(-len(piece) // 4096) * 4096, b"\0")
        struct.pack_into("<IIQQQQQQ", image, next(spare), 1, 6, start, address, address, len(piece), len(piece), 4096)
    (header,) = segments(data, 2)
    struct.pack_into("<QQ", image, header + 8, at, FAR)
    return bytes(image)
