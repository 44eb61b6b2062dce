"""The rule records of what node or the kernel refuses, with their sentences: LP210 to LP218. Contains no check."""

from lambdapack.messages import (
    ADDON,
    BUILD_FROM_SOURCE,
    CLEAN_INSTALL,
    FILE,
    NEVER_COPY,
    PIN_NODE,
    WINDOWS_ADDON,
    Certainty,
    Message,
    Rank,
    Remedy,
)
from lambdapack.model import Rule, Severity

NODE_ABI = Rule(
    "LP210",
    "node-abi",
    "an addon is compiled for another Node.js",
    "node prints `was compiled against a different Node.js version using NODE_MODULE_VERSION 115`, or "
    "that the module did not register itself.",
    "Compile or download it for this runtime: `lambdapack build --runtime RUNTIME`.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Error: dlopen failed, was compiled for a different Node.js version",
            r"(?:dlopen failed|compiled) ?,? ?was compiled for a different Node\.js version",
            ("different",),
            "the addon was compiled for another Node.js than the one that runs it",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "glibc's loader",
            "code: 'ERR_DLOPEN_FAILED'",
            rf"(?:{ADDON}[\s\S]{{0,200}}?)?\bERR_DLOPEN_FAILED\b",
            ("ERR_DLOPEN_FAILED",),
            "a native addon could not be opened; the line above ERR_DLOPEN_FAILED says why",
            certainty=Certainty.POSSIBLE,
            rank=Rank.SYMPTOM,
        ),
        Message(
            "Windows' loader",
            "A dynamic link library (DLL) initialization routine failed.",
            r"A dynamic link library \(DLL\) initialization routine failed\.?"
            rf"(?:\s*{WINDOWS_ADDON.format('file')})?",
            ("initialization",),
            "{file} could not start: most often it was compiled for another Node.js or Electron",
            certainty=Certainty.POSSIBLE,
        ),
    ),
    remedy=Remedy(
        ("{build}", "npm rebuild {package}", CLEAN_INSTALL, BUILD_FROM_SOURCE),
        PIN_NODE,
        replaceable=True,
        rebuild=True,
    ),
)

ELECTRON_ABI = Rule(
    "LP211",
    "electron-abi",
    "an addon is compiled for Electron",
    "node prints `was compiled against a different Node.js version using NODE_MODULE_VERSION 125`. "
    "electron-rebuild leaves such files in node_modules.",
    "Install without electron-rebuild: `lambdapack build`.",
    Severity.ERROR,
    remedy=Remedy(
        ("{build}", CLEAN_INSTALL, "npx @electron/rebuild --force --only {package}"),
        "Keep Electron's node_modules and the function's apart: electron-rebuild leaves files that only "
        "Electron loads, and `npm rebuild` leaves files that Electron does not.",
        replaceable=True,
        rebuild=True,
    ),
)

NODE_API_LEVEL = Rule(
    "LP212",
    "node-api-level",
    "an addon declares a newer Node-API than the runtime has",
    "node does not refuse it: the process dies and Lambda logs `Runtime exited with error: signal: "
    "segmentation fault` (nodejs/node#57233).",
    "Choose a newer runtime (`--runtime`), or a version of the package made for an older Node-API.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "a requires Node-API version 10, but this version of Node.js only supports version 9 add-ons.",
            r"(?:(?P<file>\S+) )?requires Node-API version (?P<needs>\d+), but this version of Node\.js only supports"
            r" version (?P<has>\d+) add-ons",
            ("requires",),
            "{file} needs Node-API {needs}, and this Node.js has {has}",
            rank=Rank.ROOT,
        ),
        Message(
            "node-pre-gyp",
            "The N-API version of this Node instance is 1. This module supports N-API version(s) 3.",
            r"N(?:ode)?-API version of this Node instance is (?P<has>\d+)\W+This module supports N(?:ode)?-API "
            r"version\(s\)"
            r" (?P<needs>\d[\d,\x20]*)",
            ("version(s)",),
            "the package needs Node-API {needs}, and this Node.js has {has}",
            rank=Rank.ROOT,
        ),
        Message(
            "node-pre-gyp, prebuild-install",
            "This Node instance does not support builds for N-API version 3",
            r"does not support builds for N(?:ode)?-API version (?P<needs>\d+)"
            r"|N(?:ode)?-API version (?P<needs2>\d+) is not supported",
            ("support",),
            "the package needs Node-API {needs}, which this Node.js does not have",
            rank=Rank.ROOT,
        ),
    ),
    remedy=Remedy(
        ("lambdapack build --runtime {newer}{arch}", "npm view {package} versions --json", "{verify}"),
        "Let `lambdapack verify` compare the declared Node-API with the runtime's: node itself just crashes.",
    ),
)

