"""Checks a project's own files before anything is installed."""

import posixpath
from collections.abc import Iterator

from lambdapack.binary.facts import Inventory
from lambdapack.managers.lock import DependencySource
from lambdapack.model import Finding, is_in_node_modules
from lambdapack.pack.source import ProjectSource
from lambdapack.pipeline.verify import read_package_facts
from lambdapack.rules.function.handler import check_handler, check_handler_code
from lambdapack.rules.function.records import REQUIRED_FILE_MISSING
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Subject
from lambdapack.rules.modules.missing import check_own_files
from lambdapack.rules.package.contents import check_links, check_secrets
from lambdapack.runtimes.runtime import Runtime


def read_source_facts(source: ProjectSource, handler: str) -> PackageFacts:
    """Return the facts of the source alone, its secrets among them; native files are not looked at yet."""
    return read_package_facts(source.tree, (Inventory(()),), layer=False, handler=handler, source=source)


def source_findings(
    facts: PackageFacts, project: DependencySource, runtime: Runtime, policy: Policy, *, layered: bool
) -> Iterator[Finding]:
    """Yield what no install could mend: secrets, links that leave, a handler that is not there.

    A handler that an install script, a dependency or a layer (`layered`) may still bring is left for later.
    """
    case = Case(Subject("directory", str(project.manifest.path.parent)), facts, runtime, policy)
    yield from check_secrets(case)
    yield from check_links(case)
    if not layered and not _is_provided_later(facts.handler or "", project):
        yield from check_handler(case)
        locked = project.lock.production if project.lock else ()
        makes_files = "binding.gyp" in facts.entries or any(package.has_install_script for package in locked)
        for finding in (*check_handler_code(case), *check_own_files(case)):
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
