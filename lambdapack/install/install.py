"""Installs a project's dependencies in a sandbox, as a recipe says. Never touches the host's node_modules."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar

from lambdapack.engine import emulation
from lambdapack.engine.interface import CacheVolume, CommandResult, Engine, EngineKind, Image, Sandbox, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import GIT_WITH_CREDENTIALS, TOO_LONG, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.compile_lines import CompileLines
from lambdapack.install.embedded.tools import provide_tools
from lambdapack.install.embedded.wheels import WheelStore
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import AUTOMATIC, InstallRequest, InstallResult, empty_result, owned_directories
from lambdapack.install.shipped import find_absent_packages, select_shipped_files
from lambdapack.install.strategy import candidate_recipes
from lambdapack.managers.interface import (
    SECRETS_DIRECTORY,
    CompletedRun,
    ImageFacts,
    InstallCommand,
    InstallCommands,
    InstallRun,
    InstallScripts,
    PreparedSandbox,
    ScriptedPackage,
)
from lambdapack.managers.prebuilds import find_undecided
from lambdapack.model import TASK_ROOT
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

FETCH_INPUTS = "the lockfile and its inputs into the sandbox"
SCRIPT_INPUTS = "the fetched packages into a sandbox of their own"
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
class _InstallContext:
    """A request, the recipe that is followed, and who watches."""

    request: InstallRequest
    recipe: Recipe
    image: Image
    observer: Observer
    compiled: CompileLines
    engine: EngineKind

    def open_transcript(self) -> Transcript:
        """Return a new transcript that keeps this request's secrets to itself."""
        words = (*self.request.manager.secret_words(self.request.settings), *self.request.source.secret_words)
        return Transcript(self.observer, words, self.compiled.take)


@dataclass(frozen=True, slots=True)
class _FetchedTree:
    """Every package as it was unpacked, and those of which something has to run."""

    context: _InstallContext
    facts: ImageFacts
    lines: tuple[str, ...]
    tree: SpoolTree
    packages: tuple[ScriptedPackage, ...]


