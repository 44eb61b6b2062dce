"""Installs a project's dependencies in a sandbox, as a recipe says. Never touches the host's node_modules."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from lambdapack.engine import emulation
from lambdapack.engine.interface import CacheVolume, CommandResult, Engine, EngineKind, Image, Sandbox, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import GIT_WITH_CREDENTIALS, TOO_LONG, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.available import give_up
from lambdapack.install.compile_lines import CompileLines
from lambdapack.install.embedded.tools import provide_all_tools
from lambdapack.install.recipe import Recipe
from lambdapack.install.request import InstallRequest, InstallResult, empty_result, owned_directories
from lambdapack.install.shipped import describe_absent, find_absent_packages, select_shipped_files
from lambdapack.install.strategy import candidate_recipes, fetch_recipes
from lambdapack.install.watch import ScriptWatch
from lambdapack.install.writers import WriteRules, find_writer, package_directories, package_writer
from lambdapack.managers.interface import (
    SECRETS_DIRECTORY,
    CompletedRun,
    ImageFacts,
    InstallCommand,
    InstallCommands,
    InstallRun,
    PreparedSandbox,
    ScriptedPackage,
)
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.prebuilds import find_undecided
from lambdapack.managers.relocate import arrange_tree
from lambdapack.model import TASK_ROOT, is_in_node_modules
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

FETCH_INPUTS = "the lockfile and its inputs into the sandbox"
SCRIPT_INPUTS = "the fetched packages into a sandbox of their own"

KEPT_LOG_LINES = 40
"""Lines of the package manager that a result keeps."""


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
    whole: SpoolTree
    tree: Tree  # of `whole`, as it lies at /var/task on Lambda
    packages: tuple[ScriptedPackage, ...]
    authors: Mapping[str, str] = field(default_factory=dict)  # path of each file that a prepare script made, and whose


Followed = TypeVar("Followed")


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
    recipes = request.recipes or candidate_recipes(request, engine)
    fetching = fetch_recipes(request, recipes, engine)

    def fetch(recipe: Recipe) -> _FetchedTree:
        return _fetch_packages(_prepare_context(request, recipe, engine, observer), engine, spool)

    fetched = _follow_first(fetching, fetch, observer)
    if prepared := request.manager.find_prepared(request.source, fetched.tree):
        fetched = _prepare_packages(fetched, prepared, engine, spool.with_name(f"{spool.stem}.prepared.tar"))
    context = fetched.context
    if not (fetched.packages or request.scripts.root):
        result = _make_result(context, fetched.facts, fetched.lines, fetched.whole, fetched.tree)
        return replace(result, authors=fetched.authors)
    scripted = replace(
        request, scripts=replace(request.scripts, packages=tuple(package.name for package in fetched.packages))
    )
    # A lock that tells of no script let a bare image fetch; what the files themselves ask for may want another.
    begun = recipes.index(context.recipe) if context.recipe in recipes else 0
    following = recipes[begun:] if not request.scripts.nothing else ()

    def run(recipe: Recipe) -> InstallResult:
        prepared = _prepare_context(scripted, recipe, engine, observer)
        return _run_scripts(prepared, fetched, engine, spool.with_name(f"{spool.stem}.built.tar"))

    with fetched.whole:
        return _follow_first(following or candidate_recipes(scripted, engine), run, observer)


def _find_scripts(request: InstallRequest, tree: Tree) -> tuple[ScriptedPackage, ...]:
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
            give_up(error, recipe, recipes[index + 1 :], observer)
    raise AssertionError("the last recipe either serves or raises")


def _prepare_packages(
    fetched: _FetchedTree, packages: tuple[ScriptedPackage, ...], engine: Engine, spool: Path
) -> _FetchedTree:
    """Fetch once more, and let the packages that git brings run their prepare scripts: npm packs what those make.

    They run beside everything else that is fetched, so never where there are credentials (LP122), and nothing but their
    own directories may be other than before (LP123).
    """
    context, names = fetched.context, ", ".join(package.name for package in packages)
    request, whole = context.request, None
    if request.settings.has_credentials:
        fetched.whole.close()
        raise LambdapackError(GIT_WITH_CREDENTIALS, f"git fetches {names}, and its prepare script makes it")
    context.observer.note(f"git fetches {names}: its prepare script runs in a step of its own")
    try:
        lines, sandbox = _fetch_prepared(context, engine, spool)
        whole = SpoolTree(spool)
        tree = arrange_tree(whole, sandbox_layout(request.source), request.target.architecture)
        rules = WriteRules(package_directories(fetched.tree, request.source.lock))
        writers = [package_writer(package) for package in packages]
        authors = ScriptWatch(sandbox, TASK_ROOT, fetched.tree, rules, writers).attribute(tree)
    except BaseException:
        if whole is not None:
            whole.close()
        raise
    finally:
        fetched.whole.close()
    scripted = () if request.settings.ignore_scripts else request.manager.find_scripts(request.source, tree)
    lines = (*fetched.lines, *lines)
    return replace(fetched, lines=lines, whole=whole, tree=tree, packages=scripted, authors=authors)


def _fetch_prepared(context: _InstallContext, engine: Engine, spool: Path) -> tuple[tuple[str, ...], Sandbox]:
    """Fetch everything into `spool` while prepare scripts run; return the lines, and the sandbox, which is gone."""
    request = context.request
    with _open_sandbox(context, "prepare", engine, request.project_volumes(context.recipe.volumes)) as sandbox:
        prepared = _prepare_sandbox(context, sandbox, request.inputs, FETCH_INPUTS, secrets=False)
        run = replace(_install_run(context), prepares=True, layout=sandbox_layout(request.source))
        commands = request.manager.fetch_commands(run, prepared)
        lines = _run_commands(context, commands, prepared, sandbox)
        sandbox.end_processes(commands.commands[-1].command.user)
        sandbox.get(TASK_ROOT, spool, context.observer)
        return lines, sandbox


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
        run = replace(_install_run(context), layout=sandbox_layout(request.source))
        commands = request.manager.fetch_commands(run, prepared)
        lines = _run_commands(context, commands, prepared, sandbox)
        sandbox.get(TASK_ROOT, spool, context.observer)
    whole = SpoolTree(spool)
    tree = arrange_tree(whole, sandbox_layout(request.source), request.target.architecture)
    packages = () if request.settings.ignore_scripts else _find_scripts(request, tree)
    return _FetchedTree(context, prepared.facts, lines, whole, tree, packages)


def _run_scripts(context: _InstallContext, fetched: _FetchedTree, engine: Engine, spool: Path) -> InstallResult:
    """Run what the fetched packages ask for, on a copy of them, without credentials and with the project's cache."""
    request = context.request
    volumes = (
        *request.project_volumes(context.recipe.volumes),
        *provide_all_tools(context.request, context.recipe, engine, context.observer),
    )
    with _open_sandbox(context, "build", engine, volumes, scripts=True) as sandbox:
        tree = request.manager.script_inputs(fetched.tree, fetched.packages)
        prepared = _prepare_sandbox(context, sandbox, tree, SCRIPT_INPUTS, secrets=not request.settings.has_credentials)
        run = _install_run(context, fetched.packages, context.recipe.script_environment)
        commands = request.manager.script_commands(run, prepared)
        watch = _watch_scripts(context, sandbox, tree, commands)
        lines = _run_commands(context, commands, prepared, sandbox, watch)
        sandbox.get(TASK_ROOT, spool, context.observer)
    whole = SpoolTree(spool)
    try:
        authors = watch.attribute(whole)
    except BaseException:
        whole.close()
        raise
    authors = {**fetched.authors, **authors}
    lines = (*fetched.lines, *lines)
    return replace(_make_result(context, prepared.facts, lines, whole, whole, fetched.tree), authors=authors)


