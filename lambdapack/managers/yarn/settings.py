"""Translates .yarnrc.yml of project and user for the sandbox. Never copies the file, never names a secret."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.managers.interface import SECRETS_DIRECTORY, ManagerSettings
from lambdapack.managers.network import refuse_loopback
from lambdapack.project.document import parse_yaml, read_text

YARNRC_NAME = "yarnrc.yml"

RESULT_KEYS = ("npmRegistryServer", "npmScopes", "npmRegistries")
TRANSPORT_KEYS = ("httpProxy", "httpsProxy", "httpTimeout", "httpRetry", "enableStrictSsl", "unsafeHttpWhitelist",
                  "networkConcurrency", "networkSettings", "npmAlwaysAuth", "npmAuthToken", "npmAuthIdent")  # fmt: skip
FILE_KEYS = ("httpsCaFilePath", "httpsCertFilePath", "httpsKeyFilePath")
SECRET_KEYS = frozenset(("npmAuthToken", "npmAuthIdent", "httpsKeyFilePath"))

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<colon>:)?-(?P<otherwise>[^}]*))?\}")


def read_yarnrc(directory: Path) -> Mapping[str, Any]:
    """Return a directory's .yarnrc.yml, empty without one. LP003 when it is broken."""
    path = directory / ".yarnrc.yml"
    return parse_yaml(read_text(path), path) if path.is_file() else {}


def add_yarn_settings(settings: ManagerSettings, root: Path, environ: Mapping[str, str], home: Path) -> ManagerSettings:
    """Return npm's settings with those of .yarnrc.yml: a secret file of its own, and a canonical text without secrets.

    LP006 for a file that is named and not there, a host that only this machine can reach, a variable that is not set.
    """
    written = {**read_yarnrc(home), **read_yarnrc(root)} if home != root else dict(read_yarnrc(root))
    carried = {key: written[key] for key in (*RESULT_KEYS, *TRANSPORT_KEYS, *FILE_KEYS) if key in written}
    if not carried:
        return settings
    origin = str(root / ".yarnrc.yml")
    expanded = _expand(carried, environ, origin)
    files = dict(settings.files)
    for key in FILE_KEYS:
        if key in expanded:
            files[key] = _read(root / str(expanded[key]), f"{key} ({origin})")
            expanded[key] = f"{SECRETS_DIRECTORY}/{key}"
    for key, url in _urls(expanded):
        refuse_loopback(url, f"{key} ({origin})")
    files[YARNRC_NAME] = json.dumps(expanded).encode()
    public = json.dumps(
        _without_secrets({key: expanded[key] for key in RESULT_KEYS if key in expanded}), sort_keys=True
    )
    words = tuple(_secrets(expanded))
    return replace(
        settings,
        files=tuple(sorted(files.items())),
        has_credentials=settings.has_credentials or bool(words),
        without_secrets=f"{settings.without_secrets}; .yarnrc.yml {public}\n",
        more_secret_words=(*settings.more_secret_words, *words),
    )


def _expand(value: Any, environ: Mapping[str, str], origin: str) -> Any:
    if isinstance(value, dict):
        return {key: _expand(part, environ, origin) for key, part in value.items()}
    if isinstance(value, list):
        return [_expand(part, environ, origin) for part in value]
    return _VARIABLE.sub(lambda match: _variable(match, environ, origin), value) if isinstance(value, str) else value


def _variable(match: re.Match[str], environ: Mapping[str, str], origin: str) -> str:
    name, otherwise = match["name"], match["otherwise"]
    value = environ.get(name)
    if value or (value is not None and not match["colon"]):
        return value
    if otherwise is not None:
        return otherwise
    hint = f"Set {name}, or write ${{{name}:-}} where it may be absent."
    raise LambdapackError(BAD_CONFIG, f"{origin}: the variable {name} is not set", hint=hint)


def _read(path: Path, what: str) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise LambdapackError(BAD_CONFIG, f"{what}: {path}: {error.strerror or error}") from error


def _urls(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(key, settings[key]) for key in ("npmRegistryServer", "httpProxy", "httpsProxy") if key in settings]
    for key in ("npmScopes", "npmRegistries"):
        table = settings.get(key)
        for name, entry in table.items() if isinstance(table, dict) else ():
            server = entry.get("npmRegistryServer") if isinstance(entry, dict) else None
            found.append((f"{key}.{name}", server or (str(name) if key == "npmRegistries" else "")))
    return [(key, url if "//" in url else "") for key, url in found if isinstance(url, str)]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(part) for key, part in value.items() if key not in SECRET_KEYS}
    return value


def _secrets(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    own = [str(part) for key, part in value.items() if key in {"npmAuthToken", "npmAuthIdent"} and part]
    return own + [word for part in value.values() for word in _secrets(part)]
