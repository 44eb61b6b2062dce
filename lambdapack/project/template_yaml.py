"""Reads functions out of SAM and Serverless templates as a YAML graph. Never builds objects, never resolves a tag."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LARGEST = 4 * 1024 * 1024  # bytes; CloudFormation takes 1 MB (docs, "CloudFormation quotas", read 2026-11)
STRING_TAG = "tag:yaml.org,2002:str"
ARCHITECTURES = frozenset({"x86_64", "arm64"})


@dataclass(frozen=True, slots=True)
class Function:
    """One Node.js function of a template, or a layer. Only literal values are in it."""

    name: str
    code: str | None  # CodeUri, of a layer ContentUri; None when it is not literal
    values: Mapping[str, tuple[str, str]]  # "runtime", "architecture", "handler" -> value, "template.yaml:12"
    layer: bool = False


def functions(path: Path, notes: list[str]) -> tuple[Function, ...]:
    """Return the Node.js functions and the layers of a template; one that cannot be read is a note, not a failure."""
    try:
        text = path.read_text("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader) if len(text) <= LARGEST else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        notes.append(f"{path.name} could not be read, so nothing of it is taken: {reason}")
        return ()
    found = _serverless(root, path.name) if path.name.startswith("serverless") else _sam(root, path.name)
    return tuple(each for each in found if each.values.get("runtime", ("nodejs", ""))[0].startswith("nodejs"))


def _sam(root: Node | None, label: str) -> Iterator[Function]:
    shared = _child(_child(root, "Globals"), "Function")
    for name, resource in _items(_child(root, "Resources")):
        kind = _literal(_child(resource, "Type"))
        if kind in {"AWS::Serverless::Function", "AWS::Lambda::Function"}:
            own = _child(resource, "Properties")
            defaults = shared if kind == "AWS::Serverless::Function" else None
            code = _first(own, defaults, "CodeUri") if kind == "AWS::Serverless::Function" else _child(own, "Code")
            values = _values(own, defaults, ("Runtime", "Architectures", "Handler"), label)
            yield Function(name, _literal(code), values)
        elif kind == "AWS::Serverless::LayerVersion":
            own = _child(resource, "Properties")
            values = _values(own, None, ("CompatibleRuntimes", "CompatibleArchitectures", "Handler"), label)
            yield Function(name, _literal(_child(own, "ContentUri")), values, layer=True)


def _serverless(root: Node | None, label: str) -> Iterator[Function]:
    provider = _child(root, "provider")
    for name, own in _items(_child(root, "functions")):
        yield Function(name, ".", _values(own, provider, ("runtime", "architecture", "handler"), label))


def _values(
    own: Node | None, shared: Node | None, keys: tuple[str, str, str], label: str
) -> dict[str, tuple[str, str]]:
    found = {}
    for field, key in zip(("runtime", "architecture", "handler"), keys, strict=True):
        node = _single(_first(own, shared, key))
        value = _literal(node)
        if node is not None and value and (field != "architecture" or value in ARCHITECTURES):
            found[field] = (value, f"{label}:{node.start_mark.line + 1}")
    return found


def _first(own: Node | None, shared: Node | None, key: str) -> Node | None:
    node = _child(own, key)
    return node if node is not None else _child(shared, key)


def _single(node: Node | None) -> Node | None:
    """Return the only member of a list (Architectures is one), anything else as it is."""
    if isinstance(node, SequenceNode):
        return node.value[0] if len(node.value) == 1 else None
    return node


def _items(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = _literal(key)
            if name is not None:
                yield name, value


def _child(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _items(node) if name == key), None)


def _literal(node: Node | None) -> str | None:
    """Return a plain string; None for !Ref and !Sub, for ${...} and for what is no string."""
    if not isinstance(node, ScalarNode) or node.tag != STRING_TAG:
        return None
    value = str(node.value).strip()
    return None if "${" in value or "{{resolve:" in value else value
