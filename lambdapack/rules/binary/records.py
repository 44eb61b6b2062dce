"""The rules about native files, LP201 to LP225, and their check. The judge is loaded for a package that needs it."""

from collections.abc import Iterator

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.model.case import Case

WRONG_CPU = Rule(
    "LP201",
    "wrong-cpu",
    "a binary is for another CPU",
    "The loader skips a file for another CPU without a word and then says: cannot open shared object file: "
    "No such file or directory, although the file is there.",
    "Install for the function's CPU: `npm ci --os=linux --cpu=CPU --libc=glibc`, or `lambdapack build --arch ARCH`.",
    Severity.ERROR,
)
NOT_ELF = Rule(
    "LP202",
    "not-elf",
    "a file where Linux wants an ELF binary is something else",
    "The loader says: invalid ELF header. macOS and Windows binaries, git-lfs pointers and saved error pages end so.",
    "Install inside Linux: `lambdapack build`; for a git-lfs pointer run `git lfs pull` first.",
    Severity.ERROR,
)
SYMBOL_VERSION = Rule(
    "LP203",
    "symbol-version",
    "a binary needs a newer system library than the runtime has",
    "The loader says: version `GLIBC_2.38' not found. The file was built on a newer Linux than Lambda's, "
    "and a newer copy of the library beside it has no effect: node has loaded its own already.",
    "Choose a version of the package that was built on an older Linux: `npm view NAME versions` lists them.",
    Severity.ERROR,
)
MISSING_LIBRARY = Rule(
    "LP204",
    "missing-library",
    "a binary needs a library that is not there",
    "The loader says: cannot open shared object file: No such file or directory, and names the library.",
    "Put the library into `lib/` of the function or of a layer, or use a build of the package that brings it.",
    Severity.ERROR,
)
MUSL = Rule(
    "LP205",
    "musl",
    "a binary is made for musl (Alpine), Lambda has glibc",
    "The loader says: libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory.",
    "Install the glibc build: `npm ci --os=linux --libc=glibc`, or `lambdapack build`.",
    Severity.ERROR,
)
TRUNCATED = Rule(
    "LP206",
    "truncated",
    "a binary is cut short",
    "The loader says: file too short or cannot read file data, or maps it and the process dies with SIGBUS.",
    "Download it again: `npm cache clean --force && npm ci`.",
    Severity.ERROR,
)
WRONG_CLASS = Rule(
    "LP207",
    "wrong-class",
    "a binary is for a 32-bit system",
    "The loader says: wrong ELF class: ELFCLASS32. Lambda runs 64-bit processes only.",
    "Install the x64 or arm64 build: `lambdapack build`.",
    Severity.ERROR,
)
BAD_ELF = Rule(
    "LP208",
    "bad-elf",
    "a binary is an ELF file that the loader refuses",
    "An object file, one of another system, or a damaged header is refused when it is opened.",
    "Build the package again: `lambdapack build`.",
    Severity.ERROR,
)
EXECUTABLE = Rule(
    "LP209",
    "executable",
    "a program stands where a library is wanted",
    "The loader says: cannot dynamically load executable.",
    "Link it as a shared object (`gcc -shared -fPIC`), or start it with child_process.",
    Severity.ERROR,
)
NODE_ABI = Rule(
    "LP210",
    "node-abi",
    "an addon is compiled for another Node.js",
    "node says: was compiled against a different Node.js version using NODE_MODULE_VERSION N, "
    "or: Module did not self-register.",
    "Compile or download it for this runtime: `lambdapack build --runtime RUNTIME`.",
    Severity.ERROR,
)
ELECTRON_ABI = Rule(
    "LP211",
    "electron-abi",
    "an addon is compiled for Electron",
    "node says: was compiled against a different Node.js version using NODE_MODULE_VERSION N. "
    "electron-rebuild leaves such files in node_modules.",
    "Install without electron-rebuild: `lambdapack build`.",
    Severity.ERROR,
)
NODE_API_LEVEL = Rule(
    "LP212",
    "node-api-level",
    "an addon declares a newer Node-API than the runtime has",
    "node does not refuse it: the process dies with a segmentation fault and Lambda says Runtime.ExitError "
    "(nodejs/node#57233).",
    "Choose a newer runtime (`--runtime`), or a version of the package made for an older Node-API.",
    Severity.ERROR,
)
UNDEFINED_SYMBOL = Rule(
    "LP213",
    "undefined-symbol",
    "a binary calls a function that nothing in the process defines",
    "The loader says: undefined symbol, at once or, for a function bound lazily, at its first call: then the whole "
    "process ends with exit status 127 and no JavaScript error.",
    "Build it for this runtime: `lambdapack build`, or use a version of the package made for it.",
    Severity.ERROR,
)
NOT_AN_ADDON = Rule(
    "LP214",
    "not-an-addon",
    "a file that Node.js would be handed registers nothing",
    "node says: Module did not self-register.",
    "Load it with what it is made for, or install the package again: `lambdapack build`.",
    Severity.ERROR,
)
STATIC_TLS = Rule(
    "LP215",
    "static-tls",
    "a library wants more static thread-local storage than is left",
    "The loader says: cannot allocate memory in static TLS block. jemalloc and libgomp builds are known for it.",
    "Use a build with -ftls-model=global-dynamic, or set LD_PRELOAD to the library in the function's environment.",
    Severity.ERROR,
)
RELOCATIONS = Rule(
    "LP216",
    "relocations",
    "a binary has packed relocations that this glibc does not apply",
    "The loader ignores what it does not know, and the process dies with a segmentation fault.",
    "Link it without --pack-dyn-relocs (`-Wl,-z,nopack-relative-relocs`).",
    Severity.ERROR,
)
NO_EXEC_BIT = Rule(
    "LP217",
    "no-exec-bit",
    "a program has no execute bit",
    "child_process says: spawn EACCES. /var/task is read-only, so nothing can set the bit there.",
    "Run `chmod +x FILE` before packing.",
    Severity.ERROR,
)
MISSING_INTERPRETER = Rule(
    "LP218",
    "missing-interpreter",
    "a program asks for a loader that the runtime does not have",
    "child_process says: spawn ENOENT, although the file is there.",
    "Use a statically linked build, or one for glibc.",
    Severity.ERROR,
)
CPU_LEVEL = Rule(
    "LP219",
    "cpu-level",
    "a binary needs a newer CPU than Lambda promises",
    "The loader says: CPU ISA level is lower than required, or the process dies with SIGILL. -march=native does that.",
    "Compile it without -march=native: `CFLAGS=-march=x86-64-v2 CXXFLAGS=-march=x86-64-v2 lambdapack build`.",
    Severity.ERROR,
)
UNPROVED = Rule(
    "LP220",
    "unproved",
    "a binary needs what only newer images of the runtime are known to have",
    "The container image has it. Whether the managed runtime has it too was never shown, and AWS updates both apart.",
    "Prove it with a test invocation, or use a build of the package that needs less.",
    Severity.WARNING,
)
MISSING_ADDON = Rule(
    "LP221",
    "missing-addon",
    "a package has no native file for this target",
    "Its loader finds nothing to load. node says: Cannot find module, or: Could not locate the bindings file, or: "
    "No native build was found.",
    "Install with its scripts and for the function's platform: `lambdapack build`.",
    Severity.ERROR,
)
EXECUTABLE_STACK = Rule(
    "LP222",
    "executable-stack",
    "a binary asks for an executable stack",
    "It loads with the glibc that Lambda has. From 2.41 on the loader says: cannot enable executable stack as shared "
    "object requires. Assembly without a .note.GNU-stack section does that.",
    "Link it with `-Wl,-z,noexecstack`.",
    Severity.WARNING,
)
MISSING_PROGRAM = Rule(
    "LP228",
    "missing-program",
    "a package's program was not downloaded",
    "Its install script fetches a program that npm does not bring. child_process says: spawn ENOENT.",
    "Install with its scripts: `lambdapack build`.",
    Severity.ERROR,
)

