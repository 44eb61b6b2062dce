"""The rule records of libraries, symbols and pages that the loader refuses, with its sentences. Contains no check."""

from lambdapack.messages import (
    BUILD_FROM_SOURCE,
    DYLD_OPENING,
    FILE,
    PIN_NODE,
    WINDOWS_ADDON,
    Certainty,
    Message,
    Rank,
    Remedy,
)
from lambdapack.model import Architecture, Rule, Severity
from lambdapack.runtimes.cpu import CPU_FLOORS

_X86_64, _ARM64 = CPU_FLOORS[Architecture.X86_64], CPU_FLOORS[Architecture.ARM64]
_MARCH = f"-march={_X86_64.march}"

SYMBOL_VERSION = Rule(
    "LP203",
    "symbol-version",
    "a binary needs a newer system library than the runtime has",
    "The loader prints `version 'GLIBC_2.38' not found`. The file was built on a newer Linux than "
    "Lambda's, and a newer copy of the library beside it has no effect: node has loaded its own "
    "already.",
    "Choose a version of the package that was built on an older Linux: `npm view NAME versions` lists them.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/lib64/libc.so.6: version `GLIBC_2.38' not found (required by /var/task/node_modules/a/a.node)",
            r"(?:(?P<provider>[\w./+-]+\.so[\w.]*): |\b(?=version .[A-Z][A-Z0-9]*_\d))version "
            r"[`'\"\u2018](?P<needs>[\w.]+)['\"`\u2019] not found"
            rf"(?: \(required by {FILE}\))?",
            ("not",),
            "{file} was built on a newer system: it needs {needs}, and this system's {provider} does not have it",
        ),
    ),
    remedy=Remedy(
        ("{abler}", "{docker_source}", "npm view {package} versions", "{docker}"),
        "Build on the runtime's own Amazon Linux, not on a newer system; `lambdapack verify` compares every version.",
        replaceable=True,
    ),
)


MISSING_LIBRARY = Rule(
    "LP204",
    "missing-library",
    "a binary needs a missing library",
    "The loader prints `libNAME.so.1: cannot open shared object file: No such file or directory`.",
    "Run `lambdapack build --system-package NAME` with the system package that has the library, which then ships in "
    "`lib/`, or use a build of the package that includes it.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "cannot open shared object file",
            r"^\W*(?:Error: )?cannot open shared object file\W*$",
            ("shared",),
            "a library is missing, or the addon is for another CPU: the name before these words shows which",
            certainty=Certainty.POSSIBLE,
        ),
        Message(
            "ldd",
            "    libcairo.so.2 => not found",
            r"(?P<library>[\w.+-]+\.so[\w.]*) => not found",
            ("not",),
            "the library {library} is not on this system",
        ),
        Message(
            "dyld",
            "dlopen(/a/a.node, 1): Library not loaded: /usr/local/opt/x/libx.1.dylib",
            rf"{DYLD_OPENING}Library not loaded: (?P<library>[^\s\"']+)",
            ("Library",),
            "{file} needs {library}, which is not on this machine",
        ),
        Message(
            "Windows' loader",
            r"The specified module could not be found. \\?\C:\app\node_modules\a\a.node",
            rf"(?:The specified module could not be found\.?\s*{WINDOWS_ADDON.format('file')}"
            rf"|{WINDOWS_ADDON.format('file2')}\W{{1,3}}The specified module could not be found)",
            ("specified",),
            "a DLL that {file} needs is not on this machine",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{system_build}", "{verify}", "{libraries}", "{layer}", "{docker}"),
        "Put libraries that Lambda lacks into lib/ of the function or of a layer (both are in "
        "LD_LIBRARY_PATH), or choose a package that brings its own; `lambdapack verify` names every "
        "missing one.",
        local=("{libraries}", "npm rebuild {package}"),
        alpine=("{libraries}", f"apk add --no-cache python3 make g++ && {BUILD_FROM_SOURCE}"),
        replaceable=True,
    ),
)


MUSL = Rule(
    "LP205",
    "musl",
    "a binary is made for musl (Alpine), Lambda has glibc",
    "The loader prints `libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory`.",
    "Install the glibc build: `npm ci --os=linux --libc=glibc`, or `lambdapack build`.",
    Severity.ERROR,
    remedy=Remedy(
        ("{build}", "{npm_ci}", "{docker}"),
        "Install in an image with the C library of the place where it runs: Lambda has glibc, Alpine has musl.",
        alpine=(f"apk add --no-cache python3 make g++ && {BUILD_FROM_SOURCE}", "apk add --no-cache libc6-compat"),
        reinstall=True,
        rebuild=True,
    ),
)


UNDEFINED_SYMBOL = Rule(
    "LP213",
    "undefined-symbol",
    "a binary calls a function that nothing in the process defines",
    "The loader prints `undefined symbol: NAME`, at once or, for a function bound lazily, at its first "
    "call: then the whole process ends with exit status 127 and no JavaScript error.",
    "Build it for this runtime: `lambdapack build`, or use a version of the package made for it.",
    Severity.ERROR,
    messages=(
        Message(
            "Windows' loader",
            "The specified procedure could not be found.\n\\\\?\\C:\\app\\node_modules\\a\\a.node",
            rf"The specified procedure could not be found\.?\s*{WINDOWS_ADDON.format('file')}",
            ("specified",),
            "{file} calls a function that this node does not have: it was compiled for another version",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE),
        PIN_NODE,
        replaceable=True,
        rebuild=True,
    ),
)


