"""Translates the host's .npmrc for the sandbox. Never copies the file, never names a secret in a message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from lambdapack.credentials import strip_user
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.managers.interface import SECRETS_DIRECTORY, ManagerSettings
from lambdapack.managers.network import (
    CA_FILE_NAME,
    compiler_flags,
    host_environment,
    is_loopback,
    refuse_loopback,
)
from lambdapack.managers.npm.ini import IniValue, decode_ini, encode_ini
from lambdapack.managers.npm.versions import DEFAULT_REGISTRY
from lambdapack.project.document import read_text

RESULT_KEYS = frozenset({
    "registry", "legacy-peer-deps", "strict-peer-deps", "allow-scripts", "dangerously-allow-all-scripts",
    "strict-allow-scripts", "allow-git", "allow-remote", "allow-file", "allow-directory", "ignore-scripts",
    "engine-strict", "install-links", "install-strategy", "replace-registry-host", "omit-lockfile-registry-resolved",
    "force", "legacy-bundling", "global-style", "prefer-dedupe", "bin-links", "rebuild-bundle",
})  # fmt: skip
"""Keys that can change what `npm ci` puts down: they are part of the dependency key."""

TRANSPORT_KEYS = frozenset({
    "strict-ssl", "ca", "proxy", "https-proxy", "http-proxy", "noproxy", "always-auth", "maxsockets",
    "fetch-retries", "fetch-retry-factor", "fetch-retry-mintimeout", "fetch-retry-maxtimeout", "fetch-timeout",
})  # fmt: skip
"""Keys that change only how npm reaches the same packages."""

CHOICE_KEYS = frozenset({"omit", "include", "optional", "production", "only", "also", "dev"})
"""Keys that say which kinds of dependencies are installed. They go to npm as flags, which beat an .npmrc."""

WORKSPACE_KEYS = frozenset({"workspace", "workspaces", "include-workspace-root"})
"""Keys that choose the members of a workspace, which a build takes as the lockfile has them."""

HARMLESS_KEYS = frozenset({
    "access", "audit", "audit-level", "color", "commit-hooks", "depth", "description", "diff", "editor", "fund",
    "git-tag-version", "heading", "init-author-email", "init-author-name", "init-author-url", "init-license",
    "init-version", "json", "lockfile-version", "loglevel", "logs-dir", "logs-max", "long", "message", "package-lock",
    "parseable", "prefer-offline", "prefer-online", "progress", "provenance", "save", "save-bundle", "save-dev",
    "save-exact", "save-optional", "save-peer", "save-prefix", "save-prod", "sign-git-commit", "sign-git-tag",
    "tag", "tag-version-prefix", "timing", "update-notifier", "usage", "yes",
    "browser", "cache", "foreground-scripts", "git", "global", "globalconfig", "local-address", "msvs_version",
    "msvs-version", "node_gyp", "node-gyp", "nodedir", "node_dir", "prefix", "python", "shell", "tmp", "umask",
    "unsafe-perm", "user", "userconfig", "viewer",
})  # fmt: skip
"""Keys that change nothing of what `npm ci` puts down, and those that name programs and places of this machine."""

FILE_KEYS = frozenset({"cafile", "certfile", "keyfile"})
INLINE_SECRET_KEYS = frozenset({"cert", "key"})
AUTH_KEYS = frozenset({"_authToken", "_auth", "username", "_password", "email", "certfile", "keyfile", "always-auth"})
SECRET_KEYS = frozenset({"_authToken", "_auth", "_password", "keyfile"})
UNBOUND_AUTH_KEYS = frozenset({"_authToken", "_auth", "username", "_password", "email"})
PROXY_KEYS = frozenset({"proxy", "https-proxy", "http-proxy"})
URL_KEYS = PROXY_KEYS | {"registry"}

_VARIABLE = re.compile(r"(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}")


@dataclass(frozen=True, slots=True)
class _Key:
    """One effective key and the file or variable that set it."""

    value: IniValue
    origin: str


@dataclass(frozen=True, slots=True)
class _Host:
    """This machine, as npm on it would see itself."""

    project: Path
    environ: Mapping[str, str]
    home: Path
    undefined: set[str] = field(default_factory=set)  # filled by expansion

    def expand(self, text: str) -> str:
        """Replace ${NAME} and ${NAME?} as npm does (config/lib/env-replace.js): an unknown ${NAME} stays."""
        return _VARIABLE.sub(self._variable, text)

    def _variable(self, match: re.Match[str]) -> str:
        slashes, name, optional = match[1], match[2], match[3]
        if len(slashes) % 2:
            return match[0][(len(slashes) + 1) // 2 :]
        if name not in self.environ and not optional:
            self.undefined.add(name)
        return slashes[len(slashes) // 2 :] + self.environ.get(name, "" if optional else f"${{{name}}}")

    def read(self, name: str, key: _Key) -> bytes:
        """Return the content of the file that a key names, relative to the project as for npm run there."""
        value = str(key.value)
        path = self.home / value[2:] if value.startswith(("~/", "~\\")) else self.project / value
        try:
            return path.read_bytes()
        except OSError as error:
            detail = f"{name} ({key.origin}): {path}: {error.strerror or error}"
            raise LambdapackError(BAD_CONFIG, detail, hint=f"Correct `{name}` there, or take it out.") from error


def translate_npm_settings(project: Path, environ: Mapping[str, str], home: Path) -> ManagerSettings:
    """Return the settings of `project`'s .npmrc over the user's, under npm_config_* variables.

    LP006 for a host that only this machine can reach and for a file that is named and not there.
    """
    host = _Host(project, environ, home)
    keys, dropped = _effective_keys(host)
    choices = choose_dependencies({name: keys.pop(name).value for name in CHOICE_KEYS | WORKSPACE_KEYS if name in keys})
    files: dict[str, bytes] = {}
    carried = {name: _carry_value(name, key, host, files) for name, key in sorted(keys.items())}
    network = host_environment(environ, files, carried.get("cafile"))
    return ManagerSettings(
        text="".join(encode_ini(name, value) for name, value in carried.items()).encode(),
        files=tuple(sorted(files.items())),
        environment=network.variables,
        compiler_flags=compiler_flags(environ),
        has_credentials=network.has_credentials or any(_is_secret(name, value) for name, value in carried.items()),
        dropped=tuple(sorted(dropped - HARMLESS_KEYS)),
        refused=choices.refused,
        omitted=choices.omitted,
        undefined=tuple(sorted(host.undefined)),
        without_secrets=_canonical_text(carried),
        registries=_registries(carried),
        legacy_peer_deps=carried.get("legacy-peer-deps") == "true",
        ignore_scripts=carried.get("ignore-scripts") == "true",
        allow_all_scripts=carried.get("dangerously-allow-all-scripts") == "true",
        replaced_host=str(carried.get("replace-registry-host", "npmjs")),
        allow_scripts=_split_names(carried.get("allow-scripts", "")),
    )


@dataclass(frozen=True, slots=True)
class DependencyChoice:
    """Which kinds of dependencies an install leaves out, as npm reads its own keys."""

    omitted: tuple[str, ...] = ()  # "optional", "peer": besides "dev"
    refused: tuple[str, ...] = ()  # "include=dev": what a build does not do


def choose_dependencies(values: Mapping[str, IniValue]) -> DependencyChoice:
    """Return what the keys add up to: `include` beats `omit` (npm 10 and 11, config/lib/definitions, read 2026-11)."""
    omit, include = _kinds(values.get("omit", ())), _kinds(values.get("include", ()))
    if "optional" in values:
        (include if values["optional"] == "true" else omit).add("optional")
    refused = {f"{name}={' '.join(_words(values[name]))}" for name in WORKSPACE_KEYS if name in values}
    asked = {"include": "dev" in include, "production": values.get("production") == "false"}
    asked |= {"also": values.get("also") in {"dev", "development"}, "dev": values.get("dev") == "true"}
    refused |= {
        f"{name}={'dev' if name == 'include' else values[name]}" for name, is_asked in asked.items() if is_asked
    }
    return DependencyChoice(tuple(sorted((omit - include) & {"optional", "peer"})), tuple(sorted(refused)))


def _kinds(value: IniValue) -> set[str]:
    return {word for word in _words(value) if word in {"dev", "optional", "peer", "prod"}}


def _words(value: IniValue) -> tuple[str, ...]:
    """Return the values of a key that may come several times; in a variable, an empty line parts them."""
    parts = value if isinstance(value, tuple) else value.split("\n\n")
    return tuple(part.strip() for part in parts if part.strip())


def _effective_keys(host: _Host) -> tuple[dict[str, _Key], set[str]]:
    """Return the keys that count and the names of those of files that are left behind."""
    keys: dict[str, _Key] = {}
    for path in _npmrc_files(host):
        keys |= {host.expand(name): _Key(value, str(path)) for name, value in decode_ini(read_text(path)).items()}
    known = {name: key for name, key in keys.items() if _is_known_key(name)}
    variables = {name: key for name, key in _keys_from_environment(host.environ).items() if _is_known_key(name)}
    kept = {name: _Key(_expand_value(key.value, host), key.origin) for name, key in (known | variables).items()}
    return _bind_credentials(kept), set(keys) - set(known)


def _npmrc_files(host: _Host) -> tuple[Path, ...]:
    configured = next((value for name, value in host.environ.items() if name.lower() == "npm_config_userconfig"), "")
    user = Path(configured) if configured else host.home / ".npmrc"
    return tuple(path for path in dict.fromkeys((user, host.project / ".npmrc")) if _is_file(path))


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; LP006 when this user may not even look (HOME of another user, under sudo)."""
    try:
        return path.is_file()
    except OSError as error:
        hint = "Set HOME to a directory of this user, or NPM_CONFIG_USERCONFIG to a readable file."
        raise LambdapackError(BAD_CONFIG, f"{path}: {error.strerror or error}", hint=hint) from error


