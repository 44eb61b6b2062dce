"""Obtains the dependencies of a job: from the store when it has them, else by one install that it then keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.engine.interface import Engine
from lambdapack.errors.build import FROZEN
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import InstallRequest, InstallResult
from lambdapack.install.shipped import describe_absent
from lambdapack.managers.interface import ImageFacts
from lambdapack.pack.zip import DEFAULT_COMPRESSION, Compression
from lambdapack.pipeline.package.plan import BuildPlan, InstalledPlace, InstallInputs, key_contents
from lambdapack.store.install_facts import (
    InstallRecord,
    facts_of_result,
    recipe_name,
    record_from_document,
    result_of_facts,
)
from lambdapack.store.records import Store
from lambdapack.store.trees import DependencyTrees, StoredInstall, tree_name
from lambdapack.tree.compose import TransformedTree

if TYPE_CHECKING:
    from lambdapack.pipeline.measure import Connect


@dataclass(frozen=True, slots=True)
class ReusePolicy:
    """What a build takes from earlier ones, and what it keeps for later ones."""

    open_trees: Callable[[], DependencyTrees | None] | None = None  # None: nothing is kept
    frozen: bool = False  # LP130 rather than start a container
    refresh: bool = False  # take nothing, keep the result
    why: bool = False  # say what makes the dependency key another one than last time
    compression: str = DEFAULT_COMPRESSION  # a word of DEFLATE_LEVELS


@dataclass(frozen=True, slots=True)
class ObtainedInstall:
    """An install's result and where it comes from."""

    result: InstallResult
    stored: StoredInstall | None = None  # None: it could not be stored
    source: str = "install"  # "install", "local", or the shared store's address

    def close(self) -> None:
        """Let go of the files that the trees read from."""
        self.result.close()
        if self.stored is not None:
            self.stored.close()


def obtain_install(
    install: InstallRequest, engine: Engine, spool: Path, policy: ReusePolicy, observer: Observer
) -> ObtainedInstall:
    """Return the stored result of an install, or run it and store what it made. LP130 with --frozen."""
    from lambdapack.install.strategy import candidate_recipes  # noqa: PLC0415  # with all strategies

    trees = policy.open_trees() if policy.open_trees else None
    if trees is None or install.job is None:
        _refuse_when_frozen(install, policy)
        return ObtainedInstall(_run_install(install, engine, spool, observer))
    recipes = install.recipes or candidate_recipes(install, engine)
    finder = _StoredInstalls(install, recipes, engine, trees, observer)
    reuses = not (policy.refresh or install.keep)
    found = finder.find() if reuses else None
    if found is not None:
        return found
    _refuse_when_frozen(install, policy)
    with trees.claim(finder.name, observer):
        found = finder.find() if reuses else None  # another process may have made it meanwhile
        if found is not None:
            return found
        result = _run_install(replace(install, recipes=recipes), engine, spool, observer)
        return finder.store(result, Compression(policy.compression))


def _run_install(install: InstallRequest, engine: Engine, spool: Path, observer: Observer) -> InstallResult:
    from lambdapack.install.install import install_dependencies  # noqa: PLC0415  # few builds install

    return install_dependencies(install, engine, spool, observer)


def _refuse_when_frozen(install: InstallRequest, policy: ReusePolicy) -> None:
    if policy.frozen:
        key = f" (key {install.job.key.digest})" if install.job else ""
        raise LambdapackError(FROZEN, f"the dependencies for {install.target} are not stored{key}")


