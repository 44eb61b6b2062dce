"""Every rule, in code order. README, `explain CODE`, SARIF and the ignore list's validation derive from it."""

from lambdapack.model import Rule
from lambdapack.rules.binary.linking_records import (
    CPU_LEVEL,
    EXECUTABLE_STACK,
    MISSING_LIBRARY,
    MUSL,
    RELOCATIONS,
    STATIC_TLS,
    SYMBOL_VERSION,
    UNDEFINED_SYMBOL,
)
from lambdapack.rules.binary.loader_records import BAD_ELF, EXECUTABLE, NOT_ELF, TRUNCATED, WRONG_CLASS, WRONG_CPU
from lambdapack.rules.binary.node_records import (
    ELECTRON_ABI,
    MISSING_INTERPRETER,
    NO_EXEC_BIT,
    NODE_ABI,
    NODE_API_LEVEL,
    NOT_AN_ADDON,
)
from lambdapack.rules.binary.versions import UNPROVED
from lambdapack.rules.function.lifecycle import RUNTIME_BLOCKED, RUNTIME_DEPRECATED
from lambdapack.rules.function.loading import HANDLER_FAILS, LOAD_FAILED, VERDICT_DISAGREES
from lambdapack.rules.function.module_system import COMMONJS_AS_MODULE
from lambdapack.rules.function.records import (
    HANDLER_MISSING,
    HANDLER_SHADOWED,
    MODULE_AS_COMMONJS,
    NOT_EXPORTED,
    REQUIRED_FILE_MISSING,
)
from lambdapack.rules.lockfile.records import LOCK_RULES
from lambdapack.rules.model.deploy_records import DEPLOY_RULES
from lambdapack.rules.package.advice import GIVEN_UP, OUT_OF_PLACE
from lambdapack.rules.package.contents import LINK_LEAVES_TREE, SECRET_PACKED
from lambdapack.rules.package.dependencies import DEV_PACKAGES
from lambdapack.rules.package.layers import LAYER_IMPORT, LAYER_NOT_SEARCHED, LINK_DANGLES, TOO_MANY_LAYERS
from lambdapack.rules.package.records import (
    DEPENDENCY_MISSING,
    MISSING_ADDON,
    MISSING_PROGRAM,
    NEEDS_BUCKET,
    NOT_READABLE,
    TOO_BIG,
)
from lambdapack.rules.package.shadows import SHADOWED_LIBRARY, SHADOWED_PACKAGE
from lambdapack.rules.package.stale import MODULES_STALE, ZIP_STALE

CAUSE_RULES: tuple[Rule, ...] = (
    NOT_ELF,
    TRUNCATED,
    WRONG_CLASS,
    WRONG_CPU,
    BAD_ELF,
    EXECUTABLE,
    MUSL,
    MISSING_LIBRARY,
    SYMBOL_VERSION,
    UNDEFINED_SYMBOL,
    NODE_ABI,
    ELECTRON_ABI,
    NOT_AN_ADDON,
    NODE_API_LEVEL,
    STATIC_TLS,
    RELOCATIONS,
    NO_EXEC_BIT,
    MISSING_INTERPRETER,
    CPU_LEVEL,
)
"""The rules whose names a binary's `cause` may be. One more is a new number of the report's schema."""

RULES: tuple[Rule, ...] = (
    *LOCK_RULES,
    WRONG_CPU,
    NOT_ELF,
    SYMBOL_VERSION,
    MISSING_LIBRARY,
    MUSL,
    TRUNCATED,
    WRONG_CLASS,
    BAD_ELF,
    EXECUTABLE,
    NODE_ABI,
    ELECTRON_ABI,
    NODE_API_LEVEL,
    UNDEFINED_SYMBOL,
    NOT_AN_ADDON,
    STATIC_TLS,
    RELOCATIONS,
    NO_EXEC_BIT,
    MISSING_INTERPRETER,
    CPU_LEVEL,
    UNPROVED,
    MISSING_ADDON,
    EXECUTABLE_STACK,
    VERDICT_DISAGREES,
    LOAD_FAILED,
    MISSING_PROGRAM,
    HANDLER_MISSING,
    TOO_BIG,
    NEEDS_BUCKET,
    LINK_LEAVES_TREE,
    SECRET_PACKED,
    NOT_READABLE,
    RUNTIME_DEPRECATED,
    RUNTIME_BLOCKED,
    HANDLER_SHADOWED,
    HANDLER_FAILS,
    DEPENDENCY_MISSING,
    SHADOWED_PACKAGE,
    SHADOWED_LIBRARY,
    LINK_DANGLES,
    LAYER_NOT_SEARCHED,
    TOO_MANY_LAYERS,
    LAYER_IMPORT,
    DEV_PACKAGES,
    MODULES_STALE,
    ZIP_STALE,
    GIVEN_UP,
    OUT_OF_PLACE,
    NOT_EXPORTED,
    MODULE_AS_COMMONJS,
    COMMONJS_AS_MODULE,
    REQUIRED_FILE_MISSING,
    *DEPLOY_RULES,
)