def _keys_from_environment(environ: Mapping[str, str]) -> dict[str, _Key]:
    """Read npm_config_* as npm does: any case, underscores for dashes, an empty one counts for nothing."""
    keys = {}
    for variable, value in sorted(environ.items()):
        if value and variable.lower().startswith("npm_config_"):
            bare = variable[len("npm_config_") :]
            name = bare if bare.startswith("//") else re.sub(r"(?!^)_", "-", bare).lower()
            keys[name] = _Key(value, variable)
    return keys


def _is_known_key(name: str) -> bool:
    if name.startswith("//"):
        # Credentials for this machine's own registry are of no use in a container.
        return name.rpartition(":")[2] in AUTH_KEYS and not is_loopback(_split_url(name, name).hostname or "")
    if name.startswith("@"):
        return name.endswith(":registry")
    carried = RESULT_KEYS | TRANSPORT_KEYS | FILE_KEYS | INLINE_SECRET_KEYS | AUTH_KEYS
    return name in carried | CHOICE_KEYS | WORKSPACE_KEYS


def _split_url(url: str, what: str) -> SplitResult:
    """Return the parts of a URL; LP006 when no parser takes it. Its user is no part of what is read or said."""
    try:
        return urlsplit(strip_user(url))
    except ValueError as error:
        hint = (
            "Write a registry's address as https://HOST[:PORT]/; IPv6 addresses stand in brackets: http://[::1]:4873/."
        )
        raise LambdapackError(
            BAD_CONFIG, f"{what}: {strip_user(url)!r} is not an address: {error}", hint=hint
        ) from error