@dataclass(frozen=True, slots=True)
class _StoredInstalls:
    """The stored results of one install, by the recipes that could make it."""

    install: InstallRequest
    recipes: tuple[Recipe, ...]
    engine: Engine
    trees: DependencyTrees
    observer: Observer

    @property
    def name(self) -> str:
        """The name under which the first recipe's result is stored, or that of the recipe which replaced it."""
        return self._name(self.recipes[0])

    def _name(self, recipe: Recipe) -> str:
        key = self.install.job.key.digest if self.install.job else ""
        return tree_name(key, f"{recipe_name(recipe)} engine={self.engine.kind.value}")

    def find(self) -> ObtainedInstall | None:
        """Return the stored result if the same recipes would be followed, in the same images."""
        stored = self.trees.get(self.name, self.observer)
        if stored is None:
            return None
        try:
            record = record_from_document(stored.record)
            result = result_of_facts(record.facts, stored.tree)
        except (KeyError, ValueError, TypeError, AttributeError):
            stored.close()
            return None
        if not self._is_current(record, result):
            stored.close()
            return None
        manager, omitted = self.install.manager.name, self.install.settings.omitted
        with self.observer.task("Reusing the stored dependencies"):
            if result.absent:
                self.observer.note(describe_absent(manager, result.absent, omitted))
        return ObtainedInstall(replace(result, job=self.install.job), stored, stored.source)

    def _is_current(self, record: InstallRecord, result: InstallResult) -> bool:
        """Refuse a fallback's tree when a recipe before it was never tried, and that of another image than today's."""
        names = [recipe_name(recipe) for recipe in self.recipes]
        before = names[: names.index(record.maker)] if record.maker in names else names
        if not set(before) <= {*record.passed, record.maker}:
            return False
        image = result.image
        if image is None or image.reference == self.recipes[0].image.reference:
            return True  # the key has its digest
        try:
            found = self.engine.find_image(image.reference, image.architecture)
        except LambdapackError:
            return False
        return found is not None and found.digest == image.digest

    def store(self, result: InstallResult, compression: Compression) -> ObtainedInstall:
        """Store a result under its maker's name, and under the first recipe's when that gave up."""
        job, recipe = self.install.job, result.recipe
        if job is None or recipe is None:
            return ObtainedInstall(result)
        maker = recipe_name(recipe)
        passed = tuple(name for name in map(recipe_name, self.recipes) if name != maker)
        record = InstallRecord(job.key.digest, job.key.parts, maker, passed, facts_of_result(result))
        names = tuple(dict.fromkeys((self._name(recipe), self.name)))
        stored = self.trees.put(names, result.tree, record.to_document(), self.observer, compression)
        if stored is None:
            return ObtainedInstall(result)
        # The spooled bytes need no inflating; the stored entries name their content, which facts are remembered by.
        entries = stored.tree.entries
        named = TransformedTree(result.tree, lambda entry: entries[entry.path])
        return ObtainedInstall(replace(result, tree=named), stored)


@dataclass(frozen=True, slots=True)
class PlannedInstalls:
    """The installs of a plan with everything that decides their keys."""

    plan: BuildPlan
    requests: Mapping[InstalledPlace, InstallRequest]
    inputs: InstallInputs
    images: Mapping[InstalledPlace, ImageFacts]


def state_dependencies(planned: PlannedInstalls, store: Store, policy: ReusePolicy, observer: Observer) -> None:
    """Remember of what each key was made, and say what has changed since the last build where that is asked for."""
    from lambdapack.store.keys import KeyRecords, describe_changes, state_key  # noqa: PLC0415  # where one is kept

    records = KeyRecords(store)
    for job in planned.plan.installs:
        install = planned.requests[job.importer, job.target]
        if not install.recipes:
            continue
        root, lock = install.source.repository.root, install.source.lock
        place = f"{root}\n{job.importer}\n{job.target}"
        contents = key_contents(planned.inputs, job.target, planned.images.get((job.importer, job.target)))
        now = state_key(job.key, contents, lock, install.recipes[0].image.reference)
        before = records.get(place)
        for line in describe_changes(before, now) if policy.why else ():
            observer.note(f"{job.target}: {line}")
        if before != now:
            records.put(place, now)


def freeze_engines(connect: "Connect") -> "Connect":
    """Return a function that finds engines which start nothing. LP130."""
    from lambdapack.engine.known.deferred import FrozenEngine  # noqa: PLC0415  # for --frozen alone

    return lambda architecture: FrozenEngine(connect(architecture))
