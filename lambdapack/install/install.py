"""Installs a project's dependencies with npm in a sandbox. Never touches the host's node_modules."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lambdapack.engine import emulation
from lambdapack.engine.interface import Engine, Image, Sandbox, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.build import NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.request import (
    InstallRequest,
    InstallResult,
    find_absent_packages,
    owned_directories,
    select_shipped_files,
)
from lambdapack.install.strategy import Strategy, candidate_strategies
from lambdapack.managers.npm import commands
from lambdapack.managers.npm.failures import NpmRun, explain_npm_failure, lost_files_failure
from lambdapack.managers.npm.network import SECRETS_DIRECTORY
from lambdapack.model import TASK_ROOT
from lambdapack.project.document import string_entries
from lambdapack.project.project import Project
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.spool import SpoolTree

MAX_NAMED_ABSENT = 5

KEPT_LOG_LINES = 40
"""Lines of npm that an Installed keeps."""


@dataclass(frozen=True, slots=True)
class _InstallStep:
    """One sandbox of an install."""

    label: str
    carried: commands.SandboxSettings
    scripts: bool = True
    offline: bool = False  # npm takes everything from its cache
    network: bool = True


@dataclass(frozen=True, slots=True)
class _InstallJob:
    """An order, the way that was chosen, and who watches."""

    order: InstallRequest
    way: Strategy
    image: Image
    observer: Observer

    def heard(self) -> Transcript:
        """A new transcript that keeps this order's secrets to itself."""
        return Transcript(self.observer, commands.secret_words(self.order.settings))


def install_dependencies(
    order: InstallRequest, engine: Engine, spool: Path, observer: Observer = SILENT
) -> InstallResult:
    """Return the production dependencies as npm installs them for the target, indexed from the host file `spool`.

    No container is started when there is nothing to install. A failure of npm is the record that fits it, LP110 else.
    """
    project, work = order.project, order.work
    if not work.root and not (project.lockfile and project.lockfile.production):
        return InstallResult(MemoryTree({}), owned_directories(project.lockfile))
    *first, last = candidate_strategies(work, order.target.architecture, engine.architecture, order.emulation)
    for way in first:
        try:
            return _run_job(_prepare_job(order, way, engine, observer), engine, spool)
        except LambdapackError as error:
            if error.failure not in {NO_IMAGE, WRONG_IMAGE}:
                raise
            observer.note(f"{error.detail}; trying {last.name} instead")
    return _run_job(_prepare_job(order, last, engine, observer), engine, spool)


def _prepare_job(order: InstallRequest, way: Strategy, engine: Engine, observer: Observer) -> _InstallJob:
    references = order.images[way.architecture]
    reference = references.build if way.toolchain else references.bare
    image = engine.image(reference, way.architecture, observer)
    if way.architecture is not engine.architecture or way.architecture is not order.target.architecture:
        observer.note(way.why)
    if way.emulated:
        emulation.check_emulator(engine, reference, way.architecture, observer)
    return _InstallJob(order, way, image, observer)


def _run_job(job: _InstallJob, engine: Engine, spool: Path) -> InstallResult:
    *before, last = _plan_steps(job)
    for step in before:
        with _open_sandbox(job, step, engine) as sandbox:
            _run_step(job, step, sandbox)
    with _open_sandbox(job, last, engine) as sandbox:
        facts, argv, heard = _run_step(job, last, sandbox)
        sandbox.get(TASK_ROOT, spool, job.observer)
    return _make_result(job, facts, argv, heard, spool)


def _plan_steps(job: _InstallJob) -> tuple[_InstallStep, ...]:
    """Return one step, or two when package scripts would run beside credentials.

    The first then fills the cache with scripts off; its tree and its secrets go with its container.
    """
    settings, offline = job.order.settings, job.order.scripts == "offline"
    full = commands.settings_with_secrets(settings)
    if job.way.work.nothing or not (settings.has_credentials or offline):
        return (_InstallStep("build", full),)
    fetch = _InstallStep("fetch", full, scripts=False)
    return (
        fetch,
        _InstallStep("build", commands.settings_without_secrets(settings), offline=True, network=not offline),
    )


@contextmanager
def _open_sandbox(job: _InstallJob, step: _InstallStep, engine: Engine) -> Iterator[Sandbox]:
    spec = SandboxSpec(
        image=job.image.reference,
        architecture=job.way.architecture,
        label=step.label,
        limits=job.order.limits,
        network=step.network,
        secrets=SECRETS_DIRECTORY,
        cache=(job.order.cache, commands.CACHE_DIRECTORY),
        keep=job.order.keep,
    )
    with engine.open(spec, job.observer) as sandbox:
        yield sandbox


