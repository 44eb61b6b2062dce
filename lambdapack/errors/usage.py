"""Failures of the command line, the configuration and the project: LP0."""

from lambdapack.errors.record import ExitCode, Failure

USAGE = Failure(
    "LP001",
    "usage",
    "invalid command line",
    "An option, argument or combination is not one that this command takes.",
    "Run `lambdapack COMMAND --help`.",
    ExitCode.USAGE,
)
NO_PROJECT = Failure(
    "LP002",
    "no-project",
    "there is no package.json",
    "A function's dependencies are installed from its package.json and package-lock.json.",
    "Run `lambdapack build PATH` with the directory that holds package.json, make one with `npm init -y`, or pack a "
    "directory as it is with `--no-install`.",
    ExitCode.USAGE,
)
BROKEN_MANIFEST = Failure(
    "LP003",
    "broken-manifest",
    "a file of the project cannot be read",
    "npm would refuse it too.",
    "Correct the file at the place named above; `npm pkg get name` checks package.json.",
    ExitCode.USAGE,
)
UNKNOWN_RUNTIME = Failure(
    "LP004",
    "unknown-runtime",
    "no such Lambda runtime",
    "The runtime decides the Node.js ABI and the libraries that every addon is judged against.",
    "Choose one of `lambdapack runtimes`.",
    ExitCode.USAGE,
)
UNKNOWN_ARCHITECTURE = Failure(
    "LP005",
    "unknown-architecture",
    "no such Lambda architecture",
    "Lambda runs x86_64 and arm64, and not every runtime runs on both.",
    "Pass `--arch x86_64`, `--arch arm64` or `--arch all`.",
    ExitCode.USAGE,
)
BAD_CONFIG = Failure(
    "LP006",
    "bad-config",
    "a setting has a value that cannot be used",
    "Settings come from flags, LAMBDAPACK_* variables, lambdapack.toml and package.json, in this order.",
    "Correct the setting at the place named above.",
    ExitCode.USAGE,
)
BAD_TARGET = Failure(
    "LP007",
    "bad-target",
    "the target cannot be opened",
    "A directory or a zip archive is needed.",
    "Check the path; `unzip -t FILE` tests an archive.",
    ExitCode.USAGE,
)
HOSTILE_ARCHIVE = Failure(
    "LP008",
    "hostile-archive",
    "an archive has an entry that must not be unpacked",
    "Absolute paths, paths that leave the archive, devices and repeated names overwrite files where they are unpacked.",
    "Make the archive again with `lambdapack build`.",
    ExitCode.USAGE,
)
OUTPUT = Failure(
    "LP009",
    "output",
    "the result cannot be written",
    "A file is written beside its final name and renamed, so no half of one was left behind.",
    "Make room there and the place writable, or name another, where the command takes one (`--output`, `--html`).",
    ExitCode.ENVIRONMENT,
)
UNRESOLVABLE_LINK = Failure(
    "LP012",
    "unresolvable-link",
    "a symbolic link cannot be replaced by its target",
    "Tools that take a directory follow symbolic links when they pack it: a link that leads nowhere stops them, and "
    "one that leads out of the package brings in a file of this machine.",
    "Pass the zip of `lambdapack build` to the tool instead of a directory: a zip keeps symbolic links.",
    ExitCode.USAGE,
)
FILE_EXISTS = Failure(
    "LP013",
    "file-exists",
    "a file to be written already exists with different content",
    "What you changed in it would be lost.",
    "Pass `--force` to replace it, or `--print` to show its content.",
    ExitCode.USAGE,
)
TEMPLATE_DIFFERS = Failure(
    "LP014",
    "template-differs",
    "the template has another runtime or architecture",
    "The function would be deployed with what the template says, and its addons would be made for something else.",
    "Make the two say the same; `lambdapack init --sam --force` writes the command from the template.",
    ExitCode.USAGE,
)
UNREADABLE_TEMPLATE = Failure(
    "LP015",
    "unreadable-template",
    "the template's architecture cannot be read",
    "Its value is known only when the function is deployed, and addons for the wrong CPU do not load.",
    "Pass `--arch arm64` or `--arch x86_64`, or set arch in lambdapack.toml.",
    ExitCode.USAGE,
)
TOO_LARGE = Failure(
    "LP019",
    "over-budget",
    "the input is larger than any package or project needs",
    "Every reader has a budget of bytes, entries and steps, so that no file costs memory or time out of proportion.",
    "Leave out what does not belong there; the limit and what exceeds it are named above.",
    ExitCode.USAGE,
)

USAGE_FAILURES: tuple[Failure, ...] = (
    USAGE,
    NO_PROJECT,
    BROKEN_MANIFEST,
    UNKNOWN_RUNTIME,
    UNKNOWN_ARCHITECTURE,
    BAD_CONFIG,
    BAD_TARGET,
    HOSTILE_ARCHIVE,
    OUTPUT,
    UNRESOLVABLE_LINK,
    FILE_EXISTS,
    TEMPLATE_DIFFERS,
    UNREADABLE_TEMPLATE,
    TOO_LARGE,
)
"""In code order."""
