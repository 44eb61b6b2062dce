"""Reads what a script asks node for: every specifier, its form, and how surely it runs when the script is loaded."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lambdapack.script.bundles import Bundle
from lambdapack.script.evaluate import UNKNOWN, Evaluator
from lambdapack.script.reachability import PROGRAM, State, Walker, spread
from lambdapack.script.specifier import LINUX, Certainty, Form, Platform, ScriptSpecifiers, Specifier
from lambdapack.script.syntax import MAX_SCRIPT_BYTES, Frame, Node, Syntax, walk

Frames = list[Frame[State]]

_WORDS = tuple(
    re.compile(pattern)
    for pattern in (rb"equire[\w$]*", rb"import(?![\w$])", rb"export(?![\w$])", rb"dlopen(?![\w$])",
                    rb"__dirname(?![\w$])", rb"eval\s*\(\s*['\"]require")
)  # fmt: skip
"""Where a specifier can stand; each is looked at in the tree. One literal a pattern: `re` finds those fastest."""

_NAME_BEFORE = re.compile(rb"[\w$]*\Z")

_BUNDLER_OWN = re.compile(rb"__(?:webpack|nccwpck|turbopack)_require__|_?interopRequire\w*|require(?:\$\$|_)\w+|required|requires")
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

_LOADER_WORD = re.compile(rb"['\"](?:bindings|node-gyp-build(?:-optional-packages)?|pkg-prebuilds|require-addon)['\"]")

MAX_SPECIFIERS = 50_000
"""Occurrences that are kept of one script; more are no program."""

_ROUGH = re.compile(
    rb"(?<![\w$.])require\s*\(\s*(['\"])([^'\"\\\n]{1,300})\1\s*\)|(?<![\w$.])(?:from|import)\s*\(?\s*(['\"])([^'\"\\\n]{1,300})\3"
)
"""What is looked for in a script that is too big to parse."""

_SHADOWING = re.compile(rb"(?:var|let|const|function|class|[,{(;])\s*require\s*[=(,)\s]|require\s*=>|require\s*=[^=]")


@dataclass(frozen=True, slots=True)
class _Raw:
    specifier: Specifier
    unit: int
    certainty: Certainty


def read_specifiers(data: bytes, *, module: bool = False, platform: Platform = LINUX) -> ScriptSpecifiers:
    """Return the specifiers of a script; `module`: it runs as an ES module. Linear in time, bounded in memory."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_SCRIPT_BYTES:
        return _rough(data, f"it has more than {MAX_SCRIPT_BYTES} bytes")
    places = sorted(_places(data))
    loaders = dict(_named_loaders(data)) if _LOADER_WORD.search(data) else {}
    if loaders:
        words = b"|".join(re.escape(name.encode()) for name in loaders)
        places = sorted({*places, *(match.start() for match in re.finditer(rb"(?<![\w$.])(?:" + words + rb")(?=\s*\()", data))})
    if not places:
        return ScriptSpecifiers()
    syntax = Syntax(data)
    if syntax.tree is None:
        return _rough(data, "parsing it takes too long")
    return _Reader(syntax, loaders, platform, module=module).read(places)


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


def _rough(data: bytes, reason: str) -> ScriptSpecifiers:
    """Return plain literals of a text that is not parsed; whether any of them runs is not known."""
    found = []
    for match in _ROUGH.finditer(data):
        text = (match[2] or match[4]).decode("utf-8", "replace")
        line = data.count(b"\n", 0, match.start()) + 1 if len(found) < 100 else 0
        found.append(Specifier(Form.REQUIRE if match[2] else Form.IMPORT, text, line, Certainty.IN_FUNCTION))
        if len(found) >= MAX_SPECIFIERS:
            break
    return ScriptSpecifiers(tuple(found), incomplete=reason)


