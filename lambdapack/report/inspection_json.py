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
        "packages": [_package_document(package_weight) for package_weight in found.packages],
        "binaries": [
            _native_document(inspected_binary, judged[inspected_binary.judgement.binary.path])
            for inspected_binary in found.natives
        ],
        "duplicates": {
            "packages": [
                {
                    "name": duplicate_package.name,
                    "version": duplicate_package.version,
                    "paths": list(duplicate_package.paths),
                    "spare_bytes": duplicate_package.spare,
                }
                for duplicate_package in found.same_packages
            ],
            "files": [
                {
                    "sha256": duplicate_files.sha256,
                    "bytes": duplicate_files.size,
                    "paths": list(duplicate_files.paths),
                    "spare_bytes": duplicate_files.spare,
                }
                for duplicate_files in found.same_bytes
            ],
        },
        "pruning": {
            "bytes": found.saving,
            "files": [
                {"path": prunable_file.path, "bytes": prunable_file.size, "reason": prunable_file.reason}
                for prunable_file in found.spares
            ],
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
        "kinds": [
            _kind_document(sort, file_totals.files, file_totals.size)
            for sort, file_totals in sum_by_category([package]).items()
        ],
        "wanted_by": _chain_document(package.chain),
        "dev": package.dev,
    }


def _chain_document(steps: Iterable[DependentStep] | None) -> list[dict[str, Any]] | None:
    return (
        None
        if steps is None
        else [{"name": dependent_step.name, "version": dependent_step.version or None} for dependent_step in steps]
    )


def _native_document(native: InspectedBinary, judged: dict[str, Any]) -> dict[str, Any]:
    elf = native.judgement.binary.elf
    more = {
        "libc": native.libc,
        "needs": list(elf.needed) if elf else [],
        "wanted_by": _chain_document(native.owner.chain),
    }
    return {**judged, **more}
