"""Reads what a script loads by whatever argument, whether it goes on when that fails, and what it names and starts."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lambdapack.script.conditions import Conditions
from lambdapack.script.evaluate import first_argument
from lambdapack.script.specifier import Likelihood, ModuleRequest, ScriptRequests
from lambdapack.script.syntax import Frame, Node, Syntax, walk

MAX_ARGUMENT_BYTES = 2000
"""Bytes of an argument that are kept."""

MAX_LITERAL_PLACES = 20_000
"""Quotation marks of a script that are looked at."""

MAX_REQUESTS = 10_000
"""Words that may load something, and words of errors, that are looked at in one script."""

MAX_BROKEN_REQUESTS = 200
"""The same of a script with errors, whose tree may be flat: each place then costs as much as there are nodes."""

MAX_STARTS = 1000
"""Calls that start a program."""

MAX_CATCH_BYTES = 4000
"""Bytes of a catch that is read; a longer one does more than to go on."""

_LOADING = re.compile(rb"\brequire\w*|\b(?:import|export|dlopen)\b")
_ESCAPING = re.compile(rb"\b(?:throw|reject|process(?=\s*\.\s*exit\b))\b")
"""What leaves a catch with the error: it is thrown, a promise is rejected, or the process ends."""

_STARTING = re.compile(rb"\b(?:spawn|execFile)(?:Sync)?(?=\s*\()")
"""The calls of child_process that start a file by its "#!" line: it is their first argument."""

_CONSTANT = re.compile(rb"\b(?:const|let|var)\s+([\w$]+)\s*=")
_LOG_CALL = re.compile(r"(?:.*\.)?(?:console\.\w+|debug\w*|process\.emitWarning|log\w*)", re.DOTALL)
_QUOTE = re.compile(rb"['\"`]")
_NATIVE_NAME = re.compile(rb"[\w}\])]\.node(?=['\"`])")
"""The end of a string that is the name of a native file; `'.node'` alone is an extension in a resolver's list."""

_NATIVE_ERROR = re.compile(
    r"throw\s+(?:new\s+)?\w*Error\s*\([^;]{0,300}?(?:\bbindings?\b|\bnative\b|\baddon\b|\bprebuil|\bplatform\b|\bbinary\b)",
    re.IGNORECASE,
)


def read_requests(data: bytes) -> ScriptRequests:
    """Return what a script loads, and how it bears that it fails."""
    places = _places(_LOADING, data, MAX_REQUESTS)
    has_name = _NATIVE_NAME.search(data) is not None
    if not places and not has_name:
        return ScriptRequests()
    syntax = Syntax(data)
    if syntax.tree is None:
        return ScriptRequests(is_complete=False)
    if len(places) >= (MAX_BROKEN_REQUESTS if syntax.tree.root_node.has_error else MAX_REQUESTS):
        return ScriptRequests(is_complete=False)
    reader = _RequestReader(syntax)
    return ScriptRequests(
        tuple(reader.requests(places)),
        has_native_error=any(_NATIVE_ERROR.match(syntax.text(throw, 600)) for throw in reader.throw_statements),
        names_native_file=has_name and _names_native_file(syntax),
    )


@dataclass(frozen=True, slots=True)
class _Situation:
    """What holds at a node."""

    guarded: bool = False  # a failure is caught, and the script goes on
    likely: Likelihood = Likelihood.PERHAPS


