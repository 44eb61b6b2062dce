"""A cloud to test on, with what a function needs in it."""

import io
import itertools
import json
import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config  # noqa: TID251

from lambdapack.aws.calls import Clock
from lambdapack.aws.cloud import BotoCloud
from lambdapack.deploy.nouns import FunctionSettings, LambdaFunction, LocalZip
from lambdapack.model import Architecture
from tests.cloud.fake import FakeAws
from tests.cloud.wire import ACCOUNT, REGION, session

RUNTIME, HANDLER = "nodejs22.x", "index.handler"
BUCKET = "artefacts"
ANSWER = "exports.handler = async event => ({got: event, version: %s})\n"

_names = itertools.count(1)


@dataclass
class World:
    """What tests know of a cloud."""

    name: str  # "fake", "moto", "ministack"
    cloud: BotoCloud
    role: str
    directory: Path
    aws: FakeAws | None = None
    endpoint: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def guards(self) -> bool:
        """Whether it refuses a stale RevisionId, as AWS does."""
        return self.name != "moto"

    def fresh(self, stem: str = "function") -> str:
        """Return a name that nothing has."""
        return f"{stem}-{next(_names)}"

    def archive(self, text: str = "1", size: int = 0) -> Path:
        """Return a zip whose handler answers with `text`; `size` bytes of it cannot be compressed."""
        path = self.directory / f"{next(_names)}.zip"
        path.write_bytes(zipped({"index.js": ANSWER % json.dumps(text)}, size))
        return path

    def function(self, text: str = "1", architecture: Architecture = Architecture.X86_64) -> LambdaFunction:
        """Return a new function that is ready."""
        settings = FunctionSettings(runtime=RUNTIME, handler=HANDLER, role=self.role)
        name = self.fresh()
        self.cloud.create_function(name, architecture, LocalZip(self.archive(text)), settings)
        return self.cloud.wait_until_settled(name)


def _filling(size: int) -> bytes:
    """Return bytes that deflate takes to a twentieth, as text: zeros alone would be a zip bomb."""
    draw = random.Random(size)  # noqa: S311  # the same bytes each time
    block = b"".join(draw.randbytes(48) + bytes(976) for _ in range(1024))
    return (block * (size // len(block) + 1))[:size]


def zipped(files: dict[str, str | bytes], size: int = 0, *, packed: bool = False, below: str = "") -> bytes:
    """Return a zip that is the same each time; `size` bytes more, stored unless `packed`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(_readable(name), data)
        if size:
            method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(
                _readable(f"{below}node_modules/filling"), _filling(size) if packed else bytes(size), method
            )
    return buffer.getvalue()


def _readable(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    return entry


def fake(directory: Path) -> World:
    """Return a world in memory."""
    aws = FakeAws()
    aws.storage.buckets[BUCKET] = {}
    return World("fake", aws.cloud(), f"arn:aws:iam::{ACCOUNT}:role/lambda", directory, aws)


def served(name: str, endpoint: str, directory: Path) -> World:
    """Return the world behind a real server; every request of it is remembered."""
    calls: list[tuple[str, str]] = []

    def make(service: str, config: Config | None = None) -> Any:
        made = session().client(service, endpoint_url=endpoint, config=config)
        made.meta.events.register(f"before-call.{service}", _remember(calls, service))
        return made

    role = _role(make("iam"))
    _bucket(make("s3"))
    calls.clear()
    hasty = Clock(sleep=lambda seconds: time.sleep(seconds / 10))
    return World(name, BotoCloud(make, REGION, hasty), role, directory, None, endpoint, calls)


def _remember(calls: list[tuple[str, str]], service: str) -> Callable[..., None]:
    def remember(model: Any, **_rest: Any) -> None:
        calls.append((service, model.name))

    return remember


def _role(iam: Any) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    try:
        made = iam.create_role(RoleName="lambda", AssumeRolePolicyDocument=json.dumps(trust))
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName="lambda")
    return str(made["Role"]["Arn"])


def _bucket(s3: Any) -> None:
    try:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return