CAUSE_RULES: tuple[Rule, ...] = (
    NOT_ELF,
    TRUNCATED,
    WRONG_CLASS,
    WRONG_CPU,
    BAD_ELF,
    EXECUTABLE,
    MUSL,
    MISSING_LIBRARY,
    SYMBOL_VERSION,
    UNDEFINED_SYMBOL,
    NODE_ABI,
    ELECTRON_ABI,
    NOT_AN_ADDON,
    NODE_API_LEVEL,
    STATIC_TLS,
    RELOCATIONS,
    NO_EXEC_BIT,
    MISSING_INTERPRETER,
    CPU_LEVEL,
)
"""The rules whose names a binary's `cause` may be. One more is a new number of the report's schema."""

WRONG_PLATFORM_CAUSES = frozenset((WRONG_CPU.name, NOT_ELF.name, MUSL.name, WRONG_CLASS.name))
"""Causes that another install cures, because the package has a build for the target somewhere."""

BINARY_RULES: tuple[Rule, ...] = (*CAUSE_RULES, UNPROVED, MISSING_ADDON, EXECUTABLE_STACK, MISSING_PROGRAM)


def check_binaries(case: Case) -> Iterator[Finding]:
    """Yield the findings of the native files in use (or of all), and of the packages that lack one."""
    for judgement in case.binaries.judgements:
        if judgement.finding is not None and (judgement.selected or case.policy.all_binaries):
            yield judgement.finding
    yield from case.binaries.missing