class _RequestReader:
    """Reads one script."""

    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax
        self._conditions = Conditions(syntax)
        self._forgiving: dict[int, bool] = {}

    def requests(self, places: Sequence[int]) -> Iterator[ModuleRequest]:
        """Yield the loads whose words stand at some places."""
        for place, frames in walk(_root(self._syntax), places, _Situation(), self._enter):
            text = self._requested(frames) if frames[-1].node.start_byte == place else None
            if text is not None:
                situation = frames[-1].state
                yield ModuleRequest(text, situation.guarded, situation.likely)

    def _requested(self, frames: list[Frame[_Situation]]) -> str | None:
        """Return the argument of a load as written, None where the word is another one."""
        if len(frames) > 2 and frames[-1].type == frames[-2].type == "import":  # import() has the word twice
            frames = frames[:-1]
        if len(frames) < 2:
            return None
        leaf, parent = frames[-1], frames[-2]
        if leaf.type in {"import", "export"} and parent.type in {"import_statement", "export_statement"}:
            source = parent.node.child_by_field_name("source")
            return self._syntax.text(source, MAX_ARGUMENT_BYTES) if source is not None else None
        if leaf.type not in {"identifier", "property_identifier", "import"}:
            return None
        call = parent if leaf.field == "function" else self._call_of_member(frames)
        if call is None or call.type != "call_expression":
            return None
        arguments = call.node.child_by_field_name("arguments")
        if arguments is None or arguments.type != "arguments":
            return None
        return self._syntax.text(arguments, MAX_ARGUMENT_BYTES)[1:].removesuffix(")")

    def _call_of_member(self, frames: list[Frame[_Situation]]) -> Frame[_Situation] | None:
        """`module.require(x)`, and `require.resolve(x)`."""
        if len(frames) < 3 or frames[-2].type != "member_expression" or frames[-2].field != "function":
            return None
        property_name = self._syntax.text(frames[-2].node.child_by_field_name("property"), 20)
        is_call = frames[-1].field == "property" or property_name == "resolve"
        return frames[-3] if is_call else None

    def _enter(self, frames: list[Frame[_Situation]], _node: Node, part: str | None) -> _Situation:
        parent = frames[-1]
        situation = parent.state
        if parent.type == "try_statement" and part == "body" and not situation.guarded and self._forgives(parent.node):
            return _Situation(True, situation.likely)
        likely = self._branch(parent, part)
        return situation if likely >= situation.likely else _Situation(situation.guarded, likely)

    def _branch(self, parent: Frame[_Situation], part: str | None) -> Likelihood:
        """Of a branch whose other branch throws, nothing is told: the package is for other systems."""
        if parent.type in {"if_statement", "ternary_expression"} and part in {"consequence", "alternative"}:
            other = parent.node.child_by_field_name("alternative" if part == "consequence" else "consequence")
            if parent.type == "if_statement" and other is not None and self._has(self._throws, other):
                return Likelihood.PERHAPS
            likely = self._conditions.judge(parent.node.child_by_field_name("condition"))
            return likely if part == "consequence" else likely.opposite
        is_right = parent.type == "binary_expression" and part == "right"
        if is_right and self._syntax.text(parent.node.child_by_field_name("operator")) == "&&":
            return self._conditions.judge(parent.node.child_by_field_name("left"))
        return Likelihood.PERHAPS

    def _forgives(self, attempt: Node) -> bool:
        """Tell whether a script goes on after a failure in a try: nothing is thrown, the error is not kept."""
        known = self._forgiving.get(attempt.start_byte)
        if known is None:
            handler = attempt.child_by_field_name("handler")
            body = handler.child_by_field_name("body") if handler is not None else None
            error = handler.child_by_field_name("parameter") if handler is not None else None
            is_short = body is not None and body.end_byte - body.start_byte <= MAX_CATCH_BYTES
            known = is_short and body is not None and not self._has(self._escapes, body)
            if known and body is not None and error is not None:
                known = error.type == "identifier" and not self._keeps(body, self._syntax.text(error))
            self._forgiving[attempt.start_byte] = known
        return known

    def _keeps(self, body: Node, error: str) -> bool:
        """An error that is kept is thrown later; one that is told, or asked for its code, is not."""
        pattern = re.compile(rb"(?<![\w$.])" + re.escape(error.encode()) + rb"(?![\w$])")
        places = [match.start() for match in pattern.finditer(self._syntax.data, body.start_byte, body.end_byte)]
        for _place, frames in walk(body, places, None, _no_state):
            parent = frames[-2] if len(frames) > 1 else None
            if frames[-1].type != "identifier" or parent is None:
                continue
            is_kept = (
                parent.type in {"arguments", "parenthesized_expression", "formal_parameters", "return_statement"}
                or (parent.type == "variable_declarator" and frames[-1].field == "value")
                or (parent.type == "assignment_expression" and frames[-1].field == "right")
            )
            calls = (frame.node for frame in frames if frame.type == "call_expression")
            if is_kept and not any(map(self._is_log_call, calls)):
                return True
        return False

    def _is_log_call(self, call: Node) -> bool:
        return _LOG_CALL.fullmatch(self._syntax.text(call.child_by_field_name("function"), 200)) is not None

    def _has(self, offsets: Sequence[int], node: Node) -> bool:
        at = bisect_left(offsets, node.start_byte)
        return at < len(offsets) and offsets[at] < node.end_byte

    @property
    def throw_statements(self) -> Sequence[Node]:
        """All of them, in order."""
        return self._escaping[0]

    @cached_property
    def _throws(self) -> Sequence[int]:
        return [node.start_byte for node in self._escaping[0]]

    @property
    def _escapes(self) -> Sequence[int]:
        return self._escaping[1]

    @cached_property
    def _escaping(self) -> tuple[Sequence[Node], Sequence[int]]:
        throws, offsets = [], []
        data = self._syntax.data
        places = _places(_ESCAPING, data, MAX_REQUESTS)
        for place, frames in walk(_root(self._syntax), places, None, _no_state):
            leaf = frames[-1]
            if leaf.type == "throw" and len(frames) > 1:
                throws.append(frames[-2].node)
            if leaf.type in {"throw", "identifier", "property_identifier"}:
                offsets.append(place)
        return throws, offsets


