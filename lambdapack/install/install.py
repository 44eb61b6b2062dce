"""Installs a project's dependencies in a sandbox, as a recipe says. Never touches the host's node_modules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lambdapack.engine import emulation
from lambdapack.engine.interface import Engine, Image, Sandbox, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.compile_lines import CompileLines
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import InstallRequest, InstallResult
from lambdapack.install.shipped import find_absent_packages, owned_directories, select_shipped_files
from lambdapack.install.strategy import candidate_recipes
from lambdapack.managers.interface import SECRETS_DIRECTORY, CompletedRun, ImageFacts, InstallRun, PreparedSandbox
from lambdapack.model import TASK_ROOT
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.spool import SpoolTree

MAX_NAMED_ABSENT = 5

KEPT_LOG_LINES = 40
"""Lines of the package manager that a result keeps."""


class FactsCache(Protocol):
    """Remembers what images bring."""

    def get(self, digest: str) -> ImageFacts | None:
        """Return the facts of an image, None when they are not known."""
        ...

    def put(self, facts: ImageFacts) -> None:
        """Remember facts; losing them costs a second look."""
        ...


@dataclass(frozen=True, slots=True)
class _InstallStep:
    """One sandbox of an install."""

    label: str
    secrets: bool  # the user's credentials are in it
    scripts: bool = True
    offline: bool = False  # everything is taken from the cache
    network: bool = True


@dataclass(frozen=True, slots=True)
class _InstallContext:
    """A request, the recipe that is followed, and who watches."""

    request: InstallRequest
    recipe: Recipe
    image: Image
    observer: Observer
    compiled: CompileLines

    def open_transcript(self) -> Transcript:
        """Return a new transcript that keeps this request's secrets to itself."""
        words = self.request.manager.secret_words(self.request.settings)
        return Transcript(self.observer, words, self.compiled.take)


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
            _give_up(error, recipe, recipes[index + 1 :], observer)
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


def _give_up(error: LambdapackError, recipe: Recipe, others: tuple[Recipe, ...], observer: Observer) -> None:
    """Say which recipe is tried next; raise the error where there is none, or where trying would not help."""
    if not others or error.failure not in recipe.give_up_on:
        raise error
    observer.note(f"{error.detail}; trying {others[0].strategy} instead")


def install_dependencies(
    request: InstallRequest, engine: Engine, spool: Path, observer: Observer = SILENT
) -> InstallResult:
    """Return the production dependencies as they are installed for the target, indexed from the host file `spool`.

    No container is started when there is nothing to install. LP110 or the record that fits when a command fails.
    """
    if request.installs_nothing:
        return InstallResult(MemoryTree({}), owned_directories(request.source.lock), request.job)
    recipes = request.recipes or candidate_recipes(request, engine)
    for index, recipe in enumerate(recipes):
        try:
            return _follow_recipe(_prepare_context(request, recipe, engine, observer), engine, spool)
        except LambdapackError as error:
            _give_up(error, recipe, recipes[index + 1 :], observer)
    raise AssertionError("the last recipe either serves or raises")


def _prepare_context(request: InstallRequest, recipe: Recipe, engine: Engine, observer: Observer) -> _InstallContext:
    target = recipe.image
    image = engine.image(target.reference, target.architecture, observer)
    if target.architecture is not engine.architecture or target.architecture is not request.target.architecture:
        observer.note(recipe.why)
    if recipe.emulated:
        emulation.check_emulator(engine, target.reference, target.architecture, observer)
    return _InstallContext(request, recipe, image, observer, CompileLines())


def _follow_recipe(context: _InstallContext, engine: Engine, spool: Path) -> InstallResult:
    *before, last = _plan_steps(context.request)
    for step in before:
        with _open_sandbox(context, step, engine) as sandbox:
            _run_step(context, step, sandbox)
    with _open_sandbox(context, last, engine) as sandbox:
        facts, lines = _run_step(context, last, sandbox)
        sandbox.get(TASK_ROOT, spool, context.observer)
    return _make_result(context, facts, lines, spool)


