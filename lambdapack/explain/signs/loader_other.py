"""What the loaders of macOS (dyld) and Windows print: most people meet the trouble on their own machine first."""

from lambdapack.explain.nouns import Reading, Sign, Slots
from lambdapack.explain.signs.words import CERTAIN, LIKELY, POSSIBLE, pattern, sign
from lambdapack.explain.symbols import undefined

DYLD, WINDOWS = "dyld", "Windows' loader"

_OPENED = r"dlopen\((?P<file>[^,\n]+), [^)\n]*\)[\s\S]{0,1200}?"
_MAYBE = rf"(?:{_OPENED})?"
_WINDOWS = r"(?P<{}>(?:\\\\\?\\)?[A-Za-z]:[^\n:*?\"<>|]+?\.node)"
"""A path there may well have blanks."""

_CPU = r"['\"\u2018](?P<{}>[\w,\x20]+)['\"\u2019]"


def other_cpu(slots: Slots) -> Reading:
    """The newer message names both sides."""
    if "has" in slots and "needs" in slots:
        said = f"{{file}} is for {slots['has']}, and this node runs as {slots['needs']}"
        return Reading("wrong-cpu", CERTAIN, said)
    return Reading("wrong-cpu", CERTAIN, "{file} is for another CPU than this node (Apple Silicon and Intel differ)")


def foreign(slots: Slots) -> Reading:
    """A file for another system."""
    if "0x7F" in slots.get("bytes", "") or "7F 45" in slots.get("bytes", ""):
        return Reading("not-elf", CERTAIN, "{file} is a Linux binary, and this is macOS")
    return Reading("not-elf", LIKELY, "{file} is no macOS binary: it was installed for another system")


SIGNS: tuple[Sign, ...] = (
    Sign(
        DYLD,
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' "
        "(mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64e'))",
        pattern(
            rf"{_MAYBE}(?:mach-o file, but is an )?incompatible architecture"
            rf"(?: \(have {_CPU.format('has')}, need {_CPU.format('needs')})?"
        ),
        other_cpu,
    ),
    Sign(
        DYLD,
        "dlopen(/a/a.node, 1): no suitable image found. Did find: /a/a.node: mach-o, but wrong architecture",
        pattern(
            rf"{_MAYBE}(?:mach-o, but wrong architecture|no matching architecture in universal wrapper"
            r"|fat file, but missing compatible architecture|missing compatible arch|file is not of required "
            r"architecture)"
        ),
        other_cpu,
    ),
    Sign(
        DYLD,
        "dlopen(/a/a.node, 0x0001): tried: '/a/a.node' (slice is not valid mach-o file)",
        pattern(
            rf"{_MAYBE}(?:\(?slice is not valid mach-o file|not a mach-o file"
            r"|unknown file type, (?:first eight bytes: )?(?P<bytes>(?:0x[0-9A-F]{2} ?)*))"
        ),
        foreign,
    ),
    sign(
        DYLD,
        "dlopen(/a/a.node, 1): Library not loaded: /usr/local/opt/x/libx.1.dylib",
        rf"{_MAYBE}Library not loaded: (?P<library>[^\s\"']+)",
        "missing-library",
        CERTAIN,
        "{file} needs {library}, which is not on this machine",
    ),
    Sign(
        DYLD,
        "dlopen(/a/a.node, 1): Symbol not found: _napi_create_date",
        pattern(
            rf"{_MAYBE}(?:Symbol not found: \(?(?P<symbol>[\w$]+)"
            r"|symbol not found in flat namespace \(?['\"]?(?P<flat>[\w$]+))"
        ),
        lambda slots: undefined({**slots, "symbol": slots.get("symbol") or slots.get("flat", "")}),
    ),
    sign(
        DYLD,
        "dlopen(/a/a.node, 1): code signature in (/a/a.node) not valid for use in process",
        rf"{_MAYBE}(?:code signature (?:in \([^)]*\) )?not valid for use in process"
        r"|code signature invalid|library load disallowed by system policy)",
        "permissions",
        LIKELY,
        "macOS refuses {file}: its signature or quarantine mark does not allow it",
    ),
    sign(
        WINDOWS,
        r"\\?\C:\app\node_modules\a\a.node is not a valid Win32 application.",
        rf"(?:{_WINDOWS.format('file')} |%1 )?is not a valid Win32 application"
        rf"(?:\.?\s*{_WINDOWS.format('file2')})?",
        "not-elf",
        LIKELY,
        "{file} is no Windows binary for this CPU: it was installed for another system",
    ),
    sign(
        WINDOWS,
        r"The specified module could not be found. \\?\C:\app\node_modules\a\a.node",
        rf"(?:The specified module could not be found\.?\s*{_WINDOWS.format('file')}"
        rf"|{_WINDOWS.format('file2')}\W{{1,3}}The specified module could not be found)",
        "missing-library",
        LIKELY,
        "a DLL that {file} needs is not on this machine",
    ),
    sign(
        WINDOWS,
        "The specified procedure could not be found.\n\\\\?\\C:\\app\\node_modules\\a\\a.node",
        rf"The specified procedure could not be found\.?\s*{_WINDOWS.format('file')}",
        "undefined-symbol",
        LIKELY,
        "{file} calls a function that this node does not have: it was compiled for another version",
    ),
    sign(
        WINDOWS,
        "A dynamic link library (DLL) initialization routine failed.",
        r"A dynamic link library \(DLL\) initialization routine failed\.?"
        rf"(?:\s*{_WINDOWS.format('file')})?",
        "node-abi",
        POSSIBLE,
        "{file} could not start: most often it was compiled for another Node.js or Electron",
    ),
)
