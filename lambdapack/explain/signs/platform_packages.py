"""What packages print whose binaries are packages of their own: sharp, esbuild, rollup, swc, napi-rs, Prisma."""

import re

from lambdapack.explain.nouns import Reading, Sign, Slots
from lambdapack.explain.signs.words import CERTAIN, LIKELY, NAME, POSSIBLE, ROOT, SYMPTOM, pattern, sign
from lambdapack.rules.tokens import tags

MISSING = "platform-package-missing"


PRISMA = (
    'perl -0pi -e \'s/^\\s*binaryTargets.*\\n//mg; s/(provider\\s*=\\s*"prisma-client[\\w-]*")'
    '/$1\\n\\tbinaryTargets = ["native", "{needs}"]/\' prisma/schema.prisma && npx prisma generate'
)
"""Writes the platform into the generator block (Prisma: "Binary targets"). A tab, for runs of blanks are folded."""


def prisma_engine(slots: Slots) -> Reading:
    """Prisma names the platform that it wanted, and since 5 the one for which the client was generated."""
    made = f"; it was generated for {slots['has']}" if "has" in slots else ""
    said = f"the Prisma client has no query engine for {slots.get('needs', 'this platform')}{made}"
    return Reading(MISSING, CERTAIN, said, fix=("{build}", PRISMA))


def other_platform(slots: Slots) -> Reading:
    """One that is for Linux is asked for on the wrong machine; any other has no place among the dependencies."""
    says = "{package} is only for another platform, and the lockfile or package.json demands it on this one"
    if re.search(r"\blinux\b", slots.get("needs", "")):
        return Reading(MISSING, LIKELY, says)
    return Reading(MISSING, CERTAIN, says, fix=("npm uninstall {package}", "npm install --save-optional {package}"))


def any_module(slots: Slots) -> Reading | None:
    """Only a name with a system or CPU in it is a platform package."""
    if not tags(slots["module"]).names_platform:
        return None
    return Reading(MISSING, LIKELY, f"{slots['module']}, the binary for this platform, was not installed")


