"""What never leaves the machine: packages that do not fit the function as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.deploy.nouns import FunctionSettings, LocalZip, NewLayer
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Severity
from lambdapack.pipeline.deploy import PlannedFunction, is_refused
from tests.cloud.deploying import ARM, NEW, X86, Site
from tests.cloud.errors import AwsError
from tests.cloud.world import BUCKET, zipped
from tests.elf import patched, program
from tests.projects import lock_of, write_project

ADDON = "node_modules/addon/build/Release/addon.node"
MIB = 1 << 20


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def names(examined: PlannedFunction) -> list[str]:
    return [each.rule.name for each in examined.plan.findings]


def assert_refused(site: Site, examined: PlannedFunction) -> bool:
    """Nothing may have been written by looking."""
    assert site.aws.line.writes == []
    return is_refused([examined], Severity.ERROR)


@pytest.fixture(scope="module")
def addon(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A program of this host's CPU in the place of an addon."""
    return program(tmp_path_factory.mktemp("elf"), "addon", "int main(void) { return 0; }").read_bytes()


def with_addon(data: bytes) -> dict[str, str | bytes]:
    return {ADDON: data, "node_modules/addon/package.json": '{"name": "addon", "main": "build/Release/addon.node"}'}


@pytest.mark.proves("architecture-differs")
def test_a_package_for_another_cpu_is_refused(site: Site) -> None:
    site.function(architecture=ARM)
    (examined,) = site.examine(site.wanted(site.package("new"), architecture=X86))
    assert names(examined) == ["architecture-differs"]
    assert assert_refused(site, examined)
    assert "--arch arm64" in examined.plan.findings[0].cure


@pytest.mark.spares("architecture-differs")
def test_a_cpu_may_be_switched_on_purpose(site: Site) -> None:
    site.function(architecture=ARM)
    (examined,) = site.examine(site.wanted(site.package("new"), architecture=X86, allow_architecture=True))
    assert names(examined) == []
    assert examined.plan.target.architecture is X86


def test_an_x86_64_zip_is_refused_by_its_bytes_alone(site: Site, addon: bytes) -> None:
    site.function(architecture=ARM)
    machine = patched(addon, 18, (62).to_bytes(2, "little"))
    (examined,) = site.examine(site.wanted(site.package("new", with_addon(machine))))
    assert "wrong-cpu" in names(examined)
    assert assert_refused(site, examined)


@pytest.mark.proves("runtime-differs")
def test_a_package_for_another_runtime_is_refused(site: Site) -> None:
    site.function()
    (examined,) = site.examine(site.wanted(site.package("new"), runtime="nodejs20.x"))
    assert names(examined) == ["runtime-differs"]
    assert assert_refused(site, examined)
    assert "--runtime nodejs22.x" in examined.plan.findings[0].cure


@pytest.mark.spares("runtime-differs")
def test_a_runtime_may_be_switched_on_purpose(site: Site) -> None:
    package = site.function()
    wanted = site.wanted(package, runtime="nodejs24.x", allow_runtime=True)
    (examined,) = site.examine(wanted)
    assert names(examined) == []
    site.deploy(wanted)
    assert site.aws.functions.functions["fn"].versions[site.live]["Runtime"] == "nodejs24.x"


def test_a_handler_that_is_not_in_the_zip_is_refused(site: Site) -> None:
    site.function()
    (examined,) = site.examine(site.wanted(site.package("new"), settings=FunctionSettings(handler="app.main")))
    assert names(examined) == ["handler-missing"]
    assert assert_refused(site, examined)


@pytest.mark.proves("bucket-missing")
def test_a_zip_over_50_mb_needs_a_bucket(site: Site) -> None:
    site.function()
    (examined,) = site.examine(site.wanted(site.package("new", size=60 * MIB)))
    assert names(examined) == ["bucket-missing"]
    assert assert_refused(site, examined)


@pytest.mark.spares("bucket-missing")
def test_with_a_bucket_it_has_a_way(site: Site) -> None:
    site.function()
    (examined,) = site.examine(site.wanted(site.package("new", size=60 * MIB), bucket=BUCKET))
    assert names(examined) == []
    (small,) = site.examine(site.wanted(site.package("new", size=40 * MIB)))
    assert names(small) == []


def layer(site: Site, name: str, size: int = 0, *architectures: object) -> str:
    path = site.directory / f"{name}.zip"
    path.write_bytes(zipped({"nodejs/node_modules/x/index.js": "1"}, size, packed=True, below="nodejs/"))
    cpus = tuple(each for each in (X86, ARM) if each in architectures)
    return site.cloud.publish_layer(NewLayer(name, "", ("nodejs22.x",), cpus), LocalZip(path)).arn


def test_260_mb_with_layers_are_refused(site: Site) -> None:
    arn = layer(site, "large", 140 * MIB)
    site.function(settings=FunctionSettings(layers=(arn,)))
    (examined,) = site.examine(site.wanted(site.package("new", size=120 * MIB, packed=True)))
    assert names(examined) == ["too-big"]
    assert assert_refused(site, examined)


@pytest.mark.proves("layer-architecture")
def test_a_layer_for_another_cpu_is_named(site: Site) -> None:
    site.function(settings=FunctionSettings(layers=(layer(site, "x86", 0, X86),)), architecture=ARM)
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert names(examined) == ["layer-architecture"]


