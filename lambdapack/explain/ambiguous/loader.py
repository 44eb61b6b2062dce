"""Ambiguous messages of the loaders of Linux, macOS and node about one binary."""

import posixpath

from lambdapack.explain.facts.nouns import Slots
from lambdapack.explain.nouns import Meaning, MessagePattern
from lambdapack.explain.symbols import explain_musl_symbol, explain_undefined_symbol
from lambdapack.messages import DYLD_OPENING, FILE, QUOTED, Certainty, Rank
from lambdapack.rules.binary.linking_records import MISSING_LIBRARY, MUSL
from lambdapack.rules.binary.loader_records import NOT_ELF, WRONG_CPU
from lambdapack.rules.binary.node_records import ELECTRON_ABI, NODE_ABI, NOT_AN_ADDON
from lambdapack.rules.package.records import MISSING_ADDON, NOT_READABLE
from lambdapack.rules.selection.tokens import is_musl, parse_platform_tags
from lambdapack.runtimes.versions import describe_abi, electron_majors


def missing_shared_object(slots: Slots) -> Meaning | None:
    """A name without a slash is a library that something needs; an addon's own path means that it was passed over."""
    file = slots["file"]
    name = posixpath.basename(file.replace("\\", "/"))
    if is_musl(name):
        return Meaning(MUSL, Certainty.CERTAIN, f"the addon needs {name}, the C library of Alpine; Lambda has glibc")
    if name.startswith("ld-linux"):
        said = f"the binary asks for {name}, the glibc loader of another CPU or of a system that this one is not"
        return Meaning(WRONG_CPU, Certainty.LIKELY, said)
    if not name.endswith(".node") and "node_modules/" not in file.replace("\\", "/"):
        return Meaning(MISSING_LIBRARY, Certainty.CERTAIN, f"the library {name} is not on this system")
    gone = Meaning(MISSING_ADDON, Certainty.POSSIBLE, "{file} is not there at all")
    said = "{file} is for another CPU: glibc passes over such a file and then says that it is not there"
    return Meaning(WRONG_CPU, Certainty.LIKELY, said, (gone,))


def invalid_elf_header(slots: Slots) -> Meaning:
    """Glibc's libc.so is a linker script: only an addon that was made for musl asks for it by that name."""
    name = posixpath.basename(slots["file"])
    if is_musl(name):
        return Meaning(
            MUSL, Certainty.CERTAIN, f"the addon was made for musl: it asks for {name}, which is text under glibc"
        )
    made_for = ", ".join(sorted(parse_platform_tags(slots["file"]).systems - {"linux"}))
    system = f"it was made for {made_for}" if made_for else "it comes from macOS or Windows, or is no binary at all"
    return Meaning(NOT_ELF, Certainty.CERTAIN, f"{{file}} is not a Linux file: {system}")


def musl_load_error(slots: Slots) -> Meaning | None:
    """Musl names first what is missing, then who needs it."""
    name, why = slots["library"], slots["why"]
    if name.startswith("ld-linux") or name in {"libc.so.6", "libresolv.so.2", "librt.so.1"}:
        return Meaning(
            MUSL, Certainty.CERTAIN, f"{{file}} was made for glibc (it needs {name}), and this is Alpine with musl"
        )
    if why.startswith("Exec format"):
        return Meaning(WRONG_CPU, Certainty.LIKELY, f"{posixpath.basename(name)} is for another CPU, or no ELF file")
    if why.startswith("Permission"):
        return Meaning(NOT_READABLE, Certainty.CERTAIN, f"{posixpath.basename(name)} may not be read")
    if name.endswith(".node"):
        return Meaning(MISSING_ADDON, Certainty.LIKELY, f"{posixpath.basename(name)} is not there")
    return Meaning(
        MISSING_LIBRARY, Certainty.CERTAIN, f"the library {name}, which {{file}} needs, is not on this system"
    )


_CPU = r"['\"\u2018](?P<{}>[\w,\x20]+)['\"\u2019]"


def incompatible_architecture(slots: Slots) -> Meaning:
    """The newer message names both sides."""
    if "has" in slots and "needs" in slots:
        said = f"{{file}} is for {slots['has']}, and this node runs as {slots['needs']}"
        return Meaning(WRONG_CPU, Certainty.CERTAIN, said)
    return Meaning(
        WRONG_CPU, Certainty.CERTAIN, "{file} is for another CPU than this node (Apple Silicon and Intel differ)"
    )


def foreign_binary(slots: Slots) -> Meaning:
    """A file for another system."""
    if "0x7F" in slots.get("bytes", "") or "7F 45" in slots.get("bytes", ""):
        return Meaning(NOT_ELF, Certainty.CERTAIN, "{file} is a Linux binary, and this is macOS")
    return Meaning(NOT_ELF, Certainty.LIKELY, "{file} is no macOS binary: it was installed for another system")


def abi_mismatch(slots: Slots) -> Meaning:
    """Both numbers become versions; one of Electron's makes it Electron's trouble."""
    found, wanted = int(slots["abi"]), int(slots["wanted"])
    said = f"{{file}} was compiled for {_abi_name(found)}, and {_abi_name(wanted)} runs it"
    electron = electron_majors(found) or electron_majors(wanted)
    return Meaning(ELECTRON_ABI if electron else NODE_ABI, Certainty.CERTAIN, said)


def _abi_name(abi: int) -> str:
    return f"{describe_abi(abi)} (NODE_MODULE_VERSION {abi})"


