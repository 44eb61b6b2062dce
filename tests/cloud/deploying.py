"""One deployment after another, on the fake."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from lambdapack.deploy.apply import Deployment, apply_plans
from lambdapack.deploy.nouns import DeploymentPackage, DesiredFunction, FunctionSettings, SmokeTest
from lambdapack.model import Architecture, Severity
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.deploy import DeployRequest, JudgingPolicy, PlannedFunction, is_refused, plan_deployments
from lambdapack.rules.model.case import Policy
from tests.cloud.fake import FakeAws, FakeCloud
from tests.cloud.wire import ACCOUNT
from tests.cloud.world import ANSWER, BUCKET, HANDLER, RUNTIME, zipped
from tests.fakes import RecordingObserver

ROLE = f"arn:aws:iam::{ACCOUNT}:role/lambda"
NEW = FunctionSettings(runtime=RUNTIME, handler=HANDLER, role=ROLE)
EVENT = SmokeTest(b'{"ping": 1}', "event.json")

_numbers = itertools.count(1)


@dataclass
class Site:
    """A project's zips and the AWS that they go to."""

    directory: Path
    aws: FakeAws = field(default_factory=FakeAws)
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    cloud: FakeCloud = field(init=False)

    def __post_init__(self) -> None:
        self.aws.storage.buckets[BUCKET] = {}
        self.cloud = self.aws.cloud()

    def package(
        self, text: str = "1", files: Mapping[str, str | bytes] | None = None, size: int = 0, *, packed: bool = False
    ) -> DeploymentPackage:
        """Return a zip; its handler says that all is well."""
        path = self.directory / f"{next(_numbers)}.zip"
        path.write_bytes(zipped({"index.js": ANSWER % f'"{text}"', **(files or {})}, size, packed=packed))
        digest = code_digest(path)
        self.aws.functions.handlers.setdefault(digest, lambda _event: {"statusCode": 200, "body": text})
        return DeploymentPackage(path, digest, path.stat().st_size)

    def wanted(self, package: DeploymentPackage, **changes: Any) -> DesiredFunction:
        return replace(DesiredFunction("fn", package, alias="live"), **changes)

    def examine(self, *wanted: DesiredFunction, project: Path | None = None) -> tuple[PlannedFunction, ...]:
        terms = JudgingPolicy(Policy(today=date(2026, 11, 20), handler_required=True))
        order = DeployRequest(wanted, lambda: terms, project)
        return plan_deployments(order, self.cloud, self.observer)

    def deploy(self, *wanted: DesiredFunction) -> tuple[Deployment, ...]:
        """Deploy as the command does, with a client of its own."""
        self.cloud = self.aws.cloud()
        examined = self.examine(*wanted)
        assert not is_refused(examined, Severity.ERROR), [each.plan.findings for each in examined]
        return apply_plans([each.plan for each in examined], self.cloud, self.observer)

    def function(self, text: str = "old", name: str = "fn", **changes: Any) -> DeploymentPackage:
        """Make a function with version 1 and alias live, and forget the calls."""
        package = self.package(text)
        self.deploy(self.wanted(package, function=name, creation_settings=NEW, **changes))
        self.aws.line.forget()
        return package

    @property
    def live(self) -> str:
        return self.alias("fn")

    def alias(self, name: str) -> str:
        return str(self.aws.functions.functions[name].aliases["live"]["FunctionVersion"])

    def serves(self, name: str = "fn") -> str:
        """Return the code digest that the alias serves."""
        return str(self.aws.functions.functions[name].versions[self.alias(name)]["CodeSha256"])


ARM = Architecture.ARM64
X86 = Architecture.X86_64
