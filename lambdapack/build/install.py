"""The arrow from a project to its dependency tree: npm in a sandbox. Never touches the host's node_modules."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build import emulation, npm
from lambdapack.build.engine import Engine, Image, Sandbox, SandboxSpec
from lambdapack.build.npm_failures import Run, explain, lost_files
from lambdapack.build.order import Installed, Order
from lambdapack.build.shipped import absent, owned, shipped
from lambdapack.build.strategy import Strategy, candidates
from lambdapack.build.transcript import Transcript
from lambdapack.errors import NO_IMAGE, WRONG_IMAGE, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import TASK_ROOT
from lambdapack.project.document import strings
from lambdapack.project.network import SECRETS
from lambdapack.project.nouns import Project
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.spool import SpoolTree

SHOWN_ABSENT = 5

SHOWN_LOG = 40
"""Lines of npm that an Installed keeps."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One sandbox of an install."""

    label: str
    carried: npm.Carried
    scripts: bool = True
    offline: bool = False  # npm takes everything from its cache
    network: bool = True


@dataclass(frozen=True, slots=True)
class _Job:
    """An order, the way that was chosen, and who watches."""

    order: Order
    way: Strategy
    image: Image
    observer: Observer

    def heard(self) -> Transcript:
        """A new transcript that keeps this order's secrets to itself."""
        return Transcript(self.observer, npm.secret_words(self.order.settings))


def install(order: Order, engine: Engine, spool: Path, observer: Observer = SILENT) -> Installed:
    """Return the production dependencies as npm installs them for the target, indexed from the host file `spool`.

    No container is started when there is nothing to install. A failure of npm is the record that fits it, LP110 else.
    """
    project, work = order.project, order.work
    if not work.root and not (project.lockfile and project.lockfile.production):
        return Installed(MemoryTree({}), owned(project.lockfile))
    *first, last = candidates(work, order.target.architecture, engine.architecture, order.emulation)
    for way in first:
        try:
            return _install(_job(order, way, engine, observer), engine, spool)
        except LambdapackError as error:
            if error.failure not in {NO_IMAGE, WRONG_IMAGE}:
                raise
            observer.note(f"{error.detail}; trying {last.name} instead")
    return _install(_job(order, last, engine, observer), engine, spool)


def _job(order: Order, way: Strategy, engine: Engine, observer: Observer) -> _Job:
    references = order.images[way.architecture]
    reference = references.build if way.toolchain else references.bare
    image = engine.image(reference, way.architecture, observer)
    if way.architecture is not engine.architecture or way.architecture is not order.target.architecture:
        observer.note(way.why)
    if way.emulated:
        emulation.check(engine, reference, way.architecture, observer)
    return _Job(order, way, image, observer)


def _install(job: _Job, engine: Engine, spool: Path) -> Installed:
    *before, last = _steps(job)
    for step in before:
        with _sandbox(job, step, engine) as sandbox:
            _npm(job, step, sandbox)
    with _sandbox(job, last, engine) as sandbox:
        facts, argv, heard = _npm(job, last, sandbox)
        sandbox.get(TASK_ROOT, spool, job.observer)
    return _installed(job, facts, argv, heard, spool)


def _steps(job: _Job) -> tuple[_Step, ...]:
    """Return one step, or two when package scripts would run beside credentials.

    The first then fills the cache with scripts off; its tree and its secrets go with its container.
    """
    settings, offline = job.order.settings, job.order.scripts == "offline"
    full = npm.with_secrets(settings)
    if job.way.work.nothing or not (settings.has_credentials or offline):
        return (_Step("build", full),)
    fetch = _Step("fetch", full, scripts=False)
    return (fetch, _Step("build", npm.without_secrets(settings), offline=True, network=not offline))


@contextmanager
def _sandbox(job: _Job, step: _Step, engine: Engine) -> Iterator[Sandbox]:
    spec = SandboxSpec(
        image=job.image.reference,
        architecture=job.way.architecture,
        label=step.label,
        limits=job.order.limits,
        network=step.network,
        secrets=SECRETS,
        cache=(job.order.cache, npm.CACHE),
        keep=job.order.keep,
    )
    with engine.open(spec, job.observer) as sandbox:
        yield sandbox


