"""What `<zip>.lambdapack.json` holds. pipeline/package/write.py makes it, pack/output.py writes and reads it."""

from typing import Annotated, Literal, TypedDict

from lambdapack.report.document.report import ARCHITECTURE_NAMES, RUNTIME_SOURCES
from lambdapack.rules.model.report import Verdict
from lambdapack.schema import CODE_DIGEST_PATTERN, HEX_SHA256_PATTERN, SHA256_PATTERN, describe, number, text, word


class ManifestTargetDocument(TypedDict):
    """Target of the build."""

    runtime: Annotated[str, text("The Lambda runtime, such as nodejs22.x.")]
    arch: Annotated[str, word("The instruction set, under AWS's name.", ARCHITECTURE_NAMES)]


class JudgedByDocument(TypedDict):
    """Runtime facts that the zip was verified against."""

    source: Annotated[str, word("Where the runtime's facts come from.", RUNTIME_SOURCES)]
    digest: Annotated[
        str | None, text("Digest of that image or runtime file; null for shipped data.", pattern=SHA256_PATTERN)
    ]


class ManifestBinaryDocument(TypedDict):
    """One native file."""

    path: Annotated[str, text("Path in the zip.")]
    sha256: Annotated[str, text("SHA-256 of the file.", pattern=HEX_SHA256_PATTERN)]
    selected: Annotated[bool, describe("Whether a loader picks it for this target.")]


class MadeFileDocument(TypedDict):
    """One file that no tarball and no source brought."""

    path: Annotated[str, text("Path in the zip.")]
    by: Annotated[str, text("Whose install script made it: NAME@VERSION, or the script of the project.")]


class InstallDocument(TypedDict):
    """How the dependencies were installed."""

    image: Annotated[
        str | None,
        text("Digest of the image that npm ran in; null when nothing was installed.", pattern=SHA256_PATTERN),
    ]
    strategy: Annotated[str | None, text("Install strategy for the target's CPU.")]
    engine: Annotated[str | None, text("What ran it: docker, podman or local; null when nothing was installed.")]
    compiler: Annotated[str | None, text("What compiled, where it was not the image's own compiler: zig, its version.")]
    node: Annotated[str | None, text("The image's Node.js.")]
    npm: Annotated[str | None, text("The image's npm.")]
    store: Annotated[str | None, text("Shared store that the dependencies came from; null when made on this machine.")]


class DependencyKeyDocument(TypedDict):
    """Key of the dependencies: a zip with another key than the project has today is stale."""

    digest: Annotated[str, text("The key.", pattern=SHA256_PATTERN)]
    parts: Annotated[
        dict[str, Annotated[str, text("The part's digest.", pattern=SHA256_PATTERN)]],
        describe("Parts of the key, by name."),
    ]


class ManifestDocument(TypedDict):
    """How a zip was built. Not a proof: `deploy` verifies the zip again."""

    schema: Literal["lambdapack/manifest/1"]
    version: Annotated[str, text("Version of lambdapack that built the zip.")]
    archive: Annotated[str, text("File name of the zip.")]
    kind: Annotated[str, word("A function's zip, or a layer.", ("zip", "layer"))]
    project: Annotated[str | None, text("Name in the project's package.json; null for none.")]
    target: ManifestTargetDocument
    handler: Annotated[str | None, text("FILE.EXPORT of the function; null for a layer.")]
    code_digest: Annotated[
        str, text("Base64 SHA-256 of the zip; the manifest is valid for that zip only.", pattern=CODE_DIGEST_PATTERN)
    ]
    content_digest: Annotated[
        str, text("Digest over names, modes and contents of the zip's entries.", pattern=SHA256_PATTERN)
    ]
    zip_bytes: Annotated[int, number("Size of the zip in bytes.")]
    unzipped_bytes: Annotated[int, number("Bytes of all files in it.")]
    entries: Annotated[int, number("Files and links in it.")]
    verdict: Annotated[str, word("Verdict at build time.", Verdict)]
    judged_by: JudgedByDocument
    binaries: Annotated[list[ManifestBinaryDocument], describe("Every native file in it.")]
    made: Annotated[list[MadeFileDocument], describe("Every file that an install script made or changed.")]
    install: InstallDocument
    dependency_key: DependencyKeyDocument | None
