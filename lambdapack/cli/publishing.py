"""Does what `lambdapack publish-layer` asks, and tells what became of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli import choices, console, signals
from lambdapack.cli.beside import with_memory
from lambdapack.cli.cloud import Place
from lambdapack.cli.options import Format
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.config.settings import DEFAULT
from lambdapack.deploy.nouns import Permission
from lambdapack.deploy.publish import publish_layers
from lambdapack.errors import BAD_TARGET, USAGE, Exit, LambdapackError
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.publishing import ExaminedLayer, LayerOrder, Terms, examine_layers
from lambdapack.report import layer as layers
from lambdapack.runtimes.catalogue import parse_architecture, parse_runtime

NAME = re.compile(r"[A-Za-z0-9_-]{1,133}")
"""A layer's name; 140 signs are the most (Lambda API), and "-x86_64" may be added."""

ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
"""AWS Organizations API, "OrganizationId"."""

MANIFEST = "package.json"

ON_INTERRUPTION = "the same command goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    path: Path
    name: str
    keep: int
    public: bool
    share: tuple[str, ...]
    dry_run: bool
    bucket: str
    project: Path | None
    place: Place
    style: Format
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    bars = Bars(quiet=asked.quiet)
    permissions = _permissions(asked)
    settings = _settings(asked, flags, bars)
    cloud = asked.place.connect()
    orders = _orders(asked, settings, bars)
    if not orders:
        return int(Exit.JUDGEMENT)
    terms = Terms(
        policy=choices.policy_of(settings, handler_required=False),
        gate=choices.fail_on(settings) or Severity.ERROR,
        store=store_of(settings),
        project=asked.project,
        permissions=permissions,
        bucket=asked.bucket,
        keep=asked.keep,
    )
    examined = examine_layers(orders, terms, cloud, bars)
    _report(asked, examined)
    stopped = any(each.refused for each in examined)
    if not stopped and settings.arch.value == choices.ALL and len(examined) == 1:
        _demand_all(asked, examined[0])
    if asked.dry_run or stopped:
        _plans(asked, examined, cloud.region, stopped=stopped)
        return int(Exit.JUDGEMENT if stopped else Exit.FINE)
    signals.leave(ON_INTERRUPTION)
    done = publish_layers([each.plan for each in examined], cloud, bars)
    console.talk("".join(map(layers.outcome, done)))
    if asked.style is Format.JSON:
        console.product(layers.published(done, cloud.region))
    else:
        console.product("".join(f"{each.version.arn}\n" for each in done if each.version))
    return int(Exit.FINE)


def _permissions(asked: Asked) -> tuple[Permission, ...]:
    """Return who else may use the layer; LP001 for what names nobody, and for a name that AWS does not take."""
    if not NAME.fullmatch(asked.name):
        hint = "A name has letters, digits, - and _, at most 133 of them."
        raise LambdapackError(USAGE, f"--name {asked.name!r} is no name of a layer", hint=hint)
    found = [Permission("lambdapack-public", "*")] if asked.public else []
    for each in dict.fromkeys(asked.share):
        if re.fullmatch(r"[0-9]{12}", each):
            found.append(Permission(f"lambdapack-{each}", each))
        elif ORGANIZATION.fullmatch(each):
            found.append(Permission(f"lambdapack-{each}", "*", each))
        else:
            hint = "Name an account by its 12 digits, or an organization: `--share 123456789012`."
            raise LambdapackError(USAGE, f"--share {each!r} is neither an account nor an organization", hint=hint)
    return tuple(found)


def _settings(asked: Asked, flags: Mapping[str, object], bars: Bars) -> Settings:
    path = asked.path
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {name: value for name, value in with_memory(path, flags, bars).items() if name != "handler"}
        return choices.settings_of(path, known)
    if not (path / MANIFEST).is_file():
        hint = "Zip a directory that is in layer form yourself, or name the one that holds package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no {MANIFEST} in it", hint=hint)
    if asked.project is not None:
        hint = "Leave --project out: a project is built anew."
        raise LambdapackError(USAGE, "--project is for a zip", hint=hint)
    return choices.settings_of(path, flags)


def _orders(asked: Asked, settings: Settings, bars: Bars) -> tuple[LayerOrder, ...]:
    """Return what is to be published; nothing when a project did not pass."""
    if asked.path.is_file():
        runtime, arch = settings.runtime, settings.arch
        said = runtime.value if runtime.origin != DEFAULT else None
        cpu = parse_architecture(arch.value) if arch.origin != DEFAULT and arch.value != choices.ALL else None
        return (LayerOrder(asked.name, asked.path, parse_runtime(said) if said else None, cpu),)
    built = _built(asked, settings, bars)
    if len(built) > 1 and len({code_digest(path) for path in built.values()}) == 1:
        target, path = next(iter(built.items()))
        return (LayerOrder(asked.name, path, target.runtime, None),)
    several = len(built) > 1
    return tuple(
        LayerOrder(f"{asked.name}-{cpu}" if several else asked.name, path, target.runtime, cpu)
        for target, path in built.items()
        for cpu in (target.architecture,)
    )


def _built(asked: Asked, settings: Settings, bars: Bars) -> Mapping[Target, Path]:
    from lambdapack.cli.building import wanted_of  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.cli.engines import connector  # noqa: PLC0415
    from lambdapack.cli.places import outputs_for  # noqa: PLC0415
    from lambdapack.pipeline.build import build  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    outputs = outputs_for(asked.path, settings, choices.targets_of(settings, bars))
    built = build(wanted_of(asked.path, settings, outputs), connector(settings), bars)
    if any(each.archive is None for each in built):
        console.talk("\n".join(human.render(each.report, verbose=asked.verbose) for each in built))
        console.talk("no archive was written, and nothing was sent\n")
        return {}
    return {each.report.runtime.target: each.archive.path for each in built if each.archive}


def _demand_all(asked: Asked, examined: ExaminedLayer) -> None:
    cpus = examined.plan.wanted.architectures
    if len(cpus) < len(Architecture):
        named = " and ".join(each.aws for each in cpus)
        hint = f"Build both: `lambdapack publish-layer DIR --name {asked.name} --arch all`, or leave --arch out."
        raise LambdapackError(USAGE, f"{asked.path} is good for {named} alone, not for all", hint=hint)


def _report(asked: Asked, examined: Sequence[ExaminedLayer]) -> None:
    """Tell the findings, those of several layers under their names."""
    from lambdapack.report import human  # noqa: PLC0415  # not when there are none

    for each in examined:
        if each.report.findings or asked.verbose:
            lead = f"{each.plan.wanted.name}:\n" if len(examined) > 1 else ""
            console.talk(f"{lead}{human.render(each.report, verbose=asked.verbose)}\n")


def _plans(asked: Asked, examined: Sequence[ExaminedLayer], region: str, *, stopped: bool) -> None:
    found = [each.plan for each in examined]
    if asked.style is Format.JSON:
        console.product(layers.document(found, region, refused=stopped))
    else:
        write = console.product if asked.dry_run else console.talk
        write("".join(layers.human(each, refused=stopped) for each in found))
    if stopped:
        console.talk("nothing was sent\n")
