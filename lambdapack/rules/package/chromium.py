"""Chromium packages for Lambda: a browser and its libraries in archives, of which the package unpacks one by name."""

import posixpath
from collections.abc import Iterable, Iterator

from lambdapack.model import Architecture, Finding, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.package.records import MISSING_ADDON
from lambdapack.rules.selection.selection import PackageChoices
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.versions import version_key

CHROMIUM_PACKAGES = frozenset({"@sparticuz/chromium", "chrome-aws-lambda"})
"""Their npm packages hold x64 only ("The npm package includes only x64 binaries", README of @sparticuz/chromium)."""

BROWSER_ARCHIVE = "bin/chromium.br"
ARM64_DIRECTORY = "bin/arm64"

LIBRARY_ARCHIVES = {"bin/al2023.tar.br": "2.34", "bin/al2.tar.br": "2.26", "bin/aws.tar.br": "2.26"}
"""Archives of libnss3 and its like, with the glibc of the Amazon Linux that each is for; nobody unpacks another's."""

MANAGED_CPU_FIX = (
    "Deploy to x86_64 (`--arch x86_64`), or use @sparticuz/chromium-min with the arm64 pack of its release in a layer."
)
LIBRARIES_FIX = "Choose the version of @sparticuz/chromium whose `bin/` has the archive of this runtime's Amazon Linux."


def missing_browser_findings(
    packages: Iterable[PackageChoices], required: frozenset[str], file_system: LambdaFileSystem, runtime: Runtime
) -> Iterator[Finding]:
    """Yield a finding for each package whose browser, or whose libraries for it, are for another target."""
    for package in packages:
        manifest = package.manifest
        if manifest.name not in CHROMIUM_PACKAGES or not _has_file(file_system, manifest, BROWSER_ARCHIVE):
            continue
        milder = None if manifest.directory in required else Severity.NOTE
        if runtime.target.architecture is Architecture.ARM64 and not _has_arm64(file_system, manifest):
            message = f"its Chromium ({BROWSER_ARCHIVE}) is packed for x86_64 only: `spawn /tmp/chromium ENOEXEC`"
            yield _browser_finding(manifest, message, MANAGED_CPU_FIX, milder)
            continue
        archives = [name for name in LIBRARY_ARCHIVES if _has_file(file_system, manifest, name)]
        if archives and not any(_is_for_system(name, runtime) for name in archives):
            message = (
                f"its libraries ({', '.join(archives)}) are for another Amazon Linux: "
                "`libnss3.so: cannot open shared object file`"
            )
            yield _browser_finding(manifest, message, LIBRARIES_FIX, milder or Severity.WARNING)


def _has_file(file_system: LambdaFileSystem, manifest: PackageManifest, name: str) -> bool:
    return file_system.is_file(posixpath.join(manifest.directory, name))


def _has_arm64(file_system: LambdaFileSystem, manifest: PackageManifest) -> bool:
    return file_system.is_directory(posixpath.join(manifest.directory, ARM64_DIRECTORY))


def _is_for_system(archive: str, runtime: Runtime) -> bool:
    """An archive for an older system than the runtime's stays packed, and one for a newer does not load."""
    glibc = runtime.floor.get("GLIBC")
    return glibc is None or version_key(LIBRARY_ARCHIVES[archive]) == version_key(glibc)


def _browser_finding(manifest: PackageManifest, message: str, fix: str, severity: Severity | None) -> Finding:
    return Finding(
        MISSING_ADDON,
        manifest.directory,
        message,
        package=manifest.name,
        fix=fix,
        severity=severity,
        evidence=(("reason", "no-build"),),
    )
