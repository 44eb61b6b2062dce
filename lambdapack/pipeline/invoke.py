"""Invokes the handler of an archive in the bare runtime image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.engine.emulation import get_runnable_image
from lambdapack.engine.interface import Engine
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, Target
from lambdapack.pipeline.open import OpenedLayer, open_layers, open_package, overlay_layers, scan_trees, unpacked_tree
from lambdapack.pipeline.verify import read_package_facts
from lambdapack.prove.invoke import FunctionTrees, InvokeRequest, InvokeResult, ResultListener, invoke_function
from lambdapack.rules.binary.judgements import judge_tree
from lambdapack.rules.binary.loader_records import WRONG_CPU
from lambdapack.rules.model.report import Judgement
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class InvocationRequest:
    """Events for one archive."""

    archive: Path  # zip, or a directory as it would be unpacked
    layers: Sequence[Path]  # in the function's order
    target: Target
    image: str  # reference of the bare runtime image
    call: InvokeRequest


def invoke_archive(
    wanted: InvocationRequest, engine: Engine, observer: Observer, told: ResultListener
) -> tuple[InvokeResult, ...]:
    """Return what the handler answers in the bare image; `told` hears of each. LP104 when its CPU cannot be run here.

    LP001 for an archive or layer that is made for another CPU; one foreign file among others is a note.
    """
    architecture = wanted.target.architecture
    with open_package(wanted.archive) as found, open_layers(wanted.layers) as layers:
        code = unpacked_tree(wanted.archive, found)
        _check_architecture(wanted, code, layers, observer)
        get_runnable_image(engine, wanted.image, architecture, observer)
        laid = FunctionTrees(code, [overlay_layers([opened_layer.tree for opened_layer in layers])] if layers else [])
        with observer.task(f"Invoking {wanted.call.handler} on {wanted.target}"):
            return invoke_function(engine, (wanted.image, architecture), laid, wanted.call, observer, told)


def _check_architecture(
    wanted: InvocationRequest, code: Tree, layers: Sequence[OpenedLayer], observer: Observer
) -> None:
    """Say of what is made for another CPU that it is: the loader only says that it is not there."""
    opt = [opened_layer.tree for opened_layer in layers]
    facts = read_package_facts(code, scan_trees((code, *opt), observer), layer=False, handler=None, layers=opt)
    judged = [
        judgement for judgement in judge_tree(facts, shipped_runtime(wanted.target)).judgements if judgement.selected
    ]
    own = [judgement for judgement in judged if not judgement.binary.path.startswith(f"{LAYER_ROOT}/")]
    _refuse_foreign_binaries(wanted.archive, own, wanted.target, observer)
    for layer, path in zip(layers, wanted.layers, strict=True):
        inside = {f"{LAYER_ROOT}/{entry}" for entry in layer.tree.entries}
        _refuse_foreign_binaries(
            path, [judgement for judgement in judged if judgement.binary.path in inside], wanted.target, observer
        )


def _refuse_foreign_binaries(path: Path, judged: Sequence[Judgement], target: Target, observer: Observer) -> None:
    foreign = [judgement for judgement in judged if judgement.cause == WRONG_CPU.name]
    if not foreign:
        return
    first = foreign[0].binary
    cpu = " and ".join(first.machines)
    said = f"{first.path} is for {cpu}, the function runs on {target.architecture}"
    if any(judgement.cause is None for judgement in judged):
        observer.note(f"{path}: {said}")
        return
    hint = f"Pass `--arch {cpu}`, or build {path.name} anew with `lambdapack build --arch {target.architecture}`."
    raise LambdapackError(USAGE, f"{path} is made for another CPU: {said}", hint=hint)
