"""A deployment that has nothing to do, and a large upload, against bare boto3 doing the same; both against moto."""

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lambdapack.aws.cloud import BotoCloud
from lambdapack.deploy.interrupt import run_parallel
from lambdapack.deploy.nouns import DeploymentPackage, DesiredFunction, S3Object
from lambdapack.deploy.observe import observe
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.deploy import MAX_PARALLEL_READS
from tests.bench.timing import paired, row
from tests.cloud import servers
from tests.cloud.faults import Fault, faulty
from tests.cloud.wire import REGION, session
from tests.cloud.world import BUCKET, World, served

ROUNDS = 9
MANY = 20
ANSWER_SECONDS = 0.15
UPLOADS = 5
LARGE = 200 << 20

BARE = """
import boto3
client = boto3.client("lambda")
client.get_function_configuration(FunctionName="fn")
client.get_function_configuration(FunctionName="fn", Qualifier="live")
"""


def nothing_to_do(world: World, environment: dict[str, str]) -> None:
    """Print the row of the deployment."""

    def run(*command: str) -> None:
        subprocess.run(command, env=environment, cwd=world.directory, check=True, capture_output=True)

    deploy = [sys.executable, "-m", "lambdapack", "deploy", str(world.archive("one")), "-q"]
    deploy += ["--function", "fn", "--alias", "live"]
    run(*deploy, "--create", "--role", world.role)
    pair = paired(lambda: run(*deploy), lambda: run(sys.executable, "-c", BARE), ROUNDS)
    row("deploy, nothing to do", "boto3, the same two reads", f"+{pair.above * 1000:.0f} ms", "<= 150 ms above")


def upload(world: World) -> None:
    """Print the row of the upload."""
    path = world.directory / "large.zip"
    path.write_bytes(os.urandom(LARGE))
    stored = S3Object(BUCKET, "lambdapack/large.zip", LARGE, "", "digest")
    client = world.cloud.calls.client("s3")
    pair = paired(
        lambda: world.cloud.upload_object(stored, path, lambda _amount: None),
        lambda: client.upload_file(str(path), BUCKET, "plain.zip"),
        UPLOADS,
    )
    row("upload of 200 MB", "boto3 upload_file", f"{1 / pair.ratio:.2f}x", ">= 0.95x")


class Distant(Fault):
    """No fault: each answer takes as long as one of AWS."""

    def strikes(self, operation: str) -> bool:
        del operation
        time.sleep(ANSWER_SECONDS)
        return False


def plan_of_many(world: World) -> None:
    """Print the row of the reads for 20 functions."""
    archive = world.archive("new")
    package = DeploymentPackage(archive, code_digest(archive), archive.stat().st_size)
    wanted = [DesiredFunction(world.function("old").name, package, alias="live") for _ in range(MANY)]
    with faulty(world.endpoint, Distant("", "")) as address:

        def make(service: str, config: object = None) -> object:
            return session().client(service, endpoint_url=address, config=config)

        cloud = BotoCloud(make, REGION)
        pair = paired(
            lambda: run_parallel(lambda desired: observe(cloud, desired), wanted, MAX_PARALLEL_READS),
            lambda: observe(cloud, wanted[0]),
            UPLOADS,
        )
    row(f"reads of a plan over {MANY} functions", "those of one function", f"{pair.ratio:.2f}x", "<= 1.5x")


def main() -> None:
    """Print all rows."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server tells of every request
    with tempfile.TemporaryDirectory() as directory, servers.moto() as address:
        world = served("moto", address, Path(directory))
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        environment = {**os.environ, **keys, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ENDPOINT_URL": address}
        nothing_to_do(world, environment)
        plan_of_many(world)
        upload(world)


if __name__ == "__main__":
    main()
