"""An alias back to a version that was published before. Never changes $LATEST."""

from dataclasses import dataclass, replace

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Alias, Function
from lambdapack.deploy.plan import described, remembered
from lambdapack.errors import CHANGED, NO_FUNCTION, NO_WAY_BACK, NOT_THERE, LambdapackError


@dataclass(frozen=True, slots=True)
class Rollback:
    """From where to where, and how that was found."""

    function: str
    alias: Alias
    version: Function
    why: str  # "it was there before", "--to", "the canary ends", "the newest one before it"

    @property
    def needed(self) -> bool:
        """Whether the alias is not there already."""
        return self.alias.version != self.version.version or bool(self.alias.weights)


def find(cloud: Cloud, function: str, name: str, to: str = "") -> Rollback:
    """Return what a rollback would do. LP415, LP416 or LP429 when function, alias or version are not there."""
    alias = cloud.alias(function, name)
    if alias is None:
        raise _nothing(cloud, function, name)
    number, why = _number(cloud, function, alias, to)
    version = cloud.function(function, number)
    if version is None or version.failed:
        what = "does not exist any more" if version is None else f"cannot run: {version.reason}"
        raise LambdapackError(NO_WAY_BACK, f"version {number} of {function} {what}")
    return Rollback(function, alias, version, why)


def carry_out(cloud: Cloud, found: Rollback) -> Alias:
    """Return the alias at the version that was found; LP413 when somebody moved it meanwhile."""
    if not found.needed:
        return found.alias
    number, before = found.version.version, found.alias
    wanted = replace(before, version=number, weights=(), description=described(before, number, ""))
    try:
        return cloud.update_alias(found.function, wanted)
    except LambdapackError as error:
        now = cloud.alias(found.function, before.name) if error.failure is CHANGED else None
        if now is None or (now.version, now.weights) != (number, ()):
            raise
        return now  # it was moved, and the reply lost


def _nothing(cloud: Cloud, function: str, name: str) -> LambdapackError:
    if cloud.function(function) is None:
        return LambdapackError(NO_FUNCTION, f"{function} in {cloud.region}", hint="Check the name and `--region`.")
    hint = f"List them with `aws lambda list-aliases --function-name {function}`."
    return LambdapackError(NOT_THERE, f"{function} has no alias {name}", hint=hint)


def _number(cloud: Cloud, function: str, alias: Alias, to: str) -> tuple[str, str]:
    if to:
        return to, "--to"
    if alias.weights:
        return alias.version, "the canary ends"
    before = remembered(alias)
    if before:
        return before, "it was there before"
    numbers = [int(each.version) for each in cloud.versions(function) if each.version != LATEST]
    lower = [each for each in numbers if alias.version.isdigit() and each < int(alias.version)]
    if not lower:
        raise LambdapackError(NO_WAY_BACK, f"{function} has no version before {alias.version}, where {alias.name} is")
    return str(max(lower)), "the newest one before it"
