from pathlib import Path

from lambdapack.prove.load import LoadResult, mask_values
from lambdapack.prove.records import ProofRecords
from lambdapack.rules.function.loading import LoadError
from lambdapack.store.records import Store

LOADED = LoadResult("/var/task/a.node", None)
FAILED = LoadResult("/var/task/index.js", LoadError("TABLE is not set", "Error", "", "Error: x", exited=True))


def test_what_was_loaded_is_remembered_with_what_it_said(tmp_path: Path) -> None:
    records = ProofRecords(Store(tmp_path, "code"))
    records.put(["import", "sha256:0"], [LOADED, FAILED])
    assert records.get(["import", "sha256:0"]) == (LOADED, FAILED)
    assert records.get(["import", "sha256:1"]) is None
    assert ProofRecords(Store(tmp_path, "other code")).get(["import", "sha256:0"]) is None


def test_what_took_too_long_is_tried_again(tmp_path: Path) -> None:
    records = ProofRecords(Store(tmp_path, "code"))
    records.put(["import"], [LoadResult("/var/task/index.js", LoadError("10 s", late=True))])
    assert records.get(["import"]) is None


def test_without_a_store_nothing_is_remembered() -> None:
    records = ProofRecords(None)
    records.put(["import"], [LOADED])
    assert records.get(["import"]) is None


def test_a_secret_of_the_parts_is_in_no_file(tmp_path: Path) -> None:
    ProofRecords(Store(tmp_path, "code")).put([[("TOKEN", "c4n4ryc4n4ry")]], [LOADED])
    assert not [path for path in tmp_path.rglob("*.record") if b"c4n4ry" in path.read_bytes()]
    assert mask_values("it says c4n4ryc4n4ry", {"TOKEN": "c4n4ryc4n4ry"}) == "it says $TOKEN"
