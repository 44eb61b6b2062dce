"""The npm command lines and settings of a sandbox. Never puts a secret into an argument or an engine's record."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lambdapack.credentials import secret_words as words_of_url
from lambdapack.credentials import strip_url_credentials, strip_user
from lambdapack.engine.interface import Command, CommandResult, Limits, Sandbox
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.managers.interface import (
    CACHE_DIRECTORY,
    SECRETS_DIRECTORY,
    ImageFacts,
    InstallCommand,
    InstallCommands,
    InstallRun,
    ManagerSettings,
    ManagerVersion,
    PreparedSandbox,
    ScriptedPackage,
)
from lambdapack.managers.layout import SandboxLayout
from lambdapack.managers.network import CA_FILE_NAME, EXTRA_CA_FILE_NAME, PROXY_VARIABLES
from lambdapack.managers.npm.ini import decode_ini
from lambdapack.managers.npm.lockfile import LOCKFILE_NAMES
from lambdapack.managers.npm.versions import CROSS_INSTALL_NPM, INSTALLED_LOCKFILE, LIBC_NPM, NODEDIR_NPM
from lambdapack.model import MIB, TASK_ROOT
from lambdapack.tree.compose import MemoryTree, OverlayTree, make_readable
from lambdapack.tree.entry import EntryKind, Tree, read_file

NPM_USER = (1051, 1051)
"""Who runs npm and the packages' scripts: Lambda's own uid, and no right to anything but its directory."""

MANIFEST_NAMES = frozenset(("package.json", *LOCKFILE_NAMES))

NPMRC_PATH = f"{SECRETS_DIRECTORY}/npmrc"
ENVIRONMENT_PATH = f"{SECRETS_DIRECTORY}/environment"

FETCH_RETRY_SETTINGS = b"fetch-retries=2\nfetch-retry-mintimeout=1000\nfetch-retry-maxtimeout=4000\n"
"""Before the user's own keys, which win: npm's defaults report a missing CA after 71 s (docs/lab.md#6-npm)."""

COMPILER_JOB_BYTES = 1024 * MIB
"""Memory for one compiler: V8's headers take gcc 12 to 0.6 GB."""

NODEDIR_VARIABLE = "npm_package_config_node_gyp_nodedir"
"""Where node-gyp finds node's headers, said past npm, which since 11.2 warns of settings that are not its own."""

OLD_NODEDIR_VARIABLE = "npm_config_nodedir"

NO_SHELL = "/bin/true"
"""What runs the scripts of a fetch. npm runs the prepare script of a git dependency in spite of --ignore-scripts
(pacote lib/dir.js, #prepareDir, 13 to 19), and it runs it in the script-shell: that is a program that does nothing."""

PREPARED_VARIABLE = "_PACOTE_NO_PREPARE_"
"""Lines with the git URLs of which npm believes that they are prepared already: it does not install their
devDependencies then (pacote lib/git.js, #prepareDir, 11 to 21)."""

SETUP_SCRIPT = f"""
grep -q :{NPM_USER[0]}: /etc/passwd || echo 'lambdapack:x:{NPM_USER[0]}:{NPM_USER[1]}::/tmp:/bin/sh' >> /etc/passwd
chmod 0777 {CACHE_DIRECTORY}
chmod -R a+rX {SECRETS_DIRECTORY}
exec node -e "$0"
"""
"""Run by root without capabilities, who may still do this to its own files. os.userInfo() needs the passwd line."""

LOOK_SCRIPT = 'exec node -e "$0"'
"""Run where nothing is to be prepared."""

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

SWEEP_SCRIPT = """
if touch -d '1 day ago' /tmp/.lambdapack-yesterday 2>/dev/null; then
  for left in "$npm_config_cache"/_cacache/tmp/*; do
    if [ "$left" -ot /tmp/.lambdapack-yesterday ]; then rm -rf "$left"; fi
  done
  rm -f /tmp/.lambdapack-yesterday
fi
"""
"""Removes what an npm that was killed left in the cache; a download of today may be another build's."""

ENVIRONMENT_SCRIPT = f'. "$0"; {SWEEP_SCRIPT} exec "$@"'
"""Reads variables from a file, since an engine shows the environment of an exec to everyone who may ask it."""

REBUILD_SCRIPT = f"[ ! -f {INSTALLED_LOCKFILE} ] || touch {INSTALLED_LOCKFILE}; {ENVIRONMENT_SCRIPT}"
"""npm believes its own list of what is installed only while no package's directory is newer than the list."""

LEAVE_OUT_SCRIPT = 'rm -rf -- "$1"; for link in node_modules/.bin/*; do [ -e "$link" ] || rm -f -- "$link"; done'

_TOKEN = re.compile(r"(?:_authToken|_auth|_password)\s*=\s*\"?([^\s\"]+)")


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What of the host's npm settings goes into one sandbox."""

    text: bytes = b""
    files: tuple[tuple[str, bytes], ...] = ()
    environment: Mapping[str, str] | None = None

    @property
    def script(self) -> bytes:
        """The environment as a file for sh."""
        variables = sorted((self.environment or {}).items())
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables).encode()