def _run_step(
    job: _InstallJob, step: _InstallStep, sandbox: Sandbox
) -> tuple[commands.ImageFacts, tuple[str, ...], Transcript]:
    """Install in an open sandbox and return what is worth knowing of it."""
    with job.observer.task("Copying the lockfile and its inputs into the sandbox"):
        facts = commands.prepare_sandbox(sandbox, job.order.inputs, step.carried)
    if facts.npm_version < job.way.oldest_npm:
        raise LambdapackError(WRONG_IMAGE, f"npm {facts.npm} of {job.image.reference} cannot install for another CPU")
    argv = commands.ci_command(job.way, job.order.target.architecture, facts.npm_version, scripts=step.scripts)
    if step.offline:
        argv = (*argv, "--offline")
    heard = job.heard()
    with job.observer.task(f"npm ci ({job.way.name}, {job.order.target.architecture})"):
        _run_command(job, sandbox, facts, heard, argv)
        for event in _root_scripts(job, step):
            _run_command(job, sandbox, facts, heard, commands.root_script_command(event), event)
    return facts, argv, heard


def _root_scripts(job: _InstallJob, step: _InstallStep) -> Sequence[str]:
    """Return the scripts that `npm ci --ignore-scripts` left out although the project itself asks for them."""
    return () if job.way.scripts or not step.scripts else job.way.work.root


def _run_command(
    job: _InstallJob,
    sandbox: Sandbox,
    facts: commands.ImageFacts,
    heard: Transcript,
    argv: Sequence[str],
    event: str = "",
) -> None:
    env = {**commands.npm_environment(facts, job.order.limits), **job.order.settings.compiler_flags}
    ended = commands.run_npm(sandbox, argv, env, heard)
    if not ended.ok:
        project = job.order.project
        raise explain_npm_failure(
            NpmRun(
                ended=ended,
                lines=heard.lines,
                architecture=job.way.architecture,
                emulated=job.way.emulated,
                npm=facts.npm,
                event=event,
                scripts=string_entries(project.manifest.get("scripts")),
                tools=_dev_tools(project),
            )
        )
    if lost := lost_files_failure(heard.lines):
        raise lost


def _dev_tools(project: Project) -> Mapping[str, str]:
    """Return the programs and modules that only devDependencies bring, by name. Read when a script has failed."""
    if project.lockfile is None:
        return {}
    packages = json.loads(project.lockfile.path.read_text("utf-8-sig"))["packages"]
    found: dict[str, str] = {}
    for package in project.lockfile.packages.values():
        if package.dev and package.path.startswith("node_modules/"):
            programs = string_entries(packages.get(package.path, {}).get("bin"))
            found |= dict.fromkeys((package.name, *programs), package.name)
    return found


def _make_result(
    job: _InstallJob, facts: commands.ImageFacts, argv: Sequence[str], heard: Transcript, spool: Path
) -> InstallResult:
    lockfile = job.order.project.lockfile
    directories = owned_directories(lockfile)
    whole = SpoolTree(spool)
    tree = select_shipped_files(whole, job.order.inputs, directories)
    dropped = find_absent_packages(lockfile, job.order.target.architecture, tree) if lockfile else ()
    if dropped:
        more = f" and {len(dropped) - MAX_NAMED_ABSENT} more" if len(dropped) > MAX_NAMED_ABSENT else ""
        names = ", ".join(dropped[:MAX_NAMED_ABSENT])
        job.observer.note(f"npm left out optional packages that are locked for this target: {names}{more}")
    return InstallResult(
        tree=tree,
        owned=directories,
        image=job.image,
        strategy=job.way,
        node=facts.node,
        npm=facts.npm,
        tuned=heard.tuned,
        absent=dropped,
        log=heard.lines[-KEPT_LOG_LINES:],
        key_inputs=_key_inputs(job, facts, argv),
        spool=whole,
    )


def _key_inputs(job: _InstallJob, facts: commands.ImageFacts, argv: Sequence[str]) -> tuple[tuple[str, str], ...]:
    compiler = ((name, flags) for name, flags in sorted(job.order.settings.compiler_flags.items()))
    return (
        *compiler,
        ("target", str(job.order.target)),
        ("image", job.image.digest),
        ("node", facts.node),
        ("npm", facts.npm),
        ("flags", commands.option_text(argv)),
        ("strategy", f"{job.way.name}/{job.way.version}"),
    )
