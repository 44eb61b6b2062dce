"""The rule records of files that the loader does not open, with its sentences. Contains no check."""

from lambdapack.messages import (
    BUILD_FROM_SOURCE,
    CLEAN_INSTALL,
    FILE,
    NEVER_COPY,
    WINDOWS_ADDON,
    Certainty,
    Message,
    Remedy,
)
from lambdapack.model import Rule, Severity

ELF_HEADER_ERRORS = (
    r"ELF file OS ABI invalid|ELF file ABI version invalid|ELF file version (?:ident )?does not match|"
    r"only ET_DYN and ET_EXEC can be loaded|ELF file's phentsize not the expected size|nonzero padding in e_ident|"
    r"ELF file data encoding not (?:little|big)-endian|object file has no (?:dynamic section|loadable segments)|"
    r"shared object cannot be dlopen\(\)ed|ELF load command (?:alignment|address)[^\n]*aligned"
)

_DOWNLOAD_AGAIN = f"npm cache clean --force && {CLEAN_INSTALL}"

WRONG_CPU = Rule(
    "LP201",
    "wrong-cpu",
    "a binary is for another CPU",
    "The loader skips a file for another CPU without a word and then prints "
    "`/var/task/node_modules/a/a.node: cannot open shared object file: No such file or directory`, "
    "although the file is there.",
    "Install for the function's CPU: `npm ci --os=linux --cpu=CPU --libc=glibc`, or `lambdapack build --arch ARCH`.",
    Severity.ERROR,
    messages=(
        Message(
            "musl's loader",
            "Error loading shared library ... Exec format error at Error (native)",
            r"Error loading shared library\b[^\n]{0,300}?\bExec format error",
            ("loading",),
            "a library is for another CPU, or no ELF file",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{build}", "{npm_ci}", "{docker}"),
        NEVER_COPY,
        local=("{native}", CLEAN_INSTALL, "npm rebuild {package}"),
        reinstall=True,
        rebuild=True,
    ),
)


NOT_ELF = Rule(
    "LP202",
    "not-elf",
    "a file that must be an ELF binary is not one",
    "The loader prints `invalid ELF header`. Binaries for macOS and Windows, git-lfs pointers and "
    "saved error pages fail this way.",
    "Install inside Linux: `lambdapack build`; for a git-lfs pointer run `git lfs pull` first.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "Error: invalid ELF header",
            r"(?:^|[^:]|Error: )\binvalid ELF header",
            ("header",),
            "a native addon of the package is not a Linux file",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "Windows' loader",
            r"\\?\C:\app\node_modules\a\a.node is not a valid Win32 application.",
            rf"(?:{WINDOWS_ADDON.format('file')} |%1 )?is not a valid Win32 application"
            rf"(?:\.?\s*{WINDOWS_ADDON.format('file2')})?",
            ("application",),
            "{file} is not a Windows binary for this CPU: it was installed for another system",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{build}", "{npm_ci}", "{docker}"),
        NEVER_COPY,
        local=(CLEAN_INSTALL, "npm rebuild {package}"),
        replaceable=True,
        reinstall=True,
        rebuild=True,
    ),
)


TRUNCATED = Rule(
    "LP206",
    "truncated",
    "a binary is truncated",
    "The loader prints `file too short` or `cannot read file data`, or it maps the file and the "
    "process dies with SIGBUS.",
    f"Download it again: `{_DOWNLOAD_AGAIN}`.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: file too short",
            rf"(?:{FILE}: )?(?:file too short|cannot read file data(?:: [^\n]*)?|ELF load command past end of file)",
            ("short", "read", "past"),
            "{file} is truncated: a broken download, a git-lfs pointer or an empty file",
        ),
        Message(
            "Lambda's runtime",
            "Error: Runtime exited with error: signal: bus error Runtime.ExitError",
            r"Runtime exited with error: signal: bus error|\bBus error(?: \(core dumped\))?",
            ("Runtime", "Bus"),
            "a truncated binary was mapped and read past its end",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{build}", _DOWNLOAD_AGAIN, "git lfs pull"),
        "Keep binaries out of git-lfs and behind no rewriting proxy; `lambdapack verify` sees a cut file "
        "before Lambda.",
    ),
)


WRONG_CLASS = Rule(
    "LP207",
    "wrong-class",
    "a binary is for a 32-bit system",
    "The loader prints `wrong ELF class: ELFCLASS32`. Lambda runs 64-bit processes only.",
    "Install the x64 or arm64 build: `lambdapack build`.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: wrong ELF class: ELFCLASS32",
            rf"(?:{FILE}: )?wrong ELF class: (?P<has>ELFCLASS(?:32|64))",
            ("ELFCLASS",),
            "{file} is {has}: 32 and 64 bit do not mix in one process",
        ),
    ),
    remedy=Remedy(
        ("{build}", "{npm_ci}"),
        NEVER_COPY,
        reinstall=True,
        rebuild=True,
    ),
)


BAD_ELF = Rule(
    "LP208",
    "bad-elf",
    "a binary is an ELF file that the loader refuses",
    "An object file, one of another system, or a damaged header is refused when it is opened.",
    "Build the package again: `lambdapack build`.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: ELF file OS ABI invalid",
            rf"(?:{FILE}: )?(?:{ELF_HEADER_ERRORS})",
            (
                "ABI",
                "match",
                "ET_EXEC",
                "phentsize",
                "nonzero",
                "encoding",
                "dynamic",
                "loadable",
                "dlopen()ed",
                "aligned",
            ),
            "{file} is an ELF file that this loader refuses",
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE),
        NEVER_COPY,
    ),
)


EXECUTABLE = Rule(
    "LP209",
    "executable",
    "an executable is used where a shared library is required",
    "The loader prints `cannot dynamically load executable`.",
    "Link it as a shared object (`gcc -shared -fPIC`), or start it with child_process.",
    Severity.ERROR,
    messages=(
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: cannot dynamically load executable",
            rf"(?:{FILE}: )?cannot dynamically load (?:position-independent )?executable",
            ("dynamically",),
            "{file} is a program, not a library",
        ),
    ),
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE),
        "Start programs with child_process.",
    ),
)

LOADER_RULES: tuple[Rule, ...] = (
    WRONG_CPU,
    NOT_ELF,
    TRUNCATED,
    WRONG_CLASS,
    BAD_ELF,
    EXECUTABLE,
)
"""In code order."""
