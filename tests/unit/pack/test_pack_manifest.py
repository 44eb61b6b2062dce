import random
import string
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT
from lambdapack.pack.output import MANIFEST_SCHEMA, read_zip_manifest, write_zip_manifest, zip_manifest_path


def test_a_manifest_comes_back_and_lies_beside_the_zip(tmp_path: Path) -> None:
    archive = tmp_path / "fn.zip"
    path = write_zip_manifest(archive, {"target": "nodejs22.x/arm64", "binaries": [], "name": "caf\u00e9"})
    assert path == zip_manifest_path(archive) == tmp_path / "fn.zip.lambdapack.json"
    manifest = read_zip_manifest(archive)
    assert manifest is not None
    assert manifest["schema"] == MANIFEST_SCHEMA
    assert manifest["name"] == "caf\u00e9"
    assert list(manifest) == sorted(manifest)


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_zip_manifest(tmp_path / "a.zip", {"b": 1, "a": {"d": 1, "c": 2}}).read_bytes()
    two = write_zip_manifest(tmp_path / "b.zip", {"a": {"c": 2, "d": 1}, "b": 1}).read_bytes()
    assert one == two


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]", b'{"schema": "other/1"}', b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_of_ours_counts_as_none(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        zip_manifest_path(tmp_path / "fn.zip").write_bytes(data)
    assert read_zip_manifest(tmp_path / "fn.zip") is None


def test_a_secret_never_gets_into_it(tmp_path: Path) -> None:
    token = "npm_" + "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=36))  # noqa: S311
    with pytest.raises(ValueError, match="an npm token") as caught:
        write_zip_manifest(tmp_path / "fn.zip", {"environment": {"TOKEN": token}})
    assert token not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LambdapackError) as caught:
        write_zip_manifest(tmp_path / "file" / "fn.zip", {})
    assert caught.value.failure is OUTPUT
