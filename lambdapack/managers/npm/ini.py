"""The ini dialect of .npmrc (npm's package ini 5). Never expands variables: npmrc.py does."""

import json
import re

IniValue = str | tuple[str, ...]

_PLAIN = re.compile(r"[A-Za-z0-9@:/._+~,*-]+(\[\])?")
_LINE = re.compile(r"\[([^\]]*)\]\s*|([^=]+)(?:=(.*))?", re.DOTALL)


def decode_ini(text: str) -> dict[str, IniValue]:
    """Return the keys of an .npmrc; `key[]` lines give a tuple. Sections are nothing npm reads: left out."""
    values: dict[str, IniValue] = {}
    in_section = False
    for line in re.split(r"[\r\n]+", text):
        match = _LINE.fullmatch(line) if line.strip() and line.lstrip()[:1] not in {";", "#"} else None
        if match is None:
            continue
        if match[1] is not None:
            in_section = True
        elif not in_section:
            _store_value(values, _unquote(match[2]), "true" if match[3] is None else _unquote(match[3]))
    return values


def _store_value(values: dict[str, IniValue], key: str, value: str) -> None:
    name = key.removesuffix("[]") if len(key) > 2 else key
    old = values.get(name)
    if name != key or isinstance(old, tuple):
        before = old if isinstance(old, tuple) else () if old is None else (old,)
        values[name] = (*before, value)
    else:
        values[name] = value


def _unquote(text: str) -> str:
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in {'"', "'"}:
        inner = bare[1:-1] if bare[0] == "'" else bare
        try:
            value = json.loads(inner)
        except ValueError:
            return inner
        return value if isinstance(value, str) else inner
    return _unescape(bare)


def _unescape(text: str) -> str:
    """Return the text up to a comment; a backslash guards `;`, `#` and itself."""
    out = ""
    escaped = False
    for letter in text:
        if escaped:
            out += letter if letter in "\\;#" else f"\\{letter}"
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in ";#":
            break
        else:
            out += letter
    return (f"{out}\\" if escaped else out).strip()


def encode_ini(key: str, value: IniValue) -> str:
    """Return the lines that npm reads back as this key and value, with nothing left for it to expand."""
    if isinstance(value, tuple):
        return "".join(_encode_pair(f"{key}[]", part) for part in value)
    return _encode_pair(key, value)


def _encode_pair(key: str, value: str) -> str:
    # npm expands ${NAME} in what it reads; one backslash before it stops that (config/lib/env-replace.js).
    return f"{_quote(_escape_variables(key))} = {_quote(_escape_variables(value))}\n"


def _escape_variables(text: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
