"""Messages of packages with platform packages: sharp, esbuild, rollup, swc, napi-rs, Prisma."""

import re

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
from lambdapack.rules.selection.tokens import parse_platform_tags

MISSING_PLATFORM_PACKAGE = "platform-package-missing"


PRISMA_FIX = (
    'perl -0pi -e \'s/^\\s*binaryTargets.*\\n//mg; s/(provider\\s*=\\s*"prisma-client[\\w-]*")'
    '/$1\\n\\tbinaryTargets = ["native", "{needs}"]/\' prisma/schema.prisma && npx prisma generate'
)
"""Writes the platform into the generator block (Prisma: "Binary targets"). A tab, for runs of blanks are folded."""


def prisma_engine(slots: Slots) -> Meaning:
    """Prisma names the platform that it wanted, and since 5 the one for which the client was generated."""
    made = f"; it was generated for {slots['has']}" if "has" in slots else ""
    said = f"the Prisma client has no query engine for {slots.get('needs', 'this platform')}{made}"
    return Meaning(MISSING_PLATFORM_PACKAGE, CERTAIN, said, fix=("{build}", PRISMA_FIX))


def wrong_platform_package(slots: Slots) -> Meaning:
    """One that is for Linux is asked for on the wrong machine; any other has no place among the dependencies."""
    says = "{package} is only for another platform, and the lockfile or package.json demands it on this one"
    if re.search(r"\blinux\b", slots.get("needs", "")):
        return Meaning(MISSING_PLATFORM_PACKAGE, LIKELY, says)
    return Meaning(
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        says,
        fix=("npm uninstall {package}", "npm install --save-optional {package}"),
    )


def missing_platform_package(slots: Slots) -> Meaning | None:
    """Only a name with a system or CPU in it is a platform package."""
    if not parse_platform_tags(slots["module"]).names_platform:
        return None
    return Meaning(
        MISSING_PLATFORM_PACKAGE, LIKELY, f"{slots['module']}, the binary for this platform, was not installed"
    )


