"""What a shared store asks of a bucket: a directory and S3 (moto) do the same."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambdapack.aws.cloud import connect_cloud
from lambdapack.aws.store_bucket import S3Bucket, make_store_policy, parse_store_address
from lambdapack.errors.build import BAD_STORE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.store.shared import DirectoryBucket, StoreBucket, open_shared_trees
from lambdapack.store.signing import StoreKeys
from lambdapack.store.trees import LocalTrees, tree_name
from tests.cloud import servers
from tests.fakes import RecordingObserver
from tests.unit.store.test_trees import TREE

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
NAME = tree_name("sha256:1", "native/1")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with servers.moto() as found:
        yield found


@pytest.fixture(params=["directory", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreBucket:
    if request.param == "directory":
        return DirectoryBucket(tmp_path / "bucket")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    cloud = connect_cloud(KEYS, region="us-east-1", endpoint=request.getfixturevalue("address"))
    name = f"bucket-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
    cloud.calls.client("s3").create_bucket(Bucket=name)
    return S3Bucket(cloud.calls, name, "trusted/store")


@pytest.fixture
def put(bucket: StoreBucket, tmp_path: Path) -> Callable[..., bool]:
    def call(name: str, data: bytes, *, replaces: bool = False) -> bool:
        path = tmp_path / "data"
        path.write_bytes(data)
        return bucket.write(name, path, hashlib.sha256(data).digest(), replaces=replaces)

    return call


def read(bucket: StoreBucket, name: str, largest: int = 1000) -> bytes | None:
    file = io.BytesIO()
    return file.getvalue() if bucket.read(name, file, largest) else None


def test_what_is_written_is_read(bucket: StoreBucket, put: Callable[..., bool]) -> None:
    assert read(bucket, "entries/a") is None
    assert put("entries/a", b"first")
    assert read(bucket, "entries/a") == b"first"


def test_what_is_there_stays_unless_it_is_to_be_replaced(bucket: StoreBucket, put: Callable[..., bool]) -> None:
    assert put("entries/a", b"first")
    assert not put("entries/a", b"second")
    assert read(bucket, "entries/a") == b"first"
    assert put("entries/a", b"third", replaces=True)
    assert read(bucket, "entries/a") == b"third"


def test_more_than_is_expected_is_refused(bucket: StoreBucket, put: Callable[..., bool]) -> None:
    put("members/a", b"x" * 11)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        read(bucket, "members/a", 10)


def test_two_machines_share_a_tree(bucket: StoreBucket, tmp_path: Path) -> None:
    one = open_shared_trees(LocalTrees(tmp_path / "one"), bucket, bucket, StoreKeys())
    two = open_shared_trees(LocalTrees(tmp_path / "two"), bucket, None, StoreKeys())
    assert one.put((NAME,), TREE, {"facts": 1}, SILENT) is not None
    stored = two.get(NAME, SILENT)
    assert stored is not None
    assert stored.source == bucket.address
    assert stored.tree.entries == TREE.entries


def test_a_bucket_that_is_not_there_is_said_and_costs_time_alone(address: str, tmp_path: Path) -> None:
    calls = connect_cloud(KEYS, region="us-east-1", endpoint=address).calls
    absent, observer = S3Bucket(calls, "no-such-bucket-here", ""), RecordingObserver()
    trees = open_shared_trees(LocalTrees(tmp_path / "one"), absent, absent, StoreKeys())
    assert trees.get(NAME, observer) is None
    assert trees.put((NAME,), TREE, {}, observer) is not None
    assert len(observer.notes) == 2


def test_the_policy_reads_one_prefix_and_writes_only_where_that_is_wanted() -> None:
    policy = make_store_policy("s3://bucket/trusted/", writes=True)
    objects, misses = policy["Statement"]
    assert (objects["Action"], objects["Resource"]) == (
        ["s3:GetObject", "s3:PutObject"],
        "arn:aws:s3:::bucket/trusted/*",
    )
    assert misses["Condition"] == {"StringLike": {"s3:prefix": ["trusted/*"]}}
    assert "s3:PutObject" not in json.dumps(make_store_policy("s3://bucket", writes=False))


@pytest.mark.parametrize("text", ["s3://", "https://bucket", "bucket/prefix"])
def test_an_address_that_is_none_is_a_named_error(text: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        parse_store_address(text)
    assert caught.value.failure is BAD_STORE
