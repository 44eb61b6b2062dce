"""The records that `explain` answers with, in one list, and the names of their causes. Imports no rule's check."""

from collections.abc import Mapping

from lambdapack.errors.build import LOCK_REFUSED, REGISTRY_REFUSED, ROOT_SCRIPT
from lambdapack.errors.cloud import BUSY, CHANGED, TOO_LARGE
from lambdapack.errors.install import COMPILE_FAILED, CRASHED, NO_TOOLCHAIN, OUT_OF_MEMORY
from lambdapack.errors.record import Failure
from lambdapack.model import Rule
from lambdapack.rules.binary.linking_records import LINKING_RULES
from lambdapack.rules.binary.loader_records import LOADER_RULES
from lambdapack.rules.binary.node_records import NODE_RULES
from lambdapack.rules.function.records import HANDLER_RULES
from lambdapack.rules.lockfile.records import (
    FOREIGN_PROTOCOL,
    GIT_DEPENDENCY,
    LOCK_MISSING,
    LOCK_OUT_OF_STEP,
    NPM_REFUSES_LOCK,
    PLATFORM_PACKAGE_MISSING,
    PLUG_N_PLAY,
    SCRIPTS_SKIPPED,
)
from lambdapack.rules.modules.records import ADDON_BUNDLED, REQUIRES_MODULE
from lambdapack.rules.package.records import PACKAGE_RULES

CAUSE_RECORDS: tuple[Rule | Failure, ...] = (
    *LOADER_RULES,
    *LINKING_RULES,
    *NODE_RULES,
    PLATFORM_PACKAGE_MISSING,
    *PACKAGE_RULES,
    SCRIPTS_SKIPPED,
    NO_TOOLCHAIN,
    COMPILE_FAILED,
    CRASHED,
    REQUIRES_MODULE,
    ADDON_BUNDLED,
    *HANDLER_RULES,
    LOCK_OUT_OF_STEP,
    LOCK_MISSING,
    NPM_REFUSES_LOCK,
    FOREIGN_PROTOCOL,
    BUSY,
    CHANGED,
    TOO_LARGE,
    OUT_OF_MEMORY,
    PLUG_N_PLAY,
    REGISTRY_REFUSED,
    GIT_DEPENDENCY,
    ROOT_SCRIPT,
    LOCK_REFUSED,
)
"""Every record with a remedy. The first of several with one cause is the general one."""


def cause_of(record: Rule | Failure) -> str:
    """Return the name of what a record is about, as a diagnosis has it."""
    return record.cause or record.name


CAUSE_CODES: Mapping[str, str] = {cause_of(record): record.code for record in reversed(CAUSE_RECORDS)}
"""Name of the cause to the code of its general record; the schema lambdapack/diagnosis/1 knows no other names."""
