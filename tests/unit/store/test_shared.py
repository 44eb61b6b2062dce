"""A shared store: what another machine made is taken, and only what can be trusted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lambdapack.errors.build import BAD_STORE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.store.shared import DirectoryBucket, SharedTrees, open_shared_trees
from lambdapack.store.signing import StoreKeys, read_store_keys
from lambdapack.store.trees import LocalTrees, tree_name
from lambdapack.tree.entry import read_file
from tests.fakes import RecordingObserver
from tests.unit.store.test_trees import TREE

NAME = tree_name("sha256:1", "native/1")
Machine = Callable[..., SharedTrees]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Make a machine with a local store of its own."""

    def make(name: str, keys: StoreKeys | None = None, *, writes: bool = True, place: str = "shared") -> SharedTrees:
        bucket = DirectoryBucket(tmp_path / place)
        return open_shared_trees(LocalTrees(tmp_path / name), bucket, bucket if writes else None, keys or StoreKeys())

    return make


def key_pair(directory: Path, name: str) -> tuple[Path, Path]:
    private = Ed25519PrivateKey.generate()
    secret, public = directory / f"{name}.key", directory / f"{name}.pub"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public.write_bytes(private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return secret, public


def put(trees: SharedTrees) -> None:
    stored = trees.put((NAME,), TREE, {"facts": 1}, SILENT)
    assert stored is not None


def test_another_machine_takes_what_one_made(machine: Machine, tmp_path: Path) -> None:
    put(machine("one"))
    stored = machine("two").get(NAME, SILENT)
    assert stored is not None
    assert (stored.source, stored.record["facts"]) == (str(tmp_path / "shared"), 1)
    assert read_file(stored.tree, "node_modules/a/random") == bytes(range(256))


def test_a_read_only_machine_writes_nothing(machine: Machine, tmp_path: Path) -> None:
    put(machine("one", writes=False))
    assert not (tmp_path / "shared").exists()


def test_what_came_from_elsewhere_counts_only_while_that_store_is_set(machine: Machine, tmp_path: Path) -> None:
    put(machine("one"))
    assert machine("two").get(NAME, SILENT) is not None
    assert LocalTrees(tmp_path / "two").get(NAME, SILENT) is None
    assert machine("two", place="other").get(NAME, SILENT) is None
    assert machine("two").get(NAME, SILENT) is not None


def test_only_what_a_trusted_key_signed_is_taken(machine: Machine, tmp_path: Path) -> None:
    secret, public = key_pair(tmp_path, "ours")
    foreign, _ = key_pair(tmp_path, "theirs")
    reader = read_store_keys((public,), None)
    observer = RecordingObserver()
    for signing in (None, foreign):
        put(machine("one", read_store_keys((), signing)))
        assert machine("two", reader, writes=False).get(NAME, observer) is None
        assert "not signed by a key that this project trusts" in observer.notes[-1]
        for file in (tmp_path / "shared" / "entries").iterdir():
            file.unlink()
    put(machine("three", read_store_keys((public,), secret)))
    assert machine("two", reader, writes=False).get(NAME, observer) is not None


def test_a_signature_is_of_one_entry_under_one_name(machine: Machine, tmp_path: Path) -> None:
    secret, public = key_pair(tmp_path, "ours")
    put(machine("one", read_store_keys((public,), secret)))
    other = tree_name("sha256:2", "native/1")
    entry = tmp_path / "shared" / "entries" / NAME
    entry.rename(entry.with_name(other))
    assert machine("two", read_store_keys((public,), None)).get(other, RecordingObserver()) is None


@pytest.mark.parametrize("kind", ["entries", "members"])
@pytest.mark.parametrize("harm", ["flip", "cut", "longer", "remove"])
def test_what_is_damaged_there_is_not_taken(machine: Machine, tmp_path: Path, kind: str, harm: str) -> None:
    put(machine("one"))
    (file,) = (tmp_path / "shared" / kind).iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    match harm:
        case "flip":
            file.write_bytes(data)
        case "cut":
            file.write_bytes(data[:-1])
        case "longer":
            file.write_bytes(file.read_bytes() + b"x")
        case _:
            file.unlink()
    observer = RecordingObserver()
    assert machine("two").get(NAME, observer) is None
    assert (observer.notes == []) == ((kind, harm) == ("entries", "remove"))
    assert list((tmp_path / "two" / "members").iterdir()) == []


def test_a_store_that_cannot_be_reached_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bucket, observer = DirectoryBucket(tmp_path / "file" / "x"), RecordingObserver()
    trees = open_shared_trees(LocalTrees(tmp_path / "one"), bucket, bucket, StoreKeys())
    assert trees.get(NAME, observer) is None
    assert trees.put((NAME,), TREE, {}, observer) is not None
    assert any("not shared" in note for note in observer.notes)
    assert replace(trees.local, sources=frozenset()).get(NAME, SILENT) is not None


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_key_that_is_none_is_a_named_error(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(text)
    for trusted, signing in (((path,), None), ((), path), ((tmp_path / "absent",), None)):
        with pytest.raises(LambdapackError) as caught:
            read_store_keys(trusted, signing)
        assert caught.value.failure is BAD_STORE
