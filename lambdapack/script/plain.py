"""Reads scripts whose every load is a plain statement at the start of a line, as compilers write them. No parser.

Such a script is most of what is installed, and reading it so takes a hundredth of the time. Where one word is not
accounted for, or a statement may lie inside a function, a comment or a template, nothing is read: the parser decides.
"""

import re
from collections.abc import Sequence

from lambdapack.script.specifier import Form, ImportCertainty, ScriptSpecifiers, Specifier

_REQUIRE = re.compile(rb"require\(\s*(?:'([^'\\\n]+)'|\"([^\"\\\n]+)\")\s*\)")

_BEFORE = re.compile(
    rb"(?:(?:var|let|const)\s+\{[\w$ ,:]*\}\s*=\s*)?(?:(?:var|let|const)\s+)?(?:[\w$]+(?:\.[\w$]+)*\s*=\s*){0,3}"
    rb"(?:[\w$]+(?:\.[\w$]+)*\()?"
)
"""What stands before require() on its line: `const a = `, `exports.a = `, `__importStar(`; a call's argument runs."""

_NEXT_VARIABLE = re.compile(rb"\s*[\w$]+\s*=\s*")
_OPEN_PATTERN = re.compile(rb"^(?:var|let|const)\s*\{[\w$\s,:]*\Z", re.MULTILINE)
_PATTERN_END = re.compile(rb"\}\s*=\s*")
"""Declarations of several lines: `b = require("b")` below `var a = require("a"),`, and `} = require("a")`."""

_NAME = re.compile(rb"[\w$]+")
_LOADING_NAMES = frozenset((b"require", b"__require", b"__non_webpack_require__", b"import", b"export"))
_ADDON_LOADERS = frozenset(
    (b"bindings", b"node-gyp-build", b"node-gyp-build-optional-packages", b"pkg-prebuilds", b"require-addon")
)
_KEY_OR_METHOD = re.compile(rb"export\s*\(|(?:import|export)\s*:")

_STATIC = re.compile(
    rb"import\s*(?:[\w$*{},\s]+?\sfrom\s*|[\w$*{},\s]*\}\s*from\s*)?(?:'([^'\\\n]+)'|\"([^\"\\\n]+)\")"
    rb"|export\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[\w$,\s]*\})\s*from\s*(?:'([^'\\\n]+)'|\"([^\"\\\n]+)\")"
)

_DECLARED = re.compile(
    rb"export\s+(?:default\b|async\b|function\b|class\b|const\b|let\b|var\b)|export\s*\{[\w$,\s]*\}\s*(?:;|\n|\Z)(?!\s*from\b)"
)

_EARLY_END = re.compile(
    rb"^(?:if\b[^\n]*[\s{)]return\b|if\b[^\n]*\{\s*return\b|return\b|throw\b|process\.exit)", re.MULTILINE
)
"""What may end the script, or its require(), before the last statement is reached."""

_EARLY_WORDS = (b"if", b"return", b"throw", b"process.exit")

_UNUSUAL = (b"createRequire", b"Dynamic require of", b"process.exit(")

_COMMENT_LINE = (b"//", b"* ")

_STATEMENT_ENDS = b";}/'\"`)"


def read_plain_script(data: bytes, places: Sequence[int]) -> ScriptSpecifiers | None:
    """Return the specifiers of a script from the words at some places, None when the parser has to read it."""
    if not places or any(word in data for word in _UNUSUAL) or _may_end_early(data, places[-1]):
        return None
    found: list[Specifier] = []
    has_module_syntax, end, seen = False, 0, 0
    for place in places:
        if place < end:
            continue  # inside the statement before
        start = data.rfind(b"\n", 0, place) + 1
        head = data[start:place]
        if _loads_nothing(data, place, head):
            continue
        if _PATTERN_END.fullmatch(head):
            opening = _OPEN_PATTERN.search(data, seen, start)
            start, head = (opening.start(), b"") if opening else (start, head)
            read = _read_require(data, place) if opening else None
        elif found and _NEXT_VARIABLE.fullmatch(head) and data[end:start].strip() == b",":
            start, read = seen, _read_require(data, place)
        else:
            read = _read_statement(data, start, place, head)
        if read is None or not _is_top_level(data, seen, start):
            return None
        form, text, end = read
        has_module_syntax = has_module_syntax or form is not Form.REQUIRE
        if text:
            lines = data.count(b"\n", 0, place) + 1
            found.append(Specifier(form, text.decode("utf-8", "replace"), lines, ImportCertainty.AT_IMPORT))
        seen = start
    return ScriptSpecifiers(tuple(found), has_module_syntax)


def _may_end_early(data: bytes, end: int) -> bool:
    """Tell whether a line before an offset may end the script; most have no line that begins so."""
    begins = data.startswith(_EARLY_WORDS) or any(data.find(b"\n" + word, 0, end) >= 0 for word in _EARLY_WORDS)
    return begins and _EARLY_END.search(data, 0, end) is not None


def _loads_nothing(data: bytes, place: int, head: bytes) -> bool:
    """Tell whether a word is another name, a key, a method, or stands in a comment of its line."""
    if head.lstrip().startswith(_COMMENT_LINE) or (head.endswith(b".") and not head.endswith(b"...")):
        return True
    name = _NAME.match(data, place)
    if name is None or name[0] not in _LOADING_NAMES:
        return name is not None and name[0] != b"__dirname" and b"equire" in name[0]
    if _KEY_OR_METHOD.match(data, place):
        return True
    opened = head.rfind(b"/*")
    line_end = data.find(b"\n", place)
    return opened > head.rfind(b"*/") and b"*/" in data[place : line_end if line_end >= 0 else len(data)]


def _read_require(data: bytes, place: int) -> tuple[Form, bytes, int] | None:
    match = _REQUIRE.match(data, place)
    if match is None or (match[1] or match[2]) in _ADDON_LOADERS:
        return None
    return Form.REQUIRE, match[1] or match[2], match.end()


def _read_statement(data: bytes, start: int, place: int, head: bytes) -> tuple[Form, bytes, int] | None:
    """Return form, specifier ("" for a mere declaration) and end of a word's statement, None when it is another."""
    if data.startswith(b"require", place):
        read = _read_require(data, place)
        if read is None or _BEFORE.fullmatch(head) is None:
            return None
        if not head and not (_begins_statement(data, start) and data[read[2] : read[2] + 1] in b";\n\r"):
            return None
        return read
    if head:
        return None
    match = _STATIC.match(data, place)
    if match is not None:
        is_import = data.startswith(b"import", place)
        return Form.IMPORT if is_import else Form.EXPORT_FROM, match[1] or match[2] or match[3] or match[4], match.end()
    match = _DECLARED.match(data, place)
    return (Form.EXPORT_FROM, b"", match.end()) if match is not None else None


def _begins_statement(data: bytes, start: int) -> bool:
    before = data[max(0, start - 200) : start].rstrip()
    return not before or before[-1:] in _STATEMENT_ENDS


def _is_top_level(data: bytes, since: int, start: int) -> bool:
    """Tell whether a line that follows a top-level one is at top level itself: all that was opened is closed."""
    balanced = all(
        data.count(opening, since, start) == data.count(closing, since, start)
        for opening, closing in ((b"{", b"}"), (b"(", b")"), (b"[", b"]"), (b"/*", b"*/"))
    )
    return balanced and data.count(b"`", since, start) % 2 == 0