class _Reader:
    """Reads one script once."""

    def __init__(self, syntax: Syntax, loaders: dict[str, str], platform: Platform, *, module: bool) -> None:
        self._syntax = syntax
        self._module = module
        self._loaders = loaders
        self._evaluator = Evaluator(syntax, platform, module=module)
        self._walker = Walker(syntax, self._evaluator, Bundle(syntax.data))
        self._makers = {match[1].decode() for match in _IMPORTED_AS.finditer(syntax.data)} | {"createRequire"}
        self._aliases = dict(self._created())
        self._shadowing = _SHADOWING.search(syntax.data) is not None
        self._has_module_syntax = False
        self._second: Specifier | None = None  # what a loader is given where it is required and called at once

    def _created(self) -> Iterator[tuple[str, bool]]:
        """Yield names that stand for require, with whether they look from this file."""
        data = self._syntax.data
        for match in re.finditer(rb"require(?![\w$])", data):
            if _ENDS_THERE.match(data, match.end()):
                name = _ASSIGNED_TO.search(data, max(0, match.start() - 120), match.start())
                if name is not None:
                    yield name[1].decode(), True
        for match in re.finditer(rb"typeof require(?![\w$])", data) if b"Dynamic require of" in data else ():
            name = _ASSIGNED_SHIM.search(data, max(0, match.start() - 120), match.start())
            if name is not None:
                yield name[1].decode(), True
        for maker in self._makers if b"createRequire" in data else ():
            for match in re.finditer(re.escape(maker.encode()), data):
                name = _ASSIGNED_TO.search(data, max(0, match.start() - 120), match.start())
                base = _BASE.match(data, match.end())
                if name is not None and base is not None:
                    yield name[1].decode(), base[1] is not None

    def read(self, places: list[int]) -> ScriptSpecifiers:
        tree = self._syntax.tree
        if tree is None:
            return ScriptSpecifiers(incomplete="it was not parsed")
        error_at = self._syntax.first_error()
        names = {alias.encode() for alias in self._aliases if "equire" not in alias}
        if names:
            words = rb"(?<![\w$.])(?:" + b"|".join(re.escape(name) for name in names) + rb")(?=\s*[.(])"
            places = sorted({*places, *(match.start() for match in re.finditer(words, self._syntax.data))})
        raws: list[_Raw] = []
        for place, frames in walk(tree.root_node, places, PROGRAM, self._walker.enter):
            specifier = self._specifier(frames)
            if specifier is None:
                continue
            state = self._walker.leave(frames)
            certainty = state.certainty.then(specifier.certainty)
            if place >= error_at or _inside_error(frames):
                certainty = max(certainty, Certainty.IN_BRANCH)
            raws.append(_Raw(specifier, state.unit, certainty))
            if self._second is not None:
                raws.append(_Raw(self._second, state.unit, certainty))
                self._second = None
            if len(raws) >= MAX_SPECIFIERS:
                break
        entered = spread(self._walker)
        result = tuple(replace(raw.specifier, certainty=entered[raw.unit].then(raw.certainty)) for raw in raws)
        incomplete = ""
        if error_at < len(self._syntax.data):
            incomplete = f"line {self._line(error_at)} is not JavaScript that the parser knows"
        elif len(raws) >= MAX_SPECIFIERS:
            incomplete = f"it has more than {MAX_SPECIFIERS} specifiers"
        return ScriptSpecifiers(result, self._has_module_syntax, incomplete)

    def _line(self, offset: int) -> int:
        return self._syntax.data.count(b"\n", 0, offset) + 1

    def _specifier(self, frames: Frames) -> Specifier | None:
        """Return the specifier that stands at the last frame; None for anything else."""
        leaf, parent = frames[-1], frames[-2] if len(frames) > 1 else None
        if parent is None:
            return None
        if parent.type == "import":  # the keyword in the node of the same name
            frames, leaf, parent = frames[:-1], parent, frames[-3]
        word = self._syntax.text(leaf.node, 200)
        if leaf.type in {"import", "export"}:
            return self._static(frames, leaf, parent)
        if leaf.type == "identifier" and word == "__dirname":
            return self._asset(frames)
        if leaf.type not in {"identifier", "property_identifier"}:
            return None
        if word == "eval":
            outer = frames[-3] if len(frames) > 2 else None
            is_require = outer is not None and outer.type == "call_expression" and parent.field == "function"
            return self._call(Form.REQUIRE, outer.node, frames) if outer is not None and is_require else None
        if parent.type == "member_expression":
            return self._member(frames, word)
        if parent.type == "call_expression" and leaf.field == "function":
            return self._called(frames, word)
        return None

    def _static(self, frames: Frames, leaf: Frame[State], parent: Frame[State]) -> Specifier | None:
        if parent.type in {"import_statement", "export_statement"}:
            self._has_module_syntax = True
            source = parent.node.child_by_field_name("source")
            if source is None:
                return None
            form = Form.IMPORT if leaf.type == "import" else Form.EXPORT_FROM
            return self._made(form, source, leaf.node)
        if parent.type == "call_expression" and leaf.field == "function":
            certainty = _promise_certainty(frames[:-1], self._syntax)
            specifier = self._call(Form.DYNAMIC_IMPORT, parent.node, frames)
            return replace(specifier, certainty=certainty) if specifier else None
        if parent.type == "meta_property":
            return self._meta(frames)
        return None

    def _meta(self, frames: Frames) -> Specifier | None:
        """`import.meta` in `new URL("./x", import.meta.url)` or `import.meta.resolve("x")`."""
        self._has_module_syntax = True
        outer = [frame for frame in frames[-7:-1] if frame.type not in {"meta_property", "parenthesized_expression"}]
        member = outer[-1] if outer else None
        if member is None or member.type != "member_expression" or len(outer) < 2:
            return None
        name = self._syntax.text(member.node.child_by_field_name("property"))
        above = outer[-2]
        if name == "resolve" and above.type == "call_expression" and member.field == "function":
            return self._call(Form.RESOLVE, above.node, frames)
        if name == "url" and above.type == "arguments" and len(outer) > 2 and outer[-3].type == "new_expression":
            first = _first_argument(outer[-3].node)
            called = self._syntax.text(outer[-3].node.child_by_field_name("constructor"))
            if called == "URL" and first is not None and first.start_byte < member.node.start_byte:
                text = self._literal(first)
                relative = text is not None and text.startswith(("./", "../"))
                return self._made(Form.ASSET, first, first) if relative or text is None else None
        if name == "dirname":
            return self._asset(frames[: frames.index(member) + 1])
        return None

    def _member(self, frames: Frames, word: str) -> Specifier | None:
        leaf, member = frames[-1], frames[-2]
        call = frames[-3] if len(frames) > 2 else None
        if call is None or call.type != "call_expression" or member.field != "function":
            return None
        base = self._syntax.text(member.node.child_by_field_name("object"), 80)
        name = self._syntax.text(member.node.child_by_field_name("property"), 80)
        if leaf.field == "object":
            if not self._is_require(frames, word):
                return None
            if name == "resolve":
                return self._call(Form.RESOLVE, call.node, frames)
            return self._call(Form.PREBUILDS, call.node, frames) if name == "addon" else None
        if name == "require" and base in {"module", "process.mainModule", "require.main", "globalThis", "global"}:
            return self._call(Form.REQUIRE, call.node, frames) if base in {"module", "process.mainModule"} else None
        if name == "dlopen" and base == "process":
            arguments = _arguments(call.node)
            return self._made(Form.ADDON, arguments[1], leaf.node) if len(arguments) > 1 else None
        return None

    def _called(self, frames: Frames, word: str) -> Specifier | None:
        call, outer = frames[-2], frames[-3]
        package = self._loaders.get(word)
        if package is not None:
            return self._loader(package, call.node, frames)
        if word in self._makers:
            base = self._syntax.text(_first_argument(call.node))
            is_called = outer.type == "call_expression" and call.field == "function"
            here = base in {"import.meta.url", "import.meta.filename", "__filename"}
            return self._call(Form.REQUIRE, outer.node, frames) if is_called and here else None
        if not self._is_require(frames, word):
            return None
        specifier = self._call(Form.REQUIRE, call.node, frames)
        if specifier is None:
            return None
        if outer.type == "call_expression" and call.field == "function" and specifier.text in _LOADER_NAMES:
            self._second = self._loader(specifier.text, outer.node, frames)
        return specifier

    def _loader(self, package: str, call: Node, frames: Frames) -> Specifier | None:
        first = _first_argument(call)
        if first is None:
            return None
        if package == "bindings":
            return self._bindings(first, frames)
        return self._made(Form.PREBUILDS, first, call)

    def _bindings(self, first: Node, frames: Frames) -> Specifier | None:
        if first.type == "object":
            for pair in first.named_children:
                key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                if key is not None and value is not None and self._syntax.text(key).strip("'\"") == "bindings":
                    return self._made(Form.BINDINGS, value, frames[-1].node)
            return None
        return self._made(Form.BINDINGS, first, frames[-1].node)

    def _is_require(self, frames: Frames, word: str) -> bool:
        """Tell whether a name is node's own require here: not a parameter or variable of that name."""
        if word in self._aliases and word != "require":
            return self._aliases[word]
        if word == "__require" or word == "__non_webpack_require__":
            return not self._walker.declares(frames, word) or b"Dynamic require of" in self._syntax.data
        if word != "require":
            return False
        if not self._shadowing:
            return True
        scope = self._walker.declaring(frames, "require")
        if scope is None:
            return not self._is_redeclared
        return self._walker.is_given_require(scope)

    @cached_property
    def _is_redeclared(self) -> bool:
        """Tell whether the program assigns another function to `require`, as a browserify bundle does."""
        if "require" in self._aliases:
            return not self._aliases["require"]
        return re.search(rb"(?<![\w$.])require\s*=\s*(?:\(|function|!)", self._syntax.data) is not None

    def _call(self, form: Form, call: Node, frames: Frames) -> Specifier | None:
        first = _first_argument(call)
        return self._made(form, first, frames[-1].node) if first is not None else None

    def _made(self, form: Form, argument: Node, at: Node) -> Specifier:
        text = self._literal(argument)
        source = "" if text is not None else self._syntax.text(argument, 200)
        return Specifier(form, text, at.start_point.row + 1, Certainty.AT_IMPORT, source)

    def _asset(self, frames: Frames) -> Specifier | None:
        """Return a path beside `__dirname` that is put together here: path.join(__dirname, "x"), __dirname + "/x"."""
        outermost: Node | None = None
        for frame in reversed(frames[-5:-1]):
            if frame.type in {"binary_expression", "template_string", "call_expression"}:
                text = self._literal(frame.node)
                if text is None:
                    break
                outermost = frame.node
            elif frame.type not in {"arguments", "template_substitution", "parenthesized_expression"}:
                break
        if outermost is None:
            return None
        specifier = self._made(Form.ASSET, outermost, frames[-1].node)
        return specifier if specifier.text not in {".", "./"} else None

    def _literal(self, node: Node, depth: int = 0) -> str | None:
        """Return a string that an expression surely is; a path beside this script begins with "./" or "../"."""
        if depth > 20:
            return None
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            return self._literal(node.named_children[0], depth + 1)
        if node.type == "string" or (node.type == "template_string" and "${" not in self._syntax.text(node, 2000)):
            return _unescaped(self._syntax.text(node, 4000)[1:-1])
        if self._is_here(node):
            return "./"
        if node.type == "template_string":
            return self._template(node, depth)
        if node.type == "binary_expression" and self._syntax.text(node.child_by_field_name("operator")) == "+":
            return self._sum(node, depth)
        if node.type == "call_expression":
            return self._joined(node, depth)
        value = self._evaluator.value(node) if node.type == "identifier" else UNKNOWN
        return value if isinstance(value, str) and node.type == "identifier" else None

    def _is_here(self, node: Node) -> bool:
        return self._syntax.text(node, 40) in {"__dirname", "import.meta.dirname"}

    def _template(self, node: Node, depth: int) -> str | None:
        parts = []
        for child in node.named_children:
            if child.type == "template_substitution" and child.named_child_count == 1:
                parts.append(self._literal(child.named_children[0], depth + 1))
            else:
                parts.append(self._syntax.text(child))
        return _together(parts)

    def _sum(self, node: Node, depth: int) -> str | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return None
        first = self._literal(left, depth + 1)
        return None if first is None else _together([first, self._literal(right, depth + 1)])

    def _joined(self, node: Node, depth: int) -> str | None:
        """path.join(__dirname, "a", "b") and path.resolve(...), under whatever name `path` has."""
        called = node.child_by_field_name("function")
        name = self._syntax.text(called.child_by_field_name("property")) if called is not None else ""
        if called is not None and called.type == "identifier":
            name = self._syntax.text(called)
        arguments = _arguments(node)
        if name not in {"join", "resolve"} or not arguments:
            return None
        parts = [self._literal(argument, depth + 1) for argument in arguments]
        if None in parts or parts[0] is None or not parts[0].startswith("."):
            return None
        if name == "resolve" and any(part is not None and part.startswith("/") for part in parts[1:]):
            return None
        path = posixpath.normpath("/".join(part for part in parts if part))
        return path if path.startswith("..") else f"./{path}"


