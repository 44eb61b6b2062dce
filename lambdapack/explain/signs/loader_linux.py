"""What the loaders of Linux print: glibc's (elf/dl-load.c, dl-version.c, dl-lookup.c) and musl's (ldso/dynlink.c)."""

import posixpath

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    ADDON,
    CERTAIN,
    FILE,
    LIKELY,
    POSSIBLE,
    ROOT,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)
from lambdapack.explain.symbols import explain_musl_symbol, explain_undefined_symbol
from lambdapack.rules.binary.loader import is_musl
from lambdapack.rules.selection.tokens import parse_platform_tags

GLIBC_LOADER, MUSL_LOADER = "glibc's loader", "musl's loader"


def missing_shared_object(slots: Slots) -> Meaning | None:
    """A name without a slash is a library that something needs; an addon's own path means that it was passed over."""
    file = slots["file"]
    name = posixpath.basename(file.replace("\\", "/"))
    if is_musl(name):
        return Meaning("musl", CERTAIN, f"the addon needs {name}, the C library of Alpine; Lambda has glibc")
    if name.startswith("ld-linux"):
        said = f"the binary asks for {name}, the glibc loader of another CPU or of a system that this one is not"
        return Meaning("wrong-cpu", LIKELY, said)
    if not name.endswith(".node") and "node_modules/" not in file.replace("\\", "/"):
        return Meaning("missing-library", CERTAIN, f"the library {name} is not on this system")
    gone = Meaning("prebuild-missing", POSSIBLE, "{file} is not there at all")
    said = "{file} is for another CPU: glibc passes over such a file and then says that it is not there"
    return Meaning("wrong-cpu", LIKELY, said, (gone,))


def invalid_elf_header(slots: Slots) -> Meaning:
    """Glibc's libc.so is a linker script: only an addon that was made for musl asks for it by that name."""
    name = posixpath.basename(slots["file"])
    if is_musl(name):
        return Meaning("musl", CERTAIN, f"the addon was made for musl: it asks for {name}, which is text under glibc")
    made_for = ", ".join(sorted(parse_platform_tags(slots["file"]).systems - {"linux"}))
    system = f"it was made for {made_for}" if made_for else "it comes from macOS or Windows, or is no binary at all"
    return Meaning("not-elf", CERTAIN, f"{{file}} is not a Linux file: {system}")


def musl_load_error(slots: Slots) -> Meaning | None:
    """Musl names first what is missing, then who needs it."""
    name, why = slots["library"], slots["why"]
    if name.startswith("ld-linux") or name in {"libc.so.6", "libresolv.so.2", "librt.so.1"}:
        return Meaning("musl", CERTAIN, f"{{file}} was made for glibc (it needs {name}), and this is Alpine with musl")
    if why.startswith("Exec format"):
        return Meaning("wrong-cpu", LIKELY, f"{posixpath.basename(name)} is for another CPU, or no ELF file")
    if why.startswith("Permission"):
        return Meaning("permissions", CERTAIN, f"{posixpath.basename(name)} may not be read")
    if name.endswith(".node"):
        return Meaning("prebuild-missing", LIKELY, f"{posixpath.basename(name)} is not there")
    return Meaning("missing-library", CERTAIN, f"the library {name}, which {{file}} needs, is not on this system")


ELF_HEADER_ERRORS = (
    r"ELF file OS ABI invalid|ELF file ABI version invalid|ELF file version (?:ident )?does not match|"
    r"only ET_DYN and ET_EXEC can be loaded|ELF file's phentsize not the expected size|nonzero padding in e_ident|"
    r"ELF file data encoding not (?:little|big)-endian|object file has no (?:dynamic section|loadable segments)|"
    r"shared object cannot be dlopen\(\)ed|ELF load command (?:alignment|address)[^\n]*aligned|"
    r"cannot enable executable stack as shared object requires"
)

SIGNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        GLIBC_LOADER,
        "libfoo.so.1: cannot open shared object file: No such file or directory",
        compile_pattern(rf"{FILE}: cannot open shared object file: No such file or directory"),
        missing_shared_object,
    ),
    MessagePattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: invalid ELF header",
        compile_pattern(rf"{FILE}: invalid ELF header"),
        invalid_elf_header,
    ),
    message_pattern(
        GLIBC_LOADER,
        "cannot open shared object file",
        r"^\W*(?:Error: )?cannot open shared object file\W*$",
        "missing-library",
        POSSIBLE,
        "a library is not there, or the addon is for another CPU: the name before these words tells which",
    ),
    message_pattern(
        GLIBC_LOADER,
        "Error: invalid ELF header",
        r"(?:^|[^:]|Error: )\binvalid ELF header",
        "not-elf",
        LIKELY,
        "a native addon of the package is not a Linux file",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: wrong ELF class: ELFCLASS32",
        rf"(?:{FILE}: )?wrong ELF class: (?P<has>ELFCLASS(?:32|64))",
        "wrong-class",
        CERTAIN,
        "{file} is {has}: 32 and 64 bit do not mix in one process",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: file too short",
        rf"(?:{FILE}: )?(?:file too short|cannot read file data(?:: [^\n]*)?|ELF load command past end of file)",
        "truncated",
        CERTAIN,
        "{file} is cut short: a broken download, a git-lfs pointer or an empty file",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/lib64/libc.so.6: version `GLIBC_2.38' not found (required by /var/task/node_modules/a/a.node)",
        r"(?:(?P<provider>[\w./+-]+\.so[\w.]*): |\b(?=version .[A-Z][A-Z0-9]*_\d))version "
        r"[`'\"\u2018](?P<needs>[\w.]+)['\"`\u2019] not found"
        rf"(?: \(required by {FILE}\))?",
        "symbol-version",
        CERTAIN,
        "{file} was built on a newer system: it needs {needs}, and this system's {provider} does not have it",
    ),
    MessagePattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: undefined symbol: napi_create_date",
        compile_pattern(rf"(?:{FILE}: )?undefined symbol: (?P<symbol>[\w.$@]+)"),
        explain_undefined_symbol,
    ),
    message_pattern(
        GLIBC_LOADER,
        "/lib64/libgomp.so.1: cannot allocate memory in static TLS block",
        rf"(?:{FILE}: )?cannot allocate memory in static TLS block",
        "static-tls",
        CERTAIN,
        "{file} wants static thread-local storage, and node has no more of it once it runs",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: cannot open shared object file: Permission denied",
        rf"(?:{FILE}: )?(?:cannot open shared object file: Permission denied"
        r"|failed to map segment from shared object: Operation not permitted)",
        "permissions",
        CERTAIN,
        "{file} may not be read or mapped by the user that runs the function",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: cannot dynamically load executable",
        rf"(?:{FILE}: )?cannot dynamically load (?:position-independent )?executable",
        "executable",
        CERTAIN,
        "{file} is a program, not a library",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: ELF file OS ABI invalid",
        rf"(?:{FILE}: )?(?:{ELF_HEADER_ERRORS})",
        "bad-elf",
        CERTAIN,
        "{file} is an ELF file that this loader refuses",
    ),
    message_pattern(
        GLIBC_LOADER,
        "/var/task/node_modules/a/a.node: unexpected reloc type 0x1d",
        rf"(?:{FILE}: )?(?:unexpected reloc type|DT_RELR without GLIBC_ABI_DT_RELR dependency"
        r"|unsupported relocation type|cannot make segment writable for relocation)",
        "relocations",
        CERTAIN,
        "{file} has relocations that this loader does not apply",
    ),
    message_pattern(
        "ldd",
        "    libcairo.so.2 => not found",
        r"(?P<library>[\w.+-]+\.so[\w.]*) => not found",
        "missing-library",
        CERTAIN,
        "the library {library} is not on this system",
    ),
    MessagePattern(
        MUSL_LOADER,
        "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /app/a.node)",
        compile_pattern(
            r"Error loading shared library (?P<library>[^\s:]+): (?P<why>[A-Z][\w\t\x20]+?)"
            rf"(?: \(needed by {FILE}\)|$|\n|[.,;'\"`)\]])"
        ),
        musl_load_error,
        ROOT,
    ),
    message_pattern(
        MUSL_LOADER,
        "Error loading shared library ... Exec format error at Error (native)",
        r"Error loading shared library\b[^\n]{0,300}?\bExec format error",
        "wrong-cpu",
        LIKELY,
        "a library is for another CPU, or no ELF file",
    ),
    MessagePattern(
        MUSL_LOADER,
        "Error relocating /app/node_modules/a/a.node: __memcpy_chk: symbol not found",
        compile_pattern(rf"Error relocating {FILE}: (?P<symbol>\S+): symbol not found"),
        explain_musl_symbol,
    ),
    message_pattern(
        MUSL_LOADER,
        "Error relocating /app/node_modules/a/a.node: je_tsd: initial-exec TLS resolves to dynamic definition",
        rf"Error relocating {FILE}: \S+: initial-exec TLS resolves to dynamic definition",
        "static-tls",
        CERTAIN,
        "{file} wants static thread-local storage, which musl gives to no library that is opened later",
    ),
    message_pattern(
        "node",
        "Error: dlopen failed, was compiled for a different Node.js version",
        r"(?:dlopen failed|compiled) ?,? ?was compiled for a different Node\.js version",
        "node-abi",
        LIKELY,
        "the addon was compiled for another Node.js than the one that runs it",
    ),
    message_pattern(
        GLIBC_LOADER,
        "code: 'ERR_DLOPEN_FAILED'",
        rf"(?:{ADDON}[\s\S]{{0,200}}?)?\bERR_DLOPEN_FAILED\b",
        "node-abi",
        POSSIBLE,
        "a native addon could not be opened; the line above ERR_DLOPEN_FAILED says why",
        SYMPTOM,
    ),
)