def read_literals(data: bytes, max_count: int, max_length: int) -> tuple[str, ...]:
    """Return the strings and templates of a script that are one line and no longer than that, each once."""
    places = _places(_QUOTE, data, MAX_LITERAL_PLACES)
    syntax = Syntax(data) if places else None
    found: dict[str, None] = {}
    for _place, frames in walk(_root(syntax), places, None, _no_state) if syntax and syntax.tree else ():
        literal = next((frame.node for frame in frames[-1:-3:-1] if frame.type in {"string", "template_string"}), None)
        if literal is not None and 2 < literal.end_byte - literal.start_byte <= 4 * max_length and syntax:
            text = syntax.text(literal)[1:-1]
            if "\n" not in text and len(text) <= max_length:
                found[text] = None
            if len(found) >= max_count:
                break
    return tuple(found)


def read_started_programs(data: bytes) -> tuple[str, ...]:
    """Return the first arguments of spawn and execFile as written; for a name, also what it is declared as."""
    places = _places(_STARTING, data, MAX_STARTS)
    syntax = Syntax(data) if places else None
    found: dict[str, None] = {}
    names: set[bytes] = set()
    for _place, frames in walk(_root(syntax), places, None, _no_state) if syntax and syntax.tree else ():
        call = next((frame.node for frame in frames[-2:-4:-1] if frame.type == "call_expression"), None)
        argument = first_argument(call) if call is not None else None
        if argument is not None and syntax:
            text = syntax.text(argument, MAX_ARGUMENT_BYTES)
            found[text] = None
            names |= {text.encode()} if argument.type == "identifier" else set()
    declared = [match.start(1) for match in _CONSTANT.finditer(data) if match[1] in names][:MAX_STARTS]
    for _place, frames in walk(_root(syntax), declared, None, _no_state) if syntax and syntax.tree else ():
        value = frames[-2].node.child_by_field_name("value") if len(frames) > 1 else None
        if value is not None and syntax:
            found[syntax.text(value, MAX_ARGUMENT_BYTES)] = None
    return tuple(found)


def _names_native_file(syntax: Syntax) -> bool:
    places = [place + len(b".node") for place in _places(_NATIVE_NAME, syntax.data, MAX_STARTS)]
    inside = {"string_fragment", "string", "template_string"}
    return any(
        any(frame.type in inside for frame in frames[-2:]) for _, frames in walk(_root(syntax), places, None, _no_state)
    )


def _places(pattern: re.Pattern[bytes], data: bytes, limit: int) -> list[int]:
    return [match.start() for match in islice(pattern.finditer(data), limit)]


def _root(syntax: Syntax | None) -> Node:
    assert syntax is not None  # noqa: S101  # a walk needs a tree
    assert syntax.tree is not None  # noqa: S101
    return syntax.tree.root_node


def _no_state(_frames: list[Frame[None]], _node: Node, _part: str | None) -> None:
    """A walk that only looks needs no states."""
