"""Turns a command of npm into that of the project's own package manager, and tells a command that just ran."""

import re
import shlex
from collections.abc import Mapping, Sequence

LOCKFILES: Mapping[str, str] = {
    "npm": "package-lock.json",
    "pnpm": "pnpm-lock.yaml",
    "yarn": "yarn.lock",
    "yarn-classic": "yarn.lock",
    "bun": "bun.lock",
}
"""The lockfile of each manager, by the names of packages/tree_locks.py."""

NPM = r"(?<![\w-])npm"
"""The program npm: no part of pnpm."""

_REWRITES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "pnpm": (
        (
            r"{npm} pkg set 'allowScripts\[(\S+?)\]=true' --json && npm ci",
            r"npm pkg set 'pnpm.onlyBuiltDependencies[]=\1' && pnpm rebuild \1",
        ),
        (r"(?:npx npm@11|{npm}) install --package-lock-only", "pnpm install --lockfile-only"),
        (r"npx npm@11 install\b", "pnpm install"),
        (r"{npm} ci --include=dev", "pnpm install --frozen-lockfile --prod=false"),
        (r"{npm} ci --os=(\S+) --cpu=(\S+) --libc=(\S+)", r"pnpm install --frozen-lockfile --os=\1 --cpu=\2 --libc=\3"),
        (r"{npm} ci\b", "pnpm install --frozen-lockfile"),
        (r"{npm} rebuild (\S+) --build-from-source", r"npm_config_build_from_source=true pnpm rebuild \1"),
        (r"{npm} rebuild \S+ --ignore-scripts=false", ""),
        (r"{npm} rebuild\b", "pnpm rebuild"),
        (r"{npm} uninstall\b", "pnpm remove"),
        (r"{npm} install (?=\S)", "pnpm add "),
        (r"{npm} prune --omit=dev", "pnpm prune --prod"),
        (r"{npm} (?:ls|explain) (?=\S)", "pnpm why "),
        (r"{npm} update\b", "pnpm update"),
        (r"{npm} cache (?:clean --force|verify)", "pnpm store prune"),
        (r"\bnpx (?=\S)", "pnpm exec "),
    ),
    "yarn": (
        (
            r"{npm} pkg set 'allowScripts\[(\S+?)\]=true' --json && npm ci",
            r"npm pkg set 'dependenciesMeta[\1].built=true' --json && yarn rebuild \1",
        ),
        (r"(?:npx npm@11|{npm}) install --package-lock-only", "yarn install --mode=update-lockfile"),
        (r"npx npm@11 install\b", "yarn install"),
        (
            r"{npm} ci --os=(\S+) --cpu=(\S+) --libc=(\S+)",
            (
                r"""yarn config set supportedArchitectures --json '{"os":["\1"],"cpu":["\2"],"libc":["\3"]}' """
                r"&& yarn install"
            ),
        ),
        (r"{npm} ci --include=dev", "yarn install --immutable"),
        (r"{npm} ci\b", "yarn install --immutable"),
        (r"{npm} rebuild (\S+) --build-from-source", r"npm_config_build_from_source=true yarn rebuild \1"),
        (r"{npm} rebuild \S+ --ignore-scripts=false", ""),
        (r"{npm} rebuild\b", "yarn rebuild"),
        (r"{npm} uninstall\b", "yarn remove"),
        (r"{npm} install --save-dev\b", "yarn add --dev"),
        (r"{npm} install --save-optional\b", "yarn add --optional"),
        (r"{npm} install (?:--save-prod )?(?=\S)", "yarn add "),
        (r"{npm} prune --omit=dev", "yarn workspaces focus --all --production"),
        (r"{npm} (?:ls|explain) (?=\S)", "yarn why "),
        (r"{npm} update\b", "yarn up"),
        (r"{npm} cache (?:clean --force|verify)", "yarn cache clean"),
        (r"\bnpx (?=\S)", "yarn exec "),
    ),
    "yarn-classic": (
        (r"{npm} pkg set 'allowScripts\[\S+?\]=true' --json && npm ci", "yarn install --force"),
        (r"(?:npx npm@11|{npm}) install --package-lock-only", "yarn install --ignore-scripts"),
        (r"npx npm@11 install\b", "yarn install"),
        (r"{npm} ci --include=dev", "yarn install --frozen-lockfile --production=false"),
        (r"{npm} ci --os=\S+ --cpu=\S+ --libc=\S+", ""),
        (r"{npm} ci\b", "yarn install --frozen-lockfile"),
        (r"{npm} rebuild \S+ --build-from-source", "npm_config_build_from_source=true yarn install --force"),
        (r"{npm} rebuild \S+(?: --ignore-scripts=false)?", "yarn install --force"),
        (r"{npm} uninstall\b", "yarn remove"),
        (r"{npm} install --save-dev\b", "yarn add --dev"),
        (r"{npm} install --save-optional\b", "yarn add --optional"),
        (r"{npm} install (?:--save-prod )?(?=\S)", "yarn add "),
        (r"{npm} prune --omit=dev", "yarn install --production"),
        (r"{npm} (?:ls|explain) (?=\S)", "yarn why "),
        (r"{npm} update\b", "yarn upgrade"),
        (r"{npm} cache (?:clean --force|verify)", "yarn cache clean"),
        (r"\bnpx (?=\S)", "yarn -s exec "),
    ),
    "bun": (
        (r"{npm} pkg set 'allowScripts\[(\S+?)\]=true' --json && npm ci", r"bun pm trust \1"),
        (r"(?:npx npm@11|{npm}) install --package-lock-only", "bun install --lockfile-only"),
        (r"npx npm@11 install\b", "bun install"),
        (r"{npm} ci --os=(\S+) --cpu=(\S+) --libc=\S+", r"bun install --frozen-lockfile --os=\1 --cpu=\2"),
        (r"{npm} ci --include=dev", "bun install --frozen-lockfile"),
        (r"{npm} ci\b", "bun install --frozen-lockfile"),
        (r"{npm} rebuild \S+(?: --\S+)?", "bun install --force"),
        (r"{npm} uninstall\b", "bun remove"),
        (r"{npm} install (?=\S)", "bun add "),
        (r"{npm} prune --omit=dev", "bun install --production"),
        (r"{npm} (?:ls|explain) (?=\S)", "bun why "),
        (r"{npm} update\b", "bun update"),
        (r"{npm} cache (?:clean --force|verify)", "bun pm cache rm"),
        (r"\bnpx (?=\S)", "bunx "),
    ),
}
"""npm's commands in the words of the others (`pnpm help`, `yarn help`, `bun --help`, 2026-11), in their order."""

