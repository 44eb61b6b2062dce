"""What was read of one script. Facts only: which module system node takes it for is judged elsewhere."""

from dataclasses import dataclass

LARGEST = 2 * 1024 * 1024
"""Bytes of a script that are read: a dense megabyte takes 0.5 to 0.9 s, and bigger ones are bundles that export what
their bundler made sure of."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A place that only one of the two module systems has, with what node says of it in the other one."""

    line: int  # 1-based
    words: str  # node's own


@dataclass(frozen=True, slots=True)
class Required:
    """A file that a script loads whatever happens: not in a try, an if, a switch or a choice."""

    name: str  # as written: "./lib/db", "../addon.node"
    line: int  # 1-based
    at_once: bool  # when the script itself is loaded; else when a function of it is called
    exact: bool = False  # by `import`, which adds no ending


@dataclass(frozen=True, slots=True)
class Script:
    """One file of JavaScript."""

    path: str  # relative to the tree it is from
    module: Trace | None  # the first syntax that CommonJS does not have
    commonjs: (
        Trace | None
    )  # the first name of CommonJS that is used whenever the file runs, and that an ES module lacks
    exports: frozenset[str]
    complete: bool  # nothing but `exports` can be exported: no re-export, no assignment that could be anything
    required: tuple[Required, ...] = ()  # files of its own package
