"""Messages of packages that locate a native file: node-gyp-build, bindings, node-pre-gyp, prebuild-install."""

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    CERTAIN,
    FILE,
    LIKELY,
    NAME,
    POSSIBLE,
    QUOTED,
    ROOT,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)
from lambdapack.rules.selection.tokens import parse_platform_tags

SKIPPED_SCRIPTS = Meaning(
    "scripts-skipped", POSSIBLE, "the package's install script never ran, so it was not built either"
)


def missing_addon(slots: Slots) -> Meaning:
    """An addon that is required by path and is not there: nothing was downloaded or compiled for this target."""
    if parse_platform_tags(slots["file"]).names_platform and "/build/" not in f"/{slots['file']}":
        return Meaning("platform-package-missing", LIKELY, "{file}, the binary for this platform, was not installed")
    return Meaning(
        "prebuild-missing", LIKELY, "{file} was neither downloaded nor compiled for this target", (SKIPPED_SCRIPTS,)
    )


def wrong_host(slots: Slots) -> Meaning:
    """Old sharp compares the names of two platforms: system first, then CPU."""
    has, needs = slots["has"], slots["needs"]
    if has.partition("-")[0] == needs.partition("-")[0]:
        return Meaning("wrong-cpu", CERTAIN, f"node_modules holds binaries for {has}, and this is {needs}")
    return Meaning("not-elf", CERTAIN, f"node_modules was installed on {has} and copied to {needs}")


