"""The inspection as JSON. What a report has, an inspection has in the same words."""

import json
from collections.abc import Iterable
from typing import Annotated, Literal, TypedDict

from lambdapack.inspection.inspect import sum_by_category
from lambdapack.inspection.model import DependentStep, FileCategory, InspectedBinary, Inspection, PackageWeight
from lambdapack.report.document.report import (
    BinaryDocument,
    FindingDocument,
    SubjectDocument,
    TargetDocument,
    make_report_document,
)
from lambdapack.rules.model.report import Verdict
from lambdapack.schema import HEX_SHA256_PATTERN, described, number, text, word


class CategoryDocument(TypedDict):
    """Files of one kind."""

    kind: Annotated[
        str,
        word("What the files are for, by name and place: a label, and no reason to leave one out.", FileCategory),
    ]
    files: Annotated[int, number("How many.")]
    bytes: Annotated[int, number("Bytes of all of them.")]


class DependentDocument(TypedDict):
    """One package on the way."""

    name: Annotated[str, text("Its npm name.", empty=True)]
    version: Annotated[str | None, text("Its version, when it is known.")]


DependentChain = Annotated[
    list[DependentDocument] | None,
    described(
        "The shortest way to the package, from what the function itself asks for to the package; null when nothing "
        "asks for it."
    ),
]


class PackageWeightDocument(TypedDict):
    """One npm package as it lies there."""

    path: Annotated[str, text("Its directory; empty for the function's own code.", empty=True)]
    name: Annotated[str | None, text("Its npm name; null for what is in no package.")]
    version: Annotated[str | None, text("Null when its package.json does not say.")]
    files: Annotated[int, number("Files, without those of packages inside it.")]
    bytes: Annotated[int, number("Bytes of them.")]
    kinds: Annotated[list[CategoryDocument], described("The same by kind, the heaviest first.")]
    wanted_by: DependentChain
    dev: Annotated[bool, described("Only a devDependency leads to it.")]


class InspectedBinaryDocument(BinaryDocument):
    """One native file, or what stands in the place of one."""

    libc: Annotated[
        str | None, text("The C library that it is linked with, glibc with the newest version that it needs.")
    ]
    needs: Annotated[list[str], described("The libraries that it asks its loader for (DT_NEEDED), in its order.")]
    wanted_by: DependentChain


class DuplicatePackageDocument(TypedDict):
    """One."""

    name: Annotated[str, text("Its npm name.")]
    version: Annotated[str, text("Its version.")]
    paths: Annotated[list[str], described("Where it lies.")]
    spare_bytes: Annotated[int, number("Bytes of all but the largest.")]


class DuplicateFileDocument(TypedDict):
    """One content."""

    sha256: Annotated[str, text("Of the bytes.", pattern=HEX_SHA256_PATTERN)]
    bytes: Annotated[int, number("Bytes of one.")]
    paths: Annotated[list[str], described("Where they lie.")]
    spare_bytes: Annotated[int, number("Bytes of all but one.")]


class DuplicatesDocument(TypedDict):
    """What is there more than once."""

    packages: Annotated[
        list[DuplicatePackageDocument],
        described("One name and version in several places, what wastes most first."),
    ]
    files: Annotated[list[DuplicateFileDocument], described("Equal files of 1 KB and more, what wastes most first.")]


class PrunableFileDocument(TypedDict):
    """One file."""

    path: Annotated[str, text("Relative to the subject; in a layer that came with a function, below /opt.")]
    bytes: Annotated[int, number("Its size.")]
    reason: Annotated[
        str,
        word(
            "other-system: a binary that this target never loads; leftover: of an install or a compiler.",
            ("other-system", "leftover"),
        ),
    ]


class PruningDocument(TypedDict):
    """What `lambdapack build` would not pack."""

    bytes: Annotated[int, number("What it would save.")]
    files: Annotated[list[PrunableFileDocument], described("The files, the heaviest first.")]


class InspectionDocument(TypedDict):
    """What is in a package, and why."""

    schema: Literal["lambdapack/inspection/1"]
    version: Annotated[str, text("The version of lambdapack that looked.")]
    verdict: Annotated[str, word("As in the report of `verify`.", Verdict)]
    target: TargetDocument
    subject: SubjectDocument
    files: Annotated[int, number("Files of the function and its layers, each path once.")]
    bytes: Annotated[int, number("Bytes of all of them.")]
    kinds: Annotated[list[CategoryDocument], described("Bytes by what a file is for, the heaviest first.")]
    packages: Annotated[list[PackageWeightDocument], described("Every npm package, the heaviest first.")]
    binaries: Annotated[
        list[InspectedBinaryDocument], described("Every native file, selected or not, the heaviest first.")
    ]
    duplicates: DuplicatesDocument
    pruning: PruningDocument
    findings: Annotated[
        list[FindingDocument],
        described("As in the report of `verify`: the worst first, the ignored ones last."),
    ]


def render_inspection_json(inspection: Inspection) -> str:
    """Return one object with a line end, in ASCII as a report is."""
    return json.dumps(make_inspection_document(inspection), indent=2) + "\n"


def make_inspection_document(inspection: Inspection) -> InspectionDocument:
    """Return the inspection as JSON-able values."""
    report = make_report_document(inspection.report)
    binaries = {binary["path"]: binary for binary in report["binaries"]}
    return {
        "schema": "lambdapack/inspection/1",
        "version": report["version"],
        "verdict": report["verdict"],
        "target": report["target"],
        "subject": report["subject"],
        "files": inspection.whole.files,
        "bytes": inspection.whole.size,
        "kinds": [
            _make_category_document(sort, totals.files, totals.size) for sort, totals in inspection.sorts.items()
        ],
        "packages": [_make_package_document(package) for package in inspection.packages],
        "binaries": [
            _make_native_document(native, binaries[native.judgement.binary.path]) for native in inspection.natives
        ],
        "duplicates": _make_duplicates_document(inspection),
        "pruning": {
            "bytes": inspection.saving,
            "files": [{"path": file.path, "bytes": file.size, "reason": file.reason} for file in inspection.spares],
        },
        "findings": report["findings"],
    }


def _make_category_document(sort: FileCategory, files: int, size: int) -> CategoryDocument:
    return {"kind": sort.value, "files": files, "bytes": size}


def _make_package_document(package: PackageWeight) -> PackageWeightDocument:
    return {
        "path": package.path,
        "name": package.name or None,
        "version": package.version or None,
        "files": len(package.files),
        "bytes": package.size,
        "kinds": [
            _make_category_document(sort, totals.files, totals.size)
            for sort, totals in sum_by_category([package]).items()
        ],
        "wanted_by": _make_chain(package.chain),
        "dev": package.dev,
    }


def _make_chain(steps: Iterable[DependentStep] | None) -> list[DependentDocument] | None:
    return None if steps is None else [{"name": step.name, "version": step.version or None} for step in steps]


def _make_native_document(native: InspectedBinary, binary: BinaryDocument) -> InspectedBinaryDocument:
    elf = native.judgement.binary.elf
    return {
        **binary,
        "libc": native.libc,
        "needs": list(elf.needed) if elf else [],
        "wanted_by": _make_chain(native.owner.chain),
    }


def _make_duplicates_document(inspection: Inspection) -> DuplicatesDocument:
    return {
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "paths": list(package.paths),
                "spare_bytes": package.spare,
            }
            for package in inspection.same_packages
        ],
        "files": [
            {"sha256": file.sha256, "bytes": file.size, "paths": list(file.paths), "spare_bytes": file.spare}
            for file in inspection.same_bytes
        ],
    }
