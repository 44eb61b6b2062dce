"""A client in a process of its own, to be interrupted or killed: `client.py URL LABEL`."""

import sys

from lambdapack.build.docker import connect
from lambdapack.build.engine import Command, SandboxSpec
from lambdapack.model import Architecture

IMAGE = "lambdapack-lab/nodejs:22-x86_64"


def main(url: str, label: str) -> None:
    engine = connect({"DOCKER_HOST": url})
    print("connected", flush=True)
    with engine.open(SandboxSpec(IMAGE, Architecture.X86_64, label, writable=("/var/task",))) as sandbox:
        print("open", flush=True)
        sandbox.run(Command(("sleep", "60")), lambda _source, _data: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
