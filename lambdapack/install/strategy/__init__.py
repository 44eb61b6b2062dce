"""The strategies to install for a CPU. A new one is a module here and a member of STRATEGIES."""

from dataclasses import replace
from typing import Protocol

from lambdapack.engine.interface import Engine
from lambdapack.errors.local import STRATEGY_REFUSED
from lambdapack.errors.record import LambdapackError
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import AUTOMATIC, InstallRequest
from lambdapack.install.strategy.cross_compiled import CrossCompiled
from lambdapack.install.strategy.cross_prebuilt import CrossPrebuilt
from lambdapack.install.strategy.embedded import Embedded
from lambdapack.install.strategy.emulated import Emulated
from lambdapack.install.strategy.native import Native
from lambdapack.managers.interface import InstallScripts


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


STRATEGIES: tuple[Strategy, ...] = (Native(), CrossPrebuilt(), CrossCompiled(), Emulated(), Embedded())
"""Best first."""


def candidate_recipes(request: InstallRequest, engine: Engine) -> tuple[Recipe, ...]:
    """Return the recipes of the strategies that can serve a request on an engine, best first; there is one at least.

    Where a strategy is asked for by its name, its own and no other; an engine of the target's CPU needs none of them.
    LP139 for one that cannot serve.
    """
    refusals = {strategy.name: strategy.refusal(request, engine) for strategy in STRATEGIES}
    own_cpu = engine.kind.has_images and engine.architecture is request.target.architecture
    if request.strategy != AUTOMATIC and not own_cpu and (reason := refusals[request.strategy]) is not None:
        detail = f"{request.strategy} cannot install for {request.target} on {engine.name}: {reason}"
        raise LambdapackError(STRATEGY_REFUSED, detail)
    chosen = STRATEGIES if request.strategy == AUTOMATIC or own_cpu else find_strategies(request.strategy)
    return tuple(strategy.recipe(request, engine) for strategy in chosen if refusals[strategy.name] is None)


def find_strategies(name: str) -> tuple[Strategy, ...]:
    """Return the strategy of a name."""
    return tuple(strategy for strategy in STRATEGIES if strategy.name == name)


def fetch_recipes(request: InstallRequest, recipes: tuple[Recipe, ...], engine: Engine) -> tuple[Recipe, ...]:
    """Return what packages are fetched by: nothing runs while they are, so the engine's own CPU serves for another one.

    Not where git fetches, which runs a package's scripts, nor where the strategy was asked for by name.
    """
    if engine.architecture is request.target.architecture or request.scripts.git or request.strategy != AUTOMATIC:
        return recipes
    without = candidate_recipes(replace(request, scripts=InstallScripts()), engine)
    return (*(recipe for recipe in without[:1] if not recipe.emulated), *recipes)
