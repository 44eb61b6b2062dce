"""From an archive to the handler's answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.emulation import runnable
from lambdapack.build.engine import Engine
from lambdapack.errors import USAGE, LambdapackError
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, Target
from lambdapack.pipeline.judging import facts_of
from lambdapack.pipeline.layers import Opened, merged, opened_layers, scanned
from lambdapack.pipeline.opening import opened, unpacked
from lambdapack.prove.invoke import Call, Laid, Told, invoke
from lambdapack.prove.replies import Answer
from lambdapack.rules.binaries import judge_whole
from lambdapack.rules.opening import WRONG_CPU
from lambdapack.rules.verdict import Judgement
from lambdapack.runtimes.catalogue import shipped
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class Invocation:
    """Events for one archive."""

    archive: Path  # zip, or a directory as it would be unpacked
    layers: Sequence[Path]  # in the function's order
    target: Target
    image: str  # reference of the bare runtime image
    call: Call


def answers(wanted: Invocation, engine: Engine, observer: Observer, told: Told) -> tuple[Answer, ...]:
    """Return what the handler answers in the bare image; `told` hears of each. LP104 when its CPU cannot be run here.

    LP001 for an archive or layer that is made for another CPU; one foreign file among others is a note.
    """
    architecture = wanted.target.architecture
    with opened(wanted.archive) as found, opened_layers(wanted.layers) as layers:
        code = unpacked(wanted.archive, found)
        _compare(wanted, code, layers, observer)
        runnable(engine, wanted.image, architecture, observer)
        laid = Laid(code, [merged([each.tree for each in layers])] if layers else [])
        with observer.task(f"Invoking {wanted.call.handler} on {wanted.target}"):
            return invoke(engine, (wanted.image, architecture), laid, wanted.call, observer, told)


def _compare(wanted: Invocation, code: Tree, layers: Sequence[Opened], observer: Observer) -> None:
    """Say of what is made for another CPU that it is: the loader only says that it is not there."""
    opt = [each.tree for each in layers]
    facts = facts_of(code, scanned((code, *opt), observer), layer=False, handler=None, layers=opt)
    judged = [each for each in judge_whole(facts, shipped(wanted.target)).judgements if each.selected]
    own = [each for each in judged if not each.binary.path.startswith(f"{LAYER_ROOT}/")]
    _require(wanted.archive, own, wanted.target, observer)
    for layer, path in zip(layers, wanted.layers, strict=True):
        inside = {f"{LAYER_ROOT}/{each}" for each in layer.tree.entries}
        _require(path, [each for each in judged if each.binary.path in inside], wanted.target, observer)


def _require(path: Path, judged: Sequence[Judgement], target: Target, observer: Observer) -> None:
    foreign = [each for each in judged if each.cause == WRONG_CPU.name]
    if not foreign:
        return
    first = foreign[0].binary
    cpu = " and ".join(first.machines)
    said = f"{first.path} is for {cpu}, the function runs on {target.architecture}"
    if any(each.cause is None for each in judged):
        observer.note(f"{path}: {said}")
        return
    hint = f"Pass `--arch {cpu}`, or build {path.name} anew with `lambdapack build --arch {target.architecture}`."
    raise LambdapackError(USAGE, f"{path} is made for another CPU: {said}", hint=hint)