_OUTSIDE_CONTAINERS = r"^docker run "
"""What runs in an image takes npm: no other manager is in it."""


def translate_command(command: str, manager: str) -> str:
    """Return the command as the manager has it, "" where it has none."""
    rewrites = _REWRITES.get(manager, ())
    if not rewrites or re.match(_OUTSIDE_CONTAINERS, command):
        return command
    for pattern, replacement in rewrites:
        command = re.sub(pattern.replace("{npm}", NPM), replacement, command)
    return command.replace("package-lock.json", LOCKFILES[manager])


_TARGET_OPTIONS = ("--runtime", "--arch")
_SAME_COMMANDS: Mapping[str, str] = {"npm i": "npm install", "npm clean-install": "npm ci", "yarn": "yarn install"}


def repeats_command(command: str, ran: str) -> bool:
    """Tell whether a command has a part that does what just failed: the same program and subcommand, nothing added."""
    if not ran:
        return False
    return any(_is_same(part, ran) for part in re.split(r"\s*(?:&&|;|\|\|)\s*", command))


def _is_same(part: str, ran: str) -> bool:
    words, before = _words(part), _words(ran)
    if not words or not before or words[:2] != before[:2]:
        return False
    added = _options(words[2:]) - _options(before[2:])
    return not added


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    while words and (re.match(r"[A-Za-z_]\w*=", words[0]) or words[0] in {"sudo", "env"}):
        words = words[1:]
    head = _SAME_COMMANDS.get(" ".join(words[:2]), _SAME_COMMANDS.get(" ".join(words), ""))
    return [*head.split(), *words[2:]] if head else words


def _options(words: Sequence[str]) -> frozenset[str]:
    """What changes a command: all but the target, and a directory."""
    kept: list[str] = []
    skipped = False
    for word in words:
        if skipped:
            skipped = False
        elif word in _TARGET_OPTIONS:
            skipped = True
        elif word != "." and not word.startswith(tuple(f"{option}=" for option in _TARGET_OPTIONS)):
            kept.append(word)
    return frozenset(kept)
