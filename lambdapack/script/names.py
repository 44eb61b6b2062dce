"""Names in a script that load something, found in its text: words, names for `require`, loaders of addons."""

import re
from collections.abc import Iterable, Iterator, Mapping

from lambdapack.script.configured import option_places
from lambdapack.script.specifier import Form, ImportCertainty, ScriptSpecifiers, Specifier

_WORDS = tuple(
    re.compile(pattern)
    for pattern in (rb"equire[\w$]*", rb"import(?![\w$])", rb"export(?![\w$])", rb"dlopen(?![\w$])",
                    rb"__dirname(?![\w$])", rb"eval\s*\(\s*['\"]require")
)  # fmt: skip
"""Where a specifier can stand; each is looked at in the tree. One literal a pattern: `re` finds those fastest."""

_NAME_BEFORE = re.compile(rb"[\w$]*\Z")

_BUNDLER_OWN = re.compile(
    rb"__(?:webpack|nccwpck|turbopack)_require__|_?interopRequire\w*|require(?:\$\$|_)\w+|required|requires"
)
"""Names with `require` in them that are calls inside a bundle or plain helpers."""

_IMPORTED_AS = re.compile(rb"createRequire\s+as\s+([\w$]+)")
_ASSIGNED_TO = re.compile(
    rb"(?<![\w$.])([\w$]{1,60})\s*=\s*(?:/\*[^*]{0,40}\*/\s*)?(?:\(\s*\(\)\s*=>\s*|[\w$]{1,40}\s*\(\s*)?(?:\(0,\s*)?(?:[\w$]{1,40}\.)?\Z"
)
_ASSIGNED_SHIM = re.compile(
    rb"(?<![\w$.])([\w$]{1,60})\s*=\s*(?:/\*[^*]{0,40}\*/\s*)?\(\s*\(?\s*[\w$]+\s*\)?\s*=>\s*\Z"
)
"""What stands before a name that is assigned: createRequire(...), require itself, esbuild's `typeof require` shim."""
_ENDS_THERE = re.compile(rb"\s*(?:[;,\n]|\Z)")
_BASE = re.compile(rb"\)?\s*\(\s*(import\.meta\.(?:url|filename)|__filename|__dirname\s*\+\s*['\"]/|module\.filename)?")

_LOADERS = re.compile(
    rb"(?<![\w$.])(?P<name>[\w$]+)\s*=\s*(?:/\*.{0,40}?\*/\s*)?(?:[\w$.]+\(\s*)?require\(\s*['\"](?P<package>LOADERS)['\"]\s*\)"
    rb"|import\s+(?P<name2>[\w$]+)\s+from\s*['\"](?P<package2>LOADERS)['\"]".replace(
        b"LOADERS", rb"bindings|node-gyp-build(?:-optional-packages)?|pkg-prebuilds|require-addon|cmake-js-runtime"
    )
)

_LOADER_PACKAGES = (b"bindings", b"node-gyp-build", b"pkg-prebuilds", b"require-addon")
_LOADER_WORD = re.compile(rb"['\"](?:bindings|node-gyp-build(?:-optional-packages)?|pkg-prebuilds|require-addon)['\"]")

_DRIVER_WORDS = (b"knex", b"sequelize", b"typeorm", b"pino")
"""In the name of each package that has a driver option: most scripts have none, and `in` is faster than `re`."""

MAX_SPECIFIERS = 50_000
"""Occurrences that are kept of one script; more are no program."""

_ROUGH = re.compile(
    rb"(?<![\w$.])require\s*\(\s*(['\"])([^'\"\\\n]{1,300})\1\s*\)|(?<![\w$.])(?:from|import)\s*\(?\s*(['\"])([^'\"\\\n]{1,300})\3"
)
"""What is looked for in a script that is too big to parse."""


def places(data: bytes, loaders: Iterable[str]) -> list[int]:
    """Return the offsets at which a specifier can stand, in order."""
    found = set(_places(data))
    if any(word in data for word in _DRIVER_WORDS):
        found.update(option_places(data))
    if words := b"|".join(re.escape(name.encode()) for name in loaders):
        found.update(match.start() for match in re.finditer(rb"(?<![\w$.])(?:" + words + rb")(?=\s*[.(])", data))
    return sorted(found)


def loaders(data: bytes) -> Mapping[str, str]:
    """Return the names that stand for a loader of addons, with its package."""
    if not any(word in data for word in _LOADER_PACKAGES):
        return {}
    return dict(_named_loaders(data)) if _LOADER_WORD.search(data) else {}


def makers(data: bytes) -> frozenset[str]:
    """Return the names of createRequire."""
    return frozenset(("createRequire", *(match[1].decode() for match in _IMPORTED_AS.finditer(data))))


def aliases(data: bytes, makers: Iterable[str]) -> Mapping[str, bool]:
    """Return the names that stand for require, with whether they look from this script."""
    return dict(_aliases(data, makers))


def _aliases(data: bytes, makers: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield names that stand for require, with whether they look from this file."""
    for match in re.finditer(rb"require(?![\w$])", data):
        if _ENDS_THERE.match(data, match.end()):
            name = _ASSIGNED_TO.search(data, max(0, match.start() - 120), match.start())
            if name is not None:
                yield name[1].decode(), True
    for match in re.finditer(rb"typeof require(?![\w$])", data) if b"Dynamic require of" in data else ():
        name = _ASSIGNED_SHIM.search(data, max(0, match.start() - 120), match.start())
        if name is not None:
            yield name[1].decode(), True
    for maker in makers if b"createRequire" in data else ():
        for match in re.finditer(re.escape(maker.encode()), data):
            name = _ASSIGNED_TO.search(data, max(0, match.start() - 120), match.start())
            base = _BASE.match(data, match.end())
            if name is not None and base is not None:
                yield name[1].decode(), base[1] is not None


def _places(data: bytes) -> Iterator[int]:
    """Yield where the words stand as names of their own, or at the end of a longer name for `require`."""
    for pattern in _WORDS:
        for match in pattern.finditer(data):
            before = _NAME_BEFORE.search(data, max(0, match.start() - 60), match.start())
            start = before.start() if before else match.start()
            name = data[start : match.end()]
            if name.startswith(b"equire") or (pattern is not _WORDS[0] and start != match.start()):
                continue
            if pattern is _WORDS[0] and (name[match.start() - start - 1] not in b"rR" or _BUNDLER_OWN.fullmatch(name)):
                continue
            yield start


def _named_loaders(data: bytes) -> Iterator[tuple[str, str]]:
    for match in _LOADERS.finditer(data):
        yield (match["name"] or match["name2"]).decode(), (match["package"] or match["package2"]).decode()


def rough_specifiers(data: bytes, reason: str) -> ScriptSpecifiers:
    """Return plain literals of a text that is not parsed; whether any of them runs is not known."""
    found: list[Specifier] = []
    for match in _ROUGH.finditer(data):
        text = (match[2] or match[4]).decode("utf-8", "replace")
        line = data.count(b"\n", 0, match.start()) + 1 if len(found) < 100 else 0
        found.append(Specifier(Form.REQUIRE if match[2] else Form.IMPORT, text, line, ImportCertainty.IN_FUNCTION))
        if len(found) >= MAX_SPECIFIERS:
            break
    return ScriptSpecifiers(tuple(found), incomplete=reason)
