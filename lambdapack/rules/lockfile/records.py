"""The rule records of the lockfile pre-flight, LP150 to LP169. Contains no check."""

from lambdapack.messages import NAME, Certainty, Message, Rank, Remedy
from lambdapack.model import Rule, Severity

_CHECK_LOCK = "Commit the lockfile and let CI run `lambdapack build`: its pre-flight names what the lockfile lacks."
_LOCK_AND_ADD = "npm install --package-lock-only && git add package-lock.json"
LOCK_ANEW = "rm -rf node_modules package-lock.json && npx npm@11 install"

READY_TREE_ADVICE = (
    "What works today: install with your package manager, then `lambdapack verify PATH` judges the ready node_modules "
    "and `lambdapack build --no-install` packs it."
)

PNPM_LOCK_COMMAND = "rm -rf node_modules && npm install --package-lock-only"
"""npm cannot read a node_modules that pnpm made, and ends with an error of its own beside one (npm 10 and 11)."""

OWN_LOCK_ADVICE = (
    "Where it depends on no other member, `npm install --package-lock-only --workspaces=false` in it makes a lockfile "
    "of its own."
)

LOCK_MISSING = Rule(
    "LP150",
    "lock-missing",
    "there is no lockfile",
    "npm ci installs what the lockfile says; without one it prints `The npm ci command can only "
    "install with an existing package-lock.json or npm-shrinkwrap.json`.",
    "Run `npm install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
    messages=(
        Message(
            "npm",
            "The `npm ci` command can only install with an existing package-lock.json",
            r"command can only install with an existing package-lock|cipm can only install packages with an existing",
            ("package-lock", "packages"),
            "there is no lockfile, or one that this npm cannot read",
        ),
    ),
    cause="lock-out-of-step",
    remedy=Remedy(
        (_LOCK_AND_ADD, "{build}"),
        _CHECK_LOCK,
    ),
)
LOCK_OLD = Rule(
    "LP151",
    "lock-old",
    "the lockfile has a format that is too old",
    "It does not say which packages are for which platform: npm 6 (version 1) asks the registry for each of them.",
    "Run `npm install --package-lock-only --lockfile-version 3` and commit package-lock.json.",
    Severity.ERROR,
)
LOCK_UNKNOWN = Rule(
    "LP152",
    "lock-unknown",
    "the lockfile has a format newer than this lambdapack knows",
    "What a later format moved elsewhere is not seen by the pre-flight, nor perhaps by the image's npm.",
    "Run `npm install --package-lock-only --lockfile-version 3` and commit package-lock.json.",
    Severity.WARNING,
)
LOCK_FOREIGN = Rule(
    "LP153",
    "lock-foreign",
    "the lockfile is another package manager's",
    "npm ci reads package-lock.json and npm-shrinkwrap.json only.",
    f"Run `npm install --package-lock-only` to build with npm, which chooses versions anew. {READY_TREE_ADVICE}",
    Severity.ERROR,
    cause="lock-out-of-step",
)
WORKSPACE_MEMBER = Rule(
    "LP154",
    "workspace-member",
    "the function is a member of a workspace",
    "Its dependencies are locked in the workspace's root, and that lock has no entry for the member: "
    "the package manager would install nothing for it.",
    f"Run `npm install --package-lock-only` in the workspace's root and commit package-lock.json. {OWN_LOCK_ADVICE}",
    Severity.ERROR,
)
FILE_OUTSIDE = Rule(
    "LP155",
    "file-outside",
    "a file: dependency is not there, or is an absolute path",
    "npm makes a link to it in node_modules, which leads nowhere on Lambda; a build copies it in place of the link.",
    "Restore the directory, or write it as a path relative to package.json and run `npm install --package-lock-only`.",
    Severity.ERROR,
)
LOCK_OUT_OF_STEP = Rule(
    "LP156",
    "lock-out-of-step",
    "the lockfile does not fit package.json",
    "An install that must not change the lockfile refuses it: npm ci, and those of pnpm and Yarn.",
    "Run `npm install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
    messages=(
        Message(
            "npm",
            "npm ERR! `npm ci` can only install packages when your package.json and package-lock.json are in sync",
            r"can only install packages when your package\.json and(?: npm \S+)? (?:package-lock\.json|npm-shrinkwrap)",
            ("package-lock.json", "npm-shrinkwrap"),
            "package.json and the lockfile do not say the same",
        ),
        Message(
            "yarn, pnpm",
            "Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
            r"Your lockfile needs to be updated, but yarn was run with|The lockfile would have been modified by "
            r"this install"
            r"|\bERR_PNPM_(?:OUTDATED|NO)_LOCKFILE\b|lockfile had changes, but lockfile is frozen",
            ("lockfile", "ERR_PNPM_"),
            "the lockfile is not up to date with package.json",
        ),
    ),
    remedy=Remedy(
        (_LOCK_AND_ADD, "{build}"),
        _CHECK_LOCK,
    ),
)
PLATFORM_PACKAGE_MISSING = Rule(
    "LP157",
    "platform-package-missing",
    "the lockfile lacks a package that holds a binary for a platform",
    "npm before 11.3 forgets other platforms' optional packages when it locks beside a node_modules "
    "(npm/cli#4828); npm ci then ends well without the binary, and node prints `Cannot find module "
    "'@img/sharp-linux-arm64/sharp.node'` on Lambda.",
    "Run `npx npm@11 install --package-lock-only` (npm 10 does not mend it) and commit package-lock.json.",
    Severity.ERROR,
    messages=(
        Message(
            "sharp",
            'Could not load the "sharp" module using the linux-arm64 runtime',
            r"Could not load the \\?\"(?P<package>sharp)\\?\" module using the (?P<needs>[\w-]+) runtime",
            ("runtime",),
            "sharp's binary for {needs} was not installed",
            rank=Rank.SYMPTOM,
        ),
        Message(
            "esbuild",
            "You installed esbuild for another platform than the one you're currently using. Specifically the "
            '"@esbuild/darwin-arm64" package is present but this platform needs the "@esbuild/linux-x64" package',
            r"You installed (?P<package>esbuild) (?:for|on) another (?:platform|architecture) than the one you're"
            r" currently using[\s\S]{0,600}?Specifically the \"(?P<has>[^\"]+)\" package is present but this platform"
            r" needs the \"(?P<needs>[^\"]+)\"",
            ("installed",),
            "node_modules has esbuild's binary for a different platform: {has}, and this one needs {needs}",
            rank=Rank.ROOT,
        ),
        Message(
            "esbuild",
            "You installed esbuild for another platform than the one you're currently using.",
            r"You installed (?P<package>esbuild) (?:for|on) another (?:platform|architecture) than the one you're"
            r" currently using",
            ("installed",),
            "node_modules has esbuild's binary for a different platform",
            rank=Rank.ROOT,
        ),
        Message(
            "esbuild",
            'The package "@esbuild/linux-x64" could not be found, and is needed by esbuild.',
            r"[Tt]he package \"(?P<needs>@?(?P<package>esbuild)[/-][\w-]+)\" could not be found, and is needed by "
            r"esbuild",
            ("esbuild",),
            "{needs}, esbuild's binary for this platform, was not installed",
            rank=Rank.ROOT,
        ),
        Message(
            "rollup, napi-rs",
            "Cannot find module @rollup/rollup-linux-x64-gnu. npm has a bug related to optional dependencies",
            rf"(?:Cannot find (?:module|native binding)\W*(?P<needs>{NAME})?[^\n]{{0,20}}? )?npm has a bug related to"
            r" optional dependencies",
            ("dependencies",),
            "{needs}, the binary for this platform, was not installed: the lockfile does not have it (npm/cli#4828)",
            rank=Rank.ROOT,
        ),
        Message(
            "napi-rs",
            "Error: Failed to load native binding",
            r"(?:Failed to load|Cannot find) native binding",
            ("binding",),
            "the package's binary for this platform was not installed",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
        Message(
            "lightningcss, @tailwindcss/oxide",
            "Cannot find module '../lightningcss.linux-x64-gnu.node'",
            r"Cannot find module ['\"](?:\.{1,2}/)+(?P<file>[\w-]+\.(?:linux|darwin|win32|android"
            r"|freebsd)-[\w-]+\.node)",
            ("Cannot",),
            "{file}, the package's binary for this platform, was not installed",
        ),
        Message(
            "next",
            "Failed to load SWC binary for linux/x64",
            r"Failed to load SWC binary for (?P<needs>[\w/]+)",
            ("Failed",),
            "Next.js has no SWC binary for {needs}",
            package="next",
        ),
        Message(
            "swc",
            "Bindings not found.",
            r"^\W*(?:Error: )?Bindings not found\.?\W*$",
            ("Bindings",),
            "@swc/core has no binary for this platform",
            certainty=Certainty.LIKELY,
            package="@swc/core",
        ),
        Message(
            "Prisma",
            "Error: Unable to require(`/var/task/libquery_engine-rhel-openssl-3.0.x.so.node`)",
            r"(?:Unable to require\(`?(?P<file>[^`)\n]*?(?:lib)?query[_-]engine[^`)\n]*)"
            r"|Unable to load Node-API Library"
            r" from (?P<file2>[^\s,]+))",
            ("require(", "Node-API"),
            "Prisma could not open its query engine {file}",
            certainty=Certainty.POSSIBLE,
            rank=Rank.SYMPTOM,
            package="@prisma/client",
        ),
        Message(
            "npm",
            "npm ERR! code EBADPLATFORM",
            rf"^\W*(?:npm \w+!? )?code EBADPLATFORM|ERR_PNPM_UNSUPPORTED_PLATFORM(?:\W+Unsupported platform for "
            rf"(?P<package>{NAME}))?",
            ("EBADPLATFORM", "ERR_PNPM_UNSUPPORTED_PLATFORM"),
            "a package is only for another platform, and the lockfile or package.json demands it on this one",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
        Message(
            "yarn",
            'error fsevents@2.3.2: The platform "linux" is incompatible with this module.',
            rf"(?P<package>{NAME})@[\w.-]+: The (?:platform|CPU architecture) \"(?P<needs>\w+)\" is incompatible "
            rf"with this"
            r" module",
            ("incompatible",),
            "{package} is not for {needs}",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        ("{npm_ci}", "{build}", "npx npm@11 install --package-lock-only", LOCK_ANEW),
        f"{_CHECK_LOCK} npm before 11.3 drops platform packages of other systems when node_modules is there "
        f"(npm/cli#4828).",
        local=(LOCK_ANEW,),
    ),
)
NPM_REFUSES_LOCK = Rule(
    "LP158",
    "npm-refuses-lock",
    "the image's npm refuses this lockfile",
    "npm 11.3 and newer require every optional package in the lockfile, other platforms' too, and prints "
    "`Missing: @esbuild/aix-ppc64@0.25.0 from lock file`. Older versions do not.",
    "Run `npx npm@11 install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
    cause="lock-out-of-step",
    remedy=Remedy(
        ("npx npm@11 install --package-lock-only && git add package-lock.json", "{build}"),
        _CHECK_LOCK,
    ),
)
SCRIPTS_SKIPPED = Rule(
    "LP159",
    "scripts-skipped",
    "the image's npm will skip an install script",
    "npm 12 runs only the dependency scripts that allowScripts names: it prints `1 package has install "
    "scripts not yet covered by allowScripts` and ends with exit code 0, and the addon is not built.",
    "Run `npm install-scripts approve NAME`, or `npm pkg set 'allowScripts[NAME]=true' --json`.",
    Severity.WARNING,
    messages=(
        Message(
            "npm",
            "npm warn 1 package has install scripts not yet covered by allowScripts:\n  a@1.0.0 (install: node-gyp "
            "rebuild)",
            r"install scripts? (?:were |was )?(?:blocked(?: because they are not covered by allowScripts)?|not "
            r"(?:yet )?covered"
            rf" by allowScripts)(?::\s*(?:(?:install|allow)-scripts\s+)?(?P<package>{NAME})(?=@\S+ \())?"
            r"|not (?:yet )?covered by allowScripts|\bE(?:STRICT)?ALLOWSCRIPTS\b",
            ("blocked", "allowScripts", "ALLOWSCRIPTS"),
            "npm did not run the install script of {package}, so its binary was neither built nor downloaded",
            rank=Rank.ROOT,
        ),
        Message(
            "pnpm",
            "Ignored build scripts: better-sqlite3.",
            rf"Ignored build scripts: (?P<package>{NAME}?)(?=[@,.\s]|$)|\bERR_PNPM_IGNORED_BUILDS\b",
            ("scripts:", "ERR_PNPM_IGNORED_BUILDS"),
            "pnpm did not run the install script of {package}",
            rank=Rank.ROOT,
        ),
        Message(
            "yarn, bun",
            "YN0004: a@npm:1.0.0 lists build scripts, but its build has been explicitly disabled through "
            "configuration.",
            rf"(?P<package>{NAME})@\S+ (?:lists build scripts, but (?:its build has been (?:explicitly )?disabled"
            rf"|all build"
            r" scripts have been disabled)|must be built because)|Blocked \d+ postinstalls?",
            ("scripts,", "because", "postinstall"),
            "the package manager did not run the install script of {package}",
            certainty=Certainty.LIKELY,
        ),
    ),
    remedy=Remedy(
        (
            "npm pkg set 'allowScripts[{package}]=true' --json && npm ci",
            "{build}",
            "npm rebuild {package} --ignore-scripts=false",
        ),
        "List the packages that need their install script in `allowScripts` (npm 12), "
        "`onlyBuiltDependencies` (pnpm) or `dependenciesMeta` (yarn); `lambdapack build` names them before "
        "it installs.",
    ),
)
SCRIPT_NEEDS_DEV = Rule(
    "LP160",
    "script-needs-dev",
    "an install script of the project calls a devDependency",
    "Dependencies are installed with --omit=dev, so the shell does not find it and npm ci fails with code 127.",
    "Move the tool to `dependencies` (`npm install --save-prod TOOL`): its script's output is part of the package.",
    Severity.ERROR,
    cause="root-script",
)
FOREIGN_PROTOCOL = Rule(
    "LP161",
    "foreign-protocol",
    "a dependency is written in another package manager's protocol",
    'npm refuses it: `Unsupported URL Type "workspace:"`.',
    "Write a version or a file: path that npm can read.",
    Severity.ERROR,
    messages=(
        Message(
            "npm",
            'npm error code EUNSUPPORTEDPROTOCOL\nnpm error Unsupported URL Type "workspace:": workspace:*',
            r"(?:\bEUNSUPPORTEDPROTOCOL\b[\s\S]{0,80}?)?Unsupported URL Type \\?\"(?P<protocol>[a-z]+):"
            r"|\bEUNSUPPORTEDPROTOCOL\b",
            ("Unsupported", "EUNSUPPORTEDPROTOCOL"),
            "npm does not know the protocol {protocol}: in package.json, which another package manager's project has",
        ),
    ),
    remedy=Remedy(
        ("git ls-files '*pnpm-lock.yaml' '*yarn.lock' '*bun.lock*'", "{build} --no-install"),
        "Write a version or a file: path where npm has to read package.json: workspace:, catalog: and "
        "link: are for pnpm and yarn.",
    ),
)
LOCK_LOOPBACK = Rule(
    "LP162",
    "lock-loopback",
    "the lockfile fetches packages from this machine",
    "It was made with a registry on localhost; inside the container that name is the container, and npm "
    "cannot connect (ECONNREFUSED).",
    "Run `npm config set replace-registry-host always --location=project`: npm then asks its registry instead.",
    Severity.ERROR,
)
NO_INTEGRITY = Rule(
    "LP163",
    "lock-without-integrity",
    "the lockfile does not say what a package's tarball must be",
    "Without an integrity npm takes whatever the registry or a cache gives for that name and version.",
    "Delete those entries and run `npm install --package-lock-only`: npm writes them anew with their integrity.",
    Severity.WARNING,
)
SETTING_NOT_TAKEN = Rule(
    "LP164",
    "setting-not-taken",
    "an npm setting does not count in a build",
    "The install in the container can differ from the one that the setting makes here.",
    "Remove the setting from .npmrc, or install the packages and run `lambdapack build --no-install`.",
    Severity.NOTE,
)
PLUG_N_PLAY = Rule(
    "LP168",
    "plug-n-play",
    "the packages are installed with Yarn's Plug'n'Play",
    "Node.js looks for packages in node_modules alone, and Yarn keeps them in zips that only its own loader opens.",
    "Set `nodeLinker: node-modules` in .yarnrc.yml and run `yarn install`.",
    Severity.ERROR,
    remedy=Remedy(
        ("yarn config set nodeLinker node-modules && yarn install", "{build}"),
        "Keep `nodeLinker: node-modules` in the .yarnrc.yml of a repository with functions: Lambda has no Plug'n'Play.",
    ),
)
GIT_DEPENDENCY = Rule(
    "LP169",
    "git-dependency",
    "a dependency comes from a git repository",
    "npm fetches it in the image with a toolchain, which has git and ssh; keys and credentials for git never reach a "
    "container.",
    "Depend on a tarball instead: run `npm pack` in its checkout and `npm install ./NAME-VERSION.tgz`, or publish it "
    "to a registry; `lambdapack build --no-install` packs what is installed already.",
    Severity.ERROR,
    cause="git-fetch",
    remedy=Remedy(
        ("npm query ':attr([resolved^=git])'",),
        "Publish private packages to a registry, or depend on a tarball: an install then needs neither git nor keys.",
    ),
)
