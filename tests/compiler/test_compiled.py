"""The ELF files that the pure tests start from, compiled anew: the compiler of this machine still makes them so."""

import pytest

from lambdapack.binary.elf import read
from tests.compiled import SHELF, Recipe, recipes

RECIPES = recipes()


def facts(data: bytes) -> tuple[object, object]:
    view = memoryview(data)
    return read.read_elf(view), sorted(map(repr, read.read_exports(view)))


@pytest.mark.parametrize(
    ("key", "recipe"), RECIPES.items(), ids=[f"{recipe.name}-{key}" for key, recipe in RECIPES.items()]
)
def test_the_compiler_makes_what_is_shipped(key: str, recipe: Recipe) -> None:
    assert recipe.key == key
    assert facts(recipe.compile()) == facts(SHELF.made[key])


def test_every_shipped_file_has_its_recipe() -> None:
    assert RECIPES.keys() == SHELF.made.keys()
