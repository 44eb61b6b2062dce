"""Names of a script that stand for what other scripts export, and what the script exports. Looks at its top level."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdapack.script.evaluate import arguments_of
from lambdapack.script.flow.facts import Reference
from lambdapack.script.syntax import Node, Syntax

MAX_STATEMENTS = 20_000
"""Statements at the top level of one script that are looked at."""

WHOLE_PRESERVING = frozenset(
    ("__importDefault", "__importStar", "_interopRequireDefault", "_interopRequireWildcard", "_interopDefault",
     "__toESM", "_interopNamespace", "_interopNamespaceDefault", "_interopDefaultLegacy", "_interop_require_default",
     "_interop_require_wildcard")
)  # fmt: skip
"""Helpers of compilers that give what they get, or an object that has it as its default."""

_VALUE_OBJECTS = frozenset(("module.exports", "exports"))


@dataclass(slots=True)
class TopLevel:
    """What the statements at the top level say."""

    bindings: dict[str, Reference] = field(default_factory=dict)
    reads: list[tuple[int, Reference]] = field(default_factory=list)  # offsets at which a part of an export is taken
    exported: dict[str, list[Node]] = field(default_factory=dict)  # by exported name; "" for module.exports
    getters: dict[str, list[Node]] = field(default_factory=dict)
    aliases: dict[str, list[Reference]] = field(default_factory=dict)  # exported names of other names
    stars: list[str] = field(default_factory=list)
    classes: dict[str, list[Node]] = field(default_factory=dict)  # by name


class TopLevelReader:
    """Reads the statements at the top level of one script."""

    def __init__(self, syntax: Syntax) -> None:
        """Keep the script."""
        self._syntax = syntax
        self.found = TopLevel()

    def read(self) -> TopLevel:
        """Return what they say."""
        tree = self._syntax.tree
        statements = tree.root_node.named_children[:MAX_STATEMENTS] if tree else []
        for statement in statements:
            self._statement(statement)
        return self.found

    def _text(self, node: Node | None) -> str:
        return self._syntax.text(node, 300)

    def _statement(self, statement: Node) -> None:
        kind = statement.type
        if kind in {"variable_declaration", "lexical_declaration"}:
            for declarator in statement.named_children:
                self._declarator(declarator)
        elif kind == "class_declaration":
            self.found.classes.setdefault(self._text(statement.child_by_field_name("name")), []).append(statement)
        elif kind == "import_statement":
            self._import(statement)
        elif kind == "export_statement":
            self._export(statement)
        elif kind == "expression_statement" and statement.named_child_count:
            self._expression(statement.named_children[0])

    def _declarator(self, declarator: Node) -> None:
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if name is None or value is None:
            return
        if value.type == "class" and name.type == "identifier":
            self.found.classes.setdefault(self._text(name), []).append(value)
        whole = self.reference_of(value)
        if value.type == "assignment_expression":
            self._expression(value)
        if whole is None:
            return
        if name.type == "identifier":
            self._bind(self._text(name), whole)
            if whole.name:
                self.found.reads.append((value.start_byte, whole))
        elif name.type == "object_pattern" and not whole.name:
            for key, local in self._pattern(name):
                part = Reference(whole.specifier, key)
                self._bind(local, part)
                self.found.reads.append((value.start_byte, part))

    def _bind(self, name: str, reference: Reference) -> None:
        if self.found.bindings.get(name, reference) != reference:
            reference = Reference("", "")  # two meanings: none
        self.found.bindings[name] = reference

    def _pattern(self, pattern: Node) -> Iterator[tuple[str, str]]:
        for child in pattern.named_children:
            if child.type == "shorthand_property_identifier_pattern":
                yield self._text(child), self._text(child)
            elif child.type == "pair_pattern":
                value = child.child_by_field_name("value")
                if value is not None and value.type == "identifier":
                    yield self._text(child.child_by_field_name("key")).strip("'\""), self._text(value)

    def reference_of(self, node: Node, depth: int = 0) -> Reference | None:
        """Return what an expression takes from another script: require("x"), require("x").y, an imported name."""
        if depth > 5:
            return None
        if node.type == "identifier":
            return self.found.bindings.get(self._text(node))
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            return self.reference_of(node.named_children[0], depth + 1)
        if node.type == "assignment_expression":
            right = node.child_by_field_name("right")
            return self.reference_of(right, depth + 1) if right is not None else None
        if node.type == "await_expression" and node.named_child_count == 1:
            return self._imported(node.named_children[0])
        if node.type == "member_expression":
            return self._member(node, depth)
        return self._required(node, depth) if node.type == "call_expression" else None

    def _member(self, node: Node, depth: int) -> Reference | None:
        holder = node.child_by_field_name("object")
        whole = self.reference_of(holder, depth + 1) if holder is not None else None
        name = self._text(node.child_by_field_name("property"))
        if whole is None or not whole.specifier:
            return None
        if not whole.name:
            return Reference(whole.specifier, name)
        return Reference(whole.specifier, name) if whole.name == "default" else None

    def _required(self, node: Node, depth: int) -> Reference | None:
        called = self._text(node.child_by_field_name("function"))
        arguments = arguments_of(node)
        if called == "require" and arguments and arguments[0].type == "string":
            return Reference(self._text(arguments[0])[1:-1], "")
        if called.rpartition(".")[2] in WHOLE_PRESERVING and arguments:
            return self.reference_of(arguments[0], depth + 1)
        return None

    def _imported(self, node: Node) -> Reference | None:
        called = node.child_by_field_name("function")
        arguments = arguments_of(node) if node.type == "call_expression" else []
        if called is None or called.type != "import" or not arguments or arguments[0].type != "string":
            return None
        return Reference(self._text(arguments[0])[1:-1], "")

    def _import(self, statement: Node) -> None:
        source = self._text(statement.child_by_field_name("source"))[1:-1]
        clause = next((child for child in statement.named_children if child.type == "import_clause"), None)
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                self._import_name(statement, self._text(child), Reference(source, "default"))
            elif child.type == "namespace_import" and child.named_child_count:
                self._bind(self._text(child.named_children[0]), Reference(source, ""))
            elif child.type == "named_imports":
                for specifier in child.named_children:
                    name = self._text(specifier.child_by_field_name("name"))
                    alias = self._text(specifier.child_by_field_name("alias")) or name
                    self._import_name(statement, alias, Reference(source, name))

    def _import_name(self, statement: Node, local: str, reference: Reference) -> None:
        self._bind(local, reference)
        self.found.reads.append((statement.start_byte, reference))

    def _export(self, statement: Node) -> None:
        source = statement.child_by_field_name("source")
        declaration, value = statement.child_by_field_name("declaration"), statement.child_by_field_name("value")
        text = self._text(source)[1:-1]
        is_default = any(child.type == "default" for child in statement.children)
        clause = next((child for child in statement.named_children if child.type == "export_clause"), None)
        if is_default and (declaration or value) is not None:
            self._exports("default", declaration or value)
        elif declaration is not None:
            self._declared(declaration)
        elif clause is not None:
            for specifier in clause.named_children:
                name = self._text(specifier.child_by_field_name("name"))
                self._alias(self._text(specifier.child_by_field_name("alias")) or name, Reference(text, name))
        elif source is not None and any(child.type == "*" for child in statement.children):
            self.found.stars.append(text)

    def _declared(self, declaration: Node) -> None:
        self._statement(declaration)
        name = declaration.child_by_field_name("name")
        if name is not None:
            self._exports(self._text(name), declaration)
        for declarator in declaration.named_children:
            value = declarator.child_by_field_name("value") if declarator.type == "variable_declarator" else None
            if value is not None:
                self._exports(self._text(declarator.child_by_field_name("name")), value)

    def _exports(self, name: str, value: Node | None) -> None:
        if value is not None and not (value.type == "unary_expression" and self._text(value).startswith("void")):
            self.found.exported.setdefault(name, []).append(value)

    def _alias(self, name: str, reference: Reference) -> None:
        self.found.aliases.setdefault(name, []).append(reference)

    def _expression(self, expression: Node) -> None:
        if expression.type == "sequence_expression":
            for child in expression.named_children[:200]:
                self._expression(child)
        elif expression.type == "assignment_expression":
            self._assignment(expression)
        elif expression.type == "call_expression":
            self._call(expression)

    def _assignment(self, assignment: Node) -> None:
        targets: list[str] = []
        node: Node | None = assignment
        while node is not None and node.type == "assignment_expression":
            targets.append(self._text(node.child_by_field_name("left")))
            node = node.child_by_field_name("right")
        if node is None:
            return
        for target in targets:
            holder, _, name = target.rpartition(".")
            if target == "module.exports":
                self._whole(node)
            elif holder in _VALUE_OBJECTS:
                self._exports(name, node)

    def _whole(self, value: Node) -> None:
        """module.exports = …: an object gives its members names, esbuild's __toCommonJS those of its object."""
        self._exports("", value)
        if value.type == "object":
            self._members(value)

    def _members(self, value: Node) -> None:
        for member in value.named_children[:2000]:
            if member.type == "shorthand_property_identifier":
                self._alias(self._text(member), Reference("", self._text(member)))
            elif member.type == "pair":
                key = self._text(member.child_by_field_name("key")).strip("'\"")
                self._exports(key, member.child_by_field_name("value"))
            elif member.type == "method_definition":
                name = self._text(member.child_by_field_name("name"))
                is_getter = any(child.type == "get" for child in member.children)
                (self.found.getters if is_getter else self.found.exported).setdefault(name, []).append(member)
            elif member.type == "spread_element":
                self._spread(member)

    def _spread(self, element: Node) -> None:
        whole = self.reference_of(element.named_children[0]) if element.named_child_count else None
        if whole is not None and whole.specifier and not whole.name:
            self.found.stars.append(whole.specifier)

    def _call(self, call: Node) -> None:
        called = self._text(call.child_by_field_name("function")).rpartition(".")[2]
        arguments = arguments_of(call)
        if called == "__exportStar" and arguments:
            whole = self.reference_of(arguments[0])
            if whole is not None and whole.specifier and not whole.name:
                self.found.stars.append(whole.specifier)
        elif called == "__export" and len(arguments) == 2 and arguments[1].type == "object":
            self._esbuild_exports(arguments[1])
        elif called == "defineProperty" and len(arguments) == 3 and self._text(arguments[0]) in _VALUE_OBJECTS:
            self._defined_property(self._text(arguments[1]).strip("'\""), arguments[2])

    def _esbuild_exports(self, members: Node) -> None:
        """__export(src_exports, { name: () => local })."""
        for pair in members.named_children[:5000]:
            getter = pair.child_by_field_name("value") if pair.type == "pair" else None
            body = getter.child_by_field_name("body") if getter is not None else None
            if body is not None and body.type == "identifier":
                key = self._text(pair.child_by_field_name("key")).strip("'\"")
                self._alias(key, Reference("", self._text(body)))

    def _defined_property(self, name: str, descriptor: Node) -> None:
        for member in descriptor.named_children:
            key = self._text(member.child_by_field_name("key") or member.child_by_field_name("name")).strip("'\"")
            value = member.child_by_field_name("value") if member.type == "pair" else member
            if value is None:
                continue
            if key == "value":
                self._exports(name, value)
            elif key == "get":
                self.found.getters.setdefault(name, []).append(value)
                returned = self._returned(value)
                reference = self.reference_of(returned) if returned is not None else None
                if returned is not None and returned.type == "identifier" and reference is None:
                    reference = Reference("", self._text(returned))
                if reference is not None:
                    self._alias(name, reference)

    def _returned(self, function: Node) -> Node | None:
        """Return what a function of one statement returns."""
        body = function.child_by_field_name("body")
        if body is None or body.type != "statement_block":
            return body
        only = body.named_children[0] if body.named_child_count == 1 else None
        is_return = only is not None and only.type == "return_statement" and only.named_child_count == 1
        return only.named_children[0] if only is not None and is_return else None
