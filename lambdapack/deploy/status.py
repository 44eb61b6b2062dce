"""Reads what is live: each alias of a function with its version, since when, from which commit, and what differs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import run_parallel
from lambdapack.deploy.memory import AliasMemory, read_memory
from lambdapack.deploy.nouns import LATEST, Alias, LambdaFunction, unqualified_arn
from lambdapack.deploy.owners import FunctionOwner, find_owners
from lambdapack.errors.cloud import NO_FUNCTION, NOT_THERE
from lambdapack.errors.record import LambdapackError

MAX_PARALLEL_READS = 20
"""Functions that are read at the same time, as for `deploy`."""

COMMIT_WORDS = re.compile(r"\bcommit ([0-9a-f]{7,64})\b")


@dataclass(frozen=True, slots=True)
class AliasStatus:
    """Where one alias is."""

    alias: Alias
    version: LambdaFunction | None  # None: it was deleted
    memory: AliasMemory

    @property
    def since(self) -> str:
        """When lambdapack made it live; "" when somebody else did."""
        return self.memory.entries[0].since if self.memory.follows(self.alias) else ""

    @property
    def moved_by(self) -> str:
        """Who made it live; "" when it is not known."""
        return self.memory.entries[0].by if self.memory.follows(self.alias) else ""

    @property
    def commit(self) -> str:
        """The commit of the version's description; "" when it names none."""
        match = COMMIT_WORDS.search(self.version.description) if self.version else None
        return match[1] if match else ""

    def drift(self, code_digest: str) -> bool | None:
        """Tell whether the code differs from a zip; None when it is not known."""
        return self.version.code_digest != code_digest if self.version and code_digest else None


@dataclass(frozen=True, slots=True)
class FunctionStatus:
    """What is live of one function."""

    name: str  # as it was asked for
    latest: LambdaFunction
    aliases: tuple[AliasStatus, ...]
    owners: tuple[FunctionOwner, ...]
    code_digest: str = ""  # of the zip here; "" without one

    @property
    def latest_drift(self) -> bool | None:
        """Whether the code of $LATEST differs from the zip; None without a zip."""
        return self.latest.code_digest != self.code_digest if self.code_digest else None


def read_statuses(
    cloud: Cloud, functions: Sequence[str], alias: str, code_digest: str = ""
) -> tuple[FunctionStatus, ...]:
    """Return what is live of each function. LP415 without the function, LP416 without the alias."""
    return run_parallel(
        lambda function: read_status(cloud, function, alias, code_digest), functions, MAX_PARALLEL_READS
    )


def read_status(cloud: Cloud, function: str, name: str, code_digest: str = "") -> FunctionStatus:
    """Return what is live of a function, of one alias or of all."""
    latest = cloud.function(function)
    if latest is None:
        raise LambdapackError(NO_FUNCTION, f"{function} in {cloud.region}", hint="Check the name and `--region`.")
    aliases = [alias for alias in cloud.aliases(function) if name in {"", alias.name}]
    if name and not aliases:
        hint = f"List them with `aws lambda list-aliases --function-name {function}`."
        raise LambdapackError(NOT_THERE, f"{function} has no alias {name}", hint=hint)
    rows = tuple(
        AliasStatus(
            alias,
            latest if alias.version == LATEST else cloud.function(function, alias.version),
            read_memory(alias),
        )
        for alias in aliases
    )
    tags = cloud.tags(unqualified_arn(latest.arn)) or {}
    return FunctionStatus(
        function, latest, rows, tuple(find_owners(tags, aliases[0] if aliases else None, ())), code_digest
    )
