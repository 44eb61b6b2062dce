"""The runtimes of the recording, measured anew from the same kind of root file system. Never runs one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import lambdapack.binary
import lambdapack.runtimes
from images.lab.recipe import Cpu
from lambdapack.runtimes.measure import measure_runtime
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.runtimefile import read_runtime, write_runtime
from lambdapack.tree.compose import OverlayTree, PrefixedTree
from lambdapack.tree.spool import SpoolTree
from tests.corpus.debian import root_file_system
from tests.corpus.packages import cache, fetch, package

SUITES = {"Debian 11": "bullseye", "Debian 12": "bookworm"}

CPUS = {cpu.node: cpu for cpu in Cpu}

WHERE = "usr/local"
"""The npm packages of Node.js hold bin/node and include/node, which lie there in Docker's own `node` images."""


def runtime_of(image: Mapping[str, str]) -> Runtime:
    """Return what an image of the recording provides: `image` is its record there."""
    cpu = CPUS[image["arch"]]
    suite = next(name for words, name in SUITES.items() if image["image"].startswith(words))
    version = image["node"].removeprefix(f"{image['arch']}-")
    file = cache() / "runtimes" / f"{suite}-{cpu.aws}-{version}-{_measurer()}.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_runtime(_measured(suite, cpu, version), file)
    return read_runtime(file)


def _measured(suite: str, cpu: Cpu, version: str) -> Runtime:
    spec = f"node-linux-{cpu.node}@{version}"
    with SpoolTree(root_file_system(suite, cpu)) as root, package(fetch([spec])[spec]) as node:
        return measure_runtime(OverlayTree(root, PrefixedTree(node, WHERE)))


def _measurer() -> str:
    """What measures is part of a measurement's name: a change to it measures anew."""
    folders = (Path(str(each.__file__)).parent for each in (lambdapack.binary, lambdapack.runtimes))
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".json"}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