Followed = TypeVar("Followed")


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

    Two steps: everything is fetched while nothing runs, and then, only if the fetched files have something to run, that
    runs in a sandbox that has neither the credentials nor the cache of the first. LP110 or the record that fits when a
    command fails.
    """
    if request.installs_nothing:
        return empty_result(request)
    _refuse_git_beside_credentials(request)
    recipes = request.recipes or candidate_recipes(request, engine)
    fetching = _fetch_recipes(request, recipes, engine)

    def fetch(recipe: Recipe) -> _FetchedTree:
        return _fetch_packages(_prepare_context(request, recipe, engine, observer), engine, spool)

    fetched = _follow_first(fetching, fetch, observer)
    context = fetched.context
    if not (fetched.packages or request.scripts.root):
        return _make_result(context, fetched.facts, fetched.lines, fetched.tree)
    scripted = replace(
        request, scripts=replace(request.scripts, packages=tuple(package.name for package in fetched.packages))
    )
    # A lock that tells of no script let a bare image fetch; what the files themselves ask for may want another.
    begun = recipes.index(context.recipe) if context.recipe in recipes else 0
    following = recipes[begun:] if not request.scripts.nothing else ()

    def run(recipe: Recipe) -> InstallResult:
        prepared = _prepare_context(scripted, recipe, engine, observer)
        return _run_scripts(prepared, fetched, engine, spool.with_name(f"{spool.stem}.built.tar"))

    with fetched.tree:
        return _follow_first(following or candidate_recipes(scripted, engine), run, observer)


def _fetch_recipes(request: InstallRequest, recipes: tuple[Recipe, ...], engine: Engine) -> tuple[Recipe, ...]:
    """Return what packages are fetched by: nothing runs while they are, so the engine's own CPU serves for another one.

    Not where git fetches, which runs a package's scripts, nor where the strategy was asked for by name.
    """
    if engine.architecture is request.target.architecture or request.scripts.git or request.strategy != AUTOMATIC:
        return recipes
    without = candidate_recipes(replace(request, scripts=InstallScripts()), engine)
    return (*(recipe for recipe in without[:1] if not recipe.emulated), *recipes)


def _find_scripts(request: InstallRequest, tree: SpoolTree) -> tuple[ScriptedPackage, ...]:
    """Return the packages of which something has to run, without those that would find their prebuild."""
    packages = request.manager.find_scripts(request.source, tree)
    abi = shipped_runtime(request.target).abi
    return find_undecided(packages, tree, request.target.architecture, abi) if packages else ()


def _follow_first(recipes: tuple[Recipe, ...], follow: Callable[[Recipe], Followed], observer: Observer) -> Followed:
    """Follow the recipes in their order until one does not give up."""
    for index, recipe in enumerate(recipes):
        try:
            return follow(recipe)
        except LambdapackError as error:
            _give_up(error, recipe, recipes[index + 1 :], observer)
    raise AssertionError("the last recipe either serves or raises")


def _refuse_git_beside_credentials(request: InstallRequest) -> None:
    """LP122: npm runs the prepare script of a git dependency while it fetches, whatever --ignore-scripts says."""
    if request.scripts.git and request.settings.has_credentials:
        raise LambdapackError(GIT_WITH_CREDENTIALS, f"git fetches {', '.join(request.scripts.git)}")


def _prepare_context(request: InstallRequest, recipe: Recipe, engine: Engine, observer: Observer) -> _InstallContext:
    target = recipe.image
    image = engine.image(target.reference, target.architecture, observer)
    if target.architecture is not engine.architecture or target.architecture is not request.target.architecture:
        observer.note(recipe.why)
    if recipe.emulated:
        emulation.check_emulator(engine, target.reference, target.architecture, observer)
    return _InstallContext(request, recipe, image, observer, CompileLines(), engine.kind)


def _fetch_packages(context: _InstallContext, engine: Engine, spool: Path) -> _FetchedTree:
    """Unpack every package beside the credentials and the shared cache, and run nothing of them."""
    request = context.request
    volumes = request.project_volumes(context.recipe.volumes) if request.scripts.git else context.recipe.volumes
    with _open_sandbox(context, "fetch", engine, volumes) as sandbox:
        prepared = _prepare_sandbox(context, sandbox, request.inputs, FETCH_INPUTS, secrets=True)
        if prepared.facts.manager_version < context.recipe.oldest_manager:
            words = f"{request.manager.name} {prepared.facts.manager} of {context.image.reference}"
            raise LambdapackError(WRONG_IMAGE, f"{words} cannot install for another CPU")
        commands = request.manager.fetch_commands(_install_run(context), prepared)
        lines = _run_commands(context, commands, prepared, sandbox)
        sandbox.get(TASK_ROOT, spool, context.observer)
    tree = SpoolTree(spool)
    packages = () if request.settings.ignore_scripts else _find_scripts(request, tree)
    return _FetchedTree(context, prepared.facts, lines, tree, packages)


def _run_scripts(context: _InstallContext, fetched: _FetchedTree, engine: Engine, spool: Path) -> InstallResult:
    """Run what the fetched packages ask for, on a copy of them, without credentials and with the project's cache."""
    request = context.request
    volumes = (*request.project_volumes(context.recipe.volumes), *_provide_tools(context, engine))
    with _open_sandbox(context, "build", engine, volumes, scripts=True) as sandbox:
        tree = request.manager.script_inputs(fetched.tree, fetched.packages)
        prepared = _prepare_sandbox(context, sandbox, tree, SCRIPT_INPUTS, secrets=not request.settings.has_credentials)
        run = _install_run(context, fetched.packages, context.recipe.script_environment)
        commands = request.manager.script_commands(run, prepared)
        lines = _run_commands(context, commands, prepared, sandbox)
        sandbox.get(TASK_ROOT, spool, context.observer)
    return _make_result(context, prepared.facts, (*fetched.lines, *lines), SpoolTree(spool))


def _provide_tools(context: _InstallContext, engine: Engine) -> tuple[CacheVolume, ...]:
    request, image = context.request, context.recipe.image
    if request.tools is None:
        return ()
    wheels = WheelStore(request.tools, request.environ)
    return tuple(provide_tools(tools, image, engine, wheels, context.observer) for tools in context.recipe.tools)