SIGNS: tuple[MessagePattern, ...] = (
    message_pattern(
        "sharp",
        'Could not load the "sharp" module using the linux-arm64 runtime',
        r"Could not load the \\?\"(?P<package>sharp)\\?\" module using the (?P<needs>[\w-]+) runtime",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "sharp's binary for {needs} was not installed",
        SYMPTOM,
    ),
    message_pattern(
        "sharp",
        "Unsupported CPU: Prebuilt binaries for linux-x64 require v2 microarchitecture",
        r"Unsupported CPU: Prebuilt binaries for (?P<needs>[\w-]+) require (?P<level>v\d) microarchitecture",
        "cpu-level",
        CERTAIN,
        "the binary for {needs} needs x86-64-{level}, and this machine's CPU or virtual CPU has less",
        ROOT,
        "sharp",
    ),
    message_pattern(
        "esbuild",
        "You installed esbuild for another platform than the one you're currently using.",
        r"You installed (?P<package>esbuild) (?:for|on) another (?:platform|architecture) than the one you're"
        r" currently using[\s\S]{0,600}?(?:Specifically the \"(?P<has>[^\"]+)\" package is present but this platform"
        r" needs the \"(?P<needs>[^\"]+)\"|$)",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "node_modules holds esbuild for another platform ({has}); this one needs {needs}",
        ROOT,
    ),
    message_pattern(
        "esbuild",
        'The package "@esbuild/linux-x64" could not be found, and is needed by esbuild.',
        r"[Tt]he package \"(?P<needs>@?(?P<package>esbuild)[/-][\w-]+)\" could not be found, and is needed by esbuild",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "{needs}, esbuild's binary for this platform, was not installed",
        ROOT,
    ),
    message_pattern(
        "rollup, napi-rs",
        "Cannot find module @rollup/rollup-linux-x64-gnu. npm has a bug related to optional dependencies",
        rf"(?:Cannot find (?:module|native binding)\W*(?P<needs>{NAME})?[^\n]{{0,20}}? )?npm has a bug related to"
        r" optional dependencies",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "{needs}, the binary for this platform, was not installed: the lockfile does not have it (npm/cli#4828)",
        ROOT,
    ),
    message_pattern(
        "napi-rs",
        "Error: Failed to load native binding",
        r"(?:Failed to load|Cannot find) native binding",
        MISSING_PLATFORM_PACKAGE,
        LIKELY,
        "the package's binary for this platform was not installed",
        SYMPTOM,
    ),
    MessagePattern(
        "node",
        "Cannot find module '@img/sharp-linux-x64/sharp.node'",
        compile_pattern(rf"Cannot find (?:module|package) ['\"`]?(?P<module>{NAME}(?:/[\w./-]+)?)['\"`.]?"),
        missing_platform_package,
    ),
    message_pattern(
        "lightningcss, @tailwindcss/oxide",
        "Cannot find module '../lightningcss.linux-x64-gnu.node'",
        r"Cannot find module ['\"](?:\.{1,2}/)+(?P<file>[\w-]+\.(?:linux|darwin|win32|android|freebsd)-[\w-]+\.node)",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "{file}, the package's binary for this platform, was not installed",
    ),
    message_pattern(
        "next",
        "Failed to load SWC binary for linux/x64",
        r"Failed to load SWC binary for (?P<needs>[\w/]+)",
        MISSING_PLATFORM_PACKAGE,
        CERTAIN,
        "Next.js has no SWC binary for {needs}",
        package="next",
    ),
    message_pattern(
        "swc",
        "Bindings not found.",
        r"^\W*(?:Error: )?Bindings not found\.?\W*$",
        MISSING_PLATFORM_PACKAGE,
        LIKELY,
        "@swc/core has no binary for this platform",
        package="@swc/core",
    ),
    MessagePattern(
        "Prisma",
        'Prisma Client could not locate the Query Engine for runtime "rhel-openssl-3.0.x".',
        compile_pattern(
            r"(?:Client|Prisma) could not locate the Query Engine for runtime \\?\"(?P<needs>[\w.-]+?)\\?\""
            r"(?:[\s\S]{0,300}?was generated for \\?\"(?P<has>[\w.-]+?)\\?\")?"
        ),
        prisma_engine,
        ROOT,
        "@prisma/client",
    ),
    MessagePattern(
        "Prisma",
        'Query engine library for current platform "rhel-openssl-1.0.x" could not be found.',
        compile_pattern(
            r"Query engine (?:library|binary) for current platform \\?\"?(?P<needs>[\w.-]+?)\\?\"? could not be found"
            r"(?:[\s\S]{0,400}?[Pp]risma Client looked in [\"(]*(?P<file>[^\s\")]+))?"
        ),
        prisma_engine,
        ROOT,
        "@prisma/client",
    ),
    message_pattern(
        "Prisma",
        "PrismaClientInitializationError: Unable to require(`/var/task/libquery_engine-rhel-openssl-3.0.x.so.node`)",
        r"(?:Unable to require\(`?(?P<file>[^`)\n]*?(?:lib)?query[_-]engine[^`)\n]*)|Unable to load Node-API Library"
        r" from (?P<file2>[^\s,]+))",
        MISSING_PLATFORM_PACKAGE,
        POSSIBLE,
        "Prisma could not open its query engine {file}",
        SYMPTOM,
        "@prisma/client",
    ),
    MessagePattern(
        "npm",
        'Unsupported platform for @esbuild/darwin-arm64@0.17.6: wanted {"os":"darwin","cpu":"arm64"}',
        compile_pattern(
            rf"(?<!DEPENDENCY:\s)Unsupported platform for (?P<package>{NAME})@[^\n:]+: wanted"
            r"(?P<needs>(?:(?!current|Valid|Actual)[\s\S]){0,120})"
        ),
        wrong_platform_package,
        ROOT,
    ),
    message_pattern(
        "npm",
        "npm ERR! code EBADPLATFORM",
        r"^\W*(?:npm \w+!? )?code EBADPLATFORM",
        MISSING_PLATFORM_PACKAGE,
        LIKELY,
        "a package is only for another platform, and the lockfile or package.json demands it on this one",
        SYMPTOM,
    ),
    message_pattern(
        "yarn",
        'error fsevents@2.3.2: The platform "linux" is incompatible with this module.',
        rf"(?P<package>{NAME})@[\w.-]+: The (?:platform|CPU architecture) \"(?P<needs>\w+)\" is incompatible with this"
        r" module",
        MISSING_PLATFORM_PACKAGE,
        LIKELY,
        "{package} is not for {needs}",
    ),
)
