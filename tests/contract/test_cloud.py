"""What every Cloud does: the fake, and boto3 against servers that speak AWS's wire format."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Alias, FunctionSettings, LayerPermission, LocalZip, NewLayer, S3Object
from lambdapack.errors.cloud import CHANGED, EXISTS, NO_FUNCTION, NOT_THERE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Advance
from lambdapack.model import Architecture
from lambdapack.pack.digest import code_digest
from tests.cloud import servers
from tests.cloud.world import BUCKET, World, fake, served

BOTH = (Architecture.X86_64, Architecture.ARM64)
NEW = NewLayer("", "sha256:1", ("nodejs22.x",), (Architecture.ARM64,))


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    with servers.moto() as address:
        yield address


@pytest.fixture(scope="session")
def ministack_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture(params=["fake", "moto", "ministack"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "fake":
        return fake(tmp_path)
    return served(request.param, request.getfixturevalue(f"{request.param}_address"), tmp_path)


def as_cloud(world: World) -> Cloud:
    """The type checker holds BotoCloud to the protocol here."""
    return world.cloud


def test_it_is_a_cloud(world: World) -> None:
    cloud = as_cloud(world)
    assert cloud.region == "eu-central-1"
    assert cloud.identity().account.isdigit()
    assert cloud.limits().zipped_bytes == 52_428_800
    assert cloud.limits().unzipped_bytes == 262_144_000


def test_what_is_not_there_is_none(world: World) -> None:
    assert world.cloud.function("nobody") is None
    assert world.cloud.alias("nobody", "live") is None
    assert world.cloud.layer_version("nothing", 1) is None
    assert list(world.cloud.layer_versions("nothing")) == []
    made = world.function()
    assert world.cloud.function(made.name, "live") is None
    assert world.cloud.alias(made.name, "live") is None


def test_a_change_of_what_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(LambdapackError) as raised:
        world.cloud.update_code("nobody", Architecture.ARM64, LocalZip(world.archive()))
    assert raised.value.failure in (NO_FUNCTION, NOT_THERE)


def test_a_function_is_read_as_it_was_made(world: World) -> None:
    archive = world.archive("a")
    settings = FunctionSettings(
        runtime="nodejs22.x",
        handler="app.main",
        role=world.role,
        timeout=7,
        memory=256,
        environment={"STAGE": "test"},
    )
    name = world.fresh()
    world.cloud.create_function(name, Architecture.ARM64, LocalZip(archive), settings)
    found = world.cloud.wait_until_settled(name)
    assert (found.name, found.version, found.package_type) == (name, LATEST, "Zip")
    assert (found.runtime, found.handler, found.role) == ("nodejs22.x", "app.main", world.role)
    assert (found.timeout, found.memory, dict(found.environment)) == (7, 256, {"STAGE": "test"})
    assert found.architecture is Architecture.ARM64
    assert found.code_digest == code_digest(archive)
    assert found.code_bytes == archive.stat().st_size
    assert found.is_settled
    assert not found.has_failed
    assert found.version_arn.endswith(f":function:{name}:$LATEST")


def test_a_function_is_made_once(world: World) -> None:
    made = world.function()
    settings = FunctionSettings(runtime="nodejs22.x", handler="index.handler", role=world.role)
    with pytest.raises(LambdapackError) as raised:
        world.cloud.create_function(made.name, Architecture.X86_64, LocalZip(world.archive()), settings)
    assert raised.value.failure is EXISTS


def test_new_code_is_there_when_it_has_settled(world: World) -> None:
    made = world.function("old")
    archive = world.archive("new")
    world.cloud.update_code(made.name, made.architecture, LocalZip(archive))
    found = world.cloud.wait_until_settled(made.name)
    assert found.code_digest == code_digest(archive) != made.code_digest
    assert found.settings_digest == made.settings_digest


def test_code_comes_out_of_a_bucket(world: World) -> None:
    made = world.function("old")
    archive = world.archive("stored")
    stored = world.cloud.upload_object(S3Object(BUCKET, "lambdapack/x.zip", 0, "", "d"), archive, ignored)
    world.cloud.update_code(made.name, made.architecture, stored)
    assert world.cloud.wait_until_settled(made.name).code_digest == code_digest(archive)


def test_settings_change_and_the_rest_stays(world: World) -> None:
    made = world.function()
    world.cloud.update_settings(made.name, FunctionSettings(timeout=9, environment={"A": "1"}), made.revision)
    found = world.cloud.wait_until_settled(made.name)
    assert (found.timeout, dict(found.environment)) == (9, {"A": "1"})
    assert (found.handler, found.memory, found.code_digest) == (made.handler, made.memory, made.code_digest)
    assert found.settings_digest != made.settings_digest


def test_settings_of_another_revision_are_not_changed(world: World) -> None:
    if not world.guards:
        pytest.skip("moto has no RevisionId")
    made = world.function()
    with pytest.raises(LambdapackError) as raised:
        world.cloud.update_settings(made.name, FunctionSettings(timeout=9), "another")
    assert raised.value.failure is CHANGED


def test_versions_keep_what_was_published(world: World) -> None:
    made = world.function("one")
    first = world.cloud.publish_version(made.name, made.code_digest, made.revision)
    assert world.cloud.wait_until_settled(made.name, first.version).is_settled
    world.cloud.update_code(made.name, made.architecture, LocalZip(world.archive("two")))
    second = world.cloud.wait_until_settled(made.name)
    world.cloud.publish_version(made.name, second.code_digest, second.revision)
    listed = {each.version: each.code_digest for each in world.cloud.versions(made.name)}
    assert listed == {LATEST: second.code_digest, "1": made.code_digest, "2": second.code_digest}
    kept = world.cloud.function(made.name, "1")
    assert kept is not None
    assert kept.settings_digest == made.settings_digest
    assert kept.version_arn.endswith(f":{made.name}:1")


def test_a_version_of_other_code_is_not_published(world: World) -> None:
    made = world.function("one")
    other = code_digest(world.archive("two"))
    with pytest.raises(LambdapackError) as raised:
        world.cloud.publish_version(made.name, other, made.revision)
    assert raised.value.failure is CHANGED


def test_an_alias_stands_for_a_version(world: World) -> None:
    made = world.function("one")
    world.cloud.publish_version(made.name, made.code_digest, made.revision)
    alias = world.cloud.create_alias(made.name, Alias("live", "", "1", (), "first"))
    assert (alias.version, alias.weights, alias.description) == ("1", (), "first")
    assert world.cloud.alias(made.name, "live") == alias
    found = world.cloud.function(made.name, "live")
    assert found is not None
    assert found.version == "1"
    with pytest.raises(LambdapackError) as raised:
        world.cloud.create_alias(made.name, alias)
    assert raised.value.failure is EXISTS


def test_an_alias_moves_and_splits(world: World) -> None:
    made = world.function("one")
    world.cloud.publish_version(made.name, made.code_digest, made.revision)
    world.cloud.update_code(made.name, made.architecture, LocalZip(world.archive("two")))
    second = world.cloud.wait_until_settled(made.name)
    world.cloud.publish_version(made.name, second.code_digest, second.revision)
    alias = world.cloud.create_alias(made.name, Alias("live", "", "1"))
    split = world.cloud.update_alias(made.name, replace(alias, weights=(("2", 0.1),)))
    assert (split.version, split.weights) == ("1", (("2", 0.1),))
    moved = world.cloud.update_alias(made.name, replace(split, version="2", weights=()))
    assert (moved.version, moved.weights) == ("2", ())
    if world.guards:
        with pytest.raises(LambdapackError) as raised:
            world.cloud.update_alias(made.name, alias)
        assert raised.value.failure is CHANGED


def test_every_version_of_the_region_is_listed(world: World) -> None:
    made = world.function()
    world.cloud.publish_version(made.name, made.code_digest, made.revision)
    found = {each.version for each in world.cloud.all_versions() if each.name == made.name}
    if world.name == "ministack":
        assert LATEST in found  # it ignores FunctionVersion=ALL
    else:
        assert found == {LATEST, "1"}


def test_nobody_calls_a_new_function(world: World) -> None:
    assert list(world.cloud.consumers(world.function().name)) == []


def test_layers_have_versions(world: World) -> None:
    new = replace(NEW, name=world.fresh("layer"))
    archive = world.archive("layer")
    first = world.cloud.publish_layer(new, LocalZip(archive))
    second = world.cloud.publish_layer(new, LocalZip(archive))
    assert (first.number, second.number) == (1, 2)
    assert second.arn.endswith(f":layer:{new.name}:2")
    assert [each.number for each in world.cloud.layer_versions(new.name)] == [2, 1]
    found = world.cloud.layer_version(new.name, 2)
    assert found is not None
    assert found.code_digest == code_digest(archive)
    assert found.zip_bytes == archive.stat().st_size
    assert (found.runtimes, found.architectures) == (new.runtimes, new.architectures)
    assert found.description == new.description
    assert world.cloud.layer_version(second.arn.rpartition(":")[0], 2) == found
    world.cloud.delete_layer_version(new.name, 1)
    world.cloud.delete_layer_version(new.name, 1)
    assert world.cloud.layer_version(new.name, 1) is None


def test_a_layer_comes_out_of_a_bucket(world: World) -> None:
    archive = world.archive("stored layer")
    stored = world.cloud.upload_object(S3Object(BUCKET, "lambdapack/layer.zip", 0), archive, ignored)
    made = world.cloud.publish_layer(replace(NEW, name=world.fresh("layer")), stored)
    found = world.cloud.layer_version(made.name, 1)
    assert found is not None
    assert found.code_digest == code_digest(archive)


def test_layers_are_shared(world: World) -> None:
    made = world.cloud.publish_layer(replace(NEW, name=world.fresh("layer")), LocalZip(world.archive()))
    assert world.cloud.layer_policy(made.name, 1) == ()
    shared = LayerPermission("all", "*")
    world.cloud.permit_layer(made.name, 1, shared)
    assert world.cloud.layer_policy(made.name, 1) == (shared,)
    one = LayerPermission("one", "210987654321")
    world.cloud.permit_layer(made.name, 1, one)
    assert world.cloud.layer_policy(made.name, 1) == (shared, one)


def test_an_object_is_stored_once_and_found_again(world: World) -> None:
    archive = world.archive("stored")
    key = f"lambdapack/{world.fresh()}.zip"
    assert world.cloud.find_object(BUCKET, key) is None
    wanted = S3Object(BUCKET, key, archive.stat().st_size, "", code_digest(archive))
    sent: list[int] = []
    stored = world.cloud.upload_object(wanted, archive, sent.append)
    assert world.cloud.find_object(BUCKET, key) == stored
    assert (stored.size, stored.code_digest) == (wanted.size, wanted.code_digest)
    assert world.name == "fake" or sum(sent) == wanted.size
    world.cloud.download_object(BUCKET, key, world.directory / "back", ignored)
    assert (world.directory / "back").read_bytes() == archive.read_bytes()


def test_a_large_object_goes_in_parts(world: World) -> None:
    archive = world.archive("large", size=20 << 20)
    key = f"lambdapack/{world.fresh()}.zip"
    stored = world.cloud.upload_object(S3Object(BUCKET, key, 0, "", "d"), archive, ignored)
    assert stored.size == archive.stat().st_size
    world.cloud.download_object(BUCKET, key, world.directory / "back", ignored)
    assert (world.directory / "back").read_bytes() == archive.read_bytes()


def test_a_missing_object_cannot_be_fetched(world: World) -> None:
    with pytest.raises(LambdapackError, match="LP421"):
        world.cloud.download_object(BUCKET, "nothing", world.directory / "x", ignored)
    assert not (world.directory / "x").exists()


def test_deployed_code_can_be_had_back(world: World) -> None:
    if world.name == "moto":
        pytest.skip("moto gives addresses of a host that does not exist")
    made = world.function("back")
    location = world.cloud.code_location(made.name)
    world.cloud.download_url(location, world.directory / "code.zip", ignored)
    assert code_digest(world.directory / "code.zip") == made.code_digest


def test_an_invoked_version_answers(world: World) -> None:
    if world.name == "moto":
        pytest.skip("moto runs nothing without Docker")
    made = world.function("seven")
    if world.aws:
        world.aws.functions.handlers[made.code_digest] = lambda event: {"got": event, "version": "seven"}
    answer = world.cloud.invoke(made.name, "", b'{"x": 1}', 3)
    assert answer.error == ""
    assert b'"seven"' in answer.payload


ignored: Advance = lambda _amount: None  # noqa: E731
