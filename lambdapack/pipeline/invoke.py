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
    request: InvocationRequest, engine: Engine, observer: Observer, listener: ResultListener
) -> tuple[InvokeResult, ...]:
    """Return the handler's answers in the bare image; `listener` gets each one. LP104 when its CPU cannot run here.

    LP001 for an archive or layer that is built for a different CPU; a single foreign file is only a note.
    """
    architecture = request.target.architecture
    with open_package(request.archive) as opened, open_layers(request.layers) as layers:
        code = unpacked_tree(request.archive, opened)
        _check_architecture(request, code, layers, observer)
        if engine.kind.has_images:
            get_runnable_image(engine, request.image, architecture, observer)
        trees = FunctionTrees(code, [overlay_layers([opened_layer.tree for opened_layer in layers])] if layers else [])
        with observer.task(f"Invoking {request.call.handler} on {request.target}"):
            if not engine.kind.has_images:
                from lambdapack.prove.local import invoke_locally  # noqa: PLC0415  # the local engine alone

                return invoke_locally(engine, request.target, trees, request.call, observer, listener)
            return invoke_function(engine, (request.image, architecture), trees, request.call, observer, listener)


def _check_architecture(
    request: InvocationRequest, code: Tree, layers: Sequence[OpenedLayer], observer: Observer
) -> None:
    """Refuse binaries for a different CPU, for which the loader reports only a missing file."""
    opt = [opened_layer.tree for opened_layer in layers]
    facts = read_package_facts(code, scan_trees((code, *opt), observer), layer=False, handler=None, layers=opt)
    judgements = [
        judgement for judgement in judge_tree(facts, shipped_runtime(request.target)).judgements if judgement.selected
    ]
    function_judgements = [
        judgement for judgement in judgements if not judgement.binary.path.startswith(f"{LAYER_ROOT}/")
    ]
    _refuse_foreign_binaries(request.archive, function_judgements, request.target, observer)
    for layer, path in zip(layers, request.layers, strict=True):
        inside = {f"{LAYER_ROOT}/{entry}" for entry in layer.tree.entries}
        _refuse_foreign_binaries(
            path, [judgement for judgement in judgements if judgement.binary.path in inside], request.target, observer
        )


def _refuse_foreign_binaries(path: Path, judgements: Sequence[Judgement], target: Target, observer: Observer) -> None:
    foreign = [judgement for judgement in judgements if judgement.cause == WRONG_CPU.name]
    if not foreign:
        return
    first = foreign[0].binary
    cpu = " and ".join(first.machines)
    mismatch = f"{first.path} is for {cpu}, the function runs on {target.architecture}"
    if any(judgement.cause is None for judgement in judgements):
        observer.note(f"{path}: {mismatch}")
        return
    hint = f"Pass `--arch {cpu}`, or rebuild {path.name} with `lambdapack build --arch {target.architecture}`."
    raise LambdapackError(USAGE, f"{path} is built for a different CPU: {mismatch}", hint=hint)
