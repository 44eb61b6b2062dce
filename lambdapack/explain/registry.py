"""Every sign, in the order in which they are tried."""

from lambdapack.explain.nouns import Sign
from lambdapack.explain.signs import (
    building,
    finders,
    lambda_runtime,
    limits,
    loader_linux,
    loader_other,
    node,
    platform_packages,
)

SIGNS: tuple[Sign, ...] = (
    *node.SIGNS,
    *loader_linux.SIGNS,
    *loader_other.SIGNS,
    *platform_packages.SIGNS,
    *finders.SIGNS,
    *building.SIGNS,
    *lambda_runtime.SIGNS,
    *limits.SIGNS,
)