NOT_AN_ADDON = Rule(
    "LP214",
    "not-an-addon",
    "a file that Node.js would load as an addon does not register one",
    "node prints `Module did not self-register`.",
    "Load it with what it is made for, or install the package again: `lambdapack build`.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Error: Module has no declared entry point. { code: 'ERR_DLOPEN_FAILED' }",
            r"Module has no declared entry point",
            ("declared",),
            "{file} registers nothing that node could call",
        ),
        Message(
            "node",
            "Error: Loading non context-aware native module in renderer: '/a/a.node'",
            rf"Loading non[-\x20]context-aware native (?:module|addon)[^:\n]*:\s*['\"`]?{FILE}"
            r"|ERR_NON_CONTEXT_AWARE_DISABLED",
            ("context-aware", "ERR_NON_CONTEXT_AWARE_DISABLED"),
            "{file} cannot be loaded a second time in one process: it is not context-aware",
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE, CLEAN_INSTALL),
        PIN_NODE,
        replaceable=True,
    ),
)

NO_EXEC_BIT = Rule(
    "LP217",
    "no-exec-bit",
    "a program has no execute bit for Lambda's user",
    "child_process fails with `spawn EACCES`. The files are root's, so the bit for others counts, and /var/task is "
    "read-only, so nothing can set it there.",
    "Run `chmod 755 FILE` before packing.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Error: spawn EACCES",
            r"\bspawn EACCES\b|posix_spawnp? failed|fork/exec (?P<file>/[^\s:]+): permission denied",
            ("EACCES", "posix_spawn", "permission"),
            "a program that the function starts has no execute bit",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{build}", "{chmod}"),
        "Zip with `lambdapack build` and name such files in `executable = [...]`: zips made on Windows have no modes.",
    ),
)

MISSING_INTERPRETER = Rule(
    "LP218",
    "missing-interpreter",
    "a program asks for a loader or an interpreter that the runtime does not have",
    "A shell prints `cannot execute: required file not found`; child_process fails with ENOENT, "
    "although the file is there. env prints `env: 'perl': No such file or directory`.",
    "Use a statically linked build, or one for glibc; a script's interpreter can come from a layer's /opt/bin.",
    Severity.ERROR,
    messages=(
        Message(
            "sh, kernel",
            "bash: /app/bin/a: /lib64/ld-linux-x86-64.so.2: bad ELF interpreter: No such file or directory",
            r"bad ELF interpreter|bad interpreter: No such file|cannot execute: required file not found"
            r"|Could not open '/lib(?:64)?/ld-[^'\n]+'",
            ("interpreter", "execute:", "'/lib"),
            "the program asks for a loader that this system does not have",
        ),
        Message(
            "env",
            "/usr/bin/env: 'perl': No such file or directory",
            r"\benv: ['\u2018](?P<program>[^'\u2019\n]{1,80})['\u2019]: No such file or directory",
            ("env:",),
            "a script asks for {program}, which is not on this system's PATH",
        ),
        Message(
            "sh",
            "/app/dev_bundle/bin/node: No such file or directory",
            r"(?P<file>/[^\s:'\"]+/(?:bin|\.bin)/[\w.+-]+): (?:No such file or directory|not found)",
            ("bin",),
            "{file} is not there; if it is, its own loader is not",
            certainty=Certainty.POSSIBLE,
        ),
    ),
    remedy=Remedy(
        ("{build}", "{docker}"),
        NEVER_COPY,
    ),
)

NODE_RULES: tuple[Rule, ...] = (
    NODE_ABI,
    ELECTRON_ABI,
    NODE_API_LEVEL,
    NOT_AN_ADDON,
    NO_EXEC_BIT,
    MISSING_INTERPRETER,
)
"""In code order."""
