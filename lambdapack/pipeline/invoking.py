"""From an archive to the handler's answer."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.emulation import runnable
from lambdapack.build.engine import Engine
from lambdapack.events import Observer
from lambdapack.model import Target
from lambdapack.pipeline.judging import opened, unpacked
from lambdapack.prove.invoke import Answer, Call, invoke


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for one archive."""

    archive: Path  # zip, or a directory as it would be unpacked
    layers: Sequence[Path]
    target: Target
    image: str  # reference of the bare runtime image
    call: Call


def answer(wanted: Invocation, engine: Engine, observer: Observer) -> Answer:
    """Return what the handler answers in the bare image. LP104 when its CPU cannot be run here."""
    architecture = wanted.target.architecture
    runnable(engine, wanted.image, architecture, observer)
    with ExitStack() as stack:
        code = unpacked(wanted.archive, stack.enter_context(opened(wanted.archive)))
        layers = [unpacked(each, stack.enter_context(opened(each))) for each in wanted.layers]
        with observer.task(f"Invoking {wanted.call.handler} on {wanted.target}"):
            return invoke(engine, (wanted.image, architecture), code, layers, wanted.call, observer)
