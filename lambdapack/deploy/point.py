"""How far each plan is, and aliases: they move last, all of them or none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Alias, Function
from lambdapack.deploy.plan import Plan, Point, described
from lambdapack.errors import CHANGED, EXISTS, LambdapackError
from lambdapack.events import Observer


@dataclass(slots=True)
class Standing:
    """How far one plan is, so that a failure can say what stands where."""

    plan: Plan
    latest: Function | None = None  # after the last change, settled
    version: Function | None = None
    alias: Alias | None = None

    @property
    def name(self) -> str:
        """The function's."""
        return self.plan.wanted.function

    @property
    def point(self) -> Point | None:
        """The step that moves its alias, if any."""
        return next((step for step in self.plan.steps if isinstance(step, Point)), None)

    def told(self) -> str:
        """Return what a person has to know when it stops here; "" when nothing was changed."""
        if self.latest is None and self.version is None:
            return ""
        point = self.point
        has = f"version {self.version.version} is published" if self.version else f"{LATEST} is changed"
        if point is None:
            return f"{self.name}: {has}"
        if self.alias:
            return f"{self.name}: {has}, and alias {point.name} points at {self.alias.version}"
        stays = f"is where it was, at version {point.before.version}" if point.before else "was not made"
        return f"{self.name}: {has}, and alias {point.name} {stays}"


@contextmanager
def telling(standing: Standing) -> Iterator[None]:
    """Let a failure say what stands where."""
    try:
        yield
    except LambdapackError as error:
        stands = standing.told()
        if not stands:
            raise
        raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error


def version_of(standing: Standing) -> Function:
    """Return the version that was published, or that has what is wanted already."""
    found = standing.version or standing.plan.serving
    if found is None:
        raise ValueError(f"the plan of {standing.name} ends without a version")
    return found


def point_all(standings: Sequence[Standing], cloud: Cloud, observer: Observer) -> None:
    """Move every alias, or, when one cannot be moved, none."""
    moved: list[Standing] = []
    try:
        for standing in standings:
            point = standing.point
            if point:
                with observer.task(f"Moving {standing.name}:{point.name}"), telling(standing):
                    standing.alias = _point(point, standing, cloud)
                moved.append(standing)
    except BaseException:
        for standing in reversed(moved):
            with suppress(LambdapackError):
                _put_back(standing, cloud, observer)
        raise


def _point(point: Point, standing: Standing, cloud: Cloud) -> Alias:
    wanted = _pointed(point, version_of(standing).version)
    before = point.before
    if before and (before.version, before.weights) == (wanted.version, wanted.weights):
        return before  # AWS gave back the version that it points at
    try:
        if before is None:
            return cloud.create_alias(standing.name, wanted)
        return cloud.update_alias(standing.name, wanted)
    except LambdapackError as error:
        if error.failure not in (CHANGED, EXISTS):
            raise
        now = cloud.alias(standing.name, point.name)
        if now is None or (now.version, now.weights) != (wanted.version, wanted.weights):
            raise
        return now  # it was moved, and the reply lost


def _pointed(point: Point, version: str) -> Alias:
    """Return the alias as it shall be; of a canary the one before stays, with the new one at its side."""
    before = point.before
    if before is None:
        return Alias(point.name, "", version, (), described(None, version, ""))
    if point.canary and before.version != version:
        return replace(before, weights=((version, point.canary),))
    return replace(before, version=version, weights=(), description=described(before, version, before.version))


def _put_back(standing: Standing, cloud: Cloud, observer: Observer) -> None:
    point, alias = standing.point, standing.alias
    if point is None or point.before is None or alias is None:
        return
    with observer.task(f"Putting {standing.name}:{point.name} back to version {point.before.version}"):
        cloud.update_alias(standing.name, replace(point.before, revision=alias.revision))