def settings_with_secrets(settings: ManagerSettings) -> SandboxSettings:
    """Return everything: for an npm that runs no script."""
    return SandboxSettings(FETCH_RETRY_SETTINGS + settings.text, settings.files, settings.environment)


def settings_without_secrets(settings: ManagerSettings) -> SandboxSettings:
    """Return what package scripts may see: registries, CA bundles, proxies without their users."""
    environment = {name: strip_user(value, strict=_is_proxy(name)) for name, value in settings.environment.items()}
    files = tuple((name, data) for name, data in settings.files if name in {CA_FILE_NAME, EXTRA_CA_FILE_NAME})
    return SandboxSettings(FETCH_RETRY_SETTINGS + settings.without_secrets.encode(), files, environment)


def secret_words(settings: ManagerSettings) -> tuple[str, ...]:
    """Return the tokens and passwords that must not be seen in a log line."""
    text = settings.text.decode("utf-8", "replace")
    values = (
        value for _name, found in decode_ini(text).items() for value in ((found,) if isinstance(found, str) else found)
    )
    urls = [word for value in values if "@" in value for word in words_of_url(value)]
    for name, value in settings.environment.items():
        urls += words_of_url(value, strict=True) if _is_proxy(name) else ()
    return tuple(dict.fromkeys([*_TOKEN.findall(text), *urls, *settings.more_secret_words]))


def _is_proxy(name: str) -> bool:
    return name.upper() in PROXY_VARIABLES and not name.upper().startswith("NO_")


def inputs_without_secrets(inputs: Tree) -> Tree:
    """Return an install's inputs as package scripts may see them: manifests and lockfiles without users in URLs."""
    changed: dict[str, tuple[bytes, int]] = {}
    for path, entry in inputs.entries.items():
        if entry.kind is EntryKind.FILE and path.rpartition("/")[2] in MANIFEST_NAMES:
            data = read_file(inputs, path)
            bare = _strip_manifest(data) if b"@" in data and b"//" in data else data
            if bare != data:
                changed[path] = (bare, entry.mode)
    return OverlayTree(inputs, MemoryTree(changed)) if changed else inputs


