"""What one script's functions load and call, and under which names they are exported: the nouns. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Choice = tuple[int, str]
"""One side of an `if`, of `? :` or of a `try` with its `catch`: offset of the whole, and which side."""

OTHER_SIDE = {"consequence": "alternative", "alternative": "consequence", "body": "handler", "handler": "body"}
"""Who fails on both sides fails: one of them runs, or the second one after the first has thrown."""


class Use(Enum):
    """What is done with a value."""

    CALL = "call"
    CONSTRUCT = "new"
    READ = "read"  # a getter runs


@dataclass(frozen=True, slots=True)
class FlowPlace:
    """A place that surely runs when its function is entered and the choices on the way fall so."""

    unit: int  # 0: the script itself
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A value by name: of another script by the specifier that loads it, of this one with specifier ""."""

    specifier: str
    name: str  # "" for all that the other script exports


@dataclass(frozen=True, slots=True)
class UnitLoad:
    """A specifier that is asked for at a place."""

    place: FlowPlace
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class UnitCall:
    """A use of a value at a place."""

    place: FlowPlace
    target: Reference
    use: Use
    awaited: bool  # a rejection of what it returns fails the place too


@dataclass(frozen=True, slots=True)
class FlowValue:
    """What runs when a value is used: functions of this script, or another value that it stands for."""

    called: tuple[int, ...] = ()
    constructed: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
    alias: Reference | None = None
    parent: Reference | None = None  # the class whose constructor runs too


@dataclass(frozen=True, slots=True)
class ScriptFlow:
    """The flow of one script. What is not understood is left out, so that whatever follows from it is sure."""

    loads: tuple[UnitLoad, ...] = ()
    calls: tuple[UnitCall, ...] = ()
    values: Mapping[str, FlowValue] = field(default_factory=dict)  # of this script, by name
    exports: Mapping[str, FlowValue] = field(default_factory=dict)
    stars: tuple[str, ...] = ()  # specifiers of which everything is exported
    asynchronous: frozenset[int] = frozenset()  # units that return a promise