def _plan_steps(request: InstallRequest) -> tuple[_InstallStep, ...]:
    """Return one step, or two when package scripts would run beside credentials.

    The first then fills the cache with scripts off; its tree and its secrets go with its container.
    """
    offline = request.script_policy == "offline"
    if request.scripts.nothing or not (request.settings.has_credentials or offline):
        return (_InstallStep("build", secrets=True),)
    return (
        _InstallStep("fetch", secrets=True, scripts=False),
        _InstallStep("build", secrets=False, offline=True, network=not offline),
    )


@contextmanager
def _open_sandbox(context: _InstallContext, step: _InstallStep, engine: Engine) -> Iterator[Sandbox]:
    spec = SandboxSpec(
        image=context.image.reference,
        architecture=context.recipe.image.architecture,
        label=step.label,
        limits=context.request.limits,
        network=step.network,
        secrets=SECRETS_DIRECTORY,
        volumes=context.recipe.volumes,
        keep=context.request.keep,
    )
    with engine.open(spec, context.observer) as sandbox:
        yield sandbox


def _run_step(context: _InstallContext, step: _InstallStep, sandbox: Sandbox) -> tuple[ImageFacts, tuple[str, ...]]:
    """Install in an open sandbox and return what its image brings, and the lines that were printed last."""
    request, recipe = context.request, context.recipe
    with context.observer.task("Copying the lockfile and its inputs into the sandbox"):
        for tool in recipe.tools:
            sandbox.put(tool.tree, tool.directory)
        prepared = request.manager.prepare(sandbox, request.inputs, request.settings, secrets=step.secrets)
    if prepared.facts.manager_version < recipe.oldest_manager:
        words = f"{request.manager.name} {prepared.facts.manager} of {context.image.reference}"
        raise LambdapackError(WRONG_IMAGE, f"{words} cannot install for another CPU")
    run = InstallRun(
        architecture=request.target.architecture,
        scripts=request.scripts,
        run_scripts=step.scripts,
        offline=step.offline,
        flags=recipe.flags,
        environment={**request.settings.compiler_flags, **recipe.environment},
        limits=request.limits,
    )
    return prepared.facts, _run_commands(context, run, prepared, sandbox)


def _run_commands(
    context: _InstallContext, run: InstallRun, prepared: PreparedSandbox, sandbox: Sandbox
) -> tuple[str, ...]:
    request, recipe = context.request, context.recipe
    install = request.manager.commands(run, prepared)
    transcript = context.open_transcript()
    with context.observer.task(f"{install.title} ({recipe.strategy}, {request.target.architecture})"):
        for step in install.commands:
            ended = sandbox.run(step.command, transcript)
            transcript.close()
            completed = CompletedRun(
                ended=ended,
                lines=transcript.lines,
                architecture=recipe.image.architecture,
                emulated=recipe.emulated,
                manager_version=prepared.facts.manager,
                script=step.script,
            )
            if failure := request.manager.failure(completed, request.source):
                raise failure
    return transcript.lines


def _make_result(context: _InstallContext, facts: ImageFacts, lines: tuple[str, ...], spool: Path) -> InstallResult:
    request, lock = context.request, context.request.source.lock
    directories = owned_directories(lock)
    whole = SpoolTree(spool)
    tree = select_shipped_files(whole, request.inputs, directories, request.manager)
    absent = find_absent_packages(lock, request.target.architecture, tree) if lock else ()
    if absent:
        more = f" and {len(absent) - MAX_NAMED_ABSENT} more" if len(absent) > MAX_NAMED_ABSENT else ""
        names = ", ".join(absent[:MAX_NAMED_ABSENT])
        context.observer.note(
            f"{request.manager.name} left out optional packages that are locked for this target: {names}{more}"
        )
    return InstallResult(
        tree=tree,
        owned=directories,
        job=request.job,
        image=context.image,
        recipe=context.recipe,
        facts=facts,
        compiler_flags=context.compiled.flags,
        absent=absent,
        log=lines[-KEPT_LOG_LINES:],
        spool=whole,
    )
