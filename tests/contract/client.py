"""A client in a process of its own, to be interrupted or killed: `client.py URL LABEL`."""

import sys

from lambdapack.engine.docker import connect_engine
from lambdapack.engine.interface import Command, SandboxSpec
from lambdapack.model import Architecture
from tests.fakes import RecordingObserver

IMAGE = "lambdapack-lab/nodejs:22-x86_64"


class Printing(RecordingObserver):
    """Says on stderr what could not be cleaned up."""

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def main(url: str, label: str) -> None:
    engine = connect_engine({"DOCKER_HOST": url})
    print("connected", flush=True)
    spec = SandboxSpec(IMAGE, Architecture.X86_64, label, writable=("/var/task",))
    with engine.open(spec, Printing()) as sandbox:
        print("open", flush=True)
        sandbox.run(Command(("sleep", "60")), lambda _source, _data: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
