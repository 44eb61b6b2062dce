"""What node-gyp, compilers, make and the package managers print while they install and build."""

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    CERTAIN,
    LIKELY,
    NAME,
    POSSIBLE,
    ROOT,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)

NODE_GYP = "node-gyp"

_PROGRAM = (
    r"g\+\+|gcc|c\+\+|cc|clang\+\+|clang|make|gmake|cmake|ninja|python[\d.]*|pkg-config|autoreconf|automake|aclocal|"
    r"libtoolize|rustc|cargo|go|node-gyp|node-pre-gyp|node-gyp-build|prebuild-install|cmake-js|xcodebuild|ar|ld|nasm"
)


def missing_tool(slots: Slots) -> Meaning:
    """A program that builds was not found."""
    return Meaning(
        "toolchain-missing", CERTAIN, f"the package has to be compiled here, and {slots['tool']} is not there"
    )


def missing_header(slots: Slots) -> Meaning:
    """A compiler is there, the development files of a library are not."""
    return Meaning("compile-error", CERTAIN, f"the development files that have {slots['header']} are not there")


_NO_TOOL = "the package has to be compiled here, and there is no {} for node-gyp"

SIGNS: tuple[MessagePattern, ...] = (
    message_pattern(
        NODE_GYP,
        "gyp ERR! find Python Could not find any Python installation to use",
        r"Could not find any Python installation to use|Can't find Python executable|find Python Python is not set"
        r"|No module named '?distutils'?|python: not found|Python executable \"?[^\n\"]*\"? is v3\.\S+, which "
        r"is not supported",
        "toolchain-missing",
        CERTAIN,
        _NO_TOOL.format("Python that will do"),
    ),
    message_pattern(
        NODE_GYP,
        "gyp ERR! find VS Could not find any Visual Studio installation to use",
        r"Could not find any Visual Studio installation to use|MSBUILD : error MSB3428|find VS \*{5,}",
        "toolchain-missing",
        CERTAIN,
        _NO_TOOL.format("Visual Studio"),
    ),
    message_pattern(
        NODE_GYP,
        "gyp: No Xcode or CLT version detected!",
        r"No Xcode or CLT version detected|xcrun: error: invalid active developer path",
        "toolchain-missing",
        CERTAIN,
        _NO_TOOL.format("Xcode command line tools"),
    ),
    MessagePattern(
        NODE_GYP,
        "gyp ERR! stack Error: not found: make",
        compile_pattern(rf"\bnot found: (?P<tool>{_PROGRAM})(?![\w+-])"),
        missing_tool,
        ROOT,
    ),
    MessagePattern(
        "make, sh",
        "make: g++: Command not found",
        compile_pattern(
            rf"(?:^|[\s/:]|\b)(?P<tool>{_PROGRAM}): (?:[Cc]ommand not found|not found"
            r"|No such file or directory(?=\s*\n?[^\n]*make))"
        ),
        missing_tool,
        ROOT,
    ),
    MessagePattern(
        "zsh, cmd",
        "zsh: command not found: cmake",
        compile_pattern(
            rf"command not found: (?P<tool>{_PROGRAM})\b"
            rf"|['\"](?P<tool2>{_PROGRAM})['\"] is not recognized as an internal or external command"
        ),
        lambda slots: missing_tool({"tool": slots.get("tool") or slots.get("tool2", "a program")}),
        ROOT,
    ),
    MessagePattern(
        "node",
        "spawn make ENOENT",
        compile_pattern(rf"spawn (?P<tool>{_PROGRAM}) ENOENT"),
        missing_tool,
        ROOT,
    ),
    message_pattern(
        "cmake-js",
        "CMake executable is not found. Please use your system's package manager to install it",
        r"CMake executable (?:is )?not found|CMake is not installed|No CMAKE_C(?:XX)?_COMPILER could be found",
        "toolchain-missing",
        CERTAIN,
        "the package has to be compiled here, and CMake or a compiler is not there",
        ROOT,
    ),
    message_pattern(
        "pkg-config",
        "Package pixman-1 was not found in the pkg-config search path",
        r"Package '?(?P<library>[\w.+-]+)'?,? (?:required by '[^'\n]+', )?(?:was )?not found"
        r"(?: in the pkg-config search path)?|No package '(?P<library2>[^'\n]+)' found",
        "toolchain-missing",
        CERTAIN,
        "the package has to be compiled here, and the development files of {library} are not there",
        ROOT,
    ),
    message_pattern(
        NODE_GYP,
        "gyp: Call to 'pkg-config pixman-1 --libs' returned exit status 127 while in binding.gyp",
        r"gyp: Call to '(?P<call>[^'\n]+)' returned exit status (?P<status>\d+)",
        "toolchain-missing",
        LIKELY,
        "the package has to be compiled here, and `{call}` fails: a program or development files are not there",
    ),
    MessagePattern(
        "compiler",
        "../src/a.cc:3:10: fatal error: vips/vips8: No such file or directory",
        compile_pattern(r"fatal error: '?(?P<header>[^\s:']+)'?(?:: No such file or directory| file not found)"),
        missing_header,
        ROOT,
    ),
    message_pattern(
        "linker",
        "/usr/bin/ld: cannot find -lpq\ncollect2: error: ld returned 1 exit status",
        r"cannot find -l(?P<library>[\w.+-]+)|ld: library not found for -l(?P<library2>[\w.+-]+)",
        "compile-error",
        CERTAIN,
        "the development files of the library {library} are not there",
        ROOT,
    ),
    message_pattern(
        "compiler",
        "../src/a.cc:12:3: error: no matching function for call to 'x'",
        r"\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm|rs):\d+:(?:\d+:)?\s(?:fatal )?error: (?P<reason>[^\n]+)"
        r"|#error (?P<reason2>[^\n]+)",
        "compile-error",
        CERTAIN,
        "the package's code does not compile with this Node.js or compiler: {reason}",
    ),
    message_pattern(
        "linker",
        "undefined reference to `x'\ncollect2: error: ld returned 1 exit status",
        r"undefined reference to ",
        "compile-error",
        CERTAIN,
        "the package does not link here",
    ),
    message_pattern(
        "compiler",
        "g++: error: unrecognized command line option '-std=gnu++20'",
        r"(?:error: )?(?:unrecognized command[-\x20]line option|invalid value '[^'\n]+' in '-std)",
        "compile-error",
        CERTAIN,
        "the compiler is too old for the package",
    ),
    message_pattern(
        NODE_GYP,
        "gyp ERR! build error",
        r"gyp ERR! (?:build|configure|install) error|gyp (?:ERR!|error) stack Error: `[^`\n]+` failed with exit code"
        r"|make(?:\[\d+\])?: \*\*\* \[[^\n]*(?:\.target|\.o\b|\.node\b|Release)[^\n]*Error \d+|error: could not "
        r"compile `",
        "compile-error",
        LIKELY,
        "the package's native part does not compile; the compiler's own words stand above",
        SYMPTOM,
    ),
    message_pattern(
        "npm",
        "npm warn 1 package has install scripts not yet covered by allowScripts:\n  a@1.0.0 (install: node-gyp "
        "rebuild)",
        r"install scripts? (?:were |was )?(?:blocked(?: because they are not covered by allowScripts)?|not "
        r"(?:yet )?covered"
        rf" by allowScripts)(?::\s*(?:install-scripts\s+)?(?P<package>{NAME})(?=@\S+ \())?"
        r"|not (?:yet )?covered by allowScripts|\bE(?:STRICT)?ALLOWSCRIPTS\b",
        "scripts-skipped",
        CERTAIN,
        "npm did not run the install script of {package}, so what it builds or fetches is not there",
        ROOT,
    ),
    message_pattern(
        "pnpm",
        "Ignored build scripts: better-sqlite3.",
        rf"Ignored build scripts: (?P<package>{NAME}?)(?=[@,.\s]|$)|\bERR_PNPM_IGNORED_BUILDS\b",
        "scripts-skipped",
        CERTAIN,
        "pnpm did not run the install script of {package}",
        ROOT,
    ),
    message_pattern(
        "yarn, bun",
        "YN0004: a@npm:1.0.0 lists build scripts, but its build has been explicitly disabled through configuration.",
        rf"(?P<package>{NAME})@\S+ (?:lists build scripts, but (?:its build has been (?:explicitly )?disabled|all build"
        r" scripts have been disabled)|must be built because)|Blocked \d+ postinstalls?",
        "scripts-skipped",
        LIKELY,
        "the package manager did not run the install script of {package}",
    ),
    message_pattern(
        "npm",
        "npm ERR! `npm ci` can only install packages when your package.json and package-lock.json are in sync",
        r"can only install packages when your package\.json and(?: npm \S+)? (?:package-lock\.json|npm-shrinkwrap)"
        r"|(?:Missing|Invalid): (?P<package>@?[^\s@]+)@\S+ from lock file|Invalid: lock file's "
        r"(?P<package2>@?[^\s@]+)@",
        "lock-out-of-step",
        CERTAIN,
        "package.json and the lockfile do not say the same",
    ),
    message_pattern(
        "npm",
        "The `npm ci` command can only install with an existing package-lock.json",
        r"command can only install with an existing package-lock|cipm can only install packages with an existing",
        "lock-out-of-step",
        CERTAIN,
        "there is no lockfile, or one that this npm cannot read",
    ),
    message_pattern(
        "yarn, pnpm",
        "Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
        r"Your lockfile needs to be updated, but yarn was run with|The lockfile would have been modified by "
        r"this install"
        r"|\bERR_PNPM_(?:OUTDATED|NO)_LOCKFILE\b|lockfile had changes, but lockfile is frozen",
        "lock-out-of-step",
        CERTAIN,
        "the lockfile is not up to date with package.json",
    ),
    message_pattern(
        "compiler",
        "g++: fatal error: Killed signal terminated program cc1plus",
        r"Killed signal terminated program|virtual memory exhausted|std::bad_alloc|cc1plus: out of memory",
        "out-of-memory",
        CERTAIN,
        "the compiler ran out of memory",
        ROOT,
    ),
    message_pattern(
        "a package",
        "npm ERR! code ELIFECYCLE\nnpm ERR! Failed at the a@1.0.0 install script.",
        r"Failed at the (?P<package>\S+)@\S+ (?:pre|post)?install script"
        rf"|(?P<package2>{NAME})@\S+ (?:pre|post)?install: `(?:node-gyp|node-pre-gyp|prebuild|cmake-js)[^\n]*`",
        "compile-error",
        POSSIBLE,
        "the install script of {package} failed; its own words stand above",
        SYMPTOM,
    ),
)
