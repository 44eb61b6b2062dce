"""Renders an inspection as JSON; schema/inspection.py publishes its schema."""

import json
from collections.abc import Iterable
from typing import Any

from lambdapack.inspection.inspect import sum_by_category
from lambdapack.inspection.model import DependentStep, FileCategory, InspectedBinary, Inspection, PackageWeight
from lambdapack.report import json_v1

INSPECTION_SCHEMA = "lambdapack/inspection/1"


def render_inspection_json(found: Inspection) -> str:
    """Return one object with a line end, in ASCII as a report is."""
    return json.dumps(inspection_document(found), indent=2) + "\n"


def inspection_document(found: Inspection) -> dict[str, Any]:
    """Return the inspection as JSON-able values; what a report has, it has in the same words."""
    report = json_v1.report_document(found.report)
    judged = {each["path"]: each for each in report["binaries"]}
    return {
        "schema": INSPECTION_SCHEMA,
        **{name: report[name] for name in ("version", "verdict", "target", "subject")},
        "files": found.whole.files,
        "bytes": found.whole.size,
        "kinds": [_kind_document(sort, weight.files, weight.size) for sort, weight in found.sorts.items()],
        "packages": [_package_document(each) for each in found.packages],
        "binaries": [_native_document(each, judged[each.judgement.binary.path]) for each in found.natives],
        "duplicates": {
            "packages": [
                {"name": each.name, "version": each.version, "paths": list(each.paths), "spare_bytes": each.spare}
                for each in found.same_packages
            ],
            "files": [
                {"sha256": each.sha256, "bytes": each.size, "paths": list(each.paths), "spare_bytes": each.spare}
                for each in found.same_bytes
            ],
        },
        "pruning": {
            "bytes": found.saving,
            "files": [{"path": each.path, "bytes": each.size, "reason": each.reason} for each in found.spares],
        },
        "findings": report["findings"],
    }


def _kind_document(sort: FileCategory, files: int, size: int) -> dict[str, Any]:
    return {"kind": sort.value, "files": files, "bytes": size}


def _package_document(package: PackageWeight) -> dict[str, Any]:
    return {
        "path": package.path,
        "name": package.name or None,
        "version": package.version or None,
        "files": len(package.files),
        "bytes": package.size,
        "kinds": [_kind_document(sort, each.files, each.size) for sort, each in sum_by_category([package]).items()],
        "wanted_by": _chain_document(package.chain),
        "dev": package.dev,
    }


def _chain_document(steps: Iterable[DependentStep] | None) -> list[dict[str, Any]] | None:
    return None if steps is None else [{"name": each.name, "version": each.version or None} for each in steps]


def _native_document(native: InspectedBinary, judged: dict[str, Any]) -> dict[str, Any]:
    elf = native.judgement.binary.elf
    more = {
        "libc": native.libc,
        "needs": list(elf.needed) if elf else [],
        "wanted_by": _chain_document(native.owner.chain),
    }
    return {**judged, **more}
