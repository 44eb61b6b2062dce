"""What is wrong with a project's own files, said before anything is installed."""

import posixpath
from collections.abc import Iterator

from lambdapack.binary.facts import Inventory
from lambdapack.model import Finding
from lambdapack.pack.source import Source
from lambdapack.pipeline.judging import facts_of
from lambdapack.project.manifest import root_scripts
from lambdapack.project.nouns import Project, in_node_modules
from lambdapack.rules.contents import link_findings, secret_findings
from lambdapack.rules.facts import Facts, Policy
from lambdapack.rules.handler import handler_findings
from lambdapack.rules.handler_code import handler_code_findings
from lambdapack.rules.handler_files import REQUIRED_FILE_MISSING
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import lay_out
from lambdapack.runtimes.runtime import Runtime


def source_facts(source: Source, handler: str) -> Facts:
    """Return the facts of the source alone, its secrets among them; native files are not looked at yet."""
    return facts_of(source.tree, (Inventory(()),), layer=False, handler=handler, source=source)


def source_findings(
    facts: Facts, project: Project, runtime: Runtime, policy: Policy, *, layered: bool
) -> Iterator[Finding]:
    """Yield what no install could mend: secrets, links that leave, a handler that is not there.

    A handler that an install script, a dependency or a layer (`layered`) may still bring is left for later.
    """
    yield from secret_findings(facts)
    yield from link_findings(facts)
    if not layered and not _may_come(facts.handler or "", project):
        space = lay_out(facts)
        yield from handler_findings(facts, space, Installed(space, runtime), runtime, policy)
        locked = project.lockfile.production if project.lockfile else ()
        makes_files = "binding.gyp" in facts.entries or any(each.has_install_script for each in locked)
        for each in handler_code_findings(facts, runtime, policy):
            if not (makes_files and each.rule is REQUIRED_FILE_MISSING):  # prisma generates code while it is installed
                yield each


def _may_come(handler: str, project: Project) -> bool:
    elsewhere = posixpath.isabs(handler) or in_node_modules(handler) or _named_by(handler) in _dependencies(project)
    return elsewhere or bool(root_scripts(project))


def _named_by(handler: str) -> str:
    """Return the package that the runtime's client requires last, when no file has the handler's name."""
    return posixpath.basename(handler).partition(".")[0]


def _dependencies(project: Project) -> frozenset[str]:
    return frozenset(each.name for each in project.lockfile.production) if project.lockfile else frozenset()
