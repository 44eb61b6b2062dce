"""Explains error messages. The room is callable, since the API's function has its name: `lambdapack.explain(text)`."""

import sys
from types import ModuleType


class _ExplainRoom(ModuleType):
    def __call__(self, text: str, **options: object) -> object:
        from importlib import import_module  # noqa: PLC0415  # the API stands above this room

        return import_module("lambdapack.api").explain(text, **options)


sys.modules[__name__].__class__ = _ExplainRoom
