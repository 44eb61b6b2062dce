"""Does what `lambdapack verify` asks, and tells what was found."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.build.images import BARE_IMAGE, expand
from lambdapack.cli import choices, console, locating
from lambdapack.cli.beside import with_memory
from lambdapack.cli.bringing import brought, fitting
from lambdapack.cli.cloud import Place
from lambdapack.cli.options import ReportFormat
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.deploy.guard import layer_findings
from lambdapack.errors import USAGE, Exit, LambdapackError
from lambdapack.pipeline.judging import Called, Given, Prove, verify_for
from lambdapack.pipeline.origin import origin_of
from lambdapack.pipeline.remote import Fetched
from lambdapack.report import formats
from lambdapack.rules.check import arrange
from lambdapack.rules.facts import Origin, Policy
from lambdapack.rules.verdict import Report
from lambdapack.runtimes.catalogue import shipped
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting."""

    target: str  # as it was written; Path("s3://x") would lose a slash
    place: Place
    runtime_file: Path | None
    project: Path | None
    load: bool
    all_binaries: bool
    style: ReportFormat
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Judge, write the report, and return the exit code."""
    bars = Bars(quiet=asked.quiet)
    with brought(asked.target, asked.place, bars) as fetched:
        measured, flags = choices.runtime_of(asked.runtime_file, fitting(fetched, flags))
        path = fetched.path if fetched else Path(asked.target)
        settings = choices.settings_of(path, with_memory(path, flags, bars))
        policy = choices.policy_of(settings, handler_required=False, all_binaries=asked.all_binaries)
        runtimes = [measured or shipped(each) for each in choices.targets_of(settings, bars)]
        prove = _prover(settings, policy, bars) if asked.load else None
        given = given_of(path, fetched, settings, origin_beside(path, asked.project))
        reports = verify_for(given, runtimes, policy, bars, prove, store_of(settings))
        if fetched and fetched.function:
            reports = tuple(with_guards(each, fetched, policy) for each in reports)
    several = settings.arch.value == choices.ALL
    where = locating.whereabouts_of(Path(fetched.function.name) if fetched and fetched.function else path)
    console.product(formats.render(asked.style.value, reports, where, several=several, verbose=asked.verbose))
    locating.summarise(asked.style.value, reports)
    if hint := choices.other_cpu(settings, reports, f"lambdapack verify {shlex.quote(asked.target)}"):
        bars.note(hint)
    limit = choices.fail_on(settings)
    failed = limit is not None and any(each.fails(limit) for each in reports)
    return int(Exit.JUDGEMENT if failed else Exit.FINE)


def given_of(path: Path, fetched: Fetched | None, settings: Settings, origin: Origin | None) -> Given:
    """Return what is to be judged: a path with the layers of the settings, or what was brought from AWS."""
    handler, layers = settings.handler.value, settings.layers.value
    if fetched is None:
        return Given(path, handler, layers, origin)
    if fetched.function:
        names = tuple(each.arn for each in fetched.layers.read)
        return Given(path, handler, fetched.files, origin, Called("function", fetched.name, names))
    return Given(path, handler, layers, origin, Called("layer" if fetched.layer else "", fetched.name))


def with_guards(report: Report, fetched: Fetched, policy: Policy) -> Report:
    """Return the report with what a function's own layers say about themselves."""
    found = layer_findings(fetched.layers, report.runtime.target.architecture)
    return replace(report, findings=arrange((*report.findings, *found), policy))


def origin_beside(path: Path, project: Path | None) -> Origin | None:
    """Return the origin of a zip, None for a directory; LP001 when a project is named for one."""
    if project is not None and not path.is_file():
        raise LambdapackError(
            USAGE,
            "--project is for a zip",
            hint="Name a zip, or leave --project out: a directory has its own lockfile.",
        )
    return origin_of(path, project) if path.is_file() else None


def _prover(settings: Settings, policy: Policy, bars: Bars) -> Prove:
    from lambdapack.cli.engines import connector  # noqa: PLC0415  # only --load needs an engine
    from lambdapack.pipeline.loading import Proof, proved  # noqa: PLC0415

    connect = connector(settings)
    template = settings.image.value or BARE_IMAGE

    def prove(report: Report, tree: Tree, handler: str | None, layers: Sequence[Tree]) -> Report:
        target = report.runtime.target
        proof = Proof(connect(target.architecture), expand(template, target), tree, handler, layers)
        return proved(report, proof, policy, bars)

    return prove
