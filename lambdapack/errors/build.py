"""Failures of the container engine, npm or an invoked function: LP1."""

from lambdapack.errors.install import COMPILE_FAILED, CRASHED, NO_TOOLCHAIN, OUT_OF_MEMORY
from lambdapack.errors.record import ExitCode, Failure
from lambdapack.messages import Remedy

NO_ENGINE = Failure(
    "LP101",
    "no-engine",
    "no container engine answered",
    "Dependencies are installed inside the Lambda image, so that what is compiled or chosen fits the runtime.",
    "Start Docker (`sudo systemctl start docker`) or podman (`podman system service`), or set DOCKER_HOST.",
    ExitCode.ENVIRONMENT,
)
NO_IMAGE = Failure(
    "LP102",
    "no-image",
    "the container image is not here and could not be pulled",
    "Every build runs in an image of the function's runtime and architecture.",
    "Check the name, log in (`docker login`), or name a mirror with `--image` and `--build-image`.",
    ExitCode.ENVIRONMENT,
)
WRONG_IMAGE = Failure(
    "LP103",
    "wrong-image",
    "the container image is not one for this target",
    "The CPU is read from the image's own /var/lang/bin/node; the image's label is ignored.",
    "Name an image for this runtime and architecture with `--image` and `--build-image`.",
    ExitCode.ENVIRONMENT,
)
NO_EMULATOR = Failure(
    "LP104",
    "no-emulator",
    "this engine cannot run programs of the target's CPU",
    "Install scripts run in the target's own image; on another CPU that needs a working emulator.",
    "Run `docker run --privileged --rm tonistiigi/binfmt --install all`.",
    ExitCode.ENVIRONMENT,
)
ENGINE_LOST = Failure(
    "LP105",
    "engine-lost",
    "the container engine stopped answering",
    "The work was in a container of that engine; nothing was written here.",
    "Start the engine again and repeat the command.",
    ExitCode.ENVIRONMENT,
)
DISK_FULL = Failure(
    "LP106",
    "disk-full",
    "there is no space left",
    "Images, npm's cache and the dependency tree need room.",
    "Make room: `docker system df` shows what the engine holds, `docker system prune` frees it.",
    ExitCode.ENVIRONMENT,
)
ENGINE_REFUSED = Failure(
    "LP107",
    "engine-refused",
    "the container engine refused a request",
    "The engine answered, but would not do what the build needs.",
    "Read the engine's own words above; `docker info` shows its state.",
    ExitCode.ENVIRONMENT,
)
IMAGE_BUILD = Failure(
    "LP108",
    "image-build",
    "the toolchain image could not be made",
    "Its Dockerfile installs a compiler, make and python3 on the runtime's own image with its package manager.",
    "Read the last lines above; a mirror's base image is named with `--image`.",
    ExitCode.ENVIRONMENT,
)
MANAGER_FAILED = Failure(
    "LP140",
    "manager-failed",
    "the package manager failed",
    "The last lines of pnpm or yarn are above; nothing was packed.",
    "Correct what they name, then repeat the build.",
    ExitCode.BUILD,
)
MANAGER_MISSING = Failure(
    "LP141",
    "manager-missing",
    "the package manager itself could not be installed",
    "pnpm and yarn are installed in the sandbox from the npm registry, in the version that package.json names.",
    'Name a version that the registry has: `npm pkg set packageManager="pnpm@10.34.9"`.',
    ExitCode.BUILD,
)
NPM_FAILED = Failure(
    "LP110",
    "npm-failed",
    "npm ci failed",
    "npm's own last lines are above; nothing was packed.",
    "Correct what npm names, then repeat the build.",
    ExitCode.BUILD,
)
GIT_WITH_CREDENTIALS = Failure(
    "LP122",
    "git-with-credentials",
    "a git dependency's scripts could read registry credentials",
    "npm runs the prepare script of a git dependency while it fetches everything else: it could read the token.",
    "Publish the package to a registry and depend on that, or pack it (`npm pack`) and depend on the tarball.",
    ExitCode.BUILD,
    cause="git-fetch",
)
FOREIGN_WRITE = Failure(
    "LP123",
    "foreign-write",
    "an install script wrote outside its own package",
    "What other packages and the function itself are made of must come from their own tarballs and from your source: a "
    "script that changes them can put its code in their place.",
    'Do without the package, or allow it in lambdapack.toml: `allow-writes = {"PACKAGE:PATH" = "REASON"}`.',
    ExitCode.BUILD,
)
ROOT_SCRIPT = Failure(
    "LP113",
    "root-script",
    "an install script of this project failed",
    "Dependencies are installed with --omit=dev, so tools in devDependencies are not installed.",
    "Move the tool to `dependencies`, or guard the script: `npm pkg set scripts.postinstall='TOOL || true'`.",
    ExitCode.BUILD,
    remedy=Remedy(
        ("npm pkg get scripts", "{build}"),
        "Let scripts of the project survive an install without devDependencies: `TOOL || true`, or a check for CI.",
    ),
)
NO_REGISTRY = Failure(
    "LP114",
    "no-registry",
    "the npm registry could not be reached",
    "npm ran inside a container, which has its own network, proxy and certificates.",
    "Check the network, `npm config get registry`, HTTPS_PROXY and NODE_EXTRA_CA_CERTS.",
    ExitCode.BUILD,
)
REGISTRY_REFUSED = Failure(
    "LP115",
    "registry-refused",
    "the npm registry refused a request",
    "A package is missing there, or the credentials of .npmrc do not open it.",
    "Run `npm whoami` and `npm view PACKAGE` with the same .npmrc.",
    ExitCode.BUILD,
    cause="registry-auth",
    remedy=Remedy(
        ("npm whoami {registry}", "npm config get {scope}registry", "npm login {registry}"),
        "Keep the registry of each private scope in the project's .npmrc (`@scope:registry=`), the token in a variable "
        "that CI sets (`${NPM_TOKEN}`): `lambdapack build` takes both into the container.",
    ),
)
TOO_LONG = Failure(
    "LP116",
    "too-long",
    "the build was stopped by its time or log limit",
    "A build that hangs never ends by itself; emulated ones are known to.",
    "Raise LAMBDAPACK_TIME_LIMIT, LAMBDAPACK_SILENCE_LIMIT (seconds) or LAMBDAPACK_LOG_LIMIT (bytes), or build on a "
    "host of the target's CPU.",
    ExitCode.BUILD,
)
LOCK_REFUSED = Failure(
    "LP119",
    "lock-refused",
    "npm ci refused the lockfile",
    "npm ci installs exactly what the lockfile says, or nothing.",
    "Run `npm install --package-lock-only` and commit package-lock.json.",
    ExitCode.BUILD,
    cause="lock-out-of-step",
    remedy=Remedy(
        ("{relock}", "{build}"),
        "Commit the lockfile with each change of package.json, and let CI install from it alone.",
    ),
)
INVOKE_FAILED = Failure(
    "LP120",
    "invoke-failed",
    "the function gave no answer",
    "The runtime interface emulator in the image did not answer, or the function ended without one.",
    "Read the function's log lines above.",
    ExitCode.BUILD,
)
FUNCTION_ERROR = Failure(
    "LP121",
    "function-error",
    "the function ended with an error",
    "The answer on stdout is the error object that Lambda would return.",
    "Read the error's type and trace above.",
    ExitCode.JUDGEMENT,
)

