"""Evaluates the variables of a serverless.yml as far as files of the repository determine them. Runs no program.

Syntax and sources: Serverless Framework 3 and 4 (docs, "Variables", read 2026-11). No Python package evaluates them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lambdapack.project.template_intrinsics import IntrinsicResolver, parse_intrinsic
from lambdapack.project.template_nodes import (
    MAX_VALUE_CHARACTERS,
    ResolutionBound,
    UnreadableError,
    child_node,
    compose_file,
    scalar_text,
    text_node,
)

DEFAULT_STAGE = "dev"
DEFAULT_REGION = "us-east-1"

SOURCE_PATTERN = re.compile(r"([A-Za-z]\w*)(?:\((.*?)\))?(?::(.*))?", re.DOTALL)
"""`self:custom.arch`, `file(./base.yml):arch`, `ssm(eu-west-1):/path`, `strToBool(...)`."""

DATA_SUFFIXES = frozenset({".yml", ".yaml", ".json"})

_ENV_LINE_PATTERN = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)

_LITERAL_PATTERN = re.compile(r"-?\d+(\.\d+)?|true|false")


def split_variables(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a text: (True, content) for `${content}`, (False, text) for what is between them.

    CloudFormation's own `${AWS::Region}` is text.
    """
    position = 0
    while (start := text.find("${", position)) >= 0:
        end = _closing_brace(text, start + 2)
        if end < 0:
            break
        if start > position:
            yield False, text[position:start]
        content = text[start + 2 : end]
        yield (False, text[start : end + 1]) if content.strip().startswith("AWS::") else (True, content)
        position = end + 1
    if position < len(text):
        yield False, text[position:]


