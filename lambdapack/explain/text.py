"""Strips a log text of colours, line prefixes and JSON around its messages."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lambdapack.credentials import mask_credentials

ANSI_SEQUENCE = (
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|\^\[\[[0-9;]*m|\[\d{1,2}(?:;\d{1,2})*m"
)
"""ECMA-48 control sequences; and what is left of them when something ate the escape."""

_STAMP = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
LINE_PREFIX = (
    r"[ \t]*(?:"
    rf"\[?{_STAMP}\]?:?[ \t]+"  # CloudWatch, GitHub Actions, docker logs -t, heroku
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [AP]M)?\]?:?[ \t]+"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?: [\w.-]+ [\w./-]+(?:\[\d+\])?:)?[ \t]+"  # syslog
    r"|\d{13}[ \t,]+"  # milliseconds
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}[ \t]+|undefined\t"  # request id
    r"|(?:INFO|ERROR|WARN|WARNING|DEBUG|TRACE|FATAL)\t[ \t]*"
    r"|#\d+ \d+\.\d+ |#\d+ (?=ERROR|\d)|\d+\.\d{3} (?=npm|gyp|sh|make|qemu|error|Error)|=> (?:=> )*# "  # buildkit
    r"|[\w.-]{1,40}(?:[-_]\d+)?[ \t]*\|[ \t]"  # docker compose
    r"|(?:app|heroku)\[[\w.-]+\]:[ \t]"
    r"|npm (?:ERR!|error|WARN|warn|verb|info) (?:stack (?=\S))?(?!code E)"
    r"|gyp (?:ERR!|error) (?:stack |find (?:Python|VS) )(?=Error|Could)"
    r"|>[ \t](?!\S+@)|remote:[ \t]|\[(?:stderr|stdout|err|error|ERROR|build|\d+/\d+)\][ \t]+|(?:stderr|stdout):[ \t]"
    r"|##\[(?:error|warning)\]|::(?:error|warning)[^:]*::"  # GitHub Actions
    r")"
)
"""What others put in front of a line; several may stand there."""

_MAX_PREFIXES = 6
_CSV = r"^\"?(?:\d{13}|" + _STAMP + r")\"?,\"?"
_JSON_FRAGMENT = r"\\\"|\"\s*:\s*\"|^\s*\"[^\"]*\\n|\\u001b|\\n\s*(?:at |-|was |the |NODE_|Require|Please|\\n)"
_JSON_ESCAPE = r"\\(u[0-9a-fA-F]{4}|[\\\"/bfnrt])"
_UNESCAPED_CHARS = {"n": "\n", "r": "\n", "t": "\t", "b": "", "f": "", '"': '"', "/": "/", "\\": "\\"}
_MAX_JSON_DEPTH = 4
_MIN_REPEATED_CHARS = 16  # a string of fewer signs may well stand twice in one document

MAX_LINE_CHARS = 8 * 1024
"""Signs of a line; a longer one, such as a bundle without line ends, is taken for several."""

_LONG_RUN = r"\S{601,}|[ \t]{65,}|\n(?:[ \t]*\n){2,}"
"""Words that are longer than any path, and blanks without end: searches would go over them again and again."""


_ENTITY = r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|quot|apos|lt|gt|amp);"
"""Of a text that was copied out of the source of a page, or came through a mail."""

_WRAPPED_PATH = r"(node_modules/[^\s'\"]{0,500}[\w/-])\n([\w/@-][\w./@-]{0,200}\.(?:node|so)\b)"
"""A path that a narrow window has broken in two."""


def strip_log_markup(text: str) -> str:
    """Return the text as the programs printed it, without credentials and what no message has."""
    text = mask_credentials(text)
    if "&" in text and re.search(_ENTITY, text):
        import html  # noqa: PLC0415  # its table of entities takes longer than most texts

        text = html.unescape(text)
    bare = shorten_runs(_strip_text(text.replace("\0", "").replace("\ufeff", "")))
    return re.sub(_WRAPPED_PATH, r"\1\2", bare)


def shorten_runs(text: str) -> str:
    """Return a text in which no word and no blank is so long that a search takes its square."""
    return re.sub(_LONG_RUN, _shorten_run, text)


def _shorten_run(match: re.Match[str]) -> str:
    bulk = match[0]
    return f"{bulk[:300]} {bulk[-300:]}" if bulk.strip() else bulk[:2]


def _strip_text(text: str) -> str:
    whole = _flatten_document(text.strip())
    if whole is not None:
        return whole
    text = re.sub(ANSI_SEQUENCE, "", text).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_strip_line(piece) for part in text.split("\n") for piece in _split_long_line(part))


def _split_long_line(line: str) -> Iterator[str]:
    if len(line) <= MAX_LINE_CHARS or line.lstrip().startswith(("{", "[")):
        yield line
        return
    for start in range(0, len(line), MAX_LINE_CHARS):
        yield line[start : start + MAX_LINE_CHARS]


def _flatten_document(text: str, depth: int = 0) -> str | None:
    """Return the strings of a JSON document, one below the other; None when it is none."""
    if not text.startswith(("{", "[")) or depth > _MAX_JSON_DEPTH:
        return None
    try:
        return _flatten_json(json.loads(text), depth)
    except (ValueError, RecursionError):
        return None


def _flatten_json(value: Any, depth: int) -> str:
    said: list[str] = []
    for string in _iterate_strings(value):
        inner = _flatten_document(string.strip(), depth + 1)
        plain = inner if inner is not None else _strip_text(string) if depth <= _MAX_JSON_DEPTH else string
        if not _is_repeated(plain, said):
            said.append(plain)
    return "\n".join(said)


def _is_repeated(text: str, said: list[str]) -> bool:
    """The trace of an error repeats its message; it is one error all the same."""
    bare = re.sub(r"^(?:[\w.]*(?:Error|Exception): |\[)", "", text.strip())
    return len(bare) >= _MIN_REPEATED_CHARS and any(bare in message for message in said)


def _iterate_strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from _iterate_strings(member)
        case list():
            lines: list[str] = []
            for item in value:
                if isinstance(item, str):
                    lines.append(item)
                else:
                    yield from _iterate_strings(item)
            if lines:
                has_json = any(line.lstrip().startswith("{") for line in lines)
                yield from lines if has_json else _join_stack_trace(lines)
        case _:
            pass


def _join_stack_trace(lines: list[str]) -> Iterator[str]:
    """A trace as an array: its message may reach over several elements, its frames belong below."""
    head = 0
    while head < len(lines) and not lines[head].lstrip().startswith("at "):
        head += 1
    if head:
        yield "\n".join(lines[:head])
    if head < len(lines):
        yield "\n".join(lines[head:])


def _strip_line(line: str) -> str:
    csv = re.match(_CSV, line)
    if csv:
        line = line[csv.end() :].rstrip('",').replace('""', '"')
    line = _strip_prefixes(line)
    start = next((at for at, sign in enumerate(line) if sign in "{["), -1)
    if start >= 0 and '"' in line:
        found = _flatten_embedded_json(line, start)
        if found is not None:
            return found
    return _unescape_json(line)


def _strip_prefixes(line: str) -> str:
    at = 0
    for _ in range(_MAX_PREFIXES):
        match = re.compile(LINE_PREFIX).match(line, at)
        if match is None or match.end() == at:
            break
        at = match.end()
    return line[at:]


def _flatten_embedded_json(line: str, start: int) -> str | None:
    """A JSON object inside a line, such as Lambda's `Invoke Error {...}`."""
    try:
        value, end = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list) or not value:
        return None
    rest = _unescape_json(line[end:])
    return "\n".join(part for part in (line[:start], _flatten_json(value, 1), rest) if part.strip(" \t,"))


def _unescape_json(line: str) -> str:
    """A piece of JSON that is not whole. Twice when it was JSON inside JSON; a Windows path is left alone."""
    for _ in range(2):
        if not re.search(_JSON_FRAGMENT, line):
            break
        line = re.sub(ANSI_SEQUENCE, "", re.sub(_JSON_ESCAPE, _unescape_char, line))
    return line


def _unescape_char(match: re.Match[str]) -> str:
    word = match[1]
    return chr(int(word[1:], 16)) if word[0] == "u" else _UNESCAPED_CHARS[word]
