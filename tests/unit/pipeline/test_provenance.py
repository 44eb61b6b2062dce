"""The statement beside a zip, held to the published definitions of in-toto and SLSA.

Their package in-toto-attestation is made from the protobuf definitions (in-toto/attestation, protos/): what it does not
know, or knows with another type, it refuses.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement, statement_pb2

from lambdapack.managers.lock import LockedPackage
from lambdapack.pipeline.package.provenance import describe_package
from tests.unit.pipeline.workshop import Workshop

HASH = "sha512-" + "A" * 86 + "=="


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    ms = {"version": "2.1.3", "resolved": "https://registry.example.test/ms/-/ms-2.1.3.tgz", "integrity": HASH}
    return Workshop(tmp_path, dependencies={"ms": ms})


def statement_of(shop: Workshop, **changes: Any) -> Mapping[str, Any]:
    (built,) = shop.build(provenance=True, **changes)
    assert built.archive is not None
    path = built.archive.path.with_name(built.archive.path.name + ".provenance.json")
    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def test_it_is_a_statement_and_a_provenance_as_published(shop: Workshop) -> None:
    document = statement_of(shop)
    message = json_format.ParseDict(document, statement_pb2.Statement())
    whole = statement.Statement(message.subject, message.predicate_type, message.predicate)
    whole.validate()
    predicate = json_format.ParseDict(document["predicate"], provenance_pb2.Provenance())
    assert predicate.build_definition.build_type.startswith("https://")
    assert predicate.run_details.builder.id.startswith("https://")
    assert message.type == "https://in-toto.io/Statement/v1"
    assert message.predicate_type == "https://slsa.dev/provenance/v1"


def test_it_names_zip_image_lock_and_packages(shop: Workshop) -> None:
    document = statement_of(shop)
    (subject,) = document["subject"]
    zip_digest = hashlib.sha256((shop.place / "out" / "x86_64.zip").read_bytes()).hexdigest()
    assert subject == {"name": "x86_64.zip", "digest": {"sha256": zip_digest}}
    image, manifest, lock, ms = document["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert image["uri"] == "docker://lambdapack-lab/nodejs:22-x86_64"
    assert len(image["digest"]["sha256"]) == 64
    for described in (manifest, lock):
        data = (shop.project / described["name"]).read_bytes()
        assert described["digest"] == {"sha256": hashlib.sha256(data).hexdigest()}
    assert ms == {
        "uri": "pkg:npm/ms@2.1.3",
        "digest": {"sha512": "00" * 64},
        "downloadLocation": "https://registry.example.test/ms/-/ms-2.1.3.tgz",
    }
    parameters = document["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters == {"kind": "zip", "runtime": "nodejs22.x", "arch": "x86_64", "handler": "index.handler"}


def test_the_same_build_gives_the_same_statement(shop: Workshop) -> None:
    assert statement_of(shop) == statement_of(shop)


def test_nothing_is_written_unasked(shop: Workshop) -> None:
    shop.build()
    assert shop.written == ["x86_64.zip", "x86_64.zip.lambdapack.json"]


@pytest.mark.parametrize(
    ("package", "described"),
    [
        (LockedPackage("", "@img/sharp", "1.0.0+x", 1), {"uri": "pkg:npm/%40img/sharp@1.0.0%2Bx"}),
        (LockedPackage("", "a", "1.0.0", 1, integrity="sha512-%%%"), {"uri": "pkg:npm/a@1.0.0"}),
        (
            LockedPackage("", "a", "1.0.0", 1, resolved=f"git+https://u:p@git.example.test/a.git#{'0' * 40}"),
            {
                "uri": "pkg:npm/a@1.0.0",
                "digest": {"gitCommit": "0" * 40},
                "downloadLocation": "git+https://git.example.test/a.git",
            },
        ),
        (LockedPackage("", "a", "1.0.0", 1, resolved="file:tarballs/a.tgz"), {"uri": "pkg:npm/a@1.0.0"}),
    ],
)
def test_packages_are_described_by_what_the_lock_says(package: LockedPackage, described: Mapping[str, Any]) -> None:
    assert describe_package(package) == described
