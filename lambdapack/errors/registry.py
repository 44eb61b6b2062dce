"""All failure records, in code order: README, `explain` and the house tests derive from it."""

from lambdapack.errors.build import BUILD_FAILURES, MANAGER_FAILURES
from lambdapack.errors.cloud import CLOUD_FAILURES
from lambdapack.errors.local import LOCAL_FAILURES
from lambdapack.errors.record import Failure
from lambdapack.errors.system_packages import SYSTEM_FAILURES
from lambdapack.errors.usage import USAGE_FAILURES

FAILURES: tuple[Failure, ...] = (
    *USAGE_FAILURES,
    *BUILD_FAILURES,
    *LOCAL_FAILURES,
    *MANAGER_FAILURES,
    *SYSTEM_FAILURES,
    *CLOUD_FAILURES,
)
