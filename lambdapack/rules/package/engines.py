"""Generated Prisma clients that have no query engine for the target."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from lambdapack.model import Finding, Severity
from lambdapack.rules.package.records import MISSING_ADDON
from lambdapack.rules.selection.prisma import EngineName, engine_target, find_engines, fits_target, needs_query_engine
from lambdapack.rules.selection.selection import PackageChoices
from lambdapack.runtimes.runtime import Runtime

CLIENT_PACKAGE = "@prisma/client"


def missing_engine_findings(packages: Iterable[PackageChoices], runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each client whose engines are all for other systems.

    A client of which a copy with the right engine is packed as well may be one that a bundler left behind.
    """
    clients = tuple(_clients(packages))
    served = any(_has_engine(engines, runtime) for _, engines in clients)
    for directory, engines in clients:
        if not _has_engine(engines, runtime):
            yield _missing_engine_finding(directory, engines, runtime, Severity.WARNING if served else None)


def _clients(packages: Iterable[PackageChoices]) -> Iterator[tuple[str, Mapping[str, EngineName]]]:
    for package in packages:
        for directory, engines in find_engines(package.choices).items():
            query = {path: name for path, name in engines.items() if name.is_query_engine}
            if query and needs_query_engine(directory, package.manifest.name):
                yield posixpath.normpath(posixpath.join(package.manifest.directory, directory)), query


def _has_engine(engines: Mapping[str, EngineName], runtime: Runtime) -> bool:
    return any(fits_target(name, runtime) for name in engines.values())


def _missing_engine_finding(
    directory: str, engines: Mapping[str, EngineName], runtime: Runtime, severity: Severity | None
) -> Finding:
    wanted = engine_target(runtime)
    made = sorted({name.target for name in engines.values()})
    message = (
        f"Prisma opens its query engine for {wanted} on {runtime.target}, and the client has only "
        f"{' and '.join(made)}: could not locate the Query Engine"
    )
    return Finding(
        MISSING_ADDON,
        directory,
        message,
        package=CLIENT_PACKAGE,
        fix=f'Set `binaryTargets = ["native", "{wanted}"]` in the generator of schema.prisma and run '
        "`npx prisma generate`.",
        severity=severity,
        evidence=(("reason", "no-engine"), ("wanted", [wanted]), ("engines", made)),
    )
