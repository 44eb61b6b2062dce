"""Messages of the loaders of macOS (dyld) and Windows."""

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import CERTAIN, LIKELY, POSSIBLE, compile_pattern, message_pattern
from lambdapack.explain.symbols import explain_undefined_symbol

DYLD, WINDOWS_LOADER = "dyld", "Windows' loader"

_OPENED = r"dlopen\((?P<file>[^,\n]+), [^)\n]*\)[\s\S]{0,1200}?"
_MAYBE = rf"(?:{_OPENED})?"
_WINDOWS = r"(?P<{}>(?:\\\\\?\\)?[A-Za-z]:[^\n:*?\"<>|]+?\.node)"
"""A path there may well have blanks."""

_CPU = r"['\"\u2018](?P<{}>[\w,\x20]+)['\"\u2019]"


def incompatible_architecture(slots: Slots) -> Meaning:
    """The newer message names both sides."""
    if "has" in slots and "needs" in slots:
        said = f"{{file}} is for {slots['has']}, and this node runs as {slots['needs']}"
        return Meaning("wrong-cpu", CERTAIN, said)
    return Meaning("wrong-cpu", CERTAIN, "{file} is for another CPU than this node (Apple Silicon and Intel differ)")


def foreign_binary(slots: Slots) -> Meaning:
    """A file for another system."""
    if "0x7F" in slots.get("bytes", "") or "7F 45" in slots.get("bytes", ""):
        return Meaning("not-elf", CERTAIN, "{file} is a Linux binary, and this is macOS")
    return Meaning("not-elf", LIKELY, "{file} is no macOS binary: it was installed for another system")


SIGNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        DYLD,
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' "
        "(mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64e'))",
        compile_pattern(
            rf"{_MAYBE}(?:mach-o file, but is an )?incompatible architecture"
            rf"(?: \(have {_CPU.format('has')}, need {_CPU.format('needs')})?"
        ),
        incompatible_architecture,
    ),
    MessagePattern(
        DYLD,
        "dlopen(/a/a.node, 1): no suitable image found. Did find: /a/a.node: mach-o, but wrong architecture",
        compile_pattern(
            rf"{_MAYBE}(?:mach-o, but wrong architecture|no matching architecture in universal wrapper"
            r"|fat file, but missing compatible architecture|missing compatible arch|file is not of required "
            r"architecture)"
        ),
        incompatible_architecture,
    ),
    MessagePattern(
        DYLD,
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' (slice is not valid mach-o file)",
        compile_pattern(
            rf"{_MAYBE}(?:\(?slice is not valid mach-o file|not a mach-o file"
            r"|unknown file type, (?:first eight bytes: )?(?P<bytes>(?:0x[0-9A-F]{2} ?)*))"
        ),
        foreign_binary,
    ),
    message_pattern(
        DYLD,
        "dlopen(/a/a.node, 1): Library not loaded: /usr/local/opt/x/libx.1.dylib",
        rf"{_MAYBE}Library not loaded: (?P<library>[^\s\"']+)",
        "missing-library",
        CERTAIN,
        "{file} needs {library}, which is not on this machine",
    ),
    MessagePattern(
        DYLD,
        "dlopen(/a/a.node, 1): Symbol not found: _napi_create_date",
        compile_pattern(
            rf"{_MAYBE}(?:Symbol not found: \(?(?P<symbol>[\w$]+)"
            r"|symbol not found in flat namespace \(?['\"]?(?P<flat>[\w$]+))"
        ),
        lambda slots: explain_undefined_symbol({**slots, "symbol": slots.get("symbol") or slots.get("flat", "")}),
    ),
    message_pattern(
        DYLD,
        "dlopen(/a/a.node, 1): code signature in (/a/a.node) not valid for use in process",
        rf"{_MAYBE}(?:code signature (?:in \([^)]*\) )?not valid for use in process"
        r"|code signature invalid|library load disallowed by system policy)",
        "permissions",
        LIKELY,
        "macOS refuses {file}: its signature or quarantine mark does not allow it",
    ),
    message_pattern(
        WINDOWS_LOADER,
        r"\\?\C:\app\node_modules\a\a.node is not a valid Win32 application.",
        rf"(?:{_WINDOWS.format('file')} |%1 )?is not a valid Win32 application"
        rf"(?:\.?\s*{_WINDOWS.format('file2')})?",
        "not-elf",
        LIKELY,
        "{file} is no Windows binary for this CPU: it was installed for another system",
    ),
    message_pattern(
        WINDOWS_LOADER,
        r"The specified module could not be found. \\?\C:\app\node_modules\a\a.node",
        rf"(?:The specified module could not be found\.?\s*{_WINDOWS.format('file')}"
        rf"|{_WINDOWS.format('file2')}\W{{1,3}}The specified module could not be found)",
        "missing-library",
        LIKELY,
        "a DLL that {file} needs is not on this machine",
    ),
    message_pattern(
        WINDOWS_LOADER,
        "The specified procedure could not be found.\n\\\\?\\C:\\app\\node_modules\\a\\a.node",
        rf"The specified procedure could not be found\.?\s*{_WINDOWS.format('file')}",
        "undefined-symbol",
        LIKELY,
        "{file} calls a function that this node does not have: it was compiled for another version",
    ),
    message_pattern(
        WINDOWS_LOADER,
        "A dynamic link library (DLL) initialization routine failed.",
        r"A dynamic link library \(DLL\) initialization routine failed\.?"
        rf"(?:\s*{_WINDOWS.format('file')})?",
        "node-abi",
        POSSIBLE,
        "{file} could not start: most often it was compiled for another Node.js or Electron",
    ),
)
