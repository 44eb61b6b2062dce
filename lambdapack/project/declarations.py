"""What a template declares of a function or a layer. Nouns only, so that a project without a template pays nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """A value and where it comes from: "template.yaml:12", "template.yaml:12, default of parameter Arch"."""

    value: str
    origin: str
    literal: bool = True  # False: a deployment with other parameters has another value


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """A value that a template has and does not determine."""

    field: str  # "architecture", "runtime", "handler", "code"
    origin: str  # "template.yaml:12"
    reason: str  # "parameter Arch has no default"
    expression: str = ""  # as written: "!Ref Arch"

    def __str__(self) -> str:
        """Return a sentence with place, expression and reason."""
        return f"the template's {self.field} cannot be read: {self.detail}"

    @property
    def detail(self) -> str:
        """Place, expression and reason."""
        written = f": `{self.expression}`" if self.expression else ""
        return f"{self.origin}{written}: {self.reason}"


@dataclass(frozen=True, slots=True)
class DeclaredLayer:
    """A layer that a template attaches to a function."""

    name: str  # an ARN, with "${AWS::Region}" and its like as written; or a layer's name in the same template
    origin: str
    code: str | None = None  # directory of a layer of the same template, relative to the template


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """One Node.js function of a template, or a layer."""

    name: str
    template: str  # file name
    code: str | None  # CodeUri, of a layer ContentUri; None when the template does not determine it
    values: Mapping[str, DeclaredValue]  # by "runtime", "architecture", "handler"
    unreadable: Mapping[str, UnreadableValue] = field(default_factory=dict)
    layer: bool = False
    layers: tuple[DeclaredLayer, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)  # None: known when it is deployed


@dataclass(frozen=True, slots=True)
class TemplateDeclarations:
    """What templates say of this directory's function. None: nothing, not one answer, or not readable."""

    runtime: DeclaredValue | None = None
    architecture: DeclaredValue | None = None
    handler: DeclaredValue | None = None
    notes: tuple[str, ...] = ()  # why something was not taken
    unreadable: tuple[UnreadableValue, ...] = ()
    layers: tuple[DeclaredLayer, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
