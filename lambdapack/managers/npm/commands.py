"""The npm command lines and settings of a sandbox. Never puts a secret into an argument or an engine's record."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lambdapack.engine.interface import Command, CommandResult, Limits, Sandbox
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.install.strategy import CROSS_INSTALL_NPM, LIBC_NPM, NpmVersion, Strategy
from lambdapack.managers.npm.network import CA_FILE_NAME, EXTRA_CA_FILE_NAME, SECRETS_DIRECTORY, strip_user
from lambdapack.managers.npm.npmrc import NpmSettings
from lambdapack.model import MIB, TASK_ROOT, Architecture
from lambdapack.tree.compose import make_readable
from lambdapack.tree.entry import Tree

NPM_USER = (1051, 1051)
"""Who runs npm and the packages' scripts: Lambda's own uid, and no right to anything but its directory."""

CACHE_DIRECTORY = "/var/cache/lambdapack"
"""Where npm's cache volume is mounted."""

NPMRC_PATH = f"{SECRETS_DIRECTORY}/npmrc"
ENVIRONMENT_PATH = f"{SECRETS_DIRECTORY}/environment"

FETCH_RETRY_SETTINGS = b"fetch-retries=2\nfetch-retry-mintimeout=1000\nfetch-retry-maxtimeout=4000\n"
"""Before the user's own keys, which win: npm's defaults report a missing CA after 71 s (docs/lab.md#6-npm)."""

COMPILER_JOB_BYTES = 1024 * MIB
"""Memory for one compiler: V8's headers take gcc 12 to 0.6 GB."""

NODEDIR_NPM: NpmVersion = (11, 6, 2)
"""The first npm whose node-gyp (11.4) surely reads NODEDIR: its dependency was ^11.4.2 (npm's package.json)."""

NODEDIR_VARIABLE = "npm_package_config_node_gyp_nodedir"
"""Where node-gyp finds node's headers, said past npm, which since 11.2 warns of settings that are not its own."""

OLD_NODEDIR_VARIABLE = "npm_config_nodedir"

SETUP_SCRIPT = f"""
grep -q :{NPM_USER[0]}: /etc/passwd || echo 'lambdapack:x:{NPM_USER[0]}:{NPM_USER[1]}::/tmp:/bin/sh' >> /etc/passwd
chmod 0777 {CACHE_DIRECTORY}
chmod -R a+rX {SECRETS_DIRECTORY}
exec node -e "$0"
"""
"""Run by root without capabilities, who may still do this to its own files. os.userInfo() needs the passwd line."""

PROBE_SCRIPT = """
const fs = require('fs'), os = require('os'), path = require('path');
const prefix = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
const program = process.env.PATH.split(':').map(d => path.join(d, 'npm')).find(f => fs.existsSync(f));
const npm = program && path.join(path.dirname(fs.realpathSync(program)), '../package.json');
console.log(JSON.stringify({
  node: process.versions.node,
  npm: npm && fs.existsSync(npm) ? JSON.parse(fs.readFileSync(npm)).version : '',
  headers: fs.existsSync(path.join(prefix, 'include/node/node_version.h')) ? prefix : '',
  jobs: os.cpus().length,
}));
"""

ENVIRONMENT_SCRIPT = '. "$0"; exec "$@"'
"""Reads variables from a file, since an engine shows the environment of an exec to everyone who may ask it."""

_PASSWORD = re.compile(r"://[^/\s:@]*:([^@\s/]+)@")
_TOKEN = re.compile(r"(?:_authToken|_auth|_password)\s*=\s*\"?([^\s\"]+)")


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image brings for npm."""

    node: str  # "22.23.3"
    npm: str  # "10.9.9"
    headers: str  # prefix of node's own headers, "" when there are none: node-gyp then downloads them
    jobs: int  # processors
    own_libraries: bool  # node starts only with the image's LD_LIBRARY_PATH

    @property
    def npm_version(self) -> NpmVersion:
        """For comparing; what is no number counts as 0."""
        numbers = [int(part) for part in re.findall(r"\d+", self.npm.partition("-")[0])]
        major, minor, patch = (*numbers, 0, 0, 0)[:3]
        return major, minor, patch


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What of the host's npm settings goes into one sandbox."""

    text: bytes = b""
    files: tuple[tuple[str, bytes], ...] = ()
    environment: Mapping[str, str] | None = None

    @property
    def script(self) -> bytes:
        """The environment as a file for sh."""
        found = sorted((self.environment or {}).items())
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in found).encode()


def settings_with_secrets(settings: NpmSettings) -> SandboxSettings:
    """Return everything: for an npm that runs no script."""
    return SandboxSettings(FETCH_RETRY_SETTINGS + settings.text, settings.files, settings.environment)


def settings_without_secrets(settings: NpmSettings) -> SandboxSettings:
    """Return what package scripts may see: registries, CA bundles, proxies without their users."""
    environment = {name: strip_user(value) for name, value in settings.environment.items()}
    files = tuple((name, data) for name, data in settings.files if name in {CA_FILE_NAME, EXTRA_CA_FILE_NAME})
    return SandboxSettings(FETCH_RETRY_SETTINGS + settings.without_secrets.encode(), files, environment)