def _npm(job: _Job, step: _Step, sandbox: Sandbox) -> tuple[npm.Facts, tuple[str, ...], Transcript]:
    """Install in an open sandbox and return what is worth knowing of it."""
    with job.observer.task("Copying the lockfile and its inputs into the sandbox"):
        facts = npm.move_in(sandbox, job.order.inputs, step.carried)
    if facts.npm_version < job.way.oldest_npm:
        raise LambdapackError(WRONG_IMAGE, f"npm {facts.npm} of {job.image.reference} cannot install for another CPU")
    argv = npm.ci(job.way, job.order.target.architecture, facts.npm_version, scripts=step.scripts)
    if step.offline:
        argv = (*argv, "--offline")
    heard = job.heard()
    with job.observer.task(f"npm ci ({job.way.name}, {job.order.target.architecture})"):
        _run(job, sandbox, facts, heard, argv)
        for event in _root_scripts(job, step):
            _run(job, sandbox, facts, heard, npm.root_script(event), event)
    return facts, argv, heard


def _root_scripts(job: _Job, step: _Step) -> Sequence[str]:
    """Return the scripts that `npm ci --ignore-scripts` left out although the project itself asks for them."""
    return () if job.way.scripts or not step.scripts else job.way.work.root


def _run(
    job: _Job, sandbox: Sandbox, facts: npm.Facts, heard: Transcript, argv: Sequence[str], event: str = ""
) -> None:
    env = {**npm.environment(facts, job.order.limits), **job.order.settings.compiler_flags}
    ended = npm.run(sandbox, argv, env, heard)
    if not ended.ok:
        project = job.order.project
        raise explain(
            Run(
                ended=ended,
                lines=heard.lines,
                architecture=job.way.architecture,
                emulated=job.way.emulated,
                npm=facts.npm,
                event=event,
                scripts=strings(project.manifest.get("scripts")),
                tools=_dev_tools(project),
            )
        )
    if lost := lost_files(heard.lines):
        raise lost


def _dev_tools(project: Project) -> Mapping[str, str]:
    """Return the programs and modules that only devDependencies bring, by name. Read when a script has failed."""
    if project.lockfile is None:
        return {}
    packages = json.loads(project.lockfile.path.read_text("utf-8-sig"))["packages"]
    found: dict[str, str] = {}
    for each in project.lockfile.packages.values():
        if each.dev and each.path.startswith("node_modules/"):
            programs = strings(packages.get(each.path, {}).get("bin"))
            found |= dict.fromkeys((each.name, *programs), each.name)
    return found


def _installed(job: _Job, facts: npm.Facts, argv: Sequence[str], heard: Transcript, spool: Path) -> Installed:
    lockfile = job.order.project.lockfile
    directories = owned(lockfile)
    whole = SpoolTree(spool)
    tree = shipped(whole, job.order.inputs, directories)
    dropped = absent(lockfile, job.order.target.architecture, tree) if lockfile else ()
    if dropped:
        more = f" and {len(dropped) - SHOWN_ABSENT} more" if len(dropped) > SHOWN_ABSENT else ""
        names = ", ".join(dropped[:SHOWN_ABSENT])
        job.observer.note(f"npm left out optional packages that are locked for this target: {names}{more}")
    return Installed(
        tree=tree,
        owned=directories,
        image=job.image,
        strategy=job.way,
        node=facts.node,
        npm=facts.npm,
        tuned=heard.tuned,
        absent=dropped,
        log=heard.lines[-SHOWN_LOG:],
        key_inputs=_key_inputs(job, facts, argv),
        spool=whole,
    )


def _key_inputs(job: _Job, facts: npm.Facts, argv: Sequence[str]) -> tuple[tuple[str, str], ...]:
    compiler = ((name, flags) for name, flags in sorted(job.order.settings.compiler_flags.items()))
    return (
        *compiler,
        ("target", str(job.order.target)),
        ("image", job.image.digest),
        ("node", facts.node),
        ("npm", facts.npm),
        ("flags", npm.flags(argv)),
        ("strategy", f"{job.way.name}/{job.way.version}"),
    )
