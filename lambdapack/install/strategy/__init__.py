"""The strategies to install for a CPU. A new one is a module here and a member of STRATEGIES."""

from typing import Protocol

from lambdapack.engine.interface import Engine
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.install.strategy.cross_prebuilt import CrossPrebuilt
from lambdapack.install.strategy.emulated import Emulated
from lambdapack.install.strategy.native import Native


class Strategy(Protocol):
    """A way to install. Pure: it never starts anything."""

    @property
    def name(self) -> str:
        """What reports and manifests call it."""
        ...

    @property
    def version(self) -> int:
        """Grows whenever its result can differ, so that old results are not reused."""
        ...

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:
        """Return why it cannot serve, None when it can."""
        ...

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return what it asks of a sandbox, where it has not refused."""
        ...


STRATEGIES: tuple[Strategy, ...] = (Native(), CrossPrebuilt(), Emulated())
"""Best first."""


def candidate_recipes(request: InstallRequest, engine: Engine) -> tuple[Recipe, ...]:
    """Return the recipes of the strategies that can serve a request on an engine, best first; there is one at least."""
    return tuple(
        strategy.recipe(request, engine) for strategy in STRATEGIES if strategy.refusal(request, engine) is None
    )
