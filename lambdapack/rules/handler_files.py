"""Whether the files of the function that the handler's file loads are there. Those of dependencies are npm's care."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.facts import Facts
from lambdapack.script.facts import Required
from lambdapack.tree.entry import Entry, Kind

REQUIRED_FILE_MISSING = Rule(
    "LP326",
    "required-file-missing",
    "a file that the handler loads is not in the package",
    "node says: Error: Cannot find module; Lambda says: Runtime.ImportModuleError, or the call that needs it fails.",
    "Put it into the package: `lambdapack build -v` says what is left out and why; a bundler has to copy .node files.",
    Severity.ERROR,
)

ENDINGS = ("", ".js", ".json", ".node")
"""What node tries for require(), in this order (Node.js docs, "Modules: CommonJS modules", read 2026-11)."""


def handler_file_findings(facts: Facts) -> Iterator[Finding]:
    """Yield what is missing; of what only a call would load, native files alone, as warnings."""
    if facts.script is None:
        return
    base = posixpath.dirname(facts.script.path)
    for each in facts.script.required:
        path = posixpath.normpath(posixpath.join(base, each.name))
        native = path.endswith(".node")
        if not (each.at_once or native) or _is_not_ours(path, facts.entries) or _is_there(path, each, facts.entries):
            continue
        message = f"line {each.line} loads {each.name!r}, and {path} is not there"
        evidence = (("name", each.name), ("at_once", each.at_once))
        finding = Finding(REQUIRED_FILE_MISSING, facts.script.path, message, line=each.line, evidence=evidence)
        yield finding if each.at_once else replace(finding, severity=Severity.WARNING)


def _is_not_ours(path: str, entries: Mapping[str, Entry]) -> bool:
    """What lies outside, in node_modules, or behind a link is not looked for: others say what they think of it."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    linked = any(each in entries and entries[each].kind is Kind.SYMLINK for each in above)
    return linked or parts[0] == ".." or "node_modules" in parts


def _is_there(path: str, required: Required, entries: Mapping[str, Entry]) -> bool:
    if required.exact:
        return path in entries
    files = {f"{path}{ending}" for ending in ENDINGS}
    return not files.isdisjoint(entries) or _is_directory(path, entries)


def _is_directory(path: str, entries: Mapping[str, Entry]) -> bool:
    """A directory may have an index or a package.json of its own; what that names is not followed."""
    start = "" if path == "." else f"{path}/"
    inside = {f"{start}package.json", *(f"{start}index{ending}" for ending in ENDINGS[1:])}
    return not inside.isdisjoint(entries)
