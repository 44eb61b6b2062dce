"""What an install tells of its tree, as JSON values. Its bytes are in store/packed_tree.py."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lambdapack.engine.interface import EngineKind, Image
from lambdapack.install.compile_lines import CompilerFlag
from lambdapack.install.recipe import ImageRequest, Recipe
from lambdapack.install.request import InstallResult
from lambdapack.managers.interface import ImageFacts
from lambdapack.model import Architecture
from lambdapack.store.packed_tree import StoredTree

ARCHITECTURES = {architecture.aws: architecture for architecture in Architecture}

UNSTORED_FIELDS = ("tree", "job", "spool")
"""Fields of an InstallResult that are made anew when it is read: they are about this run, not about the tree."""


@dataclass(frozen=True, slots=True)
class InstallRecord:
    """One install as the store has it, apart from its tree."""

    key: str  # digest of the dependency key
    parts: Mapping[str, str]  # of that key
    maker: str  # the recipe that was followed in the end, by `recipe_name`
    passed: tuple[str, ...]  # recipes that were tried before it and gave up
    facts: Mapping[str, Any]  # of the InstallResult

    def to_document(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "parts": dict(self.parts), "facts": dict(self.facts), "passed": list(self.passed)}


def record_from_document(document: Mapping[str, Any]) -> InstallRecord:
    """Return the record of JSON values; KeyError or TypeError when it is none."""
    return InstallRecord(
        str(document["key"]),
        dict(document["parts"]),
        str(document["maker"]),
        tuple(map(str, document["passed"])),
        dict(document["facts"]),
    )


def recipe_name(recipe: Recipe) -> str:
    """Return what decides the result of a recipe besides the dependency key, in one line."""
    return " ".join(f"{name}={recipe.key_parts[name]}" for name in sorted(recipe.key_parts)) or recipe.strategy


def facts_of_result(result: InstallResult) -> dict[str, Any]:
    """Return the facts of a result as JSON values."""
    recipe, image = result.recipe, result.image
    return {
        "owned": list(result.owned),
        "engine": None if result.engine is None else result.engine.value,
        "compiler": result.compiler,
        "image": None if image is None else {**asdict(image), "architecture": image.architecture.aws},
        "recipe": None if recipe is None else _recipe_to_document(recipe),
        "facts": None if result.facts is None else asdict(result.facts),
        "scripts_run": list(result.scripts_run),
        "compiler_flags": [asdict(flag) for flag in result.compiler_flags],
        "authors": dict(result.authors),
        "absent": list(result.absent),
        "log": list(result.log),
    }


def result_of_facts(facts: Mapping[str, Any], tree: StoredTree) -> InstallResult:
    """Return the result that facts and a stored tree are; KeyError, ValueError or TypeError when they are none."""
    image, recipe, brought = facts["image"], facts["recipe"], facts["facts"]
    return InstallResult(
        tree=tree,
        owned=tuple(facts["owned"]),
        engine=None if facts["engine"] is None else EngineKind(facts["engine"]),
        compiler=str(facts["compiler"]),
        image=None if image is None else Image(**{**image, "architecture": ARCHITECTURES[image["architecture"]]}),
        recipe=None if recipe is None else _recipe_from_document(recipe),
        facts=None if brought is None else ImageFacts(**brought),
        scripts_run=tuple(facts["scripts_run"]),
        compiler_flags=tuple(CompilerFlag(**flag) for flag in facts["compiler_flags"]),
        authors=dict(facts["authors"]),
        absent=tuple(facts["absent"]),
        log=tuple(facts["log"]),
    )


def _recipe_to_document(recipe: Recipe) -> dict[str, Any]:
    """Return what a manifest and a report say of a recipe; nobody follows it again."""
    return {
        "strategy": recipe.strategy,
        "why": recipe.why,
        "reference": recipe.image.reference,
        "architecture": recipe.image.architecture.aws,
        "emulated": recipe.emulated,
        "key_parts": dict(recipe.key_parts),
    }


def _recipe_from_document(document: Mapping[str, Any]) -> Recipe:
    return Recipe(
        strategy=document["strategy"],
        why=document["why"],
        image=ImageRequest(document["reference"], ARCHITECTURES[document["architecture"]]),
        emulated=bool(document["emulated"]),
        key_parts=dict(document["key_parts"]),
    )
