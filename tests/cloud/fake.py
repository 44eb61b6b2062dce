"""The whole fake: BotoCloud, real clients, and this instead of AWS."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.config import Config  # noqa: TID251

from lambdapack.aws.cloud import BotoCloud
from lambdapack.events import Advance
from tests.cloud.clock import FakeTime
from tests.cloud.extras import FakeExtras
from tests.cloud.functions import FakeFunctions
from tests.cloud.layers import FakeLayers
from tests.cloud.storage import FakeStorage
from tests.cloud.wire import ACCOUNT, REGION, Line, Serve, client


class FakeAws:
    """Lambda, S3 and STS of one account and region, in memory, on a clock that only sleeps move."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.line = Line()
        self.storage = FakeStorage()
        self.functions = FakeFunctions(self.time, self.storage)
        self.layers = FakeLayers(self.functions)
        self.extras = FakeExtras(self.functions)
        self.unzipped = 262_144_000
        self.region = REGION

    def cloud(self) -> "FakeCloud":
        """Return a client of it, as a process of its own would have one."""
        return FakeCloud(self)

    def serving(self) -> Mapping[str, Serve]:
        """Return what answers each operation."""
        owners = (self.functions, self.layers, self.storage, self.extras)
        found = {
            _operation(name): getattr(owner, name)
            for owner in owners
            for name in dir(owner)
            if re.match(r"(get|list|create|update|publish|delete|add|head|put|upload|complete|abort|invoke|tag)", name)
        }
        return {**found, "GetAccountSettings": self._account, "GetCallerIdentity": self._identity}

    def _account(self, _parameters: Mapping[str, Any]) -> dict[str, Any]:
        limits = {"TotalCodeSize": 80530636800, "CodeSizeUnzipped": self.unzipped, "CodeSizeZipped": 52428800}
        used = sum(map(len, self.functions.code.values()))
        return {
            "AccountLimit": {**limits, "ConcurrentExecutions": 1000},
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(self.functions.functions)},
        }

    @staticmethod
    def _identity(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/dev", "UserId": "U"}


class FakeCloud(BotoCloud):
    """BotoCloud over FakeAws; only signed URLs take another way."""

    def __init__(self, aws: FakeAws) -> None:
        def make(service: str, config: Config) -> Any:
            return client(service, config, aws.line, aws.serving())

        super().__init__(make, aws.region, aws.time.clock)
        self.aws = aws

    def download_url(self, location: str, path: Path, advance: Advance) -> None:
        data = self.aws.functions.code[location.removeprefix("https://code.invalid/").removesuffix("?sig=x")]
        advance(path.write_bytes(data))


def _operation(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
