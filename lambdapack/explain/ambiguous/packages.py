"""Ambiguous messages about packages and programs: of node, npm, sharp, Prisma, the kernel."""

import re

from lambdapack.explain.facts.nouns import Slots
from lambdapack.explain.nouns import Meaning, MessagePattern
from lambdapack.messages import NAME, Certainty, Rank
from lambdapack.rules.binary.loader_records import NOT_ELF, TRUNCATED, WRONG_CPU
from lambdapack.rules.binary.node_records import NODE_API_LEVEL
from lambdapack.rules.lockfile.records import (
    LOCK_OUT_OF_STEP,
    NPM_REFUSES_LOCK,
    PLATFORM_PACKAGE_MISSING,
    SCRIPTS_SKIPPED,
)
from lambdapack.rules.package.records import MISSING_ADDON
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


SKIPPED_SCRIPTS = Meaning(
    SCRIPTS_SKIPPED, Certainty.POSSIBLE, "the package's install script never ran, so it was not built either"
)


def lacking_lock(slots: Slots) -> Meaning:
    """What npm ci misses in the lockfile: npm since 11.3 wants other platforms' packages as well."""
    package = slots["package"]
    if parse_platform_tags(package).names_platform:
        says = f"the lockfile lacks {package}, a package for another platform that npm since 11.3 wants in it"
        return Meaning(NPM_REFUSES_LOCK, Certainty.CERTAIN, says)
    return Meaning(LOCK_OUT_OF_STEP, Certainty.CERTAIN, "package.json and the lockfile do not say the same")


def wrong_host(slots: Slots) -> Meaning:
    """Old sharp compares the names of two platforms: system first, then CPU."""
    has, needs = slots["has"], slots["needs"]
    if has.partition("-")[0] == needs.partition("-")[0]:
        return Meaning(WRONG_CPU, Certainty.CERTAIN, f"node_modules holds binaries for {has}, and this is {needs}")
    return Meaning(NOT_ELF, Certainty.CERTAIN, f"node_modules was installed on {has} and copied to {needs}")


PATTERNS: tuple[MessagePattern, ...] = (
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