def secret_words(settings: NpmSettings) -> tuple[str, ...]:
    """Return the tokens and passwords that must not be seen in a log line."""
    text = settings.text.decode("utf-8", "replace")
    urls = "\n".join([text, *settings.environment.values()])
    return tuple(dict.fromkeys(_TOKEN.findall(text) + _PASSWORD.findall(urls)))


def prepare_sandbox(sandbox: Sandbox, inputs: Tree, carried: SandboxSettings) -> ImageFacts:
    """Put the project and its settings in place, hand them to USER, and return what the image brings."""
    sandbox.put(make_readable(inputs), TASK_ROOT, owner=NPM_USER)
    files = {f"{SECRETS_DIRECTORY}/{name}": data for name, data in carried.files}
    sandbox.secrets({NPMRC_PATH: carried.text, ENVIRONMENT_PATH: carried.script, **files})
    return _probe_image(sandbox)


def _probe_image(sandbox: Sandbox) -> ImageFacts:
    """Ask node itself, first without the image's LD_LIBRARY_PATH (docs/facts.md#5-images: it breaks python and git)."""
    said = ""
    for own_libraries in (False, True):
        env = {} if own_libraries else {"LD_LIBRARY_PATH": ""}
        ended, said = _run_quietly(sandbox, Command(("/bin/sh", "-ec", SETUP_SCRIPT, PROBE_SCRIPT), env))
        if ended.ok:
            return _parse_facts(said, own_libraries=own_libraries)
    raise LambdapackError(WRONG_IMAGE, f"{sandbox.image.reference} cannot be prepared for npm: {said}")


def _parse_facts(said: str, *, own_libraries: bool) -> ImageFacts:
    try:
        found = json.loads(said.strip().splitlines()[-1])
        facts = ImageFacts(found["node"], found["npm"], found["headers"], int(found["jobs"]), own_libraries)
    except (ValueError, LookupError, TypeError) as error:
        raise LambdapackError(WRONG_IMAGE, f"its node answered {said[:200]!r}") from error
    if not facts.npm:
        raise LambdapackError(WRONG_IMAGE, f"it has node {facts.node} and no npm")
    return facts


def _run_quietly(sandbox: Sandbox, command: Command) -> tuple[CommandResult, str]:
    heard = Transcript(SILENT)
    ended = sandbox.run(command, heard)
    heard.close()
    return ended, "\n".join(heard.lines).strip()


def _user_text() -> str:
    return f"{NPM_USER[0]}:{NPM_USER[1]}"


def ci_command(strategy: Strategy, target: Architecture, npm: NpmVersion, *, scripts: bool) -> tuple[str, ...]:
    """Return the command line of `npm ci`. Scripts run in the foreground: one at a time, their output as it comes."""
    fixed = ("npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--foreground-scripts")
    platform = ("--os=linux", f"--cpu={target.node}") if npm >= CROSS_INSTALL_NPM else ()
    libc = ("--libc=glibc",) if npm >= LIBC_NPM else ()
    return (*fixed, *platform, *libc, *(() if scripts and strategy.scripts else ("--ignore-scripts",)))


def root_script_command(event: str) -> tuple[str, ...]:
    """Return the command line that runs one script of the project itself, in the environment that `npm ci` gives it."""
    return ("npm", "run", "--omit=dev", "--foreground-scripts", event)


def npm_environment(facts: ImageFacts, limits: Limits) -> dict[str, str]:
    """Return the public environment of npm and the scripts."""
    found = {
        "HOME": "/tmp",  # noqa: S108  # inside the container
        "JOBS": str(max(1, min(facts.jobs, limits.memory_bytes // COMPILER_JOB_BYTES))),
        "NO_COLOR": "1",
        "V": "1",  # gyp's make prints whole compiler lines: evidence for -march=native
        "VERBOSE": "1",  # the same for CMake's
        "npm_config_cache": f"{CACHE_DIRECTORY}/npm",
        "npm_config_color": "false",
        "npm_config_logs_max": "0",
        "npm_config_progress": "false",
        "npm_config_update_notifier": "false",
        "npm_config_userconfig": NPMRC_PATH,
    }
    if facts.headers:
        found[NODEDIR_VARIABLE if facts.npm_version >= NODEDIR_NPM else OLD_NODEDIR_VARIABLE] = facts.headers
    if not facts.own_libraries:
        found["LD_LIBRARY_PATH"] = ""
    return found


def run_npm(sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], heard: Transcript) -> CommandResult:
    """Run npm as USER where the function will lie, with the secret environment on top."""
    wrapped = ("/bin/sh", "-c", ENVIRONMENT_SCRIPT, ENVIRONMENT_PATH, *argv)
    ended = sandbox.run(Command(wrapped, env, cwd=TASK_ROOT, user=_user_text()), heard)
    heard.close()
    return ended


def option_text(argv: Iterable[str]) -> str:
    """Return the part of a command line that decides what npm puts down, for the dependency key."""
    return " ".join(argument for argument in argv if argument.startswith("--"))
