"""Finds the first recipe whose image is there, before anything is installed, and says why another one is tried."""

from typing import Protocol

from lambdapack.engine import emulation
from lambdapack.engine.interface import Engine, SandboxSpec
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.install.strategy import candidate_recipes
from lambdapack.managers.interface import ImageFacts


class FactsCache(Protocol):
    """Remembers what images bring."""

    def get(self, digest: str) -> ImageFacts | None:
        """Return the facts of an image, None when they are not known."""
        ...

    def put(self, facts: ImageFacts) -> None:
        """Remember facts; losing them costs a second look."""
        ...


def find_available_image(
    request: InstallRequest, engine: Engine, cache: FactsCache, observer: Observer = SILENT
) -> tuple[tuple[Recipe, ...], ImageFacts]:
    """Return the recipes from the first whose image is there, and what that image brings, before anything is installed.

    An image whose facts are not remembered is looked at once, in a sandbox without network, inputs or secrets.
    """
    recipes = request.recipes or candidate_recipes(request, engine)
    for index, recipe in enumerate(recipes):
        try:
            image = engine.image(recipe.image.reference, recipe.image.architecture, observer)
            facts = cache.get(image.digest) or _look_at_image(request, recipe, engine, observer)
        except LambdapackError as error:
            give_up(error, recipe, recipes[index + 1 :], observer)
        else:
            cache.put(facts)
            return recipes[index:], facts
    raise AssertionError("the last recipe either serves or raises")


def _look_at_image(request: InstallRequest, recipe: Recipe, engine: Engine, observer: Observer) -> ImageFacts:
    if recipe.emulated:
        emulation.check_emulator(engine, recipe.image.reference, recipe.image.architecture, observer)
    spec = SandboxSpec(recipe.image.reference, recipe.image.architecture, "look", request.limits, network=False)
    with engine.open(spec, observer) as sandbox:
        return request.manager.look(sandbox)


def give_up(error: LambdapackError, recipe: Recipe, others: tuple[Recipe, ...], observer: Observer) -> None:
    """Say which recipe is tried next; raise the error where there is none, or where trying would not help."""
    if not others or error.failure not in recipe.give_up_on:
        raise error
    observer.note(f"{error.detail}; trying {others[0].strategy} instead")
