"""What `<zip>.lambdapack.json` holds. pipeline/write.py makes it, pack/manifest.py writes and reads it."""

from typing import Annotated, Literal, TypedDict

from lambdapack.report.document.report import ARCHITECTURE_NAMES, RUNTIME_SOURCES
from lambdapack.rules.model.report import Verdict
from lambdapack.schema import CODE_DIGEST_PATTERN, HEX_SHA256_PATTERN, SHA256_PATTERN, described, number, text, word


class ManifestTargetDocument(TypedDict):
    """What it was built for."""

    runtime: Annotated[str, text("The Lambda runtime, such as nodejs22.x.")]
    arch: Annotated[str, word("The instruction set, under AWS's name.", ARCHITECTURE_NAMES)]


class JudgedByDocument(TypedDict):
    """What the zip was judged against."""

    source: Annotated[str, word("Whence the runtime was known.", RUNTIME_SOURCES)]
    digest: Annotated[str | None, text("Of that image or runtime file; null for shipped data.", pattern=SHA256_PATTERN)]


class ManifestBinaryDocument(TypedDict):
    """One native file."""

    path: Annotated[str, text("In the zip.")]
    sha256: Annotated[str, text("Of the file's bytes.", pattern=HEX_SHA256_PATTERN)]
    selected: Annotated[bool, described("A loader would pick it for this target.")]


class InstallDocument(TypedDict):
    """How the dependencies were installed."""

    image: Annotated[
        str | None,
        text("Digest of the image that npm ran in; null when nothing was installed.", pattern=SHA256_PATTERN),
    ]
    strategy: Annotated[str | None, text("How the target's CPU was served.")]
    node: Annotated[str | None, text("The image's Node.js.")]
    npm: Annotated[str | None, text("The image's npm.")]


class DependencyKeyDocument(TypedDict):
    """What decides the dependencies: a zip whose key is not the project's of today is stale."""

    digest: Annotated[str, text("The key.", pattern=SHA256_PATTERN)]
    parts: Annotated[
        dict[str, Annotated[str, text("The part's digest.", pattern=SHA256_PATTERN)]],
        described("What it is made of, by name."),
    ]


class ManifestDocument(TypedDict):
    """A memory, not a proof: the zip is judged anew."""

    schema: Literal["lambdapack/manifest/1"]
    version: Annotated[str, text("The version of lambdapack that built it.")]
    archive: Annotated[str, text("The zip's own name, without a directory.")]
    kind: Annotated[str, word("A function's zip, or a layer.", ("zip", "layer"))]
    project: Annotated[str | None, text("Name in the package.json that it was built from; null when it has none.")]
    target: ManifestTargetDocument
    handler: Annotated[str | None, text("FILE.EXPORT of the function; null for a layer.")]
    code_digest: Annotated[
        str, text("Base64 SHA-256 of the zip; the manifest counts only for that zip.", pattern=CODE_DIGEST_PATTERN)
    ]
    content_digest: Annotated[
        str, text("Over names, modes and contents of what is in the zip.", pattern=SHA256_PATTERN)
    ]
    zip_bytes: Annotated[int, number("Size of the zip in bytes.")]
    unzipped_bytes: Annotated[int, number("Bytes of all files in it.")]
    entries: Annotated[int, number("Files and links in it.")]
    verdict: Annotated[str, word("What was judged when it was built.", Verdict)]
    judged_by: JudgedByDocument
    binaries: Annotated[list[ManifestBinaryDocument], described("Every native file in it.")]
    install: InstallDocument
    dependency_key: DependencyKeyDocument | None
