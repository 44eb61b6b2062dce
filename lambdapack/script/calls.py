"""Which functions of a script its top level calls, also through bundlers' registries of modules."""

import re
from collections.abc import Iterator

from lambdapack.script.reachability import PROGRAM, Scope, Walker, WalkState
from lambdapack.script.specifier import ImportCertainty, Unit
from lambdapack.script.syntax import Frame, Node, walk

MAX_CALLS = 60_000
"""Calls that are followed in one script; beyond that nothing is called certain."""

_USES = re.compile(rb"(?<![\w$.])(function\s*\*?\s*)?([\w$]+)\s*(\(|=(?![=>]))")

_THIRD_PARAMETER = re.compile(rb"\(\s*[\w$]+\s*,\s*[\w$]+\s*,\s*([\w$]+)\s*\)\s*(?:=>|\{)")
_KEY = re.compile(rb"\s*\(\s*(?:/\*[^*]{0,300}\*/\s*)?['\"\d]")


def spread(walker: Walker) -> list[ImportCertainty]:
    """Return how surely each unit is entered when the script is loaded."""
    if any(unit.names for unit in walker.units):
        _find_calls(walker)
    users: dict[str, list[int]] = {}
    for index, unit in enumerate(walker.units):
        for name in unit.names:
            users.setdefault(name, []).append(index)
    # who calls a bundler's module is all in this script; a plain function can be handed to anybody
    entered = [ImportCertainty.NEVER if _is_closed(walker, unit) else unit.certainty for unit in walker.units]
    pending = [index for index, certainty in enumerate(entered) if certainty is not ImportCertainty.NEVER]
    while pending:
        caller = pending.pop()
        for name, certainty in walker.units[caller].calls:
            called = users.get(name, ())
            reached = entered[caller].then(certainty)
            for index in called if len(called) == 1 else ():
                if reached < entered[index]:
                    entered[index] = reached
                    pending.append(index)
    closed = (ImportCertainty.IN_FUNCTION if certainty is ImportCertainty.NEVER else certainty for certainty in entered)
    return list(closed)


def _is_closed(walker: Walker, unit: Unit) -> bool:
    return any("#" in name or name.partition("@")[0] in walker.wrapped for name in unit.names)


def _find_calls(walker: Walker) -> None:
    """Find the calls of all units by name; a function in which one stands may be a unit with a name of its own."""
    uses: dict[str, list[int]] = {}
    definitions: dict[str, int] = {}
    for match in _USES.finditer(walker.syntax.data):
        name = match[2].decode("utf-8", "replace")
        if match[1] or match[3] == b"=":
            definitions[name] = definitions.get(name, 0) + 1
        else:
            uses.setdefault(name, []).append(match.start(2))
    asked: set[str] = set()
    left = MAX_CALLS
    keyed = (
        _keyed_calls(walker.syntax.data, uses)
        if any("#" in name for unit in walker.units for name in unit.names)
        else ()
    )
    _take_calls(walker, sorted(keyed)[:left], definitions)
    done = 0
    while done < len(walker.units) and left > 0:
        names = {
            word
            for unit in walker.units[done:]
            for name in unit.names
            if "#" in name or _is_trusted(walker, name.partition("@")[0], definitions)
            for word in _words(name)
        }
        done = len(walker.units)
        places = sorted(place for name in names - asked for place in uses.get(name, ()))[:left]
        asked |= names
        left -= len(places)
        _take_calls(walker, places, definitions)


def count_definitions(data: bytes) -> dict[str, int]:
    """Return how often each name is declared as a function or assigned."""
    definitions: dict[str, int] = {}
    for match in _USES.finditer(data):
        if match[1] or match[3] == b"=":
            name = match[2].decode("utf-8", "replace")
            definitions[name] = definitions.get(name, 0) + 1
    return definitions


def _words(name: str) -> Iterator[str]:
    """Yield the names under which a unit is called."""
    yield name.rpartition("#")[2] if "#" in name else name.partition("@")[0]


def _keyed_calls(data: bytes, uses: dict[str, list[int]]) -> Iterator[int]:
    """Yield where a module in a registry calls another by its key, through its third parameter."""
    for name in {match[1] for match in _THIRD_PARAMETER.finditer(data)}:
        for place in uses.get(name.decode(), ()):
            if _KEY.match(data, place + len(name)):
                yield place


def _third_parameter(walker: Walker, start: int) -> str:
    match = re.compile(
        rb"(?:async\s+)?(?:function\s*[\w$]*\s*|[\w$\"'./-]+\s*)?\(\s*[\w$]+\s*,\s*[\w$]+\s*,\s*([\w$]+)\s*\)"
    ).match(walker.syntax.data, start, start + 500)
    return match[1].decode() if match else ""


def _take_calls(walker: Walker, places: list[int], definitions: dict[str, int]) -> None:
    tree = walker.syntax.tree
    if tree is None or not places:
        return
    for _place, frames in walk(tree.root_node, places, PROGRAM, walker.enter):
        leaf = frames[-1]
        call = frames[-2] if len(frames) > 1 else None
        if leaf.type != "identifier" or call is None or call.type != "call_expression" or leaf.field != "function":
            continue
        state = walker.leave(frames)
        for name in _called(walker, frames, call.node, definitions):
            walker.units[state.unit].calls.append((name, state.certainty))


def _called(walker: Walker, frames: list[Frame[WalkState]], call: Node, definitions: dict[str, int]) -> Iterator[str]:
    word = walker.syntax.text(frames[-1].node, 200)
    key = _key(walker, call)
    scope: Scope | None = frames[-1].state.scope
    while scope is not None:
        yield from (f"{word}@{scope.start}",) if _is_trusted(walker, word, definitions) else ()
        if scope.node is None or word in walker.syntax.outline(scope.node).declared:
            break
        scope = scope.parent
    if key is None:
        return
    is_module = scope is not None and scope.node is not None and any("#" in name for name in scope.names)
    if scope is not None and is_module and _third_parameter(walker, scope.start) == word:
        yield from {f"{key}#{name.rpartition('#')[2]}" for name in scope.names}
    else:
        yield f"{key}#{word}"


def _is_trusted(walker: Walker, word: str, definitions: dict[str, int]) -> bool:
    """A name with several definitions may be another function here, unless a bundler's wrapper defines it."""
    return definitions.get(word, 0) <= 1 or word in walker.wrapped


def _key(walker: Walker, call: Node) -> str | None:
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return None
    for child in arguments.named_children[:3]:
        value: Node | None = child
        if child.type == "assignment_expression":
            value = child.child_by_field_name("right")
        if value is not None and value.type in {"string", "number"}:
            return walker.syntax.text(value, 300).strip("'\"")
        if child.type != "comment":
            return None
    return None