@contextmanager
def _open_sandbox(
    context: _InstallContext, label: str, engine: Engine, volumes: tuple[CacheVolume, ...], *, scripts: bool = False
) -> Iterator[Sandbox]:
    spec = SandboxSpec(
        image=context.image.reference,
        architecture=context.recipe.image.architecture,
        label=label,
        limits=context.request.limits,
        network=not scripts or context.request.script_policy != "offline",
        secrets=SECRETS_DIRECTORY,
        volumes=volumes,
        keep=context.request.keep,
        untrusted=scripts or bool(context.request.scripts.git),
    )
    with engine.open(spec, context.observer) as sandbox:
        yield sandbox


def _prepare_sandbox(
    context: _InstallContext, sandbox: Sandbox, tree: Tree, what: str, *, secrets: bool
) -> PreparedSandbox:
    with context.observer.task(f"Copying {what}"):
        return context.request.manager.prepare(sandbox, tree, context.request.settings, secrets=secrets)


def _install_run(
    context: _InstallContext,
    packages: tuple[ScriptedPackage, ...] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> InstallRun:
    request, recipe = context.request, context.recipe
    return InstallRun(
        architecture=request.target.architecture,
        scripts=request.scripts,
        packages=packages,
        omitted=request.settings.omitted,
        flags=recipe.flags,
        environment={**request.settings.compiler_flags, **recipe.environment, **environment},
        limits=request.limits,
    )


def _run_commands(
    context: _InstallContext, install: InstallCommands, prepared: PreparedSandbox, sandbox: Sandbox
) -> tuple[str, ...]:
    request, recipe = context.request, context.recipe
    lines: list[str] = []
    with context.observer.task(f"{install.title} ({recipe.strategy}, {request.target.architecture})"):
        for step in install.commands:
            transcript = context.open_transcript()  # an earlier command's errors explain nothing of this one
            ended = _run_command(context, step, sandbox, transcript)
            transcript.close()
            lines += transcript.lines
            completed = CompletedRun(
                ended=ended,
                lines=transcript.lines,
                architecture=recipe.image.architecture,
                emulated=recipe.emulated,
                manager_version=prepared.facts.manager,
                script=step.script,
            )
            failure = request.manager.failure(completed, request.source)
            if failure and step.otherwise:
                sandbox.run(step.otherwise, transcript)
                reason = failure.detail.partition("\n")[0]
                context.observer.note(f"{step.optional} is optional and left out: {reason}")
            elif failure:
                raise failure
    return tuple(lines)


def _run_command(
    context: _InstallContext, step: InstallCommand, sandbox: Sandbox, transcript: Transcript
) -> CommandResult:
    """Run one command; LP116 names the script that was running, which nobody sees from the command line alone."""
    try:
        return sandbox.run(step.command, transcript)
    except LambdapackError as error:
        script = context.request.manager.running_script(transcript.lines)
        if error.failure is not TOO_LONG or not script:
            raise
        raise LambdapackError(TOO_LONG, f"{script}: {error.detail}", hint=error.hint) from error


def _make_result(
    context: _InstallContext, facts: ImageFacts, lines: tuple[str, ...], whole: SpoolTree
) -> InstallResult:
    request, lock = context.request, context.request.source.lock
    directories = owned_directories(lock)
    tree = select_shipped_files(whole, request.inputs, directories, request.manager)
    omitted = request.settings.omitted
    absent = find_absent_packages(lock, request.target.architecture, tree, omitted) if lock else ()
    if absent:
        more = f" and {len(absent) - MAX_NAMED_ABSENT} more" if len(absent) > MAX_NAMED_ABSENT else ""
        names = ", ".join(absent[:MAX_NAMED_ABSENT])
        why = f" ({', '.join(f'omit={kind}' for kind in omitted)} in the npm settings)" if omitted else ""
        context.observer.note(
            f"{request.manager.name} left out optional packages that are locked for this target{why}: {names}{more}"
        )
    return InstallResult(
        tree=tree,
        owned=directories,
        job=request.job,
        engine=context.engine,
        compiler=context.recipe.compiler if context.compiled.ran else "",
        image=context.image,
        recipe=context.recipe,
        facts=facts,
        compiler_flags=context.compiled.flags,
        scripts_run=context.compiled.ran,
        absent=absent,
        log=lines[-KEPT_LOG_LINES:],
        spool=whole,
    )