FROZEN = Failure(
    "LP130",
    "frozen",
    "a container would have to start, and --frozen forbids it",
    "With --frozen a build uses what earlier builds stored; these dependencies, or what their image brings, are not.",
    "Run the same command without --frozen once (`--why` says what changed).",
    ExitCode.BUILD,
)
BAD_STORE = Failure(
    "LP131",
    "bad-store",
    "the shared store cannot be used as it is set",
    "A shared store is a directory, or s3://BUCKET/PREFIX, whose entries are signed or lie below a trusted prefix.",
    "Correct `--store`, or the key store in the settings; `lambdapack build --help` names its forms.",
    ExitCode.USAGE,
)
NOT_REPRODUCIBLE = Failure(
    "LP134",
    "not-reproducible",
    "two builds of the same inputs differ",
    "Identical archives need install scripts that write the same bytes each time: no dates, paths or random names.",
    "Report it to the package that is named, or choose a version with a prebuilt binary.",
    ExitCode.BUILD,
)

BUILD_FAILURES: tuple[Failure, ...] = (
    NO_ENGINE,
    NO_IMAGE,
    WRONG_IMAGE,
    NO_EMULATOR,
    ENGINE_LOST,
    DISK_FULL,
    ENGINE_REFUSED,
    IMAGE_BUILD,
    NPM_FAILED,
    COMPILE_FAILED,
    NO_TOOLCHAIN,
    ROOT_SCRIPT,
    NO_REGISTRY,
    REGISTRY_REFUSED,
    TOO_LONG,
    OUT_OF_MEMORY,
    CRASHED,
    LOCK_REFUSED,
    INVOKE_FAILED,
    FUNCTION_ERROR,
    GIT_WITH_CREDENTIALS,
    FOREIGN_WRITE,
    FROZEN,
    BAD_STORE,
    NOT_REPRODUCIBLE,
)
"""In code order."""

MANAGER_FAILURES: tuple[Failure, ...] = (MANAGER_FAILED, MANAGER_MISSING)
"""Of pnpm and yarn; the codes of the local engine stand before them."""
