"""The inspection as JSON. What a report has, an inspection has in the same words."""

from collections.abc import Iterable
from typing import Annotated, Literal, TypedDict

from lambdapack.inspection.inspect import sum_by_category
from lambdapack.inspection.model import DependentStep, FileCategory, InspectedBinary, Inspection, Loading, PackageWeight
from lambdapack.report.document.report import (
    BinaryDocument,
    FindingDocument,
    SubjectDocument,
    TargetDocument,
    make_report_document,
)
from lambdapack.report.text import format_json
from lambdapack.rules.model.report import Verdict
from lambdapack.schema import HEX_SHA256_PATTERN, describe, number, text, word


class CategoryDocument(TypedDict):
    """Files of one kind."""

    kind: Annotated[
        str,
        word("What the files are for, by name and place.", FileCategory),
    ]
    files: Annotated[int, number("Number of files.")]
    bytes: Annotated[int, number("Their total size in bytes.")]


class DependentDocument(TypedDict):
    """One package of the chain."""

    name: Annotated[str, text("Its npm name.", empty=True)]
    version: Annotated[str | None, text("Its version; null when unknown.")]


DependentChain = Annotated[
    list[DependentDocument] | None,
    describe("Shortest dependency chain from the function to the package; null when nothing requires it."),
]


class LoadingDocument(TypedDict):
    """Who loads a package or a file, as far as the function's modules show."""

    when: Annotated[
        str,
        word(
            "start: when the function starts; later: only if a call, a branch or a try is entered; never: nothing is "
            "seen to load it.",
            ("start", "later", "never"),
        ),
    ]
    way: Annotated[list[str], describe("Files from the handler to the loaded file; empty for never.")]


class PackageWeightDocument(TypedDict):
    """One npm package as installed."""

    path: Annotated[str, text("Its directory; empty for the function's own code.", empty=True)]
    name: Annotated[str | None, text("Its npm name; null for what is in no package.")]
    version: Annotated[str | None, text("Its version; null when its package.json has none.")]
    files: Annotated[int, number("Number of files, without those of nested packages.")]
    bytes: Annotated[int, number("Their size in bytes.")]
    kinds: Annotated[list[CategoryDocument], describe("Files and bytes by kind, largest first.")]
    wanted_by: DependentChain
    dev: Annotated[bool, describe("Whether only a devDependency requires it.")]
    loaded: Annotated[LoadingDocument | None, describe("Who loads it; null where no handler is known.")]


class InspectedBinaryDocument(BinaryDocument):
    """One native file, or a file in place of one."""

    libc: Annotated[
        str | None, text("C library that the file is linked with; for glibc with the newest version needed.")
    ]
    needs: Annotated[list[str], describe("Needed libraries (DT_NEEDED), in order.")]
    wanted_by: DependentChain
    loaded: Annotated[LoadingDocument | None, describe("Who loads it; null where no handler is known.")]


class DuplicatePackageDocument(TypedDict):
    """One package in several places."""

    name: Annotated[str, text("Its npm name.")]
    version: Annotated[str, text("Its version.")]
    paths: Annotated[list[str], describe("Directories that contain it.")]
    spare_bytes: Annotated[int, number("Bytes of all copies except the largest.")]


class DuplicateFileDocument(TypedDict):
    """Files with equal content."""

    sha256: Annotated[str, text("SHA-256 of the content.", pattern=HEX_SHA256_PATTERN)]
    bytes: Annotated[int, number("Size of one file in bytes.")]
    paths: Annotated[list[str], describe("Paths of the files.")]
    spare_bytes: Annotated[int, number("Bytes of all copies except one.")]


class DuplicatesDocument(TypedDict):
    """Duplicates."""

    packages: Annotated[
        list[DuplicatePackageDocument],
        describe("Packages of one name and version in several places, most wasteful first."),
    ]
    files: Annotated[list[DuplicateFileDocument], describe("Equal files of 1 KB and more, most wasteful first.")]


class PrunableFileDocument(TypedDict):
    """One file that a build prunes."""

    path: Annotated[str, text("Relative to the subject; in a layer that came with a function, below /opt.")]
    bytes: Annotated[int, number("Size of the file in bytes.")]
    reason: Annotated[
        str,
        word(
            "other-system: a binary for another platform; leftover: a file that an install or compiler left.",
            ("other-system", "leftover"),
        ),
    ]


class PruningDocument(TypedDict):
    """What `lambdapack build` does not pack."""

    bytes: Annotated[int, number("Bytes saved.")]
    files: Annotated[list[PrunableFileDocument], describe("The files, largest first.")]


class InspectionDocument(TypedDict):
    """Content of a package."""

    schema: Literal["lambdapack/inspection/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    verdict: Annotated[str, word("Verdict, as in the report of `verify`.", Verdict)]
    target: TargetDocument
    subject: SubjectDocument
    files: Annotated[int, number("Number of files of the function and its layers, each path once.")]
    bytes: Annotated[int, number("Their total size in bytes.")]
    kinds: Annotated[list[CategoryDocument], describe("Files and bytes by kind, largest first.")]
    packages: Annotated[list[PackageWeightDocument], describe("Every npm package, largest first.")]
    binaries: Annotated[list[InspectedBinaryDocument], describe("Every native file, selected or not, largest first.")]
    duplicates: DuplicatesDocument
    pruning: PruningDocument
    findings: Annotated[
        list[FindingDocument],
        describe("As in the report of `verify`: most severe first, ignored ones last."),
    ]


def render_inspection_json(inspection: Inspection) -> str:
    """Return one object with a line end, in ASCII as a report is."""
    return format_json(make_inspection_document(inspection))


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
        "loaded": _make_loading(package.loading),
    }


def _make_chain(steps: Iterable[DependentStep] | None) -> list[DependentDocument] | None:
    return None if steps is None else [{"name": step.name, "version": step.version or None} for step in steps]


def _make_loading(loading: Loading | None) -> LoadingDocument | None:
    if loading is None:
        return None
    when = ("start" if loading.certain else "later") if loading.way else "never"
    return {"when": when, "way": list(loading.way)}


def _make_native_document(native: InspectedBinary, binary: BinaryDocument) -> InspectedBinaryDocument:
    elf = native.judgement.binary.elf
    return {
        **binary,
        "libc": native.libc,
        "needs": list(elf.needed) if elf else [],
        "wanted_by": _make_chain(native.owner.chain),
        "loaded": _make_loading(native.loading),
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
