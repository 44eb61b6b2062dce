"""Every check and every rule. A new rule is a module in its room with its record and its check, and a line here.

README, the documentation, `explain CODE`, SARIF and the ignore list's validation derive from RULES.
"""

from lambdapack.model import Rule
from lambdapack.rules.binary.check import BINARY_RULES, check_binaries
from lambdapack.rules.function.handler import COMMONJS_AS_MODULE, check_handler, check_handler_code
from lambdapack.rules.function.lifecycle import RUNTIME_BLOCKED, RUNTIME_DEPRECATED, check_lifecycle
from lambdapack.rules.function.loading import LOAD_RULES
from lambdapack.rules.function.records import (
    HANDLER_MISSING,
    HANDLER_SHADOWED,
    MODULE_AS_COMMONJS,
    NOT_EXPORTED,
    REQUIRED_FILE_MISSING,
)
from lambdapack.rules.lockfile.platform import check_locked_platforms
from lambdapack.rules.lockfile.records import (
    FILE_OUTSIDE,
    FOREIGN_PROTOCOL,
    GIT_DEPENDENCY,
    LOCK_FOREIGN,
    LOCK_LOOPBACK,
    LOCK_MISSING,
    LOCK_OLD,
    LOCK_OUT_OF_STEP,
    LOCK_UNKNOWN,
    NO_INTEGRITY,
    NPM_REFUSES_LOCK,
    PLATFORM_PACKAGE_MISSING,
    PLUG_N_PLAY,
    SCRIPT_NEEDS_DEV,
    SCRIPTS_SKIPPED,
    SETTING_NOT_TAKEN,
    WORKSPACE_MEMBER,
)
from lambdapack.rules.lockfile.repository_records import LOCAL_DEPENDENCY_UNLOCKED, LOCK_OF_ANOTHER, TWO_LOCKS
from lambdapack.rules.lockfile.scripts import check_dev_commands, check_skipped_scripts
from lambdapack.rules.lockfile.settings import check_integrity, check_settings
from lambdapack.rules.lockfile.source import (
    check_git_sources,
    check_local_dependencies,
    check_locked_sources,
    check_loopback,
    check_usable_lock,
)
from lambdapack.rules.lockfile.step import check_lock_step
from lambdapack.rules.model.case import Case, Check, LockCase
from lambdapack.rules.model.deploy_records import DEPLOY_RULES
from lambdapack.rules.modules.bundled import check_bundled_addons
from lambdapack.rules.modules.missing import check_modules
from lambdapack.rules.modules.records import ADDON_BUNDLED, MISSING_MODULE_RULES
from lambdapack.rules.package.advice import GIVEN_UP, OUT_OF_PLACE, check_package_book
from lambdapack.rules.package.bundled import LIBRARY_BUNDLED, check_bundled_libraries
from lambdapack.rules.package.contents import (
    LINK_LEAVES_TREE,
    OVER_MAX_SIZE,
    SECRET_PACKED,
    SOURCE_KEPT,
    check_kept_sources,
    check_links,
    check_modes,
    check_secrets,
    check_size,
)
from lambdapack.rules.package.dependencies import DEV_PACKAGES, check_dependencies, check_dev_packages
from lambdapack.rules.package.duplicates import DUPLICATE_PACKAGES, check_duplicates
from lambdapack.rules.package.layers import (
    LAYER_IMPORT,
    LAYER_NOT_SEARCHED,
    LINK_DANGLES,
    TOO_MANY_LAYERS,
    check_layer_imports,
    check_layers,
)
from lambdapack.rules.package.records import DEPENDENCY_MISSING, NEEDS_BUCKET, NOT_READABLE, TOO_BIG
from lambdapack.rules.package.shadows import (
    SHADOWED_LIBRARY,
    SHADOWED_PACKAGE,
    check_shadowed_libraries,
    check_shadowed_packages,
)
from lambdapack.rules.package.stale import MODULES_STALE, ZIP_STALE, check_lock_versions

