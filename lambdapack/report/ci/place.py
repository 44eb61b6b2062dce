"""Maps a finding to a file and line that a person edits, never inside node_modules, and names it for programs."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from lambdapack.managers.lock import DependencySource
from lambdapack.model import Finding, is_in_node_modules
from lambdapack.rules.model.report import Report

PACKAGE_JSON = "package.json"


@dataclass(frozen=True, slots=True)
class ReportLocation:
    """A file relative to the repository, with "/" between names, and a line of it."""

    file: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class FindingLocator:
    """What of a project's files is known to the reader of a report."""

    directory: str = ""  # of the function in its repository, "" for the root of it
    lockfile: str = ""  # from the root of the repository, "" when there is none
    packages: Mapping[str, int] = field(default_factory=dict)  # "node_modules/sharp" -> line in the lockfile
    otherwise: str = PACKAGE_JSON  # what stands for a package without a line: package.json, or the archive judged

    def place(self, finding: Finding) -> ReportLocation:
        """Return the line that says why a file is in the package; the finding's own when people edit that file."""
        if finding.path and finding.path == posixpath.basename(self.lockfile):
            return ReportLocation(self.lockfile, finding.line or 1)
        if finding.line is not None:
            return self._at(finding.path, finding.line)
        entry = self._locked(finding)
        if entry is not None:
            return ReportLocation(self.lockfile, self.packages[entry])
        if self._is_source(finding.path):
            return self._at(finding.path)
        return self._at(self.otherwise)

    def _is_source(self, path: str) -> bool:
        inside = bool(path) and not path.startswith("/") and not is_in_node_modules(path)
        return inside and self.otherwise == PACKAGE_JSON

    def _at(self, path: str, line: int = 1) -> ReportLocation:
        return ReportLocation(f"{self.directory}/{path}" if self.directory else path, line)

    def _locked(self, finding: Finding) -> str | None:
        """Return the lockfile's innermost entry that the path is in, else the package's own at the top."""
        below = finding.path.removeprefix("/opt/nodejs/").removeprefix("nodejs/")
        names = below.split("/")
        for length in range(len(names), 0, -1):
            entry = "/".join(names[:length])
            if entry in self.packages and entry:
                return entry
        top = f"node_modules/{finding.package}"
        return top if finding.package and top in self.packages else None


def make_finding_locator(project: DependencySource, root: str) -> FindingLocator:
    """Return where things are in a project whose root, with the lockfile, lies in this directory of the repository."""
    directory = posixpath.normpath(posixpath.join(root, project.importer))
    lock = project.lock
    return FindingLocator(
        directory="" if directory == "." else directory,
        lockfile=posixpath.normpath(posixpath.join(root, lock.path.name)) if lock else "",
        packages={package.path: package.line for package in lock.packages.values() if package.path} if lock else {},
    )


def fingerprint(finding: Finding, report: Report) -> str:
    """Return what stays the same when lines move and words change: code, path, package and target."""
    parts = (finding.rule.code, finding.path, finding.package, str(report.runtime.target))
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def located_message(finding: Finding) -> str:
    """Return what is the matter and where, for a reader who is shown another file's line."""
    return f"{finding.path}: {finding.message}" if finding.path and finding.line is None else finding.message
