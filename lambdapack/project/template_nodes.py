"""Reads YAML and JSON files as graphs of nodes and walks them. Never builds objects out of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_TEMPLATE_BYTES = 4 * 1024 * 1024  # bytes; CloudFormation takes 1 MB (docs, "CloudFormation quotas", read 2026-11)
MAX_BRACKETS = 100
"""Brackets within brackets. A template that is JSON has about 20."""

MAX_EXPRESSION_CHARACTERS = 60
"""Characters of an expression that a message shows."""

YAML_STRING_TAG = "tag:yaml.org,2002:str"
YAML_NULL_TAG = "tag:yaml.org,2002:null"
YAML_MERGE_TAG = "tag:yaml.org,2002:merge"

MAX_RESOLUTION_STEPS = 5000
"""Steps for one value. Real ones take under 50; aliases let a short file describe more than could ever be computed."""

MAX_RESOLUTION_DEPTH = 40
"""Values within values. A value that refers to itself has no end."""


MAX_VALUE_CHARACTERS = 10_000
"""Characters of a text with variables. Real ones have under 200; each level of nesting reads all of them."""


class UnreadableError(Exception):
    """A value that the text of a template does not determine. The message is the reason."""


class _BoundedLoader(yaml.SafeLoader):
    """Reads no deeper brackets than MAX_BRACKETS: each token inside them is held against all that are open."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        """Open another bracket."""
        if self.flow_level >= MAX_BRACKETS:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_BRACKETS} open brackets", problem_mark=self.get_mark())
        super().fetch_flow_collection_start(token)


def compose_file(path: Path, label: str) -> Node | None:
    """Return the root node of a file; its marks bear the label. Whoever calls it catches what parsers raise."""
    text = path.read_text("utf-8-sig")
    if len(text) > MAX_TEMPLATE_BYTES:
        raise yaml.YAMLError(f"it is larger than {MAX_TEMPLATE_BYTES} bytes")
    if path.suffix == ".json":
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not; a string of JSON has none
    loader = _BoundedLoader(text)
    loader.name = label
    try:
        node: Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node


def mapping_items(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the entries of a mapping, its own before those of merge keys (`<<`): the first of a name counts."""
    pending, visited = [node], set[int]()
    while pending:
        mapping = pending.pop(0)
        if not isinstance(mapping, MappingNode) or id(mapping) in visited:
            continue
        visited.add(id(mapping))
        for key, value in mapping.value:
            if key.tag == YAML_MERGE_TAG:
                pending += value.value if isinstance(value, SequenceNode) else [value]
            elif isinstance(key, ScalarNode):
                yield str(key.value), value


def child_node(node: Node | None, key: str) -> Node | None:
    """Return the value of a key, None where there is none."""
    return next((value for name, value in mapping_items(node) if name == key), None)


def scalar_text(node: Node | None) -> str | None:
    """Return the text of a scalar; None for null and for what is no scalar."""
    return str(node.value).strip() if isinstance(node, ScalarNode) and node.tag != YAML_NULL_TAG else None


def text_node(text: str, like: Node) -> ScalarNode:
    """Return a string that stands where another node was."""
    return ScalarNode(YAML_STRING_TAG, text, like.start_mark, like.end_mark)


def node_origin(node: Node) -> str:
    """Return file and line of a node: "template.yaml:12"."""
    return f"{node.start_mark.name}:{node.start_mark.line + 1}"


def node_expression(node: Node) -> str:
    """Return a value as it is written, on one line and shortened."""
    mark = node.start_mark
    written = (mark.buffer or "")[mark.pointer : node.end_mark.pointer]
    line = " ".join(written.replace("\0", "").split())
    return line if len(line) <= MAX_EXPRESSION_CHARACTERS else f"{line[: MAX_EXPRESSION_CHARACTERS - 3]}..."


class ResolutionBound:
    """Bounds the work for one value, and collects where it came from."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self._depth = 0
        self._steps = 0
        self.sources: list[str] = []  # of the last value: "default of parameter Arch"

    @contextmanager
    def step(self) -> Iterator[None]:
        """Count one step. UnreadableError when there were too many."""
        if self._depth == 0:
            self._steps, self.sources = 0, []
        self._steps += 1
        if self._steps > MAX_RESOLUTION_STEPS or self._depth >= MAX_RESOLUTION_DEPTH:
            raise UnreadableError("the value refers to itself, or its expression is too long")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def add_source(self, source: str) -> None:
        """Remember what a value was taken from, once."""
        if source not in self.sources:
            self.sources.append(source)