SIGNS: tuple[MessagePattern, ...] = (
    message_pattern(
        "node-gyp-build",
        "No native build was found for platform=linux arch=arm64 runtime=node abi=127 uv=1 libc=glibc node=22.1.0",
        r"No native build was found for (?:[^\n]*?platform=(?P<system>\w+) arch=(?P<cpu>\w+)[^\n]*)?"
        r"(?: loaded from: (?P<file>[^\n]+))?",
        "prebuild-missing",
        CERTAIN,
        "the package has no binary for {system} {cpu}, and none was compiled",
    ),
    MessagePattern(
        "bindings",
        "Could not locate the bindings file. Tried:\n -> /a/node_modules/a/build/a.node",
        compile_pattern(
            r"Could not locate the bindings file[.\s]*(?:\((?P<file2>[\w.-]+\.node)\)|Tried:\s*(?:\u2192|->) "
            r"(?P<file>\S+))?"
        ),
        Meaning(
            "prebuild-missing",
            LIKELY,
            "{file} is in none of the places where the package looks for it: it was not built for this target",
            (SKIPPED_SCRIPTS,),
        ),
    ),
    MessagePattern(
        "node",
        "Cannot find module '../build/Release/a.node'",
        compile_pattern(rf"Cannot find (?:module|package) {QUOTED.format('file').replace('+)', '+?[.]node)', 1)}"),
        missing_addon,
    ),
    message_pattern(
        "node-sass",
        "Missing binding /a/node_modules/node-sass/vendor/linux-x64-57/binding.node",
        rf"Missing binding {FILE}|Node Sass (?:could not find a binding|does not yet support your current environment)",
        "prebuild-missing",
        CERTAIN,
        "node-sass has no binary for this system and this Node.js",
        package="node-sass",
    ),
    message_pattern(
        "prebuild-install",
        "prebuild-install warn install No prebuilt binaries found (target=20.1.0 runtime=node arch=arm64 "
        "platform=linux)",
        r"No prebuilt binaries found \((?:[^)\n]*?target=(?P<target>[\w.]+))?(?:[^)\n]*?arch=(?P<cpu>\w+))?"
        r"(?:[^)\n]*?platform=(?P<system>\w+))?",
        "prebuild-missing",
        CERTAIN,
        "nobody published a binary of the package for {system} {cpu} and this Node.js",
    ),
    message_pattern(
        "prebuild-install",
        "prebuild-install WARN install connect ECONNREFUSED 1.2.3.4:443",
        r"prebuild-install (?:warn|WARN|err!|ERR!|error) ?(?:!|install)? (?!looking|found"
        r"|Downloading)(?P<reason>[^\n]+)",
        "prebuild-missing",
        LIKELY,
        "the prebuilt binary could not be downloaded: {reason}",
    ),
    message_pattern(
        "node-pre-gyp",
        "node-pre-gyp ERR! Tried to download(404): https://example.com/a.tar.gz",
        r"(?:Tried to download\((?P<reason>[^)\n]+)\)|node-pre-gyp (?:WARN|ERR!|warn|error) (?:Hit error|install)"
        r" (?P<said>[^\n]+))",
        "prebuild-missing",
        LIKELY,
        "the prebuilt binary could not be downloaded: {reason}{said}",
    ),
    message_pattern(
        "node-pre-gyp",
        'node-pre-gyp info check checked for "/a/node_modules/a/lib/binding/a.node" (not found)',
        r"check checked for \\?\"(?P<file>[^\"\n\\]+\.node)\\?\" \(not found\)",
        "prebuild-missing",
        POSSIBLE,
        "{file} is not there yet",
    ),
    message_pattern(
        "node-pre-gyp",
        "node-pre-gyp WARN Pre-built binaries not installable for a@1.0.0 and node@22.1.0 (node-v127 ABI, glibc)",
        rf"Pre-built binaries not (?:installable|found) for (?P<package>{NAME})@",
        "prebuild-missing",
        CERTAIN,
        "there is no prebuilt binary of {package} for this Node.js and system, so it had to be compiled",
    ),
    MessagePattern(
        "sharp",
        "'darwin-x64' binaries cannot be used on the 'linux-x64' platform",
        compile_pattern(
            r"['\"](?P<has>[\w-]+)['\"] binaries cannot be used on the ['\"](?P<needs>[\w-]+)['\"] platform"
        ),
        wrong_host,
        ROOT,
    ),
    message_pattern(
        "sharp",
        'Something went wrong installing the "sharp" module',
        r"Something went wrong installing the \"?(?P<package>sharp)\"? module",
        "prebuild-missing",
        LIKELY,
        "sharp was not built or downloaded for this target",
        SYMPTOM,
    ),
    message_pattern(
        "pkg-prebuilds",
        "pkg-prebuilds: No prebuild or local build of a found. Tried build/Release/a.node",
        rf"No (?:prebuild|prebuilt binary|binary) (?:or local build )?(?:of|for) (?P<package>{NAME}) (?:was )?found",
        "prebuild-missing",
        CERTAIN,
        "{package} has no binary for this target",
    ),
    message_pattern(
        "a package",
        "Prebuild for current platform (a-v1.0.0-electron-v85-darwin-arm64) not found!",
        r"[Pp]re-?buil[dt]s?(?: binar(?:y|ies))? (?:for|of) [^\n]{1,120}? (?:(?:was|were|is|are) )?not (?:found"
        r"|available)"
        r"|https?://[^\s\"']*(?:linux|darwin|win32|alpine)[^\s\"']*\.(?:tar\.gz|tgz|tar\.br|node|zip|gz)[^\n]{0,40}?"
        r"(?:\b40[34]\b|returned \d|E(?:CONN|TIMED|NOTF|AI_)\w+|[Nn]ot [Ff]ound)",
        "prebuild-missing",
        LIKELY,
        "the prebuilt binary for this platform could not be downloaded",
    ),
    message_pattern(
        "a package",
        "No prebuild found for linux-arm64",
        r"(?:No (?:prebuild|pre-built binary|prebuilt binary|native binding|native addon)s? (?:(?:was|is|were) )?"
        r"(?:found|available|exists?) for|[Uu]nsupported (?:OS|[Pp]latform)[:,] (?:\w+,? )?[Aa]rchitecture:?) "
        r"(?P<target>[\w-]+)",
        "prebuild-missing",
        LIKELY,
        "the package has no binary for {target}",
    ),
    message_pattern(
        "a package",
        "Error: Failed to load native module /app/a.node",
        r"(?:Error: )(?:Failed to load (?:addon|native (?:module|addon|library))|Could not load native (?:module|addon)"
        r")[^\n]*? (?P<file>\S+\.node)",
        "prebuild-missing",
        POSSIBLE,
        "{file} could not be loaded",
        SYMPTOM,
    ),
)
