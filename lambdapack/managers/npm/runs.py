"""Gathers what explains a completed run of npm: the project's scripts, and which programs only devDependencies bring.

Apart from failures.py, which reads npm's log alone: this module reads the project, and only when a run has failed.
"""

import json
from collections.abc import Mapping

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.interface import CompletedRun
from lambdapack.managers.lock import DependencySource, Lock
from lambdapack.managers.npm.failures import NpmRun, explain_npm_failure, lost_files_failure
from lambdapack.project.document import string_entries


def run_failure(run: CompletedRun, source: DependencySource) -> LambdapackError | None:
    """Return the failure that a run of npm stands for, None when all is well."""
    if run.ended.ok:
        return lost_files_failure(run.lines)
    return explain_npm_failure(
        NpmRun(
            ended=run.ended,
            lines=run.lines,
            architecture=run.architecture,
            emulated=run.emulated,
            npm=run.manager_version,
            event=run.script,
            scripts=string_entries(source.manifest.document.get("scripts")),
            tools=_dev_tools(source.lock) if source.lock else {},
        )
    )


def _dev_tools(lock: Lock) -> Mapping[str, str]:
    """Return the programs and modules that only devDependencies bring, by name. Read when a script has failed."""
    packages = json.loads(lock.path.read_text("utf-8-sig"))["packages"]
    tools: dict[str, str] = {}
    for package in lock.packages.values():
        if package.dev and package.path.startswith("node_modules/"):
            programs = string_entries(packages.get(package.path, {}).get("bin"))
            tools |= dict.fromkeys((package.name, *programs), package.name)
    return tools