SIGNS: tuple[Sign, ...] = (
    sign(
        "sharp",
        'Could not load the "sharp" module using the linux-arm64 runtime',
        r"Could not load the \\?\"(?P<package>sharp)\\?\" module using the (?P<needs>[\w-]+) runtime",
        MISSING,
        CERTAIN,
        "sharp's binary for {needs} was not installed",
        SYMPTOM,
    ),
    sign(
        "sharp",
        "Unsupported CPU: Prebuilt binaries for linux-x64 require v2 microarchitecture",
        r"Unsupported CPU: Prebuilt binaries for (?P<needs>[\w-]+) require (?P<level>v\d) microarchitecture",
        "cpu-level",
        CERTAIN,
        "the binary for {needs} needs x86-64-{level}, and this machine's CPU or virtual CPU has less",
        ROOT,
        "sharp",
    ),
    sign(
        "esbuild",
        "You installed esbuild for another platform than the one you're currently using.",
        r"You installed (?P<package>esbuild) (?:for|on) another (?:platform|architecture) than the one you're"
        r" currently using[\s\S]{0,600}?(?:Specifically the \"(?P<has>[^\"]+)\" package is present but this platform"
        r" needs the \"(?P<needs>[^\"]+)\"|$)",
        MISSING,
        CERTAIN,
        "node_modules holds esbuild for another platform ({has}); this one needs {needs}",
        ROOT,
    ),
    sign(
        "esbuild",
        'The package "@esbuild/linux-x64" could not be found, and is needed by esbuild.',
        r"[Tt]he package \"(?P<needs>@?(?P<package>esbuild)[/-][\w-]+)\" could not be found, and is needed by esbuild",
        MISSING,
        CERTAIN,
        "{needs}, esbuild's binary for this platform, was not installed",
        ROOT,
    ),
    sign(
        "rollup, napi-rs",
        "Cannot find module @rollup/rollup-linux-x64-gnu. npm has a bug related to optional dependencies",
        rf"(?:Cannot find (?:module|native binding)\W*(?P<needs>{NAME})?[^\n]{{0,20}}? )?npm has a bug related to"
        r" optional dependencies",
        MISSING,
        CERTAIN,
        "{needs}, the binary for this platform, was not installed: the lockfile does not have it (npm/cli#4828)",
        ROOT,
    ),
    sign(
        "napi-rs",
        "Error: Failed to load native binding",
        r"(?:Failed to load|Cannot find) native binding",
        MISSING,
        LIKELY,
        "the package's binary for this platform was not installed",
        SYMPTOM,
    ),
    Sign(
        "node",
        "Cannot find module '@img/sharp-linux-x64/sharp.node'",
        pattern(rf"Cannot find (?:module|package) ['\"`]?(?P<module>{NAME}(?:/[\w./-]+)?)['\"`.]?"),
        any_module,
    ),
    sign(
        "lightningcss, @tailwindcss/oxide",
        "Cannot find module '../lightningcss.linux-x64-gnu.node'",
        r"Cannot find module ['\"](?:\.{1,2}/)+(?P<file>[\w-]+\.(?:linux|darwin|win32|android|freebsd)-[\w-]+\.node)",
        MISSING,
        CERTAIN,
        "{file}, the package's binary for this platform, was not installed",
    ),
    sign(
        "next",
        "Failed to load SWC binary for linux/x64",
        r"Failed to load SWC binary for (?P<needs>[\w/]+)",
        MISSING,
        CERTAIN,
        "Next.js has no SWC binary for {needs}",
        package="next",
    ),
    sign(
        "swc",
        "Bindings not found.",
        r"^\W*(?:Error: )?Bindings not found\.?\W*$",
        MISSING,
        LIKELY,
        "@swc/core has no binary for this platform",
        package="@swc/core",
    ),
    Sign(
        "Prisma",
        'Prisma Client could not locate the Query Engine for runtime "rhel-openssl-3.0.x".',
        pattern(
            r"(?:Client|Prisma) could not locate the Query Engine for runtime \\?\"(?P<needs>[\w.-]+?)\\?\""
            r"(?:[\s\S]{0,300}?was generated for \\?\"(?P<has>[\w.-]+?)\\?\")?"
        ),
        prisma_engine,
        ROOT,
        "@prisma/client",
    ),
    Sign(
        "Prisma",
        'Query engine library for current platform "rhel-openssl-1.0.x" could not be found.',
        pattern(
            r"Query engine (?:library|binary) for current platform \\?\"?(?P<needs>[\w.-]+?)\\?\"? could not be found"
            r"(?:[\s\S]{0,400}?[Pp]risma Client looked in [\"(]*(?P<file>[^\s\")]+))?"
        ),
        prisma_engine,
        ROOT,
        "@prisma/client",
    ),
    sign(
        "Prisma",
        "PrismaClientInitializationError: Unable to require(`/var/task/libquery_engine-rhel-openssl-3.0.x.so.node`)",
        r"(?:Unable to require\(`?(?P<file>[^`)\n]*?(?:lib)?query[_-]engine[^`)\n]*)|Unable to load Node-API Library"
        r" from (?P<file2>[^\s,]+))",
        MISSING,
        POSSIBLE,
        "Prisma could not open its query engine {file}",
        SYMPTOM,
        "@prisma/client",
    ),
    Sign(
        "npm",
        'Unsupported platform for @esbuild/darwin-arm64@0.17.6: wanted {"os":"darwin","cpu":"arm64"}',
        pattern(
            rf"(?<!DEPENDENCY:\s)Unsupported platform for (?P<package>{NAME})@[^\n:]+: wanted"
            r"(?P<needs>(?:(?!current|Valid|Actual)[\s\S]){0,120})"
        ),
        other_platform,
        ROOT,
    ),
    sign(
        "npm",
        "npm ERR! code EBADPLATFORM",
        r"^\W*(?:npm \w+!? )?code EBADPLATFORM",
        MISSING,
        LIKELY,
        "a package is only for another platform, and the lockfile or package.json demands it on this one",
        SYMPTOM,
    ),
    sign(
        "yarn",
        'error fsevents@2.3.2: The platform "linux" is incompatible with this module.',
        rf"(?P<package>{NAME})@[\w.-]+: The (?:platform|CPU architecture) \"(?P<needs>\w+)\" is incompatible with this"
        r" module",
        MISSING,
        LIKELY,
        "{package} is not for {needs}",
    ),
)
