"""What a script asks node for: the nouns. Decides nothing."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, IntEnum
from typing import Any, Self


class Form(Enum):
    """The construct that holds a specifier."""

    REQUIRE = "require"  # require('x'), module.require('x'), and names that stand for require
    RESOLVE = "require.resolve"  # also import.meta.resolve: looked up, not loaded
    IMPORT = "import"  # import x from 'x', import 'x'
    EXPORT_FROM = "export-from"
    DYNAMIC_IMPORT = "import()"
    ADDON = "dlopen"  # process.dlopen(module, 'x')
    BINDINGS = "bindings"  # require('bindings')('name')
    PREBUILDS = "node-gyp-build"  # node-gyp-build and its kind, given a directory
    ASSET = "asset"  # a path beside __dirname or import.meta.url, for whatever reads it

    @property
    def is_esm(self) -> bool:
        """Whether node looks the specifier up as `import` does."""
        return self in {Form.IMPORT, Form.EXPORT_FROM, Form.DYNAMIC_IMPORT}


class ImportCertainty(IntEnum):
    """How surely an occurrence runs when its file is loaded: the greatest doubt on the way to it counts."""

    AT_IMPORT = 0  # top level, or what the top level calls at once
    IN_BRANCH = 1  # a condition, a loop or an early exit decides
    IN_FUNCTION = 2  # only when somebody calls that function
    IN_TRY = 3  # a failure is caught
    NEVER = 4  # a condition that cannot hold on the platform

    def then(self, inner: "ImportCertainty") -> "ImportCertainty":
        """Return the certainty of something inside a place of this certainty."""
        return max(self, inner)


@dataclass(frozen=True, slots=True)
class Platform:
    """What conditions are decided with; None and absent names are unknown."""

    system: str = "linux"  # process.platform
    arch: str | None = None  # process.arch
    node: str | None = None  # process.versions.node
    environment: tuple[tuple[str, str], ...] | None = None  # all of process.env; None: not known


LINUX = Platform()
"""Every Lambda function's system; nothing more is known."""


@dataclass(frozen=True, slots=True)
class Specifier:
    """One occurrence in a script."""

    form: Form
    text: str | None  # None: computed when it runs
    line: int  # 1-based
    certainty: ImportCertainty
    source: str = ""  # of a computed one: its expression as written, cut short


@dataclass(frozen=True, slots=True)
class ScriptSpecifiers:
    """All occurrences in one script, in the order of the text."""

    specifiers: tuple[Specifier, ...] = ()
    has_module_syntax: bool = False  # static import, export or import.meta: CommonJS cannot have it
    incomplete: str = ""  # why there may be more, or less: "" when all was read and understood

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data, for a cache."""
        rows = [
            {**asdict(specifier), "form": specifier.form.value, "certainty": int(specifier.certainty)}
            for specifier in self.specifiers
        ]
        return {"specifiers": rows, "module": self.has_module_syntax, "incomplete": self.incomplete}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Return what `document` wrote."""
        rows = (
            Specifier(**{**row, "form": Form(row["form"]), "certainty": ImportCertainty(row["certainty"])})
            for row in document["specifiers"]
        )
        return cls(tuple(rows), document["module"], document["incomplete"])


class Likelihood(IntEnum):
    """How likely a condition holds on Lambda: `and` is the least of several, `or` the greatest."""

    NEVER = 0
    HARDLY = 1
    PERHAPS = 2
    MOSTLY = 3
    ALWAYS = 4

    @property
    def opposite(self) -> "Likelihood":
        """How likely it does not hold."""
        return Likelihood(4 - self)


@dataclass(frozen=True, slots=True)
class ModuleRequest:
    """One load as it is written, by whatever argument, and what its failure does."""

    text: str  # the argument as written: `'./build/Release/a.node'`, `path.join(__dirname, x)`
    guarded: bool  # inside a try whose catch goes on without it
    likely: Likelihood = Likelihood.PERHAPS  # NEVER: other systems alone come by; HARDLY: Node.js has it by now

    @property
    def literal(self) -> str:
        """The string, when it is nothing but one."""
        match = re.fullmatch(r"\s*(['\"`])([^'\"`$]*)\1\s*", self.text)
        return match.group(2) if match else ""


@dataclass(frozen=True, slots=True)
class ScriptRequests:
    """What one script loads, for whoever asks what a missing native part does to it."""

    requests: tuple[ModuleRequest, ...] = ()
    has_native_error: bool = False  # it throws an error of its own about a native part: what it caught comes back
    names_native_file: bool = False  # in a string
    is_complete: bool = True  # False: it was not parsed in time


@dataclass(slots=True)
class Unit:
    """A function that runs when it is called by name or by its key in a registry, not where it stands."""

    start: int  # byte offset of the function
    names: tuple[str, ...] = ()  # ways to call it: "name@SCOPE", "key#REGISTRY"
    certainty: ImportCertainty = ImportCertainty.IN_FUNCTION  # of its being entered
    is_async: bool = False
    calls: list[tuple[str, ImportCertainty]] = field(default_factory=list)  # what it calls, how surely
