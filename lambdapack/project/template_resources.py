"""Reads functions and layers out of SAM and Serverless templates as a YAML graph. Never builds tagged objects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_TEMPLATE_BYTES = 4 * 1024 * 1024  # bytes; CloudFormation takes 1 MB (docs, "CloudFormation quotas", read 2026-11)
YAML_STRING_TAG = "tag:yaml.org,2002:str"
TEMPLATE_ARCHITECTURES = frozenset({"x86_64", "arm64"})


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """One Node.js function of a template, or a layer. Only literal values are in it."""

    name: str
    code: str | None  # CodeUri, of a layer ContentUri; None when it is not literal
    values: Mapping[str, tuple[str, str]]  # "runtime", "architecture", "handler" -> value, "template.yaml:12"
    layer: bool = False


def read_resources(path: Path, notes: list[str]) -> tuple[TemplateResource, ...]:
    """Return the Node.js functions and the layers of a template; one that cannot be read is a note, not a failure."""
    try:
        text = path.read_text("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader) if len(text) <= MAX_TEMPLATE_BYTES else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        notes.append(f"{path.name} could not be read, so nothing of it is taken: {reason}")
        return ()
    resources = (
        _serverless_resources(root, path.name)
        if path.name.startswith("serverless")
        else _sam_resources(root, path.name)
    )
    return tuple(
        resource for resource in resources if resource.values.get("runtime", ("nodejs", ""))[0].startswith("nodejs")
    )


def _sam_resources(root: Node | None, label: str) -> Iterator[TemplateResource]:
    shared = _child_node(_child_node(root, "Globals"), "Function")
    for name, resource in _mapping_items(_child_node(root, "Resources")):
        kind = _literal_text(_child_node(resource, "Type"))
        if kind in {"AWS::Serverless::Function", "AWS::Lambda::Function"}:
            own = _child_node(resource, "Properties")
            defaults = shared if kind == "AWS::Serverless::Function" else None
            code = (
                _own_or_shared(own, defaults, "CodeUri")
                if kind == "AWS::Serverless::Function"
                else _child_node(own, "Code")
            )
            values = _literal_values(own, defaults, ("Runtime", "Architectures", "Handler"), label)
            yield TemplateResource(name, _literal_text(code), values)
        elif kind == "AWS::Serverless::LayerVersion":
            own = _child_node(resource, "Properties")
            values = _literal_values(own, None, ("CompatibleRuntimes", "CompatibleArchitectures", "Handler"), label)
            yield TemplateResource(name, _literal_text(_child_node(own, "ContentUri")), values, layer=True)


def _serverless_resources(root: Node | None, label: str) -> Iterator[TemplateResource]:
    provider = _child_node(root, "provider")
    for name, own in _mapping_items(_child_node(root, "functions")):
        yield TemplateResource(name, ".", _literal_values(own, provider, ("runtime", "architecture", "handler"), label))


def _literal_values(
    own: Node | None, shared: Node | None, keys: tuple[str, str, str], label: str
) -> dict[str, tuple[str, str]]:
    values = {}
    for field, key in zip(("runtime", "architecture", "handler"), keys, strict=True):
        node = _only_member(_own_or_shared(own, shared, key))
        value = _literal_text(node)
        if node is not None and value and (field != "architecture" or value in TEMPLATE_ARCHITECTURES):
            values[field] = (value, f"{label}:{node.start_mark.line + 1}")
    return values


def _own_or_shared(own: Node | None, shared: Node | None, key: str) -> Node | None:
    node = _child_node(own, key)
    return node if node is not None else _child_node(shared, key)


def _only_member(node: Node | None) -> Node | None:
    """Return the only member of a list (Architectures is one), anything else as it is."""
    if isinstance(node, SequenceNode):
        return node.value[0] if len(node.value) == 1 else None
    return node


def _mapping_items(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = _literal_text(key)
            if name is not None:
                yield name, value


def _child_node(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _mapping_items(node) if name == key), None)


def _literal_text(node: Node | None) -> str | None:
    """Return a plain string; None for !Ref and !Sub, for ${...} and for what is no string."""
    if not isinstance(node, ScalarNode) or node.tag != YAML_STRING_TAG:
        return None
    value = str(node.value).strip()
    return None if "${" in value or "{{resolve:" in value else value
