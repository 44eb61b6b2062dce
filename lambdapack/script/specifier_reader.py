"""Reads one parsed script: every specifier, its form, and how surely it runs. read_specifiers() is the entrance."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from lambdapack.script import names
from lambdapack.script.bundles import Bundle
from lambdapack.script.calls import spread
from lambdapack.script.configured import DriverOption, bound_packages, find_driver_option
from lambdapack.script.evaluate import Evaluator, Literals, arguments_of, first_argument
from lambdapack.script.flow.choices import AWAIT
from lambdapack.script.names import MAX_SPECIFIERS
from lambdapack.script.reachability import PROGRAM, Walker, WalkState
from lambdapack.script.specifier import Form, ImportCertainty, Platform, ScriptSpecifiers, Specifier
from lambdapack.script.syntax import FUNCTIONS, Frame, Node, Syntax, walk

Frames = list[Frame[WalkState]]

_DECLARES_BEFORE = re.compile(rb"(?:var|let|const|function|class|[,{(;])\s*\Z")
_SHADOWS_AFTER = re.compile(rb"\s*[=(,)\s]")
_ASSIGNS_AFTER = re.compile(rb"\s*=(?:>|[^=])")


_REPLACED = re.compile(rb"require\s*=\s*(?!require\b|createRequire\b)[A-Za-z_$][\w$]*\s*[;\n]")


@dataclass(frozen=True, slots=True)
class LocatedSpecifier:
    """A specifier with the function that it stands in."""

    specifier: Specifier
    unit: int
    certainty: ImportCertainty  # inside its unit
    given: ImportCertainty  # the same, when the choices fall so
    choices: tuple[tuple[int, str], ...]


class SpecifierReader:
    """Reads one script once."""

    def __init__(
        self, syntax: Syntax, loaders: Mapping[str, str], platform: Platform, *, module: bool, installed: bool = False
    ) -> None:
        self._syntax = syntax
        self._module = module
        self._loaders = loaders
        self._evaluator = Evaluator(syntax, platform, module=module, installed=installed)
        self.walker = Walker(syntax, self._evaluator, Bundle(syntax.data))
        self._makers = names.makers(syntax.data)
        self._literals = Literals(syntax, self._evaluator)
        self._aliases = names.aliases(syntax.data, self._makers)
        self._shadowing = _may_shadow(syntax.data)
        self._has_module_syntax = False
        self._second: Specifier | None = None  # what a loader is given where it is required and called at once

    def read(self, places: list[int]) -> ScriptSpecifiers:
        """Return what stands at the places where a specifier may be, offsets into the text."""
        tree = self._syntax.tree
        if tree is None:
            return ScriptSpecifiers(incomplete="it was not parsed")
        error_at = self._syntax.first_error()
        raws = self.locate(places)
        entered = spread(self.walker)
        result = tuple(replace(raw.specifier, certainty=entered[raw.unit].then(raw.certainty)) for raw in raws)
        incomplete = ""
        if error_at < len(self._syntax.data):
            incomplete = f"line {self._line(error_at)} is not JavaScript that the parser knows"
        elif len(raws) >= MAX_SPECIFIERS:
            incomplete = f"it has more than {MAX_SPECIFIERS} specifiers"
        return ScriptSpecifiers(result, self._has_module_syntax, incomplete)

    def locate(self, places: list[int]) -> list[LocatedSpecifier]:
        """Return the specifiers at the places, each with the function that it stands in."""
        assert self._syntax.tree is not None  # noqa: S101  # who asks has looked
        short = [name for name in (*self._aliases, *self._makers) if "equire" not in name]
        places = sorted({*places, *names.places(self._syntax.data, short)}) if short else places
        return list(islice(self._raws(self._syntax.tree.root_node, places, self._syntax.first_error()), MAX_SPECIFIERS))

    def _raws(self, root: Node, places: list[int], error_at: int) -> Iterator[LocatedSpecifier]:
        """Yield each specifier with its certainty inside its own unit; after broken text nothing is certain."""
        for place, frames in walk(root, places, PROGRAM, self.walker.enter):
            specifier = self._specifier(frames)
            if specifier is None:
                continue
            state = self.walker.leave(frames)
            certainty, given = state.certainty.then(specifier.certainty), state.given.then(specifier.certainty)
            if place >= error_at or _inside_error(frames):
                certainty = max(certainty, ImportCertainty.IN_BRANCH)
                given = max(given, ImportCertainty.IN_BRANCH)
            yield LocatedSpecifier(specifier, state.unit, certainty, given, state.choices)
            if self._second is not None:
                yield LocatedSpecifier(self._second, state.unit, certainty, given, state.choices)
                self._second = None

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
        if "key" in {leaf.field, parent.field}:
            return self._configured(frames if leaf.field == "key" else frames[:-1], word)
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

    def _configured(self, frames: Frames, key: str) -> Specifier | None:
        """Return the package that an option makes another one load: the object is an argument of the call."""
        around = [frame for frame in frames[-MAX_OPTION_DEPTH:-1] if frame.type not in _OPTION_SYNTAX][-1:]
        option = self._driver_option(key, around[0].node) if around else None
        if option is None or frames[-3].node.named_child_count > MAX_OPTIONS:
            return None
        pair, options = frames[-2].node, frames[-3].node.named_children
        value = pair.child_by_field_name("value")
        text = self._literals.text_of(value) if value is not None else None
        names = {self._syntax.text(child.child_by_field_name("key") or child, 40).strip("'\"") for child in options}
        driver = option.driver(text or "", names)
        return Specifier(Form.REQUIRE, driver, pair.start_point.row + 1, ImportCertainty.AT_IMPORT) if driver else None

    def _driver_option(self, key: str, call: Node) -> DriverOption | None:
        if call.type not in {"call_expression", "new_expression"}:
            return None
        called = call.child_by_field_name("function") or call.child_by_field_name("constructor")
        return find_driver_option(key, self._syntax.text(called, 80), self._bound_packages)

    @cached_property
    def _bound_packages(self) -> Mapping[str, str]:
        return bound_packages(self._syntax.data)

    def _static(self, frames: Frames, leaf: Frame[WalkState], parent: Frame[WalkState]) -> Specifier | None:
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
            first = first_argument(outer[-3].node)
            called = self._syntax.text(outer[-3].node.child_by_field_name("constructor"))
            if called == "URL" and first is not None and first.start_byte < member.node.start_byte:
                text = self._literals.text_of(first)
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
            arguments = arguments_of(call.node)
            return self._made(Form.ADDON, arguments[1], leaf.node) if len(arguments) > 1 else None
        return None

    def _called(self, frames: Frames, word: str) -> Specifier | None:
        call, outer = frames[-2], frames[-3]
        package = self._loaders.get(word)
        if package is not None:
            return self._loader(package, call.node, frames)
        if word in self._makers:
            base = self._syntax.text(first_argument(call.node))
            is_called = outer.type == "call_expression" and call.field == "function"
            here = base in {"import.meta.url", "import.meta.filename", "__filename"}
            return self._call(Form.REQUIRE, outer.node, frames) if is_called and here else None
        if not self._is_require(frames, word):
            return None
        specifier = self._call(Form.REQUIRE, call.node, frames)
        if specifier is None:
            return None
        if word == "require" and frames[-1].node.start_byte > self._replaced_at:
            return replace(specifier, certainty=ImportCertainty.IN_FUNCTION)
        if outer.type == "call_expression" and call.field == "function" and specifier.text in _LOADER_NAMES:
            self._second = self._loader(specifier.text, outer.node, frames)
        return specifier

    def _loader(self, package: str, call: Node, frames: Frames) -> Specifier | None:
        first = first_argument(call)
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
        if word in {"__require", "__non_webpack_require__"}:
            return not self.walker.declares(frames, word) or b"Dynamic require of" in self._syntax.data
        if word != "require":
            return False
        if not self._shadowing:
            return True
        scope = self.walker.declaring_scope(frames, "require")
        if scope is None:
            return not self._is_redeclared
        return self.walker.is_given_require(scope)

    @cached_property
    def _replaced_at(self) -> int:
        """Return from where on `require` is a function that may put the load off: `require = lazy` of lazy-cache."""
        data = self._syntax.data
        found = _REPLACED.finditer(data) if "require" not in self._aliases else ()
        starts = (match.start() for match in found)
        return next((at for at in starts if not _continues_name(data, at)), len(data))

    @cached_property
    def _is_redeclared(self) -> bool:
        """Tell whether the program assigns another function to `require`, as a browserify bundle does."""
        if "require" in self._aliases:
            return not self._aliases["require"]
        return re.search(rb"(?<![\w$.])require\s*=\s*(?:\(|function|!)", self._syntax.data) is not None

    def _call(self, form: Form, call: Node, frames: Frames) -> Specifier | None:
        first = first_argument(call)
        return self._made(form, first, frames[-1].node) if first is not None else None

    def _made(self, form: Form, argument: Node, at: Node) -> Specifier:
        text = self._literals.text_of(argument)
        source = "" if text is not None else self._syntax.text(argument, 200)
        return Specifier(form, text, at.start_point.row + 1, ImportCertainty.AT_IMPORT, source)

    def _asset(self, frames: Frames) -> Specifier | None:
        """Return a path beside `__dirname` that is put together here: path.join(__dirname, "x"), __dirname + "/x"."""
        if frames[-1].field == "right":  # a path begins with its directory
            return None
        outermost: Node | None = None
        for frame in reversed(frames[-5:-1]):
            if frame.type in {"binary_expression", "template_string", "call_expression"}:
                text = self._literals.text_of(frame.node)
                if text is None:
                    break
                outermost = frame.node
            elif frame.type not in {"arguments", "template_substitution", "parenthesized_expression"}:
                break
        if outermost is None:
            return None
        specifier = self._made(Form.ASSET, outermost, frames[-1].node)
        return specifier if specifier.text not in {".", "./"} else None


MAX_OPTIONS = 100
"""Options of one object that are looked at; more are data."""

MAX_OPTION_DEPTH = 16
"""Syntax nodes between a call and an option in its arguments: five objects or arrays in each other."""

_OPTION_SYNTAX = frozenset(("pair", "object", "array", "arguments"))
"""What may stand between an option and the call that is given it."""

_LOADER_NAMES = frozenset(
    ("bindings", "node-gyp-build", "node-gyp-build-optional-packages", "pkg-prebuilds", "require-addon")
)


def _continues_name(data: bytes, at: int) -> bool:
    before = data[at - 1 : at] if at else b" "
    return before.isalnum() or before in b"_$."


def _may_shadow(data: bytes) -> bool:
    """Tell whether `require` may be declared somewhere in the script."""
    for match in re.finditer(b"require", data):
        start, end = match.span()
        if _ASSIGNS_AFTER.match(data, end):
            return True
        if _SHADOWS_AFTER.match(data, end) and _DECLARES_BEFORE.search(data, max(0, start - 20), start):
            return True
    return False


def _inside_error(frames: Frames) -> bool:
    return len(frames) > 1 and frames[1].node.has_error


def _is_returned_promise(frames: Frames, syntax: Syntax) -> bool:
    """Tell whether an async function returns the promise: it fails as the function's own does."""
    if frames[-2].type != "return_statement":
        return False
    function = next((frame for frame in reversed(frames) if frame.type in FUNCTIONS), None)
    return function is not None and syntax.data.startswith(b"async", function.node.start_byte)


def _promise_certainty(frames: Frames, syntax: Syntax) -> ImportCertainty:
    """`await import(x)` fails where it stands; a promise that is handed on fails later, or is caught."""
    above = frames[-2] if len(frames) > 1 else None
    if above is not None and (above.type == "await_expression" or _is_returned_promise(frames, syntax)):
        return ImportCertainty.AT_IMPORT
    outer = frames[-3] if len(frames) > 2 else None
    if above is not None and above.type == "arguments" and outer is not None and outer.type == "call_expression":
        called = syntax.text(outer.node.child_by_field_name("function"), 40)
        if called == AWAIT:
            return ImportCertainty.AT_IMPORT
    for frame in frames[-2:-20:-1]:
        if frame.type == "member_expression":
            if syntax.text(frame.node.child_by_field_name("property")) == "catch":
                return ImportCertainty.IN_TRY
        elif frame.type not in {"call_expression", "await_expression"}:
            break
    return ImportCertainty.IN_BRANCH
