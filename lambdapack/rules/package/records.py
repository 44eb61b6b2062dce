"""The rule records of a package of which a program prints something, with its sentences. Contains no check."""

from lambdapack.messages import BUILD_FROM_SOURCE, DYLD_OPENING, FILE, NAME, Certainty, Message, Rank, Remedy
from lambdapack.model import Rule, Severity

SHIP_LESS = (
    "Ship `dependencies` only, without binaries for other systems: `lambdapack build` prunes them and says the size; "
    "above 50 MB a zip goes through S3, above 250 MB unpacked only a container image is left."
)

MISSING_ADDON = Rule(
    "LP221",
    "missing-addon",
    "a package has no native file for this target",
    "Its loader finds nothing to load. node prints `Cannot find module '../build/Release/NAME.node'`, "
    "bindings prints `Could not locate the bindings file`, node-gyp-build prints `No native build was "
    "found for platform=linux`.",
    "Install with its scripts and for the function's platform: `lambdapack build`.",
    Severity.ERROR,
    messages=(
        Message(
            "node-gyp-build",
            "No native build was found for platform=linux arch=arm64 runtime=node abi=127 uv=1 libc=glibc node=22.1.0",
            r"No native build was found for (?:[^\n]*?platform=(?P<system>\w+) arch=(?P<cpu>\w+)[^\n]*)?"
            r"(?: loaded from: (?P<file>[^\n]+))?",
            ("native",),
            "the package has no binary for {system} {cpu}, and none was compiled",
        ),
        Message(
            "node-sass",
            "Missing binding /a/node_modules/node-sass/vendor/linux-x64-57/binding.node",
            rf"Missing binding {FILE}|Node Sass (?:could not find a binding"
            rf"|does not yet support your current environment)",
            ("Missing", "binding", "environment"),
            "node-sass has no binary for this system and this Node.js",
            package="node-sass",
        ),
        Message(
            "prebuild-install",
            "prebuild-install warn install No prebuilt binaries found (target=20.1.0 runtime=node arch=arm64 "
            "platform=linux)",
            r"No prebuilt binaries found \((?:[^)\n]*?target=(?P<target>[\w.]+))?(?:[^)\n]*?arch=(?P<cpu>\w+))?"
            r"(?:[^)\n]*?platform=(?P<system>\w+))?",
            ("prebuilt",),
            "nobody published a binary of the package for {system} {cpu} and this Node.js",
        ),
        Message(
            "prebuild-install",
            "prebuild-install WARN install connect ECONNREFUSED 1.2.3.4:443",
            r"prebuild-install (?:warn|WARN|err!|ERR!|error) ?(?:!|install)? (?!looking|found"
            r"|Downloading)(?P<reason>[^\n]+)",
            ("prebuild-install",),
            "the prebuilt binary could not be downloaded: {reason}",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "node-pre-gyp",
            "node-pre-gyp ERR! Tried to download(404): https://example.com/a.tar.gz",
            r"(?:Tried to download\((?P<reason>[^)\n]+)\)|node-pre-gyp (?:WARN|ERR!|warn|error) (?:Hit error|install)"
            r" (?P<said>[^\n]+))",
            ("download(", "node-pre-gyp"),
            "the prebuilt binary could not be downloaded: {reason}{said}",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "node-pre-gyp",
            'node-pre-gyp info check checked for "/a/node_modules/a/lib/binding/a.node" (not found)',
            r"check checked for \\?\"(?P<file>[^\"\n\\]+\.node)\\?\" \(not found\)",
            ("checked",),
            "{file} is not there yet",
            certainty=Certainty.POSSIBLE,
        ),
        Message(
            "node-pre-gyp",
            "node-pre-gyp WARN Pre-built binaries not installable for a@1.0.0 and node@22.1.0 (node-v127 ABI, glibc)",
            rf"Pre-built binaries not (?:installable|found) for (?P<package>{NAME})@",
            ("Pre-built",),
            "there is no prebuilt binary of {package} for this Node.js and system, so it had to be compiled",
        ),
        Message(
            "sharp",
            'Something went wrong installing the "sharp" module',
            r"Something went wrong installing the \"?(?P<package>sharp)\"? module",
            ("installing",),
            "sharp was not built or downloaded for this target",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
        Message(
            "pkg-prebuilds",
            "pkg-prebuilds: No prebuild or local build of a found. Tried build/Release/a.node",
            rf"No (?:prebuild|prebuilt binary|binary) (?:or local build )?(?:of"
            rf"|for) (?P<package>{NAME}) (?:was )?found",
            ("found",),
            "{package} has no binary for this target",
        ),
        Message(
            "a package",
            "Prebuild for current platform (a-v1.0.0-electron-v85-darwin-arm64) not found!",
            r"[Pp]re-?buil[dt]s?(?: binar(?:y|ies))? (?:for|of) [^\n]{1,120}? (?:(?:was|were|is|are) )?not (?:found"
            r"|available)"
            r"|https?://[^\s\"']*(?:linux|darwin|win32|alpine)[^\s\"']*\.(?:tar\.gz|tgz|tar\.br|node|zip"
            r"|gz)[^\n]{0,40}?"
            r"(?:\b40[34]\b|returned \d|E(?:CONN|TIMED|NOTF|AI_)\w+|[Nn]ot [Ff]ound)",
            ("buil", "http"),
            "the prebuilt binary for this platform could not be downloaded",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "a package",
            "No prebuild found for linux-arm64",
            r"(?:No (?:prebuild|pre-built binary|prebuilt binary|native binding|native addon)s? (?:(?:was|is|were) )?"
            r"(?:found|available|exists?) for|[Uu]nsupported (?:OS|[Pp]latform)[:,] (?:\w+,? )?[Aa]rchitecture:?) "
            r"(?P<target>[\w-]+)",
            ("prebuild", "pre-built", "prebuilt", "binding", "native", "rchitecture"),
            "the package has no binary for {target}",
            certainty=Certainty.LIKELY,
        ),
        Message(
            "a package",
            "Error: Failed to load native module /app/a.node",
            r"(?:Error: )(?:Failed to load (?:addon|native (?:module|addon|library))|Could not load native (?:module"
            r"|addon)"
            r")[^\n]*? (?P<file>\S+\.node)",
            ("Error:",),
            "{file} could not be loaded",
            certainty=Certainty.POSSIBLE,
            rank=Rank.SYMPTOM,
        ),
    ),
    cause="prebuild-missing",
    remedy=Remedy(
        ("{build}", BUILD_FROM_SOURCE, "npm view {package} versions"),
        "Let install scripts run in the image where the function will run; where downloads are blocked, "
        "`lambdapack build` compiles there.",
        replaceable=True,
    ),
)

MISSING_PROGRAM = Rule(
    "LP228",
    "missing-program",
    "a package's program was not downloaded",
    "Its install script fetches a program that npm does not bring. child_process fails with `spawn "
    "/var/task/node_modules/NAME/bin/NAME ENOENT`.",
    "Install with its scripts: `lambdapack build`.",
    Severity.ERROR,
    remedy=Remedy(
        ("{build}", "npm rebuild {package}", "{verify}"),
        "Let install scripts run where the package is made: what they download is not in the npm package.",
    ),
)

TOO_BIG = Rule(
    "LP302",
    "too-big",
    "the package is larger than Lambda takes",
    "AWS answers `Unzipped size must be smaller than 262144000 bytes`. Layers count.",
    "See what is in it with `lambdapack inspect`, and move build tools to devDependencies.",
    Severity.ERROR,
    messages=(
        Message(
            "the Lambda API",
            "Unzipped size must be smaller than 262144000 bytes",
            r"Unzipped size must be smaller than (?P<bytes>\d+) bytes"
            r"(?! for the (?:UpdateFunctionConfiguration|Invoke))",
            ("Unzipped",),
            "AWS refuses the package: its unzipped size must stay below {bytes} bytes",
        ),
        Message(
            "the Lambda API",
            "Layers consume more than the available size of 262144000 bytes",
            r"exceeds the maximum allowed size of (?!6291)\d+|[Uu]nzipped size[^\n]{0,40}(?:exceed|larger|limit)"
            r"|[Mm]aximum (?:size for a deployment package|unzipped size)"
            r"|[Ll]ayers consume more than the available size",
            ("exceeds", "nzipped", "deployment", "available"),
            "AWS refuses the package for its size",
        ),
    ),
    remedy=Remedy(
        (
            "lambdapack inspect .",
            "{build}",
            "npm prune --omit=dev",
            "{layer}",
            "du -sh node_modules/* | sort -h | tail",
        ),
        SHIP_LESS,
    ),
)

NEEDS_BUCKET = Rule(
    "LP303",
    "needs-bucket",
    "the zip is too large for a direct upload",
    "AWS answers `Zipped size must be smaller than 52428800 bytes`. Through S3 there is no such limit.",
    "Run `lambdapack deploy --bucket BUCKET`, or upload it with `aws s3 cp ZIP s3://BUCKET/` and deploy from there.",
    Severity.NOTE,
    messages=(
        Message(
            "the Lambda API",
            "Zipped size must be smaller than 52428800 bytes",
            r"\bZipped size must be smaller than (?P<bytes>\d+) bytes",
            ("Zipped",),
            "the zip is sent in the request itself and must stay below {bytes} bytes there: it has to go through S3",
        ),
        Message(
            "the Lambda API",
            "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation",
            r"Request must be smaller than (?P<bytes>\d+) bytes(?! for the (?:UpdateFunctionConfiguration|Invoke))",
            ("smaller",),
            "the zip is sent in the request itself, which must stay below {bytes} bytes: it has to go through S3",
        ),
        Message(
            "the Lambda API",
            "RequestEntityTooLargeException",
            r"\bRequestEntityTooLarge(?:Exception)?\b(?![^\n]*(?:FunctionConfiguration|Invoke))",
            ("RequestEntityTooLarge",),
            "the zip is sent in the request itself and is too large for one: it has to go through S3",
        ),
    ),
    cause="too-big",
    remedy=Remedy(
        ("lambdapack deploy --function {function} --bucket BUCKET", "{build}", "lambdapack inspect ."),
        SHIP_LESS,
    ),
)

NOT_READABLE = Rule(
    "LP306",
    "not-readable",
    "files are not readable for everybody",
    "Lambda runs as another user than the files' owner, and node prints `EACCES: permission denied, "
    "open '/var/task/index.js'`.",
    "Run `chmod -R u=rwX,go=rX .` before zipping; `lambdapack build` sets 644 and 755 itself.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Cannot load native addon because loading addons is disabled.",
            r"Cannot load native addon because loading addons is disabled|\bERR_DLOPEN_DISABLED\b",
            ("disabled", "ERR_DLOPEN_DISABLED"),
            "node was started with --no-addons (or without --allow-addons), so no native addon is loaded",
        ),
        Message(
            "glibc's loader",
            "/var/task/node_modules/a/a.node: cannot open shared object file: Permission denied",
            rf"(?:{FILE}: )?(?:cannot open shared object file: Permission denied"
            r"|failed to map segment from shared object: Operation not permitted)",
            ("Permission", "Operation"),
            "{file} may not be read or mapped by the user that runs the function",
        ),
        Message(
            "dyld",
            "dlopen(/a/a.node, 1): code signature in (/a/a.node) not valid for use in process",
            rf"{DYLD_OPENING}(?:code signature (?:in \([^)]*\) )?not valid for use in process"
            r"|code signature invalid|library load disallowed by system policy)",
            ("signature", "disallowed"),
            "macOS refuses {file}: its signature or quarantine mark does not allow it",
            certainty=Certainty.LIKELY,
        ),
    ),
    cause="permissions",
    remedy=Remedy(
        ("{build}", "chmod -R u=rwX,go=rX ."),
        "Zip with `lambdapack build`: every file is readable for everybody, whatever the host's umask.",
    ),
)

DEPENDENCY_MISSING = Rule(
    "LP311",
    "dependency-missing",
    "a dependency of package.json is not in the package",
    "node prints `Cannot find module 'NAME'`. npm hoists a workspace member's dependencies to the root's node_modules.",
    "Install them beside package.json first (`npm ci --omit=dev`), or let `lambdapack build` do it; a "
    "member of a workspace is built from its root: `lambdapack build ROOT --handler "
    "MEMBER/index.handler`.",
    Severity.ERROR,
    cause="missing-package",
    remedy=Remedy(
        ("{build}", "npm ls {package}"),
        "Declare in package.json what the code imports, a private name with its registry in .npmrc. Pack with "
        "`lambdapack build`: it installs `dependencies` and refuses a package whose dependency is not in it.",
    ),
)

PACKAGE_RULES: tuple[Rule, ...] = (
    MISSING_ADDON,
    MISSING_PROGRAM,
    TOO_BIG,
    NEEDS_BUCKET,
    NOT_READABLE,
    DEPENDENCY_MISSING,
)
"""In code order."""