CHECKS: tuple[Check[Case], ...] = (
    Check(BINARY_RULES, check_binaries, Case.has_native_parts),
    Check((HANDLER_MISSING, HANDLER_SHADOWED), check_handler),
    Check((NOT_EXPORTED, MODULE_AS_COMMONJS, COMMONJS_AS_MODULE), check_handler_code),
    Check((REQUIRED_FILE_MISSING, *MISSING_MODULE_RULES), check_modules),
    Check((ADDON_BUNDLED,), check_bundled_addons),
    Check((DEPENDENCY_MISSING,), check_dependencies, Case.has_packages),
    Check((SOURCE_KEPT,), check_kept_sources, Case.has_kept_sources),
    Check((DEV_PACKAGES,), check_dev_packages, Case.has_packages),
    Check((MODULES_STALE, ZIP_STALE), check_lock_versions, Case.has_versions),
    Check((GIVEN_UP, OUT_OF_PLACE), check_package_book, Case.has_packages),
    Check((DUPLICATE_PACKAGES,), check_duplicates, Case.has_packages),
    Check((SHADOWED_PACKAGE,), check_shadowed_packages, Case.has_layers),
    Check((SHADOWED_LIBRARY,), check_shadowed_libraries, Case.has_libraries),
    Check((LAYER_NOT_SEARCHED, LINK_DANGLES, TOO_MANY_LAYERS), check_layers, Case.has_links),
    Check((LAYER_IMPORT,), check_layer_imports, Case.has_layers),
    Check((LIBRARY_BUNDLED,), check_bundled_libraries, Case.has_bundled_libraries),
    Check((TOO_BIG, NEEDS_BUCKET), check_size),
    Check((LINK_LEAVES_TREE,), check_links),
    Check((NOT_READABLE,), check_modes),
    Check((SECRET_PACKED,), check_secrets),
    Check((RUNTIME_DEPRECATED, RUNTIME_BLOCKED), check_lifecycle),
)
"""The checks of a package, each with what the package must have for it; rules/check.py runs them."""

LOCK_CHECKS: tuple[Check[LockCase], ...] = (
    Check((LOCK_MISSING, LOCK_OLD, LOCK_FOREIGN, WORKSPACE_MEMBER, TWO_LOCKS, LOCK_OF_ANOTHER), check_usable_lock),
    Check((LOCK_UNKNOWN, FILE_OUTSIDE, FOREIGN_PROTOCOL), check_locked_sources),
    Check((LOCAL_DEPENDENCY_UNLOCKED,), check_local_dependencies),
    Check((LOCK_LOOPBACK,), check_loopback),
    Check((GIT_DEPENDENCY,), check_git_sources),
    Check((LOCK_OUT_OF_STEP,), check_lock_step, LockCase.has_dependencies),
    Check((PLATFORM_PACKAGE_MISSING, NPM_REFUSES_LOCK), check_locked_platforms, LockCase.has_dependencies),
    Check((SCRIPTS_SKIPPED,), check_skipped_scripts, LockCase.has_dependencies),
    Check((SCRIPT_NEEDS_DEV,), check_dev_commands, LockCase.has_dependencies),
    Check((NO_INTEGRITY,), check_integrity, LockCase.has_dependencies),
    Check((SETTING_NOT_TAKEN,), check_settings, LockCase.has_unused_settings),
)
"""The checks of a lockfile before the install; rules/check.py runs them. A finding of the first is the only one."""

STAGE_RULES: tuple[Rule, ...] = (*LOAD_RULES, *DEPLOY_RULES, PLUG_N_PLAY, OVER_MAX_SIZE)
"""The rules of the load test (pipeline/prove.py), of a deployment's guards, of a build without install
(rules/lockfile/ready_tree.py) and of a written zip, which see what no case holds."""

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *(rule for check in CHECKS for rule in check.rules),
            *(rule for check in LOCK_CHECKS for rule in check.rules),
            *STAGE_RULES,
        ),
        key=lambda rule: rule.code,
    )
)
"""Every rule, in code order."""
