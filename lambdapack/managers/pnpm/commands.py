"""The command lines of pnpm in a sandbox."""

import posixpath

from lambdapack.managers.interface import CACHE_DIRECTORY, InstallCommand, InstallCommands, InstallRun, PreparedSandbox
from lambdapack.managers.npm.commands import manager_command, npm_environment
from lambdapack.managers.tool import INSTALL_TOOL_SCRIPT, TOOL_HOME
from lambdapack.model import TASK_ROOT

PNPM_PROGRAM = f"{TOOL_HOME}/node_modules/pnpm/bin/pnpm.cjs"

TARGET_SCRIPT = """
const fs = require('fs'), file = 'package.json', cpu = process.argv[1];
const manifest = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
const supportedArchitectures = { os: ['linux'], cpu: [cpu], libc: ['glibc'] };
manifest.pnpm = { ...manifest.pnpm, supportedArchitectures };
fs.writeFileSync(file, JSON.stringify(manifest, null, 2));
"""
"""pnpm 8 to 10 read the target there (pnpm.io/package_json#pnpmsupportedarchitectures, read 2026-11)."""


def install_command(run: InstallRun) -> tuple[str, ...]:
    """Return the command line that fetches an importer and what it links to, and runs nothing."""
    member = posixpath.relpath(run.layout.member or ".", run.layout.root or ".")
    chosen = ("--filter", f"{{./{member}}}...") if member != "." else ("--filter", "{.}...")
    omitted = ("--no-optional",) if "optional" in run.omitted else ()
    fixed = ("--frozen-lockfile", "--prod", "--ignore-scripts", "--reporter=append-only", "--prefer-offline")
    return ("node", PNPM_PROGRAM, "install", *fixed, *omitted, *chosen, "--config.node-linker=isolated", *run.flags)


def fetch_commands(run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
    """Return the commands: pnpm itself, the target in package.json, the install."""
    environment = {
        **npm_environment(prepared, run.limits),
        "CI": "true",
        "npm_config_manage_package_manager_versions": "false",
        "npm_config_store_dir": f"{CACHE_DIRECTORY}/pnpm",
        "npm_config_cache_dir": f"{CACHE_DIRECTORY}/pnpm-cache",
        "npm_config_package_import_method": "copy",
        **run.environment,
    }
    home = posixpath.join(TASK_ROOT, run.layout.root)
    steps = (
        (("/bin/sh", "-c", INSTALL_TOOL_SCRIPT), TASK_ROOT, "install pnpm"),
        (("node", "-e", TARGET_SCRIPT, run.architecture.node), home, "set the target"),
        (install_command(run), home, "pnpm install"),
    )
    commands = (manager_command(argv, environment, directory, title) for argv, directory, title in steps)
    return InstallCommands("pnpm install", tuple(InstallCommand(command) for command in commands))
