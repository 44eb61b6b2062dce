"""Checks a project's own files before anything is installed."""

import posixpath
from collections.abc import Iterator

from lambdapack.binary.facts import Inventory
from lambdapack.managers.lock import DependencySource
from lambdapack.model import Finding, is_in_node_modules
from lambdapack.pack.source import ProjectSource
from lambdapack.pipeline.verify import make_case
from lambdapack.rules.binary.file_system import merge_layers
from lambdapack.rules.function.handler import handler_findings
from lambdapack.rules.function.module_system import handler_code_findings
from lambdapack.rules.function.records import REQUIRED_FILE_MISSING
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.package.contents import link_findings, secret_findings
from lambdapack.rules.selection.platforms import ModuleResolver
from lambdapack.runtimes.runtime import Runtime


def source_case(source: ProjectSource, handler: str) -> Case:
    """Return the facts of the source alone, its secrets among them; native files are not looked at yet."""
    return make_case(source.tree, (Inventory(()),), layer=False, handler=handler, source=source)


def source_findings(
    facts: Case, project: DependencySource, runtime: Runtime, policy: Policy, *, layered: bool
) -> Iterator[Finding]:
    """Yield what no install could mend: secrets, links that leave, a handler that is not there.

    A handler that an install script, a dependency or a layer (`layered`) may still bring is left for later.
    """
    yield from secret_findings(facts)
    yield from link_findings(facts)
    if not layered and not _is_provided_later(facts.handler or "", project):
        space = merge_layers(facts)
        yield from handler_findings(facts, space, ModuleResolver(space, runtime), runtime, policy)
        locked = project.lock.production if project.lock else ()
        makes_files = "binding.gyp" in facts.entries or any(package.has_install_script for package in locked)
        for finding in handler_code_findings(facts, runtime, policy):
            if not (
                makes_files and finding.rule is REQUIRED_FILE_MISSING
            ):  # prisma generates code while it is installed
                yield finding


def _is_provided_later(handler: str, project: DependencySource) -> bool:
    elsewhere = (
        posixpath.isabs(handler)
        or is_in_node_modules(handler)
        or _handler_package(handler) in _production_names(project)
    )
    return elsewhere or bool(project.manifest.install_scripts())


def _handler_package(handler: str) -> str:
    """Return the package that the runtime's client requires last, when no file has the handler's name."""
    return posixpath.basename(handler).partition(".")[0]


def _production_names(project: DependencySource) -> frozenset[str]:
    return frozenset(package.name for package in project.lock.production) if project.lock else frozenset()