def _closing_brace(text: str, position: int) -> int:
    depth = 1
    for index in range(position, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return -1


def split_alternatives(content: str) -> list[str]:
    """Return the alternatives of a variable, which commas outside quotes, brackets and braces part."""
    parts, depth, quote, start = list[str](), 0, "", 0
    for index, character in enumerate(content):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "({[":
            depth += 1
        elif character in ")}]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(content[start:index].strip())
            start = index + 1
    return [*parts, content[start:].strip()]


class VariableResolver(ResolutionBound):
    """Evaluates the values of one serverless.yml."""

    def __init__(self, root: Node | None, directory: Path, environ: Mapping[str, str]) -> None:
        """Take the file's root, the service's directory, and the variables of the environment."""
        super().__init__()
        self.root = root
        self._directory = directory
        self._environ = environ
        self._files: dict[Path, Node | None] = {}
        self._intrinsics = IntrinsicResolver(None, {}, {})

    def resolve(self, node: Node | None) -> Node | None:
        """Return the node that a value comes out as, None for none. UnreadableError."""
        if node is None:
            return None
        with self.step():
            if parse_intrinsic(node):
                return self._intrinsics.resolve(node)
            if not isinstance(node, ScalarNode):
                return node
            if "${" not in node.value:
                return None if scalar_text(node) is None else node
            if len(node.value) > MAX_VALUE_CHARACTERS:
                raise UnreadableError("the text is too long")
            parts = list(split_variables(node.value))
            if len(parts) == 1 and parts[0][0]:
                value = self._variable(parts[0][1], node)
                if value is None:
                    raise UnreadableError(f"${{{parts[0][1]}}} has no value without options and a stage")
                return value
            return text_node(self._expand(node.value, node), node)

    def child(self, node: Node | None, key: str) -> Node | None:
        """Return the value of a key of a mapping, which may be a variable itself. UnreadableError."""
        return self.resolve(child_node(self.resolve(node), key))

    def _expand(self, text: str, like: Node) -> str:
        """Return a text with each variable in it filled in."""
        filled = []
        for is_variable, part in split_variables(text):
            value = scalar_text(self._variable(part, like)) if is_variable else part
            if value is None:
                raise UnreadableError(f"${{{part}}} has no value without options and a stage")
            filled.append(value)
        return "".join(filled)

    def _variable(self, content: str, like: Node) -> Node | None:
        """Return the first alternative that has a value, None where none has."""
        with self.step():
            for alternative in split_alternatives(content):
                value = self._alternative(alternative, like)
                if value is not None:
                    return value
            return None

    def _alternative(self, text: str, like: Node) -> Node | None:
        parts = list(split_variables(text))
        if len(parts) == 1 and parts[0][0]:
            return self._variable(parts[0][1], like)
        if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            return text_node(self._expand(text[1:-1], like), like)
        expanded = self._expand(text, like)
        if _LITERAL_PATTERN.fullmatch(expanded):
            return text_node(expanded, like)
        match = SOURCE_PATTERN.fullmatch(expanded)
        if match is None or expanded == "null":
            return None
        name, argument, address = match.groups()
        source = _SOURCES.get(name)
        if source is None:
            raise UnreadableError(f"{name} is known only when the service is deployed")
        return source(self, argument or "", address or "", like)

    def _lookup(self, node: Node | None, address: str) -> Node | None:
        """Return the value at an address such as `custom.arch.prod` or `list.0`."""
        current = self.resolve(node)
        for key in filter(None, address.split(".")):
            if isinstance(current, SequenceNode) and key.isdecimal():
                current = self.resolve(current.value[int(key)]) if int(key) < len(current.value) else None
            elif isinstance(current, MappingNode):
                current = self.resolve(child_node(current, key))
            else:
                return None
        return current

    def _from_self(self, _argument: str, address: str, like: Node) -> Node | None:
        value = self._lookup(self.root, address)
        self.add_source(f"self:{address}")
        if value is None and address in {"provider.stage", "provider.region"}:
            return text_node(DEFAULT_STAGE if address.endswith("stage") else DEFAULT_REGION, like)
        return value

    def _from_options(self, _argument: str, _address: str, _like: Node) -> Node | None:
        return None  # what `serverless deploy --stage` will be given is not known

    def _from_environment(self, _argument: str, address: str, like: Node) -> Node | None:
        value = self._environ.get(address)
        if value is None:
            value = self._from_env_files(address)
        if value is not None:
            self.add_source(f"variable {address}")
        return None if value is None else text_node(value, like)

    def _from_env_files(self, name: str) -> str | None:
        """Return a variable of `.env.STAGE` or `.env`, which the framework loads (3: with useDotenv, 4: always)."""
        for path in (self._directory / f".env.{self._stage()}", self._directory / ".env"):
            text = path.read_text("utf-8-sig", "replace") if path.is_file() else ""
            for match in _ENV_LINE_PATTERN.finditer(text):
                if match[1] == name:
                    return match[2].strip("'\"")
        return None

    def _from_parameters(self, _argument: str, address: str, _like: Node) -> Node | None:
        stage = self._stage()
        for path in (f"params.{stage}", f"stages.{stage}.params", "params.default", "stages.default.params"):
            value = self._lookup(self.root, f"{path}.{address}")
            if value is not None:
                self.add_source(f"{path}.{address}")
                return value
        return None

    def _from_framework(self, _argument: str, address: str, like: Node) -> Node | None:
        if address == "stage":
            return text_node(self._stage(), like)
        raise UnreadableError(f"sls:{address} is known only when the service is deployed")

    def _from_file(self, argument: str, address: str, _like: Node) -> Node | None:
        name = argument.strip().strip("'\"")
        path = (self._directory / name).resolve()
        if not path.is_relative_to(_boundary(self._directory)):
            raise UnreadableError(f"{name} is outside the repository")
        if not path.is_file():
            return None
        if path.suffix not in DATA_SUFFIXES:
            raise UnreadableError(f"{name} is a program")
        self.add_source(name)
        return self._lookup(self._read_file(path, name), address)

    def _read_file(self, path: Path, name: str) -> Node | None:
        if path not in self._files:
            try:
                self._files[path] = compose_file(path, name.removeprefix("./"))
            except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
                raise UnreadableError(f"{name} cannot be read") from error
        return self._files[path]

    def _stage(self) -> str:
        return scalar_text(self._lookup(self.root, "provider.stage")) or DEFAULT_STAGE


def _boundary(directory: Path) -> Path:
    """Return the repository around a service, the service's directory where there is none."""
    home = directory.resolve()
    return next((parent for parent in (home, *home.parents) if (parent / ".git").exists()), home)


_SOURCES: Mapping[str, Callable[[VariableResolver, str, str, Node], Node | None]] = {
    "self": VariableResolver._from_self,  # noqa: SLF001  # the table of this class's own methods
    "opt": VariableResolver._from_options,  # noqa: SLF001
    "env": VariableResolver._from_environment,  # noqa: SLF001
    "param": VariableResolver._from_parameters,  # noqa: SLF001
    "sls": VariableResolver._from_framework,  # noqa: SLF001
    "file": VariableResolver._from_file,  # noqa: SLF001
}
