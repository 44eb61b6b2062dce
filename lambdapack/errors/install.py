"""Failures of what runs while dependencies are installed, with the sentences of compilers, node-gyp and emulators."""

from lambdapack.errors.record import ExitCode, Failure
from lambdapack.messages import NAME, Certainty, Message, Rank, Remedy

NPM_BUILD_TOOLS = frozenset({
    "node-gyp", "node-pre-gyp", "node-gyp-build", "prebuild-install", "cmake-js"
})  # fmt: skip
"""Programs that npm packages bring: an image never has them, so that one that is not there is a missing dependency."""

BUILD_PROGRAMS = (
    r"g\+\+|gcc|c\+\+|cc|clang\+\+|clang|make|gmake|cmake|ninja|python[\d.]*|pkg-config|autoreconf|automake|aclocal|"
    r"libtoolize|rustc|cargo|go|xcodebuild|ar|ld|nasm|" + "|".join(sorted(NPM_BUILD_TOOLS, reverse=True))
)
"""Programs that compile, or that install scripts call to compile."""

PROGRAM_HINT = (
    "Pass `--build-image` with an image that has {tool} "
    "(`lambdapack images build` makes one with gcc, g++, make and python3)."
)
HEADER_HINT = (
    "Choose a version with a prebuilt binary, or pass `--system-package NAME` with the package of the image's system "
    "that has <{header}>."
)
LIBRARY_HINT = (
    "Choose a version with a prebuilt binary, or pass `--system-package NAME` with the package of the image's system "
    "that has the development files of {library}; the build takes the library along."
)

