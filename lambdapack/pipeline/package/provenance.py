"""The provenance statement beside a zip: in-toto's form, SLSA's predicate. It has no timestamps and no secrets.

Sources: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.1/provenance, read 2026-11.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from lambdapack import __version__
from lambdapack.credentials import strip_user
from lambdapack.managers.lock import DependencySource, LockedPackage, is_installable
from lambdapack.model import Architecture
from lambdapack.pack.output import zip_manifest_path
from lambdapack.pack.zip import Archive
from lambdapack.pipeline.package.request import JudgedPackage
from lambdapack.rules.model.report import Report

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"

BUILD_TYPE: Final = "https://lambdapack.example/docs/provenance/build/v1"
"""Says what the parameters mean: docs/provenance.md, "Parameters"."""

BUILDER_ID: Final = "https://lambdapack.example/docs/provenance/builder/v1"
"""Whoever runs lambdapack: nothing is signed, so no stronger identity can be claimed."""

_INTEGRITY = re.compile(r"(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})")


def make_provenance(
    report: Report, archive: Archive, package: JudgedPackage, source: DependencySource, policy: str
) -> Mapping[str, Any]:
    """Return the statement about an archive: what it was made from, in which image, by which parameters."""
    target, installed = report.runtime.target, package.install
    key = package.job.install.key.digest if package.job.install else None
    internal = {
        "strategy": installed.recipe.strategy if installed.recipe else None,
        "node": installed.facts.node if installed.facts else None,
        source.manager: installed.facts.manager if installed.facts else None,
        "scripts": policy,
        "dependencyKey": key,
    }
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": archive.path.name, "digest": {"sha256": base64.b64decode(archive.code_digest).hex()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "kind": report.subject.kind,
                    "runtime": target.runtime,
                    "arch": target.architecture.aws,
                    "handler": package.facts.handler,
                },
                "internalParameters": {name: value for name, value in internal.items() if value is not None},
                "resolvedDependencies": list(_list_materials(package, source, target.architecture)),
            },
            "runDetails": {
                "builder": {"id": BUILDER_ID, "version": {"lambdapack": __version__}},
                "byproducts": [
                    {
                        "name": zip_manifest_path(archive.path).name,
                        "annotations": {"contentDigest": archive.content_digest},
                    }
                ],
            },
        },
    }


def _list_materials(
    package: JudgedPackage, source: DependencySource, architecture: Architecture
) -> Iterator[Mapping[str, Any]]:
    """Yield the image, the files that say what is installed, and every package that may be, in the lock's order."""
    image = package.install.image
    if image is not None:
        yield {
            "name": "image",
            "uri": f"docker://{image.reference}",
            "digest": {"sha256": image.digest.partition(":")[2]},
            "annotations": {"digest": "SHA-256 over the diff ids of the image's root file system"},
        }
    for path in (source.manifest.path, *((source.lock.path,) if source.lock else ())):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield {"name": path.name, "uri": f"file:{quote(path.name)}", "digest": {"sha256": digest}}
    for locked in source.lock.production if source.lock else ():
        if is_installable(locked, architecture) and not locked.link:
            yield describe_package(locked)


def describe_package(locked: LockedPackage) -> Mapping[str, Any]:
    """Return a locked package as a resource: its package URL, its digests, and where it is fetched from."""
    described: dict[str, Any] = {"uri": f"pkg:npm/{quote(locked.name, safe='/')}@{quote(locked.version, safe='')}"}
    if digests := dict(_read_integrity(locked.integrity)):
        described["digest"] = digests
    if locked.resolved.startswith(("http://", "https://", "git+", "git:")):
        url, _, commit = strip_user(locked.resolved).partition("#")
        described["downloadLocation"] = url
        if locked.from_git and re.fullmatch(r"[0-9a-f]{40}", commit):
            described["digest"] = {"gitCommit": commit}
    return described


def _read_integrity(integrity: str) -> Iterator[tuple[str, str]]:
    """Yield algorithm and hexadecimal digest of each hash of a lockfile's `integrity`."""
    for algorithm, encoded in _INTEGRITY.findall(integrity):
        try:
            yield algorithm, base64.b64decode(encoded, validate=True).hex()
        except binascii.Error:
            continue
