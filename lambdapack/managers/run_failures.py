"""What a failed run of pnpm or yarn means, by their own error codes. Runs nothing."""

import re
from dataclasses import dataclass

from lambdapack.engine.emulation import signal_of
from lambdapack.errors.build import (
    DISK_FULL,
    LOCK_REFUSED,
    MANAGER_FAILED,
    MANAGER_MISSING,
    NO_REGISTRY,
    REGISTRY_REFUSED,
)
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.managers.interface import CompletedRun

MAX_SHOWN_LINES = 12
"""Lines of the manager's output that an error quotes."""

_CA = "Set NODE_EXTRA_CA_CERTS (or `cafile` in .npmrc) to the PEM file of the authority that signs its certificate."


@dataclass(frozen=True, slots=True)
class _Sign:
    pattern: str
    failure: Failure
    hint: str = ""  # may use {manager}


SIGNS: tuple[_Sign, ...] = (
    _Sign(r"ENOSPC|no space left on device", DISK_FULL),
    _Sign(
        r"SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)|CERT_(?:HAS_EXPIRED|UNTRUSTED)|ERR_TLS_|self.signed certificate",
        NO_REGISTRY,
        _CA,
    ),
    _Sign(
        r"ERR_PNPM_(?:OUTDATED_LOCKFILE|NO_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|LOCKFILE_MISSING_DEPENDENCY|BROKEN_LOCKFILE"
        r"|PATCH_NOT_APPLIED|UNUSED_PATCH|FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE)"
        r"|lockfile needs to be updated|YN0028|lockfile would have been (?:modified|created)",
        LOCK_REFUSED,
        "Run `{manager} install` with the version that `packageManager` names, and commit the lockfile.",
    ),
    _Sign(
        r"ERR_PNPM_TARBALL_INTEGRITY|EINTEGRITY|Integrity check failed|YN0018",
        LOCK_REFUSED,
        "Find out why the registry or a proxy serves another file than the locked one.",
    ),
    _Sign(
        r"ERR_PNPM_FETCH_40[134]|YN0041|YN0035|Request failed \"40[134]|\b40[134] (?:Unauthorized|Forbidden|Not Found)"
        r"|Invalid authentication|error An unexpected error occurred: \"[^\"]*40[134]",
        REGISTRY_REFUSED,
    ),
    _Sign(
        r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ERR_PNPM_META_FETCH_FAIL|YN0001: .*RequestError"
        r"|Couldn't find any versions|couldn't be reached",
        NO_REGISTRY,
    ),
)


def manager_failure(run: CompletedRun, manager: str) -> LambdapackError | None:
    """Return the failure of a run that was the manager's own, None when all is well or npm ran the scripts."""
    title = run.title
    if run.ended.ok or not title:
        return None
    lines = [line for line in run.lines if line.strip()]
    shown = "\n".join(lines[-MAX_SHOWN_LINES:])
    if signal_of(run.ended) is not None or run.ended.out_of_memory:
        return None
    for sign in SIGNS:
        if any(re.search(sign.pattern, line) for line in lines):
            hint = sign.hint.format(manager=manager)
            return LambdapackError(sign.failure, f"{manager} failed\n{shown}", hint=hint or None)
    failure = MANAGER_MISSING if title.startswith("install ") else MANAGER_FAILED
    return LambdapackError(failure, f"{manager} ended with exit code {run.ended.exit_code}\n{shown}")