@pytest.mark.spares("layer-architecture", "layer-unseen")
def test_a_layer_for_this_cpu_or_for_any_is_fine(site: Site) -> None:
    site.function(
        settings=FunctionSettings(layers=(layer(site, "both", 0, X86, ARM), layer(site, "any"))), architecture=ARM
    )
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert names(examined) == []


@pytest.mark.proves("layer-unseen")
def test_a_layer_that_may_not_be_read_is_named(site: Site) -> None:
    site.function(settings=FunctionSettings(layers=(layer(site, "secret"),)))
    text = "User: u is not authorized to perform: lambda:GetLayerVersion on resource: arn"
    site.aws.line.refuse["GetLayerVersion"] = [AwsError("AccessDeniedException", text)]
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert names(examined) == ["layer-unseen"]
    assert not assert_refused(site, examined)


@pytest.mark.proves("latest-consumer")
def test_who_calls_latest_is_named(site: Site) -> None:
    site.function()
    function = site.aws.functions.functions["fn"]
    function.url = "https://x.lambda-url.eu-central-1.on.aws/"
    function.policy = [
        {"Sid": "s3", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
         "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"}}},
        {"Sid": "url", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"},
    ]  # fmt: skip
    arn = function.latest["FunctionArn"]
    function.sources = [
        {"EventSourceArn": "arn:aws:sqs:eu-central-1:1:jobs", "FunctionArn": arn, "UUID": "1"},
        {"EventSourceArn": "arn:aws:sqs:eu-central-1:1:other", "FunctionArn": f"{arn}:live", "UUID": "2"},
    ]
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert [each.path for each in examined.plan.findings] == [
        "arn:aws:sqs:eu-central-1:1:jobs",
        "https://x.lambda-url.eu-central-1.on.aws/",
        "s3.amazonaws.com for arn:aws:s3:::uploads",
    ]
    assert not assert_refused(site, examined)


@pytest.mark.spares("latest-consumer", "consumers-unseen")
def test_who_calls_an_alias_is_not(site: Site) -> None:
    site.function()
    function = site.aws.functions.functions["fn"]
    arn = function.latest["FunctionArn"]
    function.sources = [{"EventSourceArn": "arn:aws:sqs:::jobs", "FunctionArn": f"{arn}:live", "UUID": "2"}]
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert names(examined) == []


@pytest.mark.proves("consumers-unseen")
def test_it_is_said_when_that_may_not_be_seen(site: Site) -> None:
    site.function()
    text = "User: u is not authorized to perform: lambda:GetPolicy on resource: arn"
    site.aws.line.refuse["GetPolicy"] = [AwsError("AccessDeniedException", text)]
    (examined,) = site.examine(site.wanted(site.package("new")))
    assert names(examined) == ["consumers-unseen"]
    assert not assert_refused(site, examined)


def project(directory: Path, version: str) -> Path:
    """A project whose lockfile has one version of a package."""
    packages = {"node_modules/left": {"version": version, "resolved": "https://registry.example/left.tgz"}}
    manifest = {"name": "fn", "dependencies": {"left": version}}
    return write_project(directory, manifest, lock_of(packages, manifest))


def test_a_zip_that_is_stale_against_the_project_is_refused(site: Site, tmp_path: Path) -> None:
    files = {"node_modules/left/package.json": '{"name": "left", "version": "1.0.0"}', "package.json": "{}"}
    package = site.function("old")
    stale = site.package("new", files)
    (fresh,) = site.examine(site.wanted(stale), project=project(tmp_path / "a", "1.0.0"))
    assert names(fresh) == []
    (examined,) = site.examine(site.wanted(stale), project=project(tmp_path / "a", "2.0.0"))
    assert names(examined) == ["zip-stale"]
    assert assert_refused(site, examined)
    assert "left 1.0.0 in the zip, 2.0.0 in package-lock.json" in examined.plan.findings[0].message
    (unasked,) = site.examine(site.wanted(package))
    assert unasked.report is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PackageType": "Image", "Runtime": ""}, "LP430"),
        ({"Runtime": "python3.13"}, "LP004"),
    ],
)
def test_a_function_that_is_not_ours_is_left_alone(site: Site, change: dict[str, str], code: str) -> None:
    site.function()
    site.aws.functions.functions["fn"].latest.update(change)
    with pytest.raises(LambdapackError, match=code):
        site.examine(site.wanted(site.package("new")))


def test_a_function_is_not_made_unless_asked_for(site: Site) -> None:
    with pytest.raises(LambdapackError, match="LP415"):
        site.examine(site.wanted(site.package()))
    with pytest.raises(LambdapackError, match="LP001") as raised:
        site.examine(site.wanted(site.package(), creation_settings=replace(NEW, role=None)))
    assert "--role ARN" in raised.value.hint


def test_a_layer_that_is_no_arn_is_refused(site: Site) -> None:
    site.function()
    with pytest.raises(LambdapackError, match="LP001"):
        site.examine(site.wanted(site.package("new"), settings=FunctionSettings(layers=("sharp",))))


def test_equal_targets_are_judged_once(site: Site) -> None:
    for name in ("a", "b"):
        site.function(name=name)
    site.observer.tasks.clear()
    package = site.package("new")
    site.examine(*(site.wanted(package, function=name) for name in ("a", "b")))
    assert sum("native" in each for each in site.observer.tasks) == 1
