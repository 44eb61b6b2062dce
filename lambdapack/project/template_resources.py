"""Reads functions and layers out of SAM, CloudFormation and Serverless templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import yaml
from yaml.nodes import Node, SequenceNode

from lambdapack.project.declarations import DeclaredLayer, DeclaredValue, TemplateResource, UnreadableValue
from lambdapack.project.sam_config import SAM_CONFIG_NAME, read_sam_config
from lambdapack.project.template_intrinsics import IntrinsicResolver, parse_intrinsic
from lambdapack.project.template_nodes import (
    UnreadableError,
    child_node,
    compose_file,
    mapping_items,
    node_expression,
    node_origin,
    scalar_text,
)
from lambdapack.project.template_variables import VariableResolver

MAX_TEMPLATE_RESOURCES = 500
"""Resources of a template (docs, "CloudFormation quotas", read 2026-11). A loop could make more of them."""

TEMPLATE_ARCHITECTURES = frozenset({"x86_64", "arm64"})
FIELDS = ("runtime", "architecture", "handler")

FUNCTION_KINDS = frozenset({"AWS::Serverless::Function", "AWS::Lambda::Function"})
LAYER_CODE_KEYS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
LOOP_PREFIX = "Fn::ForEach::"

_PLACEHOLDERS = {
    f"AWS::{name}": f"${{AWS::{name}}}" for name in ("Region", "AccountId", "Partition", "URLSuffix", "StackName")
}
"""Pseudo parameters in the ARN of a layer stay as they are written: its name is wanted, whatever the region."""


class Resolver(Protocol):
    """Evaluates a value: CloudFormation's functions, or Serverless' variables."""

    sources: list[str]

    def resolve(self, node: Node | None) -> Node | None:
        """Return the node that a value comes out as. UnreadableError."""

    def child(self, node: Node | None, key: str) -> Node | None:
        """Return the value of a key. UnreadableError."""


@dataclass(frozen=True, slots=True)
class _Section:
    """The properties of one function, its own before those that all share."""

    resolver: Resolver
    own: Node | None
    shared: Node | None = None

    def find_value(self, key: str) -> Node | None:
        """Return the value of a key as it is written."""
        node = child_node(self.own, key)
        return node if node is not None else child_node(self.shared, key)


def read_resources(path: Path, notes: list[str], environ: Mapping[str, str]) -> tuple[TemplateResource, ...]:
    """Return the Node.js functions and the layers of a template; one that cannot be read is a note, not a failure."""
    try:
        root = compose_file(path, path.name)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        notes.append(f"{path.name} could not be read, so nothing of it is taken: {reason}")
        return ()
    try:
        resources = (
            _serverless_resources(VariableResolver(root, path.parent, environ), path.name)
            if path.name.startswith("serverless")
            else _sam_resources(_sam_resolver(root, path.parent, environ), path.name)
        )
        return tuple(
            resource for resource in islice(resources, MAX_TEMPLATE_RESOURCES) if _is_for_node(resource.values)
        )
    except (UnreadableError, RecursionError) as error:
        notes.append(f"{path.name}: its functions cannot be read: {error}")
        return ()


def _is_for_node(values: Mapping[str, DeclaredValue]) -> bool:
    return "runtime" not in values or values["runtime"].value.startswith("nodejs")


def _sam_resolver(root: Node | None, directory: Path, environ: Mapping[str, str]) -> IntrinsicResolver:
    overrides, region = read_sam_config(directory / SAM_CONFIG_NAME)
    region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    return IntrinsicResolver(root, overrides, {"AWS::Region": region} if region else {}, SAM_CONFIG_NAME)


def _sam_resources(resolver: IntrinsicResolver, label: str) -> Iterator[TemplateResource]:
    globals_ = child_node(child_node(resolver.root, "Globals"), "Function")
    for name, resource, inner in _expand_loops(child_node(resolver.root, "Resources"), resolver):
        kind = scalar_text(child_node(resource, "Type")) or ""
        if not inner.is_created(resource):
            continue
        if kind in FUNCTION_KINDS:
            shared = globals_ if kind == "AWS::Serverless::Function" else None
            yield _sam_function(name, _Section(inner, child_node(resource, "Properties"), shared), kind, label)
        elif kind in LAYER_CODE_KEYS:
            yield _sam_layer(name, inner, resource, label)


def _expand_loops(
    resources: Node | None, resolver: IntrinsicResolver, turns: Iterator[int] | None = None
) -> Iterator[tuple[str, Node, IntrinsicResolver]]:
    """Yield resources by name, those of a Fn::ForEach once for each of its values. UnreadableError for too many."""
    left = iter(range(MAX_TEMPLATE_RESOURCES)) if turns is None else turns
    for name, resource in mapping_items(resources):
        if not name.startswith(LOOP_PREFIX):
            yield resolver.substitute(name), resource, resolver
            continue
        loop = resource.value if isinstance(resource, SequenceNode) else []
        if len(loop) != len(("identifier", "collection", "body")):
            raise UnreadableError(f"{name} has not 3 arguments")
        for value in resolver.members(loop[1]):
            if next(left, None) is None:
                raise UnreadableError(f"{name} makes more resources than a template may have")
            yield from _expand_loops(loop[2], resolver.with_loop_variable(scalar_text(loop[0]) or "", value), left)


def _sam_function(name: str, section: _Section, kind: str, label: str) -> TemplateResource:
    code_key = "CodeUri" if kind == "AWS::Serverless::Function" else "Code"
    values, unreadable = _read_values(section, ("Runtime", "Architectures", "Handler"))
    code = section.find_value(code_key)
    directory = _read_code(section.resolver, code, unreadable)
    if code is None and section.find_value("InlineCode") is None and section.find_value("PackageType") is None:
        directory = "."  # what sam builds without a CodeUri (samcli, SamFunctionProvider)
    environment = [child_node(child_node(part, "Environment"), "Variables") for part in (section.shared, section.own)]
    layers = [child_node(part, "Layers") for part in (section.shared, section.own)]
    return TemplateResource(
        name=name,
        template=label,
        code=directory,
        values=values,
        unreadable=unreadable,
        layers=tuple(layer for part in layers for layer in _sam_layers(section.resolver, part)),
        environment=_read_environment(section.resolver, environment),
    )


def _sam_layer(name: str, resolver: IntrinsicResolver, resource: Node, label: str) -> TemplateResource:
    """Return a layer. Where it fits several targets, sam builds it for the one of its metadata."""
    properties, metadata = child_node(resource, "Properties"), child_node(resource, "Metadata")
    kind = scalar_text(child_node(resource, "Type")) or ""
    values, unreadable = _read_values(
        _Section(resolver, properties), ("CompatibleRuntimes", "CompatibleArchitectures", "Handler"), is_layer=True
    )
    built, _unreadable = _read_values(_Section(resolver, metadata), ("BuildMethod", "BuildArchitecture", ""))
    fitting = {
        field: value for field, value in built.items() if field == "architecture" or value.value.startswith("nodejs")
    }
    code = _read_code(resolver, child_node(properties, LAYER_CODE_KEYS[kind]), unreadable)
    return TemplateResource(name, label, code, {**fitting, **values}, unreadable, layer=True)


def _sam_layers(resolver: Resolver, node: Node | None) -> Iterator[DeclaredLayer]:
    if node is None or not isinstance(resolver, IntrinsicResolver):
        return
    names = resolver.with_pseudo_parameters(_PLACEHOLDERS)
    try:
        members = names.members(node)
    except UnreadableError:
        members = [node] if parse_intrinsic(node) else []
    for member in members:
        reference = parse_intrinsic(member)
        name = scalar_text(reference[1]) or "" if reference and reference[0] == "Ref" else ""
        resource = child_node(child_node(resolver.root, "Resources"), name)
        kind = scalar_text(child_node(resource, "Type")) or ""
        if kind in LAYER_CODE_KEYS:
            code = _read_code(resolver, child_node(child_node(resource, "Properties"), LAYER_CODE_KEYS[kind]), {})
            yield DeclaredLayer(name, node_origin(member), code)
        else:
            yield from _named_layer(names, member)


def _named_layer(resolver: Resolver, member: Node) -> Iterator[DeclaredLayer]:
    try:
        resolved = resolver.resolve(member)
    except UnreadableError:
        yield DeclaredLayer(node_expression(member), node_origin(member))
        return
    if name := scalar_text(resolved):
        yield DeclaredLayer(name, node_origin(member))


def _serverless_resources(resolver: VariableResolver, label: str) -> Iterator[TemplateResource]:
    provider = _readable(resolver, resolver.root, "provider")
    layers = _readable(resolver, resolver.root, "layers")
    for name, written in _serverless_functions(resolver):
        own = _readable(resolver, written)
        section = _Section(resolver, own, provider)
        values, unreadable = _read_values(section, ("runtime", "architecture", "handler"))
        package = _readable(resolver, own, "package")
        artifact = _readable(resolver, package, "artifact")
        environment = [_readable(resolver, part, "environment") for part in (provider, own)]
        yield TemplateResource(
            name=name,
            template=label,
            code=scalar_text(artifact) or ".",
            values=values,
            unreadable=unreadable,
            layers=tuple(_serverless_layers(resolver, section.find_value("layers"), layers)),
            environment=_read_environment(resolver, environment),
        )
    for name, layer in mapping_items(layers):
        section = _Section(resolver, _readable(resolver, layer))
        values, unreadable = _read_values(
            section, ("compatibleRuntimes", "compatibleArchitectures", "handler"), is_layer=True
        )
        code = _read_code(resolver, section.find_value("path"), unreadable)
        yield TemplateResource(name, label, code, values, unreadable, layer=True)


def _serverless_functions(resolver: VariableResolver) -> Iterator[tuple[str, Node]]:
    """Yield functions by name: of one mapping, or of a list of them, each perhaps in a file of its own."""
    functions = resolver.child(resolver.root, "functions")
    for part in functions.value if isinstance(functions, SequenceNode) else [functions]:
        yield from mapping_items(resolver.resolve(part))


def _serverless_layers(resolver: VariableResolver, node: Node | None, own: Node | None) -> Iterator[DeclaredLayer]:
    members = _readable(resolver, node)
    by_name = {f"{name[:1].upper()}{name[1:]}LambdaLayer": name for name, _layer in mapping_items(own)}
    for member in members.value if isinstance(members, SequenceNode) else []:
        reference = parse_intrinsic(member)
        name = by_name.get(scalar_text(reference[1]) or "") if reference and reference[0] == "Ref" else None
        if name is None:
            yield from _named_layer(resolver, member)
        else:
            code = _read_code(resolver, child_node(child_node(own, name), "path"), {})
            yield DeclaredLayer(name, node_origin(member), code)


def _readable(resolver: Resolver, node: Node | None, key: str = "") -> Node | None:
    """Return a value, or that of a key of it; None where a variable on the way cannot be read."""
    try:
        return resolver.child(node, key) if key else resolver.resolve(node)
    except UnreadableError:
        return None


def _read_values(
    section: _Section, keys: tuple[str, str, str], *, is_layer: bool = False
) -> tuple[dict[str, DeclaredValue], dict[str, UnreadableValue]]:
    values, unreadable = dict[str, DeclaredValue](), dict[str, UnreadableValue]()
    for field, key in zip(FIELDS, keys, strict=True):
        written = section.find_value(key)
        if written is None:
            continue
        try:
            value = _only_text(section.resolver, written, field, is_layer=is_layer)
        except UnreadableError as error:
            unreadable[field] = UnreadableValue(field, node_origin(written), str(error), node_expression(written))
            continue
        if value:
            values[field] = value
    return values, unreadable


def _only_text(resolver: Resolver, written: Node, field: str, *, is_layer: bool) -> DeclaredValue | None:
    """Return the only member of a list (Architectures is one), or the text; None for several of a layer."""
    resolved = resolver.resolve(written)
    sources = list(resolver.sources)
    place = written
    if isinstance(resolved, SequenceNode):
        if is_layer and len(resolved.value) != 1:
            return None
        if len(resolved.value) != 1:
            raise UnreadableError(f"a function has one {field}")
        place = resolved.value[0] if resolved is written else written
        resolved = resolver.resolve(resolved.value[0])
        sources += [source for source in resolver.sources if source not in sources]
    text = scalar_text(resolved)
    if resolved is None:
        return None
    if text is None or (field == "architecture" and text not in TEMPLATE_ARCHITECTURES):
        raise UnreadableError(f"Lambda has no such {field}" if text else "the value is not a text")
    literal = resolved is written or (isinstance(written, SequenceNode) and resolved in written.value)
    return DeclaredValue(text, ", ".join([node_origin(place), *sources]), literal)


def _read_code(resolver: Resolver, node: Node | None, unreadable: dict[str, UnreadableValue]) -> str | None:
    """Return the directory of a function's code; None where it is in S3, or cannot be read."""
    try:
        return scalar_text(resolver.resolve(node))
    except UnreadableError as error:
        if node is not None:
            unreadable["code"] = UnreadableValue("code", node_origin(node), str(error), node_expression(node))
        return None


def _read_environment(resolver: Resolver, parts: list[Node | None]) -> dict[str, str | None]:
    """Return a function's variables, the later part's over the earlier's; None for one that cannot be read."""
    environment = dict[str, str | None]()
    for part in parts:
        for name, value in reversed(list(mapping_items(_readable(resolver, part)))):
            environment[name] = scalar_text(_readable(resolver, value))
    return environment