COMPILE_FAILED = Failure(
    "LP111",
    "compile-failed",
    "a native addon did not compile",
    "A package without a prebuilt binary for this target is compiled by node-gyp in the image.",
    "Choose a version of the package with a prebuilt binary for this runtime, or give it what the compiler names.",
    ExitCode.BUILD,
    messages=(
        Message(
            "compiler",
            "../src/a.cc:3:10: fatal error: vips/vips8: No such file or directory",
            r"fatal error: '?(?P<header>[^\s:']+)'?(?:: No such file or directory| file not found)"
            r"|Cannot open include file: '(?P<header2>[^'\n]+)'",
            ("error:", "include"),
            "the development files with {header} are not installed",
            rank=Rank.ROOT,
            hint=HEADER_HINT,
        ),
        Message(
            "linker",
            "/usr/bin/ld: cannot find -lpq\ncollect2: error: ld returned 1 exit status",
            r"cannot find -l(?P<library>[\w.+-]+)|ld: library not found for -l(?P<library2>[\w.+-]+)",
            ("find", "ld:"),
            "the development files of the library {library} are not installed",
            rank=Rank.ROOT,
            hint=LIBRARY_HINT,
        ),
        Message(
            "compiler",
            "../src/a.cc:12:3: error: no matching function for call to 'x'",
            r"\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm|rs):\d+:(?:\d+:)?\s(?:fatal )?error: (?P<reason>[^\n]+)"
            r"|#error (?P<reason2>[^\n]+)|^error\[E\d+\]: (?P<reason3>[^\n]+)(?=[\s\S]{0,4000}?"
            r"(?:node_modules|napi|neon))"
            r"|: (?:fatal )?error (?:C|LNK|MSB)\d{4}: (?P<reason4>[^\n]+)",
            ("error:", "#error", "error[", "error"),
            "the package's code does not compile with this Node.js or compiler: {reason}",
        ),
        Message(
            "linker",
            "undefined reference to `x'\ncollect2: error: ld returned 1 exit status",
            r"undefined reference to ",
            ("undefined",),
            "the package does not link here",
        ),
        Message(
            "compiler",
            "g++: error: unrecognized command line option '-std=gnu++20'",
            r"(?:error: )?(?:unrecognized command[-\x20]line option|invalid value '[^'\n]+' in '-std)",
            ("unrecognized", "invalid"),
            "the compiler is too old for the package",
        ),
        Message(
            "node-gyp",
            "gyp ERR! build error",
            r"gyp ERR! (?:build|configure|install) error|gyp (?:ERR!"
            r"|error) stack Error: `[^`\n]+` failed with exit code"
            r"|make(?:\[\d+\])?: \*\*\* \[[^\n]*(?:\.target|\.o\b|\.node\b|Release)[^\n]*Error \d+|error: could not "
            r"compile `",
            ("ERR!", "Error:", "make", "compile"),
            "the package's native part does not compile; the compiler's own words stand above",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
        Message(
            "a package",
            "npm ERR! code ELIFECYCLE\nnpm ERR! Failed at the a@1.0.0 install script.",
            r"Failed at the (?P<package>\S+)@\S+ (?:pre|post)?install script"
            rf"|(?P<package2>{NAME})@\S+ (?:pre|post)?install: `(?:node-gyp|node-pre-gyp|prebuild|cmake-js)[^\n]*`",
            ("Failed", "install:"),
            "the install script of {package} failed; its own words stand above",
            certainty=Certainty.POSSIBLE,
            rank=Rank.SYMPTOM,
        ),
    ),
    cause="compile-error",
    remedy=Remedy(
        ("{headers}", "{complete_build}", "npm install {package}@latest", "npm view {package} engines"),
        "Choose versions that have a prebuilt binary for this Node.js; old addons do not compile with new V8 headers.",
        replaceable=True,
    ),
)

NO_TOOLCHAIN = Failure(
    "LP112",
    "no-toolchain",
    "the image has no compiler, make or python",
    "The runtime image has no toolchain; the build image has.",
    "Pass `--build-image` with an image that has gcc, g++, make and python3 (`lambdapack images build` makes one).",
    ExitCode.BUILD,
    messages=(
        Message(
            "node-gyp",
            "gyp ERR! find Python Could not find any Python installation to use",
            r"Could not find any Python installation to use|Can't find Python executable",
            ("installation", "executable"),
            "the package must be compiled, and node-gyp found no usable Python",
        ),
        Message(
            "node-gyp",
            "gyp ERR! find Python Python is not set from command line or npm configuration",
            r"find Python Python is not set|No module named '?distutils'?|python: not found"
            r"|Python executable \"?[^\n\"]*\"? is v3\.\S+, which is not supported",
            ("Python", "distutils", "python:"),
            "the package must be compiled, and node-gyp found no usable Python",
        ),
        Message(
            "node-gyp",
            "gyp ERR! find VS Could not find any Visual Studio installation to use",
            r"Could not find any Visual Studio installation to use|MSBUILD : error MSB3428|find VS \*{5,}"
            r"|find VS (?:msvs_version not set|could not use PowerShell)|install the latest version of Visual Studio"
            r"|(?:[Nn]o|not find|[Cc]annot find|missing|without)[^\n]{0,60} (?:Visual Studio|Visual C\+\+|C\+\+ "
            r"compiler)"
            r"|Visual Studio C\+\+ core features. missing",
            ("installation", "MSBUILD", "find", "Studio", "Visual", "compiler"),
            "the package must be compiled, and node-gyp found no Visual Studio",
        ),
        Message(
            "node-gyp",
            "gyp: No Xcode or CLT version detected!",
            r"No Xcode or CLT version detected|xcrun: error: invalid active developer path",
            ("detected", "developer"),
            "the package must be compiled, and node-gyp found no Xcode command line tools",
        ),
        Message(
            "node-gyp",
            "gyp ERR! stack Error: not found: make",
            rf"\bnot found: (?P<tool>{BUILD_PROGRAMS})(?![\w+-])",
            ("found:",),
            "the package must be compiled, and {tool} is not installed",
            rank=Rank.ROOT,
            hint=PROGRAM_HINT,
        ),
        Message(
            "make, sh",
            "make: g++: Command not found",
            rf"(?:^|[\s/:]|\b)(?P<tool>{BUILD_PROGRAMS}): (?:[Cc]ommand not found|not found"
            r"|No such file or directory(?=\s*\n?[^\n]*make))"
            rf"|make(?:\[\d+\])?: (?P<tool2>{BUILD_PROGRAMS}): No such file or directory",
            ("ommand", "not", "directory"),
            "the package must be compiled, and {tool} is not installed",
            rank=Rank.ROOT,
            hint=PROGRAM_HINT,
        ),
        Message(
            "zsh, cmd",
            "zsh: command not found: cmake",
            rf"command not found: (?P<tool>{BUILD_PROGRAMS})\b"
            rf"|['\"](?P<tool2>{BUILD_PROGRAMS})['\"] is not recognized as an internal or external command",
            ("found:", "recognized"),
            "the package must be compiled, and {tool} is not installed",
            rank=Rank.ROOT,
            hint=PROGRAM_HINT,
        ),
        Message(
            "node",
            "spawn make ENOENT",
            rf"spawn (?P<tool>{BUILD_PROGRAMS}) ENOENT",
            ("ENOENT",),
            "the package must be compiled, and {tool} is not installed",
            rank=Rank.ROOT,
            hint=PROGRAM_HINT,
        ),
        Message(
            "cmake-js",
            "CMake executable is not found. Please use your system's package manager to install it",
            r"CMake executable (?:is )?not found|CMake is not installed|No CMAKE_C(?:XX)?_COMPILER could be found",
            ("executable", "installed", "_COMPILER"),
            "the package must be compiled, and CMake or a compiler is not installed",
            rank=Rank.ROOT,
        ),
        Message(
            "pkg-config",
            "Package pixman-1 was not found in the pkg-config search path",
            r"Package '?(?P<library>[\w.+-]+)'?,? (?:required by '[^'\n]+', )?(?:was )?not found"
            r"(?: in the pkg-config search path)?|No package '(?P<library2>[^'\n]+)' found",
            ("Package", "package"),
            "the package must be compiled, and the development files of {library} are not installed",
            rank=Rank.ROOT,
            hint=LIBRARY_HINT,
        ),
        Message(
            "node-gyp",
            "gyp: Call to 'pkg-config pixman-1 --libs' returned exit status 127 while in binding.gyp",
            r"gyp: Call to '(?P<call>[^'\n]+)' returned exit status (?P<status>\d+)",
            ("returned",),
            "the package must be compiled, and `{call}` fails: a program or development files are not installed",
            certainty=Certainty.LIKELY,
        ),
    ),
    cause="toolchain-missing",
    remedy=Remedy(
        ("{complete_build}", "{headers}", "{docker}", "{tools}", "{images}"),
        "Build in an image with a toolchain (`lambdapack build` takes one when the lockfile asks for it), "
        "or choose versions with prebuilt binaries.",
        replaceable=True,
    ),
)

OUT_OF_MEMORY = Failure(
    "LP117",
    "out-of-memory",
    "the build ran out of memory",
    "The container has a memory limit, so that a build cannot take the host down.",
    "Raise it with LAMBDAPACK_MEMORY (for example 8g), or compile with fewer jobs: JOBS=1.",
    ExitCode.BUILD,
    messages=(
        Message(
            "compiler",
            "g++: fatal error: Killed signal terminated program cc1plus",
            r"Killed signal terminated program|virtual memory exhausted|std::bad_alloc|cc1plus: out of memory"
            r"|\bCannot allocate memory",
            ("terminated", "exhausted", "std::bad_alloc", "cc1plus:", "Cannot"),
            "the compiler ran out of memory",
            rank=Rank.ROOT,
        ),
        Message(
            "node",
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            r"JavaScript heap out of memory",
            ("JavaScript",),
            "a program of node has used up its heap",
            hint="Raise node's heap limit in the package's script: `NODE_OPTIONS=--max-old-space-size=4096`.",
        ),
        Message(
            "Lambda's runtime",
            "Error: Runtime exited with error: signal: killed Runtime.ExitError",
            r"Runtime exited with error: signal: killed|Runtime\.OutOfMemory",
            ("Runtime",),
            "the function's process was killed because it used up its memory",
            certainty=Certainty.LIKELY,
            fix=("aws lambda update-function-configuration --function-name {function} --memory-size 1024",),
        ),
        Message(
            "a shell, docker",
            "exited with code 137",
            r"Error: ENOMEM|\bexit(?:ed with)? code:? 137\b",
            ("Error:", "exit"),
            "the process was killed because it used up its memory",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("LAMBDAPACK_MEMORY=8g {build}", "JOBS=1 npm ci", "NODE_OPTIONS=--max-old-space-size=4096 npm ci"),
        "Give the build, or the function (`aws lambda update-function-configuration --memory-size`), more memory.",
    ),
)

CRASHED = Failure(
    "LP118",
    "crashed",
    "a program of the build was killed by a signal",
    "Under emulation SIGILL and SIGSEGV come from the emulator, not from your code.",
    "Install a newer emulator (`docker run --privileged --rm tonistiigi/binfmt --install all`), or build on that CPU.",
    ExitCode.BUILD,
    messages=(
        Message(
            "qemu",
            "qemu: uncaught target signal 4 (Illegal instruction) - core dumped",
            r"qemu: uncaught target signal"
            r"|qemu-\w+(?:-static)?: (?:Could not open|Unable to reserve|unhandled|Unsupported)|rosetta error:"
            r"|uncaught target signal \d+",
            ("uncaught", "qemu-", "rosetta"),
            "the emulator crashed, not the program: the image is for another CPU than this machine",
            rank=Rank.ROOT,
        ),
        Message(
            "docker",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            r"no matching manifest for (?P<needs>[\w/]+) in the manifest list",
            ("matching",),
            "no image for {needs}: the image exists for another CPU only",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "docker",
            "The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3)",
            r"requested image's platform \((?P<has>[\w/]+)\) does not match the detected host platform "
            r"\((?P<needs>[\w/]+)\)",
            ("requested",),
            "the image is for {has}, the machine is {needs}",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
    ),
    cause="emulator",
    remedy=Remedy(
        (
            "docker run --privileged --rm tonistiigi/binfmt --install all",
            "{build}",
            "docker buildx build --platform linux/amd64,linux/arm64 .",
        ),
        "Emulate as little as possible: `lambdapack build` runs npm on the host's CPU when no package needs a "
        "script, and `[engine.hosts]` names a machine of the other CPU.",
    ),
)
