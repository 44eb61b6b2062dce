"""Random operations, one after another, against a model of what must be true: model and server agree after each."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lambdapack.deploy.alias import apply_rollbacks, find_rollback
from lambdapack.deploy.nouns import DesiredFunction, FunctionSettings
from lambdapack.errors.record import LambdapackError
from tests.cloud.deploying import EVENT, Site
from tests.cloud.wire import Died

KEPT = "KEPT"


@dataclass
class Model:
    """What must be true of the alias."""

    live: str = "1"
    share: str = ""  # version that gets a part of the traffic
    known: list[str] = field(default_factory=lambda: ["1"])  # versions that we made live, newest first
    left: bool = False  # the last move was a rollback
    foreign: bool = False  # somebody else moved the alias since
    failed: list[str] = field(default_factory=list)  # newest first
    words: str = ""  # somebody's own text in the description

    def make_live(self, version: str) -> None:
        if self.foreign and self.live not in self.known[:1]:
            self._put(self.live)
        self.failed = [other for other in self.failed if other != version]
        self._put(version)
        self.live, self.share, self.left, self.foreign = version, "", False, False

    def _put(self, version: str) -> None:
        self.known = [version, *(other for other in self.known if other != version)][:5]

    @property
    def way_back(self) -> str:
        return next((version for version in self.known[1:] if version not in self.failed), "")


@dataclass
class Soak:
    site: Site
    draw: random.Random
    model: Model = field(default_factory=Model)
    number: int = 0
    timeout: int = 3

    @property
    def alias(self) -> dict[str, object]:
        return self.site.aws.functions.functions["fn"].aliases["live"]

    def wanted(self, **changes: object) -> DesiredFunction:
        self.number += 1
        package = self.site.package(f"code {self.number}")
        self.timeout = self.draw.randint(3, 60)
        settings = FunctionSettings(timeout=self.timeout)
        return self.site.wanted(package, settings=settings, variables=(("NUMBER", str(self.number)),), **changes)

    def deploy(self) -> None:
        wanted = self.wanted(keep_versions=self.draw.choice((0, 0, 3)))
        self.converge(wanted)

    def converge(self, wanted: DesiredFunction) -> None:
        (done,) = self.site.deploy(wanted)
        if self.model.live != done.version.version or self.model.share:
            self.model.make_live(done.version.version)
        assert done.version.code_digest == wanted.package.code_digest
        self.site.aws.line.forget()
        self.site.deploy(wanted)
        assert self.site.aws.line.writes == []

    def deploy_broken(self) -> None:
        wanted = self.wanted(smoke=EVENT)
        self.site.aws.functions.handlers[wanted.package.code_digest] = lambda _event: {"statusCode": 500}
        with pytest.raises(LambdapackError, match="LP425"):
            self.site.deploy(wanted)
        self.note_failure(str(self.site.aws.functions.functions["fn"].published))

    def note_failure(self, version: str) -> None:
        if self.model.foreign:
            self.model._put(self.model.live)
            self.model.foreign = self.model.left = False
        self.model.failed = [version, *self.model.failed][:5]

    def share(self) -> None:
        (done,) = self.site.deploy(self.wanted(canary=0.1))
        if self.model.foreign:
            self.model._put(self.model.live)
        self.model.share, self.model.left, self.model.foreign = done.version.version, False, False

    def die(self) -> None:
        wanted = self.wanted()
        self.site.aws.line.die_after = len(self.site.aws.line.calls) + self.draw.randint(1, 22)
        before = self.model.live
        try:
            self.site.deploy(wanted)
        except Died:
            pass
        finally:
            self.site.aws.line.die_after = None
        assert self.alias["FunctionVersion"] in {before, str(self.site.aws.functions.functions["fn"].published)}
        self.converge(wanted)

    def roll_back(self) -> None:
        model = self.model
        if model.share:
            expected = model.live
        elif model.foreign:
            expected = ""
        else:
            expected = model.live if model.left else model.way_back
        if not expected or expected not in self.site.aws.functions.functions["fn"].versions:
            with pytest.raises(LambdapackError, match="LP429"):
                find_rollback(self.site.cloud, "fn", "live")
            return
        apply_rollbacks(self.site.cloud, [find_rollback(self.site.cloud, "fn", "live")])
        assert expected not in model.failed or expected == model.live
        if expected != model.live or model.share:
            self._went_back(expected)

    def _went_back(self, version: str) -> None:
        model = self.model
        if model.foreign:
            model._put(model.live)
        if version != model.live:
            model._put(version)
        model.live, model.share, model.left, model.foreign = version, "", True, False

    def roll_back_to(self) -> None:
        version = self.draw.choice(sorted(self.site.aws.functions.functions["fn"].versions))
        apply_rollbacks(self.site.cloud, [find_rollback(self.site.cloud, "fn", "live", version)])
        if version != self.model.live or self.model.share:
            self._went_back(version)

    def moved_by_others(self) -> None:
        version = self.draw.choice(sorted(self.site.aws.functions.functions["fn"].versions))
        self.alias.update(FunctionVersion=version, RevisionId=f"others-{self.number}-{version}")
        self.alias.pop("RoutingConfig", None)
        self.model.foreign = version != self.model.known[0]
        self.model.live, self.model.share = version, ""

    def described_by_others(self) -> None:
        self.model.words = f"note {self.number}"
        description = str(self.alias["Description"])
        self.alias["Description"] = f"{self.model.words} {description[description.index('[lambdapack') :]}"

    def configured_by_others(self) -> None:
        latest = self.site.aws.functions.functions["fn"].latest
        latest["MemorySize"] = self.draw.randint(128, 1024)

    def check(self) -> None:
        alias = self.alias
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})  # type: ignore[attr-defined]
        assert (alias["FunctionVersion"], sorted(weights)) == (self.model.live, [*filter(None, [self.model.share])])
        assert str(alias["Description"]).startswith(self.model.words)
        assert len(str(alias["Description"])) <= 256
        latest = self.site.aws.functions.functions["fn"].latest
        assert latest["Environment"]["Variables"][KEPT] == "1"
        assert {self.model.live, *weights} <= set(self.site.aws.functions.functions["fn"].versions)


OPERATIONS: tuple[Callable[[Soak], None], ...] = (
    Soak.deploy, Soak.deploy, Soak.deploy_broken, Soak.share, Soak.die, Soak.roll_back, Soak.roll_back,
    Soak.roll_back_to, Soak.moved_by_others, Soak.described_by_others, Soak.configured_by_others,
)  # fmt: skip


def run(directory: Path, seed: int, steps: int) -> None:
    site = Site(directory)
    site.function(variables=((KEPT, "1"),))
    soak = Soak(site, random.Random(seed))  # noqa: S311  # the same operations each time
    done = []
    for _step in range(steps):
        operation = soak.draw.choice(OPERATIONS)
        done.append(operation.__name__)
        try:
            operation(soak)
            soak.check()
        except BaseException as error:
            error.add_note(f"seed {seed}, after {len(done)} operations, the last ones {done[-6:]}, {soak.model}")
            raise


def test_the_model_and_the_server_agree(tmp_path: Path) -> None:
    run(tmp_path, 1, 60)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 5))
def test_the_model_and_the_server_agree_after_300_operations(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, 300)
