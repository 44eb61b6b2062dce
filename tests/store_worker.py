"""One of many processes that build one project with one store: `python -m tests.store_worker PLACE NAME STORE`.

The engine is in memory and takes its time, so that processes meet. STORE is "local", or the endpoint of an S3.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lambdapack.aws.cloud import connect_cloud
from lambdapack.aws.store_bucket import S3Bucket
from lambdapack.pipeline.package.dependencies import ReusePolicy
from lambdapack.store.shared import open_shared_trees
from lambdapack.store.signing import StoreKeys
from lambdapack.store.trees import DependencyTrees, LocalTrees
from tests.fakes import Process
from tests.unit.pipeline.workshop import Workshop

BUCKET = "stress-of-stores"
INSTALL_SECONDS = 0.3


def ship(process: Process) -> None:
    """Install something large enough to be cut while it is written."""
    for number in range(200):
        process.write(f"/var/task/node_modules/ms/{number}.js", f"exports.n = {number}\n".encode() * 500)
    time.sleep(INSTALL_SECONDS)


def store_opener(place: Path, name: str, endpoint: str) -> Callable[[], DependencyTrees]:
    """Return what opens the store: one directory for all, or a directory for each and one bucket."""
    if endpoint == "local":
        return lambda: LocalTrees(place / "trees")
    bucket = S3Bucket(connect_cloud({}, region="us-east-1", endpoint=endpoint).calls, BUCKET, place.name)
    return lambda: open_shared_trees(LocalTrees(place / "trees" / name), bucket, bucket, StoreKeys())


def main(place: Path, name: str, endpoint: str) -> None:
    """Build once, into a file of this process, and print its digest."""
    workshop = Workshop(place, ship=ship)
    wanted = workshop.wanted()
    (target,) = wanted.outputs
    output = {target: place / "out" / f"{name}.zip"}
    (built,) = workshop.build(outputs=output, reuse=ReusePolicy(store_opener(place, name, endpoint)))
    assert built.archive is not None
    print(built.archive.code_digest, len(workshop.engine.opened))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