_LOADER_NAMES = frozenset(
    ("bindings", "node-gyp-build", "node-gyp-build-optional-packages", "pkg-prebuilds", "require-addon")
)


def _together(parts: list[str | None]) -> str | None:
    if any(part is None for part in parts):
        return None
    text = "".join(part for part in parts if part is not None)
    return re.sub(r"\A\./+", "./", text)


def _inside_error(frames: Frames) -> bool:
    return len(frames) > 1 and frames[1].node.has_error


def _promise_certainty(frames: Frames, syntax: Syntax) -> Certainty:
    """`await import(x)` fails where it stands; a promise that is handed on fails later, or is caught."""
    above = frames[-2] if len(frames) > 1 else None
    if above is not None and above.type == "await_expression":
        return Certainty.AT_IMPORT
    for frame in frames[-2:-20:-1]:
        if frame.type == "member_expression":
            if syntax.text(frame.node.child_by_field_name("property")) == "catch":
                return Certainty.IN_TRY
        elif frame.type not in {"call_expression", "await_expression"}:
            break
    return Certainty.IN_BRANCH


def _arguments(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return []
    found = []
    for index in range(min(arguments.named_child_count, 12)):
        child = arguments.named_child(index)
        if child is not None and child.type != "comment":
            found.append(child)
    return found


def _first_argument(call: Node) -> Node | None:
    arguments = _arguments(call)
    return arguments[0] if arguments else None


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\n|.))", re.DOTALL)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if digits:
            return chr(min(int(digits, 16), 0x10FFFF))
        return {"n": "\n", "t": "\t", "r": "\r", "\n": "", "0": "\0"}.get(match[4], match[4])

    return _ESCAPE.sub(plain, text)
