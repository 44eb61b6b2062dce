"""The classes that every stage shares. Frozen data without input or output."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from lambdapack.messages import Message, Remedy

TASK_ROOT = "/var/task"
"""LAMBDA_TASK_ROOT: where a function's code is (AWS developer guide, "Defined runtime environment variables")."""

LAYER_ROOT = "/opt"
"""Where Lambda unpacks layers (AWS developer guide, "Packaging layers")."""

NODE_MODULES = "node_modules"
"""The directory in which Node.js looks for packages (Node.js documentation, "Modules: CommonJS modules")."""

DEFAULT_HANDLER = "index.handler"
"""FILE.EXPORT of a function whose settings and template name none."""

MIB = 1024 * 1024
"""Bytes."""


def package_of_specifier(specifier: str) -> str:
    """Return the package's part of a bare specifier: "@scope/name" of "@scope/name/sub"."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


def is_in_node_modules(path: str) -> bool:
    """Tell whether a path leads into a node_modules: an installed package's, not the project's own file."""
    return NODE_MODULES in path.split("/")


class Architecture(Enum):
    """A Lambda instruction set, under each of the names the field gives it."""

    X86_64 = ("x86_64", 62, "linux/amd64", "x64")
    ARM64 = ("arm64", 183, "linux/arm64", "arm64")

    def __init__(self, aws: str, elf_machine: int, oci_platform: str, node: str) -> None:
        """Hold AWS's name, ELF's e_machine (EM_X86_64, EM_AARCH64), OCI's platform and Node's process.arch."""
        self.aws = aws
        self.elf_machine = elf_machine
        self.oci_platform = oci_platform
        self.node = node

    def __str__(self) -> str:
        return self.aws

    @classmethod
    def of_machine(cls, elf_machine: int) -> Self | None:
        """Return the architecture of an ELF e_machine value, None when Lambda has no such CPU."""
        return next((cl for cl in cls if cl.elf_machine == elf_machine), None)


@dataclass(frozen=True, slots=True)
class Target:
    """Where the code will run: one Lambda runtime on one architecture."""

    runtime: str  # AWS identifier, for example "nodejs22.x"; known to runtimes/
    architecture: Architecture

    def __str__(self) -> str:
        return f"{self.runtime}/{self.architecture.aws}"


class Severity(Enum):
    """How bad a finding is. The order is the order of the members: note < warning < error."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """One record per code: all that is ever said about a kind of finding derives from it."""

    code: str  # "LP" + stage digit + two digits; never reused
    name: str  # kebab-case, the defect, no advice: "wrong-cpu"
    title: str  # one clause, lower case, no full stop
    why: str  # the consequence; between backticks stands what a program prints, and `explain` knows it
    fix: str  # one imperative sentence with the command
    severity: Severity
    messages: tuple[Message, ...] = field(default=(), compare=False, repr=False)  # what programs print about it
    cause: str = field(default="", compare=False)  # the name of what it is about in a diagnosis; "" for `name`
    remedy: Remedy | None = field(default=None, compare=False, repr=False)  # None: `explain` has no answer about it


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement on the user's package."""

    rule: Rule
    path: str  # relative to the subject, a layer's as /opt/...; "" when about the whole
    message: str  # what is the matter here, one sentence without the rule's general part
    package: str = ""  # npm name of the owner, "" when unknown
    line: int | None = None  # 1-based line in `path` when that is a text file a person edits
    fix: str = ""  # sharper than the rule's own; "" for the rule's
    severity: Severity | None = None  # overrides the rule's
    evidence: tuple[tuple[str, Any], ...] = field(default=())  # JSON-able facts that triggered it
    ignored: str | None = None  # the user's reason

    @property
    def weight(self) -> Severity:
        """The severity that counts: the override when there is one."""
        return self.severity or self.rule.severity

    @property
    def cure(self) -> str:
        """The sentence with the command that ends it."""
        return self.fix or self.rule.fix
