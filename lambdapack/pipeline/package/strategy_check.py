"""Says which strategy each architecture of a project would take, and why, for `doctor`. Installs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.engine.images import expand_image_name
from lambdapack.engine.interface import Engine
from lambdapack.engine.local.confinement import find_bubblewrap
from lambdapack.errors.local import UNCONFINED
from lambdapack.errors.record import LambdapackError
from lambdapack.install.request import ImageReferences, InstallRequest
from lambdapack.install.strategy import candidate_recipes
from lambdapack.managers.registry import find_manager, read_dependency_source
from lambdapack.model import Architecture, Target
from lambdapack.project.repository import read_repository
from lambdapack.report.doctor import HealthCheck, HealthState


@dataclass(frozen=True, slots=True)
class StrategyQuestion:
    """What decides on a strategy."""

    directory: Path
    target: Target
    strategy: str  # as asked for: "auto"
    image: str  # templates
    build_image: str
    environ: Mapping[str, str]
    home: Path


def check_strategy(question: StrategyQuestion, engine: Engine) -> HealthCheck:
    """Return the strategy that a build would begin with, and what may follow it; an error where none can serve."""
    name = f"strategy for {question.target.architecture}"
    try:
        request = _make_request(question)
        if request is None:
            return HealthCheck(name, HealthState.NOTE, "no lockfile: nothing would be installed")
        if request.installs_nothing:
            return HealthCheck(name, HealthState.OK, "none: nothing is to be installed")
        recipes = candidate_recipes(request, engine)
    except LambdapackError as error:
        detail = f"{error.failure.code}: {error.failure.title}: {error.detail}"
        return HealthCheck(name, HealthState.ERROR, detail, error.hint)
    first, others = recipes[0], [recipe.strategy for recipe in recipes[1:]]
    after = f"; then {', '.join(others)}" if others else ""
    return HealthCheck(name, HealthState.OK, f"{first.strategy}: {first.why}{after}")


def check_confinement() -> HealthCheck:
    """Return whether the local engine can confine install scripts on this host."""
    if find_bubblewrap():
        return HealthCheck("install scripts", HealthState.OK, "confined by bubblewrap")
    detail = "bubblewrap is not here, or may not make user namespaces: packages with install scripts are refused"
    return HealthCheck("install scripts", HealthState.WARNING, detail, UNCONFINED.fix)


def _make_request(question: StrategyQuestion) -> InstallRequest | None:
    repository = read_repository(question.directory)
    importer = question.directory.resolve().relative_to(repository.root).as_posix()
    manager, source = find_manager(repository), read_dependency_source(repository, importer)
    if source.lock is None:
        return None
    settings = manager.settings(repository.root, question.environ, question.home)
    inputs = manager.inputs(source)
    scripts = manager.scripts(source, inputs, question.target.architecture, settings)

    def images(architecture: Architecture) -> ImageReferences:
        there = Target(question.target.runtime, architecture)
        bare, build = (expand_image_name(template, there) for template in (question.image, question.build_image))
        return ImageReferences(bare, build)

    return InstallRequest(
        manager=manager,
        source=source,
        target=question.target,
        inputs=inputs,
        scripts=scripts,
        images=images,
        settings=settings,
        strategy=question.strategy,
        tools=question.directory,
    )