def _bind_credentials(keys: dict[str, _Key]) -> dict[str, _Key]:
    """Bind credentials without a host to the registry, as `npm config fix` does: npm >= 9 refuses the old form."""
    registry = str(keys["registry"].value) if "registry" in keys else DEFAULT_REGISTRY
    origin = keys["registry"].origin if "registry" in keys else ""
    parts = _split_url(registry, f"registry ({origin})")
    host = f"//{parts.netloc.rpartition('@')[2]}{parts.path.rpartition('/')[0]}/"
    return {f"{host}:{name}" if name in UNBOUND_AUTH_KEYS else name: key for name, key in keys.items()}


def _expand_value(value: IniValue, host: _Host) -> IniValue:
    return tuple(host.expand(part) for part in value) if isinstance(value, tuple) else host.expand(value)


def _carry_value(name: str, key: _Key, host: _Host, files: dict[str, bytes]) -> IniValue:
    kind = name.rpartition(":")[2]
    if kind in FILE_KEYS:
        stem = CA_FILE_NAME if kind == "cafile" else f"{kind}-{len(files)}.pem"
        files[stem] = host.read(name, key)
        return f"{SECRETS_DIRECTORY}/{stem}"
    if kind in URL_KEYS and key.value not in {"", "null", "false"}:
        refuse_loopback(str(key.value), f"{name} ({key.origin})")
    return key.value


def _is_secret(name: str, value: IniValue) -> bool:
    kind = name.rpartition(":")[2]
    if kind in URL_KEYS and isinstance(value, str):
        return strip_user(value, strict=kind in PROXY_KEYS) != value
    # A variable that the host lacks is no secret: npm would send its name.
    return (kind in SECRET_KEYS or name in INLINE_SECRET_KEYS) and "${" not in str(value)


def _canonical_text(carried: Mapping[str, IniValue]) -> str:
    kept = {
        name: value
        for name, value in carried.items()
        if name in RESULT_KEYS or (name.startswith("@") and name.endswith(":registry"))
    }
    return "".join(
        encode_ini(name, strip_user(value) if isinstance(value, str) and name.endswith("registry") else value)
        for name, value in sorted(kept.items())
    )


def _registries(carried: Mapping[str, IniValue]) -> tuple[str, ...]:
    general = [carried["registry"]] if "registry" in carried else []
    scoped = [value for name, value in sorted(carried.items()) if name.startswith("@")]
    return tuple(dict.fromkeys(strip_user(value) for value in (*general, *scoped) if isinstance(value, str)))


def _split_names(value: IniValue) -> tuple[str, ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())
