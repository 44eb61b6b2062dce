"""The rule records of the lockfile pre-flight, LP150 to LP169. Contains no check."""

from lambdapack.model import Rule, Severity

READY_TREE_ADVICE = (
    "What works today: install with your package manager, then `lambdapack verify PATH` judges the ready node_modules "
    "and `lambdapack build --no-install` packs it."
)

OWN_LOCK_ADVICE = (
    "Where it depends on no other member, `npm install --package-lock-only --workspaces=false` in it makes a lockfile "
    "of its own."
)

LOCK_MISSING = Rule(
    "LP150",
    "lock-missing",
    "there is no lockfile",
    "npm ci installs what the lockfile says; without one: `The npm ci command can only install with an existing "
    "package-lock.json or npm-shrinkwrap.json`.",
    "Run `npm install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
)
LOCK_OLD = Rule(
    "LP151",
    "lock-old",
    "the lockfile has the format of npm 6",
    "Version 1 does not say which packages are for which platform, so npm asks the registry for each of them.",
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
    f"Run `npm install --package-lock-only` to build with npm. {READY_TREE_ADVICE}",
    Severity.ERROR,
)
WORKSPACE_MEMBER = Rule(
    "LP154",
    "workspace-member",
    "the function is a member of a workspace",
    "Its dependencies are locked in the workspace's root, where npm also hoists them to; lambdapack cannot take a "
    "member out of a workspace yet.",
    f"Build the workspace's root with the member's handler: `lambdapack build ROOT --handler MEMBER/index.handler`. "
    f"{OWN_LOCK_ADVICE}",
    Severity.ERROR,
)
FILE_OUTSIDE = Rule(
    "LP155",
    "file-outside",
    "a file: dependency lies outside the project",
    "npm makes a link to it in node_modules, which leads nowhere on Lambda, and does not install its dependencies.",
    "Move it below the directory of package.json, or pack it (`npm pack ../x`) and depend on the tarball.",
    Severity.ERROR,
)
LOCK_OUT_OF_STEP = Rule(
    "LP156",
    "lock-out-of-step",
    "the lockfile does not fit package.json",
    "npm ci refuses: `npm ci can only install packages when your package.json and package-lock.json are in sync`.",
    "Run `npm install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
)
PLATFORM_PACKAGE_MISSING = Rule(
    "LP157",
    "platform-package-missing",
    "the lockfile lacks a package that holds a binary for a platform",
    "npm before 11.3 forgets other platforms' optional packages when it locks beside a node_modules (npm/cli#4828); "
    "npm ci then ends well without the binary, and `Cannot find module` comes on Lambda.",
    "Run `npx npm@11 install --package-lock-only` (npm 10 does not mend it) and commit package-lock.json.",
    Severity.ERROR,
)
NPM_REFUSES_LOCK = Rule(
    "LP158",
    "npm-refuses-lock",
    "the image's npm refuses this lockfile",
    "npm since 11.3 wants every optional package in the lockfile, other platforms' too: "
    "`Missing: X from lock file`. Older ones do not.",
    "Run `npx npm@11 install --package-lock-only` and commit package-lock.json.",
    Severity.ERROR,
)
SCRIPTS_SKIPPED = Rule(
    "LP159",
    "scripts-skipped",
    "the image's npm will skip an install script",
    "npm 12 runs only the dependency scripts that allowScripts names and still ends with exit code 0, so the addon "
    "is not built: `Could not locate the bindings file`.",
    "Run `npm install-scripts approve NAME`, or `npm pkg set 'allowScripts[NAME]=true' --json`.",
    Severity.WARNING,
)
SCRIPT_NEEDS_DEV = Rule(
    "LP160",
    "script-needs-dev",
    "an install script of the project calls a devDependency",
    "Dependencies are installed with --omit=dev, so the shell says `not found` and npm ci fails with code 127.",
    "Move the tool to `dependencies`, or guard the script: `npm pkg set scripts.postinstall='TOOL || true'`.",
    Severity.ERROR,
)
FOREIGN_PROTOCOL = Rule(
    "LP161",
    "foreign-protocol",
    "a dependency is written in another package manager's protocol",
    'npm refuses it: `Unsupported URL Type "workspace:"`.',
    "Write a version or a file: path that npm can read.",
    Severity.ERROR,
)
LOCK_LOOPBACK = Rule(
    "LP162",
    "lock-loopback",
    "the lockfile fetches packages from this machine",
    "It was made with a registry on localhost; inside the container that name is the container, and npm ends with "
    "`ECONNREFUSED`.",
    "Run `npm config set replace-registry-host always --location=project`: npm then asks its registry instead.",
    Severity.ERROR,
)
