"""Ambiguous messages about packages and programs: of node, npm, sharp, Prisma, the kernel."""

import posixpath
import re

from lambdapack.errors.install import CRASHED
from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.messages import FILE, NAME, QUOTED, Certainty, Rank
from lambdapack.rules.binary.loader_records import NOT_ELF, TRUNCATED, WRONG_CPU
from lambdapack.rules.binary.node_records import MISSING_INTERPRETER, NODE_API_LEVEL
from lambdapack.rules.lockfile.records import (
    LOCK_OUT_OF_STEP,
    NPM_REFUSES_LOCK,
    PLATFORM_PACKAGE_MISSING,
    SCRIPTS_SKIPPED,
)
from lambdapack.rules.package.records import MISSING_ADDON, MISSING_PROGRAM
from lambdapack.rules.selection.tokens import parse_platform_tags

PRISMA_FIX = (
    'perl -0pi -e \'s/^\\s*binaryTargets.*\\n//mg; s/(provider\\s*=\\s*"prisma-client[\\w-]*")'
    '/$1\\n\\tbinaryTargets = ["native", "{needs}"]/\' prisma/schema.prisma && npx prisma generate'
)
"""Writes the platform into the generator block (Prisma: "Binary targets"). A tab, for runs of blanks are folded."""


def prisma_engine(slots: Slots) -> Meaning:
    """Prisma names the platform that it wanted, and since 5 the one for which the client was generated."""
    made = f"; it was generated for {slots['has']}" if "has" in slots else ""
    said = f"the Prisma client has no query engine for {slots.get('needs', 'this platform')}{made}"
    return Meaning(PLATFORM_PACKAGE_MISSING, Certainty.CERTAIN, said, fix=("{build}", PRISMA_FIX))


def wrong_platform_package(slots: Slots) -> Meaning:
    """One that is for Linux is asked for on the wrong machine; any other has no place among the dependencies."""
    says = "{package} is only for another platform, and the lockfile or package.json demands it on this one"
    if re.search(r"\blinux\b", slots.get("needs", "")):
        return Meaning(PLATFORM_PACKAGE_MISSING, Certainty.LIKELY, says)
    return Meaning(
        PLATFORM_PACKAGE_MISSING,
        Certainty.CERTAIN,
        says,
        fix=("npm uninstall {package}", "npm install --save-optional {package}"),
    )


def missing_platform_package(slots: Slots) -> Meaning | None:
    """Only a name with a system or CPU in it is a platform package."""
    if not parse_platform_tags(slots["module"]).names_platform:
        return None
    return Meaning(
        PLATFORM_PACKAGE_MISSING,
        Certainty.LIKELY,
        f"{slots['module']}, the binary for this platform, was not installed",
    )


SKIPPED_SCRIPTS = Meaning(
    SCRIPTS_SKIPPED, Certainty.POSSIBLE, "the package's install script never ran, so it was not built either"
)


def missing_addon(slots: Slots) -> Meaning:
    """An addon that is required by path and is not there: nothing was downloaded or compiled for this target."""
    if parse_platform_tags(slots["file"]).names_platform and "/build/" not in f"/{slots['file']}":
        return Meaning(
            PLATFORM_PACKAGE_MISSING, Certainty.LIKELY, "{file}, the binary for this platform, was not installed"
        )
    return Meaning(
        MISSING_ADDON,
        Certainty.LIKELY,
        "{file} was neither downloaded nor compiled for this target",
        (SKIPPED_SCRIPTS,),
    )


def lacking_lock(slots: Slots) -> Meaning:
    """What npm ci misses in the lockfile: npm since 11.3 wants other platforms' packages as well."""
    package = slots["package"]
    if parse_platform_tags(package).names_platform:
        says = f"the lockfile lacks {package}, a package for another platform that npm since 11.3 wants in it"
        return Meaning(NPM_REFUSES_LOCK, Certainty.CERTAIN, says)
    return Meaning(LOCK_OUT_OF_STEP, Certainty.CERTAIN, "package.json and the lockfile do not say the same")


def missing_program(slots: Slots) -> Meaning:
    """A deployed program that cannot be started: it is not there, or what its first bytes ask for is not."""
    name = posixpath.basename(slots["file"])
    loader = Meaning(MISSING_INTERPRETER, Certainty.POSSIBLE, f"{name} is there, and its interpreter is not")
    return Meaning(MISSING_PROGRAM, Certainty.LIKELY, f"the program {name} is not in the package", (loader,))


def wrong_host(slots: Slots) -> Meaning:
    """Old sharp compares the names of two platforms: system first, then CPU."""
    has, needs = slots["has"], slots["needs"]
    if has.partition("-")[0] == needs.partition("-")[0]:
        return Meaning(WRONG_CPU, Certainty.CERTAIN, f"node_modules holds binaries for {has}, and this is {needs}")
    return Meaning(NOT_ELF, Certainty.CERTAIN, f"node_modules was installed on {has} and copied to {needs}")


def exec_format_error(slots: Slots) -> Meaning | None:
    """The kernel refuses a program for another CPU."""
    if slots.get("docker"):
        return Meaning(
            CRASHED,
            Certainty.LIKELY,
            "the image is for another CPU, and this machine has no emulator for it",
            (Meaning(WRONG_CPU, Certainty.LIKELY, "the image or program is for another CPU than the machine"),),
        )
    return Meaning(WRONG_CPU, Certainty.LIKELY, "{file} is a program for another CPU, or no program at all")


PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "node",
        "Cannot find module '@img/sharp-linux-x64/sharp.node'",
        rf"Cannot find (?:module|package) ['\"`]?(?P<module>{NAME}(?:/[\w./-]+)?)['\"`.]?",
        ("Cannot",),
        missing_platform_package,
    ),
    MessagePattern(
        "Prisma",
        'Prisma Client could not locate the Query Engine for runtime "rhel-openssl-3.0.x".',
        r"(?:Client|Prisma) could not locate the Query Engine for runtime \\?\"(?P<needs>[\w.-]+?)\\?\""
        r"(?:[\s\S]{0,300}?was generated for \\?\"(?P<has>[\w.-]+?)\\?\")?",
        ("runtime",),
        prisma_engine,
        Rank.ROOT,
        "@prisma/client",
    ),
    MessagePattern(
        "Prisma",
        'Query engine library for current platform "rhel-openssl-1.0.x" could not be found.',
        r"Query engine (?:library|binary) for current platform \\?\"?(?P<needs>[\w.-]+?)\\?\"? could not be found"
        r"(?:[\s\S]{0,400}?[Pp]risma Client looked in [\"(]*(?P<file>[^\s\")]+))?",
        ("platform",),
        prisma_engine,
        Rank.ROOT,
        "@prisma/client",
    ),
    MessagePattern(
        "npm",
        'Unsupported platform for @esbuild/darwin-arm64@0.17.6: wanted {"os":"darwin","cpu":"arm64"}',
        rf"(?<!DEPENDENCY:\s)Unsupported platform for (?P<package>{NAME})@[^\n:]+: wanted"
        r"(?P<needs>(?:(?!current|Valid|Actual)[\s\S]){0,120})",
        ("Unsupported",),
        wrong_platform_package,
        Rank.ROOT,
    ),
    MessagePattern(
        "bindings",
        "Could not locate the bindings file. Tried:\n -> /a/node_modules/a/build/a.node",
        r"Could not locate the bindings file[.\s]*(?:\((?P<file2>[\w.-]+\.node)\)|Tried:\s*(?:\u2192|->) "
        r"(?P<file>\S+))?",
        ("bindings",),
        Meaning(
            MISSING_ADDON,
            Certainty.LIKELY,
            "{file} is in none of the places where the package looks for it: it was not built for this target",
            (SKIPPED_SCRIPTS,),
        ),
    ),
    MessagePattern(
        "node",
        "Cannot find module '../build/Release/a.node'",
        rf"Cannot find (?:module|package) {QUOTED.format('file').replace('+)', '+?[.]node)', 1)}",
        ("Cannot",),
        missing_addon,
    ),
    MessagePattern(
        "sharp",
        "'darwin-x64' binaries cannot be used on the 'linux-x64' platform",
        r"['\"](?P<has>[\w-]+)['\"] binaries cannot be used on the ['\"](?P<needs>[\w-]+)['\"] platform",
        ("binaries",),
        wrong_host,
        Rank.ROOT,
    ),
    MessagePattern(
        "npm",
        "npm error Missing: @esbuild/aix-ppc64@0.25.0 from lock file",
        rf"(?:Missing|Invalid): (?P<package>{NAME})@\S+ from lock file|Invalid: lock file's (?P<package2>{NAME})@",
        ("Missing", "Invalid"),
        lacking_lock,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "Error: spawn /var/task/node_modules/a/bin/a ENOENT",
        r"spawn (?P<file>(?:/var/task|/opt)/[^\s'\"]+) ENOENT",
        ("ENOENT",),
        missing_program,
    ),
    MessagePattern(
        "kernel",
        "cannot execute binary file: Exec format error",
        rf"(?:{FILE}: )?cannot execute(?: binary file)?: [Ee]xec format error|spawn (?P<file2>\S+) ENOEXEC",
        ("execute", "ENOEXEC"),
        exec_format_error,
    ),
    MessagePattern(
        "docker",
        "exec /usr/local/bin/docker-entrypoint.sh: exec format error",
        r"(?P<docker>standard_init_linux\.go|exec user process caused|OCI runtime|exec /bin/sh:|exec /usr/bin/sh:"
        r"|exec /usr/local/bin/docker-entrypoint\.sh:)[^\n]*exec format error",
        ("standard_init_linux.go", "process", "runtime", "/bin/sh:", "/usr/local/bin/docker-entrypoint.sh:"),
        exec_format_error,
        Rank.ROOT,
    ),
    MessagePattern(
        "Lambda's runtime",
        "fork/exec /lambda-entrypoint.sh: exec format error Runtime.InvalidEntrypoint",
        rf"(?:fork/exec {FILE}: )?exec format error|OSError: \[Errno 8\] Exec format error",
        ("format", "OSError:"),
        exec_format_error,
    ),
    MessagePattern(
        "Lambda's runtime",
        "Error: Runtime exited with error: signal: segmentation fault Runtime.ExitError",
        r"Runtime exited with error: signal: segmentation fault",
        ("segmentation",),
        Meaning(
            NODE_API_LEVEL,
            Certainty.POSSIBLE,
            "native code crashed, as it does when an addon needs a newer Node-API than this Node.js has",
            (Meaning(TRUNCATED, Certainty.POSSIBLE, "a truncated binary crashes the same way"),),
        ),
    ),
)