def partial_abi_mismatch(slots: Slots) -> Meaning:
    """A line of the message without the rest."""
    found = int(slots["abi"]) if "abi" in slots else None
    named = f" than {_abi_name(found)}" if found else ""
    cause = ELECTRON_ABI if found and electron_majors(found) else NODE_ABI
    return Meaning(
        cause, Certainty.LIKELY, f"{{file}} was compiled for another Node.js{named} than the one that runs it"
    )


def missing_registration(slots: Slots) -> Meaning:
    """Node looked for every form of registration and found none for itself."""
    del slots
    other = Meaning(
        NODE_ABI, Certainty.POSSIBLE, "{file} registers for another Node.js only, or was loaded twice (Worker)"
    )
    return Meaning(NOT_AN_ADDON, Certainty.LIKELY, "{file} does not register with this Node.js", (other,))


PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "node",
        "The module '/a/a.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 93. "
        "This version of Node.js requires\nNODE_MODULE_VERSION 115.",
        rf"(?:{QUOTED.format('file')}\s+)?was compiled against a different Node\.js version using "
        r"NODE_MODULE_VERSION (?P<abi>\d+)\W+This version of Node\.js requires NODE_MODULE_VERSION (?P<wanted>\d+)",
        ("NODE_MODULE_VERSION",),
        abi_mismatch,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "Module version mismatch. Expected 48, got 46.",
        r"Module version mismatch\. (?:Expected|Required) (?P<wanted>\d+), (?:got|found) (?P<abi>\d+)",
        ("mismatch.",),
        abi_mismatch,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "compiled against NODE_MODULE_VERSION 93, requires 115",
        r"NODE_MODULE_VERSION (?P<abi>\d+)[^\n\d]{1,80}?(?:NODE_MODULE_VERSION )?(?P<wanted>\d{2,3})\b",
        ("NODE_MODULE_VERSION",),
        abi_mismatch,
    ),
    MessagePattern(
        "node",
        "was compiled against a different Node.js version using NODE_MODULE_VERSION",
        rf"(?:{QUOTED.format('file')}\s+)?was compiled against a different Node\.js version"
        r"(?: using NODE_MODULE_VERSION(?: (?P<abi>\d+))?)?",
        ("different",),
        partial_abi_mismatch,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "node",
        "Error: Module did not self-register: '/a/a.node'.",
        rf"Module did not self-register(?:: \W?{FILE})?",
        ("self-register",),
        missing_registration,
    ),
    MessagePattern(
        "glibc's loader",
        "libfoo.so.1: cannot open shared object file: No such file or directory",
        rf"{FILE}: cannot open shared object file: No such file or directory",
        ("directory",),
        missing_shared_object,
    ),
    MessagePattern(
        "glibc's loader",
        "/var/task/node_modules/a/a.node: invalid ELF header",
        rf"{FILE}: invalid ELF header",
        ("header",),
        invalid_elf_header,
    ),
    MessagePattern(
        "glibc's loader",
        "/var/task/node_modules/a/a.node: undefined symbol: napi_create_date",
        rf"(?:{FILE}: )?undefined symbol: (?P<symbol>[\w.$@]+)",
        ("undefined",),
        explain_undefined_symbol,
    ),
    MessagePattern(
        "musl's loader",
        "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /app/a.node)",
        r"Error loading shared library (?P<library>[^\s:]+): (?P<why>[A-Z][\w\t\x20]+?)"
        rf"(?: \(needed by {FILE}\)|$|\n|[.,;'\"`)\]])",
        ("loading",),
        musl_load_error,
        Rank.ROOT,
    ),
    MessagePattern(
        "musl's loader",
        "Error relocating /app/node_modules/a/a.node: __memcpy_chk: symbol not found",
        rf"Error relocating {FILE}: (?P<symbol>\S+): symbol not found",
        ("relocating",),
        explain_musl_symbol,
    ),
    MessagePattern(
        "dyld",
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' "
        "(mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64e'))",
        rf"{DYLD_OPENING}(?:mach-o file, but is an )?incompatible architecture"
        rf"(?: \(have {_CPU.format('has')}, need {_CPU.format('needs')})?",
        ("incompatible",),
        incompatible_architecture,
    ),
    MessagePattern(
        "dyld",
        "dlopen(/a/a.node, 1): no suitable image found. Did find: /a/a.node: mach-o, but wrong architecture",
        rf"{DYLD_OPENING}(?:mach-o, but wrong architecture|no matching architecture in universal wrapper"
        r"|fat file, but missing compatible architecture|missing compatible arch|file is not of required "
        r"architecture)",
        ("architecture", "compatible"),
        incompatible_architecture,
    ),
    MessagePattern(
        "dyld",
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' (slice is not valid mach-o file)",
        rf"{DYLD_OPENING}(?:\(?slice is not valid mach-o file|not a mach-o file"
        r"|unknown file type, (?:first eight bytes: )?(?P<bytes>(?:0x[0-9A-F]{2} ?)*))",
        ("mach-o", "unknown"),
        foreign_binary,
    ),
    MessagePattern(
        "dyld",
        "dlopen(/a/a.node, 1): Symbol not found: _napi_create_date",
        rf"{DYLD_OPENING}(?:Symbol not found: \(?(?P<symbol>[\w$]+)"
        r"|symbol not found in flat namespace \(?['\"]?(?P<flat>[\w$]+))",
        ("Symbol", "namespace"),
        lambda slots: explain_undefined_symbol({**slots, "symbol": slots.get("symbol") or slots.get("flat", "")}),
    ),
)