def _strip_manifest(data: bytes) -> bytes:
    try:
        document = json.loads(data)
        bare = strip_url_credentials(document)
    except (ValueError, RecursionError):
        return data  # npm does not read it either
    return (
        data
        if bare == document
        else (json.dumps(bare, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
    )


def prepare_sandbox(sandbox: Sandbox, inputs: Tree, carried: SandboxSettings) -> PreparedSandbox:
    """Put the project and its settings in place, hand them to NPM_USER, and return what the image brings."""
    sandbox.put(make_readable(inputs), TASK_ROOT, owner=NPM_USER)
    files = {f"{SECRETS_DIRECTORY}/{name}": data for name, data in carried.files}
    sandbox.secrets({NPMRC_PATH: carried.text, ENVIRONMENT_PATH: carried.script, **files})
    return _probe_image(sandbox, SETUP_SCRIPT)


def look_at_sandbox(sandbox: Sandbox) -> PreparedSandbox:
    """Return what the image brings, without changing anything."""
    return _probe_image(sandbox, LOOK_SCRIPT)


def _probe_image(sandbox: Sandbox, script: str) -> PreparedSandbox:
    """Ask node itself, first without the image's LD_LIBRARY_PATH (docs/facts.md#5-images: it breaks python and git)."""
    output = ""
    for own_libraries in (False, True):
        env = {} if own_libraries else {"LD_LIBRARY_PATH": ""}
        ended, output = _run_quietly(sandbox, Command(("/bin/sh", "-ec", script, PROBE_SCRIPT), env))
        if ended.ok:
            return _parse_facts(output, sandbox.image.digest, own_libraries=own_libraries)
    raise LambdapackError(WRONG_IMAGE, f"{sandbox.image.reference} cannot be prepared for npm: {output}")


def _parse_facts(output: str, digest: str, *, own_libraries: bool) -> PreparedSandbox:
    try:
        answer = json.loads(output.strip().splitlines()[-1])
        facts = ImageFacts(digest, answer["node"], answer["npm"], answer["headers"], own_libraries)
        prepared = PreparedSandbox(facts, int(answer["jobs"]))
    except (ValueError, LookupError, TypeError) as error:
        raise LambdapackError(WRONG_IMAGE, f"its node answered {output[:200]!r}") from error
    if not facts.manager:
        raise LambdapackError(WRONG_IMAGE, f"it has node {facts.node} and no npm")
    return prepared


def _run_quietly(sandbox: Sandbox, command: Command) -> tuple[CommandResult, str]:
    transcript = Transcript(SILENT)
    ended = sandbox.run(command, transcript)
    transcript.close()
    return ended, "\n".join(transcript.lines).strip()


def fetch_commands(run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
    """Return `npm ci` with scripts off: what is to run is read from what it unpacks."""
    environment = {**npm_environment(prepared, run.limits), **run.environment}
    if not run.prepares:
        environment |= {"npm_config_script_shell": NO_SHELL, PREPARED_VARIABLE: "\n".join(run.git_urls)}
    command = _npm_command(ci_command(run, prepared.facts.manager_version), environment)
    places = [(command, run.layout.root)]
    if run.layout.own_locks:
        alone = ci_command(replace(run, layout=SandboxLayout()), prepared.facts.manager_version)
        places += [(_npm_command(alone, environment), directory) for directory in run.layout.own_locks]
    commands = (replace(command, cwd=posixpath.join(TASK_ROOT, directory).rstrip("/")) for command, directory in places)
    return InstallCommands("npm ci", tuple(InstallCommand(command) for command in commands))


def script_commands(run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
    """Return one `npm rebuild` for each package, so that what each one writes can be told, and `npm run` for the rest.

    `npm rebuild` takes the failure of an optional package for its own; `npm ci` leaves the package out.
    """
    environment, npm = {**npm_environment(prepared, run.limits), **run.environment}, prepared.facts.manager_version
    commands = []
    for package in run.packages:
        command = _rebuild_command(rebuild_command(run, npm, [package]), environment)
        optional, otherwise = (package.name, _leave_out_command(package)) if package.optional else ("", None)
        commands.append(InstallCommand(command, package=package, optional=optional, otherwise=otherwise))
    commands += [
        InstallCommand(_npm_command(root_script_command(event), environment), event) for event in run.scripts.root
    ]
    return InstallCommands("npm rebuild" if run.packages else "npm run", tuple(commands))


def ci_command(run: InstallRun, npm: ManagerVersion) -> tuple[str, ...]:
    """Return the command line of `npm ci` that unpacks everything and runs nothing."""
    member = posixpath.relpath(run.layout.member or ".", run.layout.root or ".")
    workspace = () if member == "." else (f"--workspace={member}",)
    links = ("--install-links",) if run.layout.copies_local else ()
    return ("npm", "ci", *_install_flags(run, npm), "--ignore-scripts", *workspace, *links, *run.flags)


def rebuild_command(run: InstallRun, npm: ManagerVersion, packages: Iterable[ScriptedPackage]) -> tuple[str, ...]:
    """Return the command line of `npm rebuild` for some packages, by their directories.

    The scripts see the settings that they would see under `npm ci`: prebuild-install reads npm_config_libc.
    """
    directories = (f"{TASK_ROOT}/{package.path}" for package in packages)
    return ("npm", "rebuild", *_install_flags(run, npm), *run.flags, *directories)


def _install_flags(run: InstallRun, npm: ManagerVersion) -> tuple[str, ...]:
    """Return what `npm ci` and `npm rebuild` have in common: one script at a time, its output as it comes."""
    omitted = tuple(f"--omit={kind}" for kind in run.omitted)
    fixed = ("--omit=dev", *omitted, "--no-audit", "--no-fund", "--foreground-scripts")
    platform = ("--os=linux", f"--cpu={run.architecture.node}") if npm >= CROSS_INSTALL_NPM else ()
    return (*fixed, *platform, *(("--libc=glibc",) if npm >= LIBC_NPM else ()))


def root_script_command(event: str) -> tuple[str, ...]:
    """Return the command line that runs one script of the project itself, in the environment that `npm ci` gives it."""
    return ("npm", "run", "--omit=dev", "--foreground-scripts", event)


def npm_environment(prepared: PreparedSandbox, limits: Limits) -> dict[str, str]:
    """Return the public environment of npm and the scripts."""
    facts = prepared.facts
    environment = {
        "HOME": "/tmp",  # noqa: S108  # inside the container
        "JOBS": str(max(1, min(prepared.jobs, limits.memory_bytes // COMPILER_JOB_BYTES))),
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # node-gyp of one package must not write into another's for gyp's sake
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
        variable = NODEDIR_VARIABLE if facts.manager_version >= NODEDIR_NPM else OLD_NODEDIR_VARIABLE
        environment[variable] = facts.headers
    if not facts.own_libraries:
        environment["LD_LIBRARY_PATH"] = ""
    return environment


def _npm_command(argv: Sequence[str], environment: Mapping[str, str], script: str = ENVIRONMENT_SCRIPT) -> Command:
    """Return npm as NPM_USER runs it where the function will lie, with the secret environment on top."""
    wrapped = ("/bin/sh", "-c", script, ENVIRONMENT_PATH, *argv)
    title = " ".join(word for word in argv if not word.startswith(("-", "/")))
    return Command(wrapped, environment, cwd=TASK_ROOT, user=f"{NPM_USER[0]}:{NPM_USER[1]}", title=title)


def manager_command(argv: Sequence[str], environment: Mapping[str, str], directory: str, title: str) -> Command:
    """Return another package manager's command as NPM_USER runs it, with the secret environment on top."""
    return replace(_npm_command(argv, environment), cwd=directory, title=title)


def _rebuild_command(argv: Sequence[str], environment: Mapping[str, str]) -> Command:
    return _npm_command(argv, environment, REBUILD_SCRIPT)


def _leave_out_command(package: ScriptedPackage) -> Command:
    """Return the command that removes an optional package, and the links in .bin that lead nowhere then."""
    words = ("/bin/sh", "-c", LEAVE_OUT_SCRIPT, "lambdapack", package.path)
    return Command(words, cwd=TASK_ROOT, user=f"{NPM_USER[0]}:{NPM_USER[1]}")


def option_text(argv: Iterable[str]) -> str:
    """Return the part of a command line that decides what npm puts down, for the dependency key."""
    return " ".join(argument for argument in argv if argument.startswith("--"))
