"""Installing through the engine against a bare `docker run ... npm ci` of the same project, both with warm caches."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lambdapack.engine.docker import connect_engine
from lambdapack.install.install import install_dependencies
from lambdapack.install.request import ImageReferences, InstallRequest
from lambdapack.managers.npm.inputs import find_install_scripts, install_inputs
from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.registry import MANAGERS, read_dependencies
from lambdapack.model import Architecture, Target
from tests.bench.timing import paired, row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
BARE = "lambdapack-lab/nodejs:22-x86_64"
BUILD = f"{BARE}-build"
VOLUME = "lambdapack-bench-npm"
SERVICE = {
    "@aws-sdk/client-dynamodb": "3.908.0",
    "@aws-sdk/client-s3": "3.908.0",
    "express": "5.1.0",
    "pg": "8.16.3",
    "sharp": "0.34.5",
    "winston": "3.18.3",
}
"""What functions of a web service commonly depend on: about 200 packages."""

TARGET = Target("nodejs22.x", Architecture.X86_64)


def bare_npm_ci(project: Path, image: str, *flags: str) -> None:
    """What a careful person types: the project mounted, npm's cache kept, the host's CA passed on."""
    shutil.rmtree(project / "node_modules", ignore_errors=True)
    authority = os.environ.get("NODE_EXTRA_CA_CERTS")
    certificates = ["-v", f"{authority}:/ca.pem:ro", "-e", "NODE_EXTRA_CA_CERTS=/ca.pem"] if authority else []
    subprocess.run(
        [
            *("docker", "run", "--rm", "--entrypoint", "npm", "-w", "/var/task", "-v", f"{project}:/var/task"),
            *("-v", f"{VOLUME}:/cache", "-e", "npm_config_cache=/cache", "-e", "LD_LIBRARY_PATH="),
            *("-e", "npm_config_nodedir=/var/lang", *certificates, image),
            *("ci", "--omit=dev", "--no-audit", "--no-fund", *flags),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def installed(directory: Path, scratch: Path) -> None:
    """The engine's whole part: connect, open, copy in, npm ci, copy out, nothing left."""
    source = read_dependencies(directory)
    inputs = install_inputs(source)
    images = ImageReferences(BARE, BUILD)
    order = InstallRequest(
        manager=MANAGERS[0],
        source=source,
        target=TARGET,
        inputs=inputs,
        scripts=find_install_scripts(source, inputs, TARGET.architecture),
        images=lambda _architecture: images,
        settings=translate_npm_settings(directory, os.environ, Path.home()),
    )
    install_dependencies(order, connect_engine(os.environ), scratch / "spool.tar").close()


def projects(scratch: Path) -> Iterator[tuple[str, Path, str, list[str]]]:
    """Yield name, directory, image and npm's flags: two small examples, and one as large as services are."""
    for name, image, flags in (("thumbnail", BARE, ["--ignore-scripts"]), ("password", BUILD, [])):
        shutil.copytree(ROOT / "examples" / name, scratch / name, ignore=shutil.ignore_patterns(".lambdapack"))
        yield name, scratch / name, image, flags
    service = scratch / "service"
    service.mkdir()
    (service / "package.json").write_text(json.dumps({"name": "service", "version": "1.0.0", "dependencies": SERVICE}))
    subprocess.run(
        ["npm", "install", "--package-lock-only", "--no-audit"], cwd=service, check=True, capture_output=True
    )
    yield "service", service, BARE, ["--ignore-scripts"]


def main() -> None:
    """Print a row for each project."""
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        for name, ours, image, flags in projects(scratch):
            theirs = scratch / f"{name}-bare"
            shutil.copytree(ours, theirs)
            pair = paired(
                lambda ours=ours: installed(ours, scratch),  # type: ignore[misc]
                lambda theirs=theirs, image=image, flags=flags: bare_npm_ci(theirs, image, *flags),  # type: ignore[misc]
                ROUNDS,
            )
            figure = f"{pair.ratio:.2f}x of {statistics.median(pair.theirs):.1f} s"
            row(f"install {name}, copied out", "bare docker run ... npm ci", figure, "<= 1.1x")
    subprocess.run(["docker", "volume", "rm", "-f", VOLUME], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
