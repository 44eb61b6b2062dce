"""The ini dialect of .npmrc (npm's package ini 5, lib/ini.js). Never expands variables: that is npmrc.py's."""

import json
import re

Value = str | tuple[str, ...]

_PLAIN = re.compile(r"[A-Za-z0-9@:/._+~,*-]+(\[\])?")
_LINE = re.compile(r"\[([^\]]*)\]\s*|([^=]+)(?:=(.*))?", re.DOTALL)


def decode(text: str) -> dict[str, Value]:
    """Return the keys of an .npmrc; `key[]` lines give a tuple. Sections are nothing npm reads: left out."""
    found: dict[str, Value] = {}
    in_section = False
    for line in re.split(r"[\r\n]+", text):
        match = _LINE.fullmatch(line) if line.strip() and line.lstrip()[:1] not in {";", "#"} else None
        if match is None:
            continue
        if match[1] is not None:
            in_section = True
        elif not in_section:
            _store(found, _unquoted(match[2]), "true" if match[3] is None else _unquoted(match[3]))
    return found


def _store(found: dict[str, Value], key: str, value: str) -> None:
    name = key.removesuffix("[]") if len(key) > 2 else key
    old = found.get(name)
    if name != key or isinstance(old, tuple):
        before = old if isinstance(old, tuple) else () if old is None else (old,)
        found[name] = (*before, value)
    else:
        found[name] = value


def _unquoted(text: str) -> str:
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in {'"', "'"}:
        inner = bare[1:-1] if bare[0] == "'" else bare
        try:
            value = json.loads(inner)
        except ValueError:
            return inner
        return value if isinstance(value, str) else inner
    return _unescaped(bare)


def _unescaped(text: str) -> str:
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


def encode(key: str, value: Value) -> str:
    """Return the lines that npm reads back as this key and value, with nothing left for it to expand."""
    if isinstance(value, tuple):
        return "".join(_pair(f"{key}[]", each) for each in value)
    return _pair(key, value)


def _pair(key: str, value: str) -> str:
    # npm expands ${NAME} in what it reads; one backslash before it stops that (config/lib/env-replace.js).
    return f"{_safe(_literal(key))} = {_safe(_literal(value))}\n"


def _literal(text: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _safe(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
