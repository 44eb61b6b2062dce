"""The command that fixes a finding, with the target and the package filled in. One sentence each."""

import re
from collections.abc import Iterable
from dataclasses import replace

from lambdapack.model import LAYER_ROOT, Architecture, Finding
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.binary.check import BINARY_RULES, REBUILD_CAUSES, WRONG_PLATFORM_CAUSES
from lambdapack.rules.commands import build_command, npm_ci_command
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Defect
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import Runtime


def install_fix(runtime: Runtime) -> str:
    """Return the npm command that installs the platform packages of a target."""
    return f"Run `{npm_ci_command(runtime.target.architecture)}`."


SUPPORTED_ARCHITECTURES = "supportedArchitectures: {{os: [linux], cpu: [{cpu}], libc: [glibc]}}"

MANAGER_INSTALLS = {
    "pnpm": f"put `{SUPPORTED_ARCHITECTURES}` into pnpm-workspace.yaml and run `pnpm install`",
    "yarn": f"put `{SUPPORTED_ARCHITECTURES}` into .yarnrc.yml and run `yarn install`",
    "yarn-classic": "run `yarn install --ignore-platform`",
    "bun": "run `bun install --os=linux --cpu={cpu}`",
}
"""How the packages of another platform are installed by the managers that do not have npm's options."""


NPM_INSTALL = re.compile(r"Run `npm ci --[^`]*--cpu=[^`]*`\.")
"""The sentence of `install_fix`, and of a package whose platform package is absent (rules/package/missing.py)."""


def translate_fix(fix: str, manager: str, architecture: Architecture) -> str:
    """Return a fix that names npm's install in the words of the manager that made the tree."""
    sentence = MANAGER_INSTALLS.get(manager)
    if sentence is None:
        return fix
    own = sentence.format(cpu=architecture.node)
    return NPM_INSTALL.sub(f"{own[0].upper()}{own[1:]}.", fix)


def build_fix(runtime: Runtime, *, layer: bool = False) -> str:
    """Return our command that installs in the target's own image."""
    command = build_command(runtime.target.architecture.aws, runtime.target.runtime, layer=layer)
    return f"Run `{command}`."


def defect_fix(defect: Defect, owner: PackageManifest, runtime: Runtime) -> str:
    """Return the sharpest command for a defect of a package's file, "" for the rule's own."""
    if defect.fix:
        return defect.fix
    layer = f"{owner.directory}/".startswith(f"{LAYER_ROOT}/")
    if (
        not layer
        and defect.word in WRONG_PLATFORM_CAUSES
        and (owner.os or owner.cpu or parse_platform_tags(owner.name).names_platform)
    ):
        return install_fix(runtime)
    if defect.evidence and dict(defect.evidence).get("format") == "lfs-pointer":
        return "Run `git lfs pull`, then install or build again."
    return build_fix(runtime, layer=layer) if defect.word in REBUILD_CAUSES else ""


def manager_of_tree(facts: PackageFacts) -> str:
    """Return the package manager that made a tree's node_modules or wrote its lockfile: npm where nothing tells."""
    marks = (
        ("pnpm", ("node_modules/.pnpm/", "node_modules/.modules.yaml", "pnpm-lock.yaml")),
        ("yarn", ("node_modules/.yarn-integrity", "node_modules/.yarn-state.yml", "yarn.lock")),
    )
    if "node_modules/.package-lock.json" in facts.entries:
        return "npm"
    return next((name for name, paths in marks if any(path.startswith(paths) for path in facts.entries)), "npm")


def add_package_command(facts: PackageFacts, name: str) -> str:
    """Return the command that puts a package into dependencies, with the manager of the tree."""
    return {"pnpm": f"pnpm add {name}", "yarn": f"yarn add {name}"}.get(
        manager_of_tree(facts), f"npm install --save-prod {name}"
    )


def install_command(facts: PackageFacts) -> str:
    """Return the command that installs what the lockfile has for production, with the manager of the tree."""
    commands = {"pnpm": "pnpm install --prod --frozen-lockfile", "yarn": "yarn install"}
    return commands.get(manager_of_tree(facts), "npm ci --omit=dev")


INSTALL_COMMANDS = ("`lambdapack build", "`npm ci")
"""What a finding on a native file advises, and what a build has just done."""


def avoid_install_commands(findings: Iterable[Finding], runtime: Runtime) -> tuple[Finding, ...]:
    """Return the findings of a build: none about a native file advises the install that has just been made."""
    return tuple(
        replace(finding, fix=_other_version_fix(finding, runtime)) if _repeats_install(finding) else finding
        for finding in findings
    )


def _repeats_install(finding: Finding) -> bool:
    another = any(option in finding.cure for option in ("--package-lock-only", "--system-package"))
    return finding.rule in BINARY_RULES and not another and any(command in finding.cure for command in INSTALL_COMMANDS)


def _other_version_fix(finding: Finding, runtime: Runtime) -> str:
    target = runtime.target
    if not finding.package:
        return f"Replace the file by one that is made for linux-{target.architecture.node} with glibc."
    command = build_command(target.architecture.aws, target.runtime)
    return (
        f"Choose a version of {finding.package} that supports linux-{target.architecture.node} and Node.js "
        f"{runtime.node_major} (`npm view {finding.package} versions`), or compile it from source: "
        f"`npm_config_build_from_source=true {command}`."
    )
