"""The command lines of yarn in a sandbox."""

import posixpath
import shlex

from lambdapack.managers.interface import (
    CACHE_DIRECTORY,
    SECRETS_DIRECTORY,
    InstallCommand,
    InstallCommands,
    InstallRun,
    PreparedSandbox,
)
from lambdapack.managers.npm.commands import NPMRC_PATH, manager_command, npm_environment
from lambdapack.managers.tool import INSTALL_TOOL_SCRIPT, TOOL_HOME
from lambdapack.managers.yarn.lockfile import BERRY
from lambdapack.managers.yarn.settings import YARNRC_NAME
from lambdapack.model import TASK_ROOT

CLASSIC_PROGRAM = f"{TOOL_HOME}/node_modules/yarn/bin/yarn.js"
BERRY_PROGRAM = f"{TOOL_HOME}/node_modules/@yarnpkg/cli-dist/bin/yarn.js"

CLASSIC_SCRIPT = f"""
ln -sf {NPMRC_PATH} /tmp/.npmrc
if [ "$(node -p process.arch)" = "$0" ]; then exec "$@"; else exec "$@" --ignore-platform; fi
"""
"""yarn 1 installs for its own CPU, or for all of them; what is for another platform is left out when the tree moves."""

BERRY_SCRIPT = f"""
if [ -f {SECRETS_DIRECTORY}/{YARNRC_NAME} ]; then ln -sf {SECRETS_DIRECTORY}/{YARNRC_NAME} /tmp/.yarnrc.yml; fi
node -e '
const fs = require("fs"), settings = JSON.parse(fs.readFileSync(process.argv[1] + "/.yarnrc.yml", "utf8"));
settings.supportedArchitectures = {{ os: ["linux"], cpu: [process.argv[2]], libc: ["glibc"] }};
fs.writeFileSync(process.argv[1] + "/.yarnrc.yml", JSON.stringify(settings));
' "$0" "$1" || exit 1
shift
exec "$@"
"""


def install_command(run: InstallRun) -> tuple[str, ...]:
    """Return yarn's command line that fetches production dependencies, and runs nothing."""
    if run.layout.variant == BERRY:
        return ("node", BERRY_PROGRAM, "workspaces", "focus", "--production", *run.flags)
    fixed = ("--frozen-lockfile", "--production=true", "--ignore-scripts", "--ignore-engines", "--non-interactive")
    more = ("--no-progress", "--prefer-offline", "--no-bin-links", f"--cache-folder={CACHE_DIRECTORY}/yarn")
    omitted = ("--ignore-optional",) if "optional" in run.omitted else ()
    return ("node", CLASSIC_PROGRAM, "install", *fixed, *more, *omitted, *run.flags)


def fetch_commands(run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
    """Return the commands: yarn itself, and the install."""
    environment = {
        **npm_environment(prepared, run.limits),
        "CI": "true",
        "YARN_CACHE_FOLDER": f"{CACHE_DIRECTORY}/yarn",
        "YARN_ENABLE_GLOBAL_CACHE": "false",
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_ENABLE_PROGRESS_BARS": "false",
        "YARN_IGNORE_PATH": "1",
        **run.environment,
    }
    if run.layout.variant != BERRY:
        environment.pop("YARN_ENABLE_GLOBAL_CACHE")
    home, member = (posixpath.join(TASK_ROOT, path).rstrip("/") for path in (run.layout.root, run.layout.member))
    cpu = run.architecture.node
    if run.layout.variant == BERRY:
        install, directory = ("/bin/sh", "-c", BERRY_SCRIPT, home, cpu, *install_command(run)), member
    else:
        install, directory = ("/bin/sh", "-c", CLASSIC_SCRIPT, cpu, *install_command(run)), home
    title = f"yarn {shlex.join(install_command(run)[2:4])}".replace(" --frozen-lockfile", "")
    commands = (
        manager_command(("/bin/sh", "-c", INSTALL_TOOL_SCRIPT), environment, TASK_ROOT, "install yarn"),
        manager_command(install, environment, directory, title),
    )
    return InstallCommands("yarn install", tuple(InstallCommand(command) for command in commands))