STATIC_TLS = Rule(
    "LP215",
    "static-tls",
    "not enough static thread-local storage for a library",
    "The loader prints `cannot allocate memory in static TLS block`. jemalloc and libgomp builds are known for it.",
    "Use a build with -ftls-model=global-dynamic, or set LD_PRELOAD to the library in the function's environment.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/lib64/libgomp.so.1: cannot allocate memory in static TLS block",
            rf"(?:{FILE}: )?cannot allocate memory in static TLS block",
            ("allocate",),
            "{file} needs static thread-local storage, and a running node has none left",
        ),
        Message(
            "musl's loader",
            "Error relocating /app/node_modules/a/a.node: je_tsd: initial-exec TLS resolves to dynamic definition",
            rf"Error relocating {FILE}: \S+: initial-exec TLS resolves to dynamic definition",
            ("initial-exec",),
            "{file} needs static thread-local storage, which musl does not give to a library opened at run time",
        ),
    ),
    remedy=Remedy(
        ("{build}", "npm install {package}@latest"),
        "Load the library first (LD_PRELOAD in the function's environment), or use a build without initial-exec TLS.",
    ),
)


RELOCATIONS = Rule(
    "LP216",
    "relocations",
    "a binary has packed relocations that this glibc does not apply",
    "The loader ignores unknown relocation types, and the process dies with a segmentation fault.",
    "Link it without --pack-dyn-relocs (`-Wl,-z,nopack-relative-relocs`).",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: unexpected reloc type 0x1d",
            rf"(?:{FILE}: )?(?:unexpected reloc type|DT_RELR without GLIBC_ABI_DT_RELR dependency"
            r"|unsupported relocation type|cannot make segment writable for relocation)",
            ("unexpected", "GLIBC_ABI_DT_RELR", "unsupported", "relocation"),
            "{file} has relocations that this loader does not apply",
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE),
        "Build on the runtime's own system.",
    ),
)


CPU_LEVEL = Rule(
    "LP219",
    "cpu-level",
    "a binary needs a newer CPU than Lambda promises",
    "The loader prints `CPU ISA level is lower than required`, or the process dies with SIGILL. "
    "-march=native does that.",
    f"Compile it without -march=native: `CFLAGS={_MARCH} CXXFLAGS={_MARCH} lambdapack build`.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: CPU ISA level is lower than required",
            rf"(?:{FILE}: )?CPU ISA level is lower than required",
            ("lower",),
            "{file} declares a CPU level that this machine's CPU does not have",
        ),
        Message(
            "sharp",
            "Unsupported CPU: Prebuilt binaries for linux-x64 require v2 microarchitecture",
            r"Unsupported CPU: Prebuilt binaries for (?P<needs>[\w-]+) require (?P<level>v\d) microarchitecture",
            ("microarchitecture",),
            "the binary for {needs} needs x86-64-{level}, and this machine's CPU or virtual CPU has less",
            rank=Rank.ROOT,
            package="sharp",
        ),
        Message(
            "Lambda's runtime",
            "Error: Runtime exited with error: signal: illegal instruction Runtime.ExitError",
            r"signal: illegal instruction|Illegal instruction(?: \(core dumped\))?|\bSIGILL\b",
            ("instruction", "SIGILL"),
            "native code uses instructions that this CPU does not have",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE),
        f"Compile without -march=native: Lambda promises {_X86_64.description}, and {_ARM64.description}.",
    ),
)


EXECUTABLE_STACK = Rule(
    "LP222",
    "executable-stack",
    "a binary asks for an executable stack",
    "It loads with the glibc that Lambda has. From 2.41 on the loader prints `cannot enable executable "
    "stack as shared object requires`. Assembly without a .note.GNU-stack section does that.",
    "Link it with `-Wl,-z,noexecstack`.",
    Severity.WARNING,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: cannot enable executable stack as shared object requires: Invalid "
            "argument",
            rf"(?:{FILE}: )?cannot enable executable stack as shared object requires",
            ("executable",),
            "{file} asks for an executable stack, which glibc refuses from 2.41 on",
        ),
    ),
    cause="bad-elf",
    remedy=Remedy(
        ("{build}", f"LDFLAGS=-Wl,-z,noexecstack {BUILD_FROM_SOURCE}", "npm install {package}@latest"),
        "Give every assembly file a .note.GNU-stack section, or link with -Wl,-z,noexecstack.",
    ),
)

UNPROVED = Rule(
    "LP220",
    "unproved",
    "a binary needs what only newer images of the runtime are known to have",
    "The container image has it. Whether the managed runtime has it too was never shown, and AWS updates both apart.",
    "Prove it with a test invocation, or use a build of the package that needs less.",
    Severity.WARNING,
)

LINKING_RULES: tuple[Rule, ...] = (
    SYMBOL_VERSION,
    MISSING_LIBRARY,
    MUSL,
    UNDEFINED_SYMBOL,
    STATIC_TLS,
    RELOCATIONS,
    CPU_LEVEL,
    EXECUTABLE_STACK,
)
"""In code order; `explain` answers with each of them."""
