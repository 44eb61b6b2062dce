"""Whether node loads the handler in the module system it is written for, and whether it exports the handler.

Node 20 and 22 start on Lambda without module detection or require(esm) (docs/facts.md#3-loader); tried with node
20.20.2 and 22.23.3, 2026-11: with these flags a file without "type" is CommonJS whatever its syntax is.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lambdapack.model import TASK_ROOT, Finding, Rule, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.function.handler import find_handler_file, handler_file_findings
from lambdapack.rules.function.records import MODULE_AS_COMMONJS, NOT_EXPORTED
from lambdapack.rules.model.case import Case, Policy
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.parse import Script

COMMONJS_AS_MODULE = Rule(
    "LP325",
    "commonjs-as-module",
    "the handler is CommonJS that node takes for an ES module",
    "Names such as require, module and __dirname are not there in an ES module, so it dies while it is imported.",
    "Give the file the ending .cjs, or run `npm pkg set type=commonjs`, or write it with import and export.",
    Severity.ERROR,
)

DETECTS_MODULES_SINCE = 24
"""From nodejs24.x on, node tells by the syntax where no "type" does (AWS docs lambda-nodejs, read 2026-11)."""


def handler_code_findings(facts: Case, runtime: Runtime, policy: Policy) -> Iterator[Finding]:
    """Yield what is wrong with the code of the handler's file; in a bare directory that may be no function, notes."""
    script, handler = facts.script, facts.handler
    if script is None or handler is None:
        return
    place = find_handler_file(handler, {posixpath.join(TASK_ROOT, script.path)})
    if place is None:
        return
    lenient = not policy.handler_required and policy.handler_severity is Severity.NOTE
    found = (
        *_code_findings(script, place[1], _module_system(script, facts.manifests, runtime)),
        *handler_file_findings(facts),
    )
    for finding in found:
        yield replace(finding, severity=Severity.NOTE) if lenient else finding


def _module_system(script: Script, manifests: Mapping[str, PackageManifest], runtime: Runtime) -> str:
    """Return "module" or "commonjs": by the ending, by the nearest package.json, by the syntax, in this order."""
    ending = posixpath.splitext(script.path)[1]
    if ending in {".mjs", ".cjs"}:
        return "module" if ending == ".mjs" else "commonjs"
    said = _declared_type(script.path, manifests)
    if said in {"module", "commonjs"}:
        return said
    return "module" if script.module and runtime.node_major >= DETECTS_MODULES_SINCE else "commonjs"


def _declared_type(path: str, manifests: Mapping[str, PackageManifest]) -> str:
    directory = posixpath.dirname(path)
    while directory and directory not in manifests:
        directory = posixpath.dirname(directory)
    nearest = manifests.get(directory)
    return nearest.module_type if nearest else ""


def _code_findings(script: Script, export: str, system: str) -> Iterator[Finding]:
    if system == "commonjs" and script.module:
        message = f"node says: {script.module.words}"
        yield Finding(MODULE_AS_COMMONJS, script.path, message, line=script.module.line)
    elif system == "module" and script.commonjs:
        message = f"node says: {script.commonjs.words}"
        yield Finding(COMMONJS_AS_MODULE, script.path, message, line=script.commonjs.line)
    elif script.complete and export.split(".", maxsplit=1)[0] not in script.exports:
        names = sorted(script.exports - {"__esModule"})
        exports = f"it exports {', '.join(names)}" if names else "it exports nothing"
        evidence = (("exports", names), ("wanted", export))
        yield Finding(NOT_EXPORTED, script.path, f"{export} is wanted, and {exports}", evidence=evidence)
