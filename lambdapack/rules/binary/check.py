"""The check of native files, and its rules. The judge is loaded only for a package that has one or may lack one."""

from collections.abc import Iterator
from dataclasses import replace

from lambdapack.model import Finding, Rule
from lambdapack.rules.binary.linking_records import (
    CPU_LEVEL,
    LINKING_RULES,
    MISSING_LIBRARY,
    MUSL,
    RELOCATIONS,
    STATIC_TLS,
    SYMBOL_VERSION,
    UNDEFINED_SYMBOL,
    UNPROVED,
)
from lambdapack.rules.binary.loader_records import (
    BAD_ELF,
    EXECUTABLE,
    LOADER_RULES,
    NOT_ELF,
    TRUNCATED,
    WRONG_CLASS,
    WRONG_CPU,
)
from lambdapack.rules.binary.node_records import (
    ELECTRON_ABI,
    MISSING_INTERPRETER,
    NO_EXEC_BIT,
    NODE_ABI,
    NODE_API_LEVEL,
    NODE_RULES,
    NOT_AN_ADDON,
)
from lambdapack.rules.model.case import Case
from lambdapack.rules.package.records import MISSING_ADDON, MISSING_PROGRAM

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

NATIVE_RULES: tuple[Rule, ...] = (*LOADER_RULES, *LINKING_RULES, *NODE_RULES)

WRONG_PLATFORM_CAUSES = frozenset(rule.name for rule in NATIVE_RULES if rule.remedy and rule.remedy.reinstall)
"""Causes that another install cures, because the package has a build for the target somewhere."""

REBUILD_CAUSES = frozenset(rule.name for rule in NATIVE_RULES if rule.remedy and rule.remedy.rebuild)
"""Causes that an install or a compilation in the target's image cures."""

BINARY_RULES: tuple[Rule, ...] = (*NATIVE_RULES, UNPROVED, MISSING_ADDON, MISSING_PROGRAM)


def check_binaries(case: Case) -> Iterator[Finding]:
    """Yield the findings of the native files in use (or of all), of scripts, and of the packages that lack one."""
    yield from (_in_words_of_manager(finding, case) for finding in _binary_findings(case))
    if case.facts.script_programs:
        from lambdapack.rules.binary.scripts import check_scripts  # noqa: PLC0415  # few packages have any

        yield from check_scripts(case)


def _binary_findings(case: Case) -> Iterator[Finding]:
    for judgement in case.binaries.judgements:
        if judgement.finding is not None and (judgement.selected or case.policy.all_binaries):
            yield judgement.finding
    yield from case.binaries.missing


def _in_words_of_manager(finding: Finding, case: Case) -> Finding:
    manager = case.facts.locks.manager
    if not manager:
        return finding
    from lambdapack.rules.fixes import translate_fix  # noqa: PLC0415  # it reads the rules of this module

    return replace(finding, fix=translate_fix(finding.fix, manager, case.runtime.target.architecture))
