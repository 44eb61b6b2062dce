"""The tools of others that call lambdapack, as their users install them, each apart from ours.

`python -m tests.peers.tools` installs them into .lab/peers; `make test` does it.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parents[2] / ".lab" / "peers"

SAM = "aws-sam-cli==1.170.0"
"""Its own virtual environment: it pins other libraries than ours."""

NODE_TOOLS = ("osls@4.3.1", "aws-cdk-lib@2.275.0", "constructs@10.5.0")
"""osls is the Serverless Framework's free fork; of CDK the library alone, which synthesises without its command."""


def sam() -> Path:
    """Return the program `sam`."""
    program = HOME / "sam" / "bin" / "sam"
    if not program.exists():
        print(f"Installing {SAM} into .lab/peers/sam, a virtual environment of its own")
        shutil.rmtree(HOME / "sam", ignore_errors=True)
        venv.create(HOME / "sam", with_pip=True)
        subprocess.run([HOME / "sam" / "bin" / "pip", "install", "--quiet", SAM], check=True)
    return program


def node_modules() -> Path:
    """Return the node_modules with the tools made of JavaScript."""
    directory = HOME / "node"
    stamp = directory / f".{'+'.join(NODE_TOOLS).replace('@', '-')}"
    if not stamp.exists():
        print(f"Installing {', '.join(NODE_TOOLS)} into .lab/peers/node")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", *NODE_TOOLS]
        subprocess.run(command, cwd=directory, check=True)
        stamp.touch()
    return directory / "node_modules"


def run(
    command: Sequence[object], directory: Path, env: Mapping[str, str], *, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Return what a tool said; lambdapack of this checkout is the one that it finds, and nobody phones home."""
    ours = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        **env,
        "PATH": os.pathsep.join((ours, os.environ["PATH"])),
        "SAM_CLI_TELEMETRY": "0",
        "SLS_TELEMETRY_DISABLED": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    return subprocess.run(
        [str(each) for each in command],
        cwd=directory,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


if __name__ == "__main__":
    sam()
    node_modules()