def _watch_scripts(context: _InstallContext, sandbox: Sandbox, tree: Tree, install: InstallCommands) -> ScriptWatch:
    places = package_directories(tree, context.request.source.lock)
    rules = WriteRules(places, context.request.allow_writes)
    return ScriptWatch(sandbox, TASK_ROOT, tree, rules, [find_writer(step) for step in install.commands])


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
        untrusted=label != "fetch",
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
        git_urls=request.source.lock.git_urls if request.source.lock else (),
        omitted=request.settings.omitted,
        flags=recipe.flags,
        environment={**request.settings.compiler_flags, **recipe.environment, **environment},
        limits=request.limits,
    )


def _run_commands(
    context: _InstallContext,
    install: InstallCommands,
    prepared: PreparedSandbox,
    sandbox: Sandbox,
    watch: ScriptWatch | None = None,
) -> tuple[str, ...]:
    request, recipe = context.request, context.recipe
    lines: list[str] = []
    if watch is not None:
        watch.begin(install.commands[0].command)
    with context.observer.task(f"{install.title} ({recipe.strategy}, {request.target.architecture})"):
        for step in install.commands:
            transcript = context.open_transcript()  # an earlier command's errors explain nothing of this one
            ended = _run_command(context, step, sandbox, transcript)
            transcript.close()
            lines += transcript.lines
            if watch is not None:
                watch.judge(find_writer(step), step.command)
            completed = CompletedRun(
                ended=ended,
                lines=transcript.lines,
                architecture=recipe.image.architecture,
                emulated=recipe.emulated,
                manager_version=prepared.facts.manager,
                script=step.script,
                title=step.command.title,
            )
            failure = request.manager.failure(completed, request.source)
            if failure and step.otherwise:
                sandbox.run(step.otherwise, transcript)
                if watch is not None and step.package is not None:
                    watch.leave_out(step.package.path)
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
    context: _InstallContext,
    facts: ImageFacts,
    lines: tuple[str, ...],
    whole: SpoolTree,
    tree: Tree,
    before: Tree | None = None,
) -> InstallResult:
    """Return the result; `before` is what the scripts' sandbox was given, None where none ran."""
    request, source = context.request, context.request.source
    directories, inputs = owned_directories(source), request.inputs
    if sandbox_layout(source).is_moved:  # its own files beside node_modules are copies of what was put in
        inputs = FilteredTree(before or tree, lambda entry: not is_in_node_modules(entry.path))
    tree = select_shipped_files(tree, inputs, directories, request.manager)
    omitted = request.settings.omitted
    absent = find_absent_packages(source, request.target.architecture, tree, omitted)
    if absent:
        context.observer.note(describe_absent(request.manager.name, absent, omitted))
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
