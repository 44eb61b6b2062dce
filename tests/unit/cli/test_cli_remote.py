"""`verify` on what AWS holds: told from paths, downloaded with its layers, judged as it is there, removed."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from lambdapack.deploy.nouns import FunctionSettings, LocalZip, NewLayer, S3Object
from lambdapack.errors.cloud import NO_REGION
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture
from lambdapack.pack.digest import code_digest
from tests import elf
from tests.cloud.errors import AwsError
from tests.cloud.fake import FakeAws
from tests.cloud.wire import ACCOUNT, REGION
from tests.cloud.world import BUCKET, zipped
from tests.fakes import FakeEngine, Process

X86, ARM = Architecture.X86_64, Architecture.ARM64
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lambda"
ADDON = "node_modules/addon/build/Release/addon.node"
HANDLER = "exports.handler = async () => require('addon')\n"
NEEDS = '{"name": "fn", "dependencies": {"addon": "1.0.0"}}'

Verify = Callable[..., tuple[int, Any, str]]


def package(data: bytes, below: str = "") -> dict[str, str | bytes]:
    manifest = '{"name": "addon", "version": "1.0.0", "main": "build/Release/addon.node"}'
    return {f"{below}node_modules/addon/package.json": manifest, f"{below}{ADDON}": data}


@dataclass
class Site:
    """A region with functions and layers, and the places that commands connected to."""

    directory: Path
    aws: FakeAws = field(default_factory=FakeAws)
    asked: list[str | None] = field(default_factory=list)

    def connect(self, _environ: Mapping[str, str], **place: str | None) -> Any:
        self.asked.append(place["region"])
        return self.aws.cloud()

    def zip(self, files: Mapping[str, str | bytes]) -> Path:
        path = self.directory / f"{len(list(self.directory.iterdir()))}.zip"
        path.write_bytes(zipped(dict(files)))
        return path

    def layer(self, data: bytes, name: str = "addons", **changes: Any) -> str:
        new = NewLayer(name, "", changes.get("runtimes", ("nodejs22.x",)), changes.get("architectures", (X86,)))
        return self.aws.cloud().publish_layer(new, LocalZip(self.zip(package(data, "nodejs/")))).arn

    def function(
        self, files: Mapping[str, str | bytes], *layers: str, name: str = "fn", cpu: Architecture = X86, **changes: Any
    ) -> Path:
        settings = FunctionSettings(
            environment=changes.get("environment"),
            timeout=changes.get("timeout"),
            memory=changes.get("memory"),
            runtime=changes.get("runtime", "nodejs22.x"),
            handler=changes.get("handler", "index.handler"),
            role=ROLE,
            layers=layers,
        )
        archive = self.zip(files)
        self.aws.cloud().create_function(name, cpu, LocalZip(archive), settings)
        self.aws.line.forget()
        return archive

    def arn(self, name: str = "fn") -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    (tmp_path / "zips").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "passing").mkdir()
    made = Site(tmp_path / "zips")
    made.aws.storage.buckets[BUCKET] = {}
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", made.connect)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "passing"))
    monkeypatch.chdir(tmp_path / "here")
    return made


@pytest.fixture
def verify(site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Verify:
    def call(*argv: str) -> tuple[int, Any, str]:
        site.aws.line.forget()
        code = run_command(["verify", *argv, "--format", "json"])
        said = capsys.readouterr()
        assert list((tmp_path / "passing").iterdir()) == []
        return code, json.loads(said.out), said.err

    return call


@pytest.fixture(scope="module")
def addon(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A Node-API addon for x86_64."""
    made = elf.link(tmp_path_factory.mktemp("elf"), "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    return elf.with_machine(made, elf.X86_64)


def test_a_function_is_judged_with_its_layers_for_what_it_is(site: Site, verify: Verify, addon: bytes) -> None:
    layer = site.layer(addon)
    archive = site.function({"index.js": HANDLER, "package.json": NEEDS}, layer)
    code, report, said = verify("fn")
    assert (code, report["verdict"], report["findings"]) == (0, "pass", [])
    assert report["target"]["runtime"] == "nodejs22.x"
    assert (report["subject"]["kind"], report["subject"]["path"]) == ("function", f"{site.arn()}:$LATEST")
    assert report["subject"]["archive"] is None
    assert report["subject"]["code_digest"] == code_digest(archive)
    assert [each["path"] for each in report["subject"]["layers"]] == [layer]
    assert [(each["path"], each["outcome"]) for each in report["binaries"]] == [(f"/opt/nodejs/{ADDON}", "loads")]
    assert "Reading fn:$LATEST" in said
    assert "Reading the layer addons:1" in said
    assert site.aws.line.writes == []


def test_a_layer_for_another_cpu_is_found_in_the_function(site: Site, verify: Verify, addon: bytes) -> None:
    layer = site.layer(elf.with_machine(addon, elf.ARM64), architectures=(ARM,))
    site.function({"index.js": HANDLER, "package.json": NEEDS}, layer)
    code, report, _ = verify("fn")
    assert code == 1
    found = {(each["name"], each["path"]) for each in report["findings"]}
    assert found == {("wrong-cpu", f"/opt/nodejs/{ADDON}"), ("layer-architecture", layer)}


def test_the_handler_of_a_function_has_to_be_there(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"}, handler="app.main")
    code, report, _ = verify("function:fn")
    assert (code, [each["name"] for each in report["findings"]]) == (1, ["handler-missing"])
    assert report["findings"][0]["severity"] == "error"


@pytest.mark.parametrize("ending", ["", ":1", ":live", ":$LATEST"])
def test_versions_and_aliases_are_judged_as_they_were_frozen(site: Site, verify: Verify, ending: str) -> None:
    first = site.function({"index.js": "1"})
    cloud = site.aws.cloud()
    made = cloud.wait_until_settled("fn")
    cloud.publish_version("fn", made.code_digest, "")
    site.aws.functions.functions["fn"].aliases["live"] = {
        "Name": "live", "AliasArn": "", "FunctionVersion": "1", "RevisionId": "r",
    }  # fmt: skip
    second = site.zip({"index.js": "2"})
    cloud.update_code("fn", X86, LocalZip(second))
    cloud.wait_until_settled("fn")
    wanted = (first, "1") if ending in {":1", ":live"} else (second, "$LATEST")
    for start in ("fn", "function:fn", site.arn()):
        code, report, _ = verify(f"{start}{ending}")
        assert (code, report["subject"]["path"]) == (0, f"{site.arn()}:{wanted[1]}")
        assert report["subject"]["code_digest"] == code_digest(wanted[0])


@pytest.mark.parametrize(
    "option",
    [("--runtime", "nodejs24.x"), ("--arch", "arm64"), ("--arch", "all"), ("--handler", "a.b"), ("--layer", "x.zip")],
)
def test_options_that_contradict_the_function_are_refused(site: Site, verify: Verify, option: tuple[str, str]) -> None:
    site.function({"index.js": "1"})
    code, failure, _ = verify("fn", *option)
    assert (code, failure["code"]) == (2, "LP001")
    assert option[0] in failure["what"]
    assert "fn has" in failure["what"]


def test_options_that_say_what_the_function_is_are_fine(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"})
    code, _, _ = verify("fn", "--runtime", "22", "--arch", "x64", "--handler", "index.handler")
    assert code == 0


def test_settings_of_a_project_do_not_change_what_a_function_is(site: Site, verify: Verify) -> None:
    Path("lambdapack.toml").write_text('runtime = "nodejs24.x"\narch = "arm64"\nlayers = ["none.zip"]\n')
    site.function({"index.js": "1"})
    code, report, _ = verify("fn")
    assert (code, report["target"]["runtime"], report["target"]["arch"]) == (0, "nodejs22.x", "x86_64")


def test_a_container_image_is_refused(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"})
    site.aws.functions.functions["fn"].latest["PackageType"] = "Image"
    code, failure, _ = verify("fn")
    assert (code, failure["code"]) == (5, "LP430")
    assert "Dockerfile" in failure["fix"]


def test_a_function_without_node_is_refused(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"}, runtime="python3.13")
    code, failure, _ = verify("fn")
    assert (code, failure["code"]) == (2, "LP004")
    assert "fn runs python3.13" in failure["what"]


def test_an_existing_path_is_never_a_function(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"})
    Path("fn").mkdir()
    (Path("fn") / "index.js").write_text("exports.handler = 1")
    code, report, _ = verify("fn", "--runtime", "nodejs22.x")
    assert (code, report["subject"]["kind"], site.asked) == (0, "directory", [])


def test_a_name_that_is_nothing_says_what_was_tried(verify: Verify) -> None:
    code, failure, _ = verify("nowhere")
    assert (code, failure["code"]) == (2, "LP007")
    assert "there is no such file or directory, and no function of that name in eu-central-1" in failure["what"]
    code, failure, _ = verify("function:nowhere")
    assert (code, failure["code"]) == (5, "LP415")
    assert "nowhere in eu-central-1" in failure["what"]


def test_a_name_that_aws_cannot_be_asked_for_says_why(
    site: Site, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_args: object, **_place: object) -> Any:
        raise LambdapackError(NO_REGION, "neither --region nor AWS_REGION")

    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", connect)
    code, failure, _ = verify("nowhere")
    assert (code, failure["code"]) == (2, "LP007")
    assert "no AWS region is set" in failure["what"]
    assert "--region eu-central-1" in failure["fix"]
    code, failure, _ = verify("function:nowhere")
    assert (code, failure["code"]) == (3, "LP403")
    assert site.asked == []


@pytest.mark.parametrize("text", ["nowhere.zip", "./nowhere", "a/b", "nowhere/"])
def test_what_can_only_be_a_path_is_not_looked_for_in_aws(site: Site, verify: Verify, text: str) -> None:
    code, failure, _ = verify(text)
    assert (code, failure["code"], site.asked) == (2, "LP007", [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://bucket", "s3://BUCKET/KEY"),
        ("s3://bucket/", "s3://BUCKET/KEY"),
        ("s3:/bucket/key", "s3://BUCKET/KEY"),
        ("arn:aws:s3:::bucket/key", "neither a function nor a layer version"),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:addons", "names a layer without a version"),
    ],
)
def test_a_broken_address_is_refused(site: Site, verify: Verify, text: str, said: str) -> None:
    code, failure, _ = verify(text)
    assert (code, failure["code"], site.asked) == (2, "LP007", [])
    assert said in failure["what"]


def test_an_arn_says_the_region(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"})
    assert verify(site.arn())[0] == 0
    assert site.asked == [REGION]
    code, failure, _ = verify(site.arn(), "--region", "us-east-1")
    assert (code, failure["code"]) == (2, "LP001")
    assert "is in eu-central-1, not in us-east-1" in failure["what"]


def test_a_layer_version_is_judged_for_what_it_names(site: Site, verify: Verify, addon: bytes) -> None:
    arn = site.layer(addon, runtimes=("nodejs24.x", "nodejs22.x", "python3.13"))
    code, report, _ = verify(arn)
    assert (code, report["target"]["runtime"], report["target"]["arch"]) == (0, "nodejs24.x", "x86_64")
    assert (report["subject"]["kind"], report["subject"]["path"]) == ("layer", arn)
    assert report["binaries"][0]["outcome"] == "loads"
    code, report, _ = verify(arn, "--arch", "arm64", "--runtime", "nodejs22.x")
    assert (code, report["target"]["runtime"], report["binaries"][0]["cause"]) == (1, "nodejs22.x", "wrong-cpu")


def test_a_layer_that_names_both_cpus_is_judged_for_both(site: Site, verify: Verify, addon: bytes) -> None:
    code, reports, _ = verify(site.layer(addon, architectures=(X86, ARM)))
    assert code == 1
    assert [(each["target"]["arch"], each["verdict"]) for each in reports] == [("x86_64", "pass"), ("arm64", "fail")]


def test_a_layer_that_is_not_there_is_named(site: Site, verify: Verify, addon: bytes) -> None:
    arn = site.layer(addon)
    code, failure, _ = verify(f"{arn[:-1]}7")
    assert (code, failure["code"]) == (5, "LP416")
    assert f"{arn[:-1]}7" in failure["what"]


def test_a_layer_of_another_account_says_what_is_missing(site: Site, verify: Verify) -> None:
    other = f"arn:aws:lambda:{REGION}:210987654321:layer:theirs:3"
    text = (
        f"User: arn:aws:iam::{ACCOUNT}:user/dev is not authorized to perform: lambda:GetLayerVersion on resource: "
        f"{other} because no resource-based policy allows the lambda:GetLayerVersion action"
    )
    site.aws.line.refuse["GetLayerVersion"] = [AwsError("AccessDeniedException", text)]
    code, failure, _ = verify(other)
    assert (code, failure["code"]) == (5, "LP410")
    assert f"lambda:GetLayerVersion on {other}" in failure["fix"]


@pytest.mark.proves("layer-unseen")
def test_a_function_is_judged_without_a_layer_that_cannot_be_read(site: Site, verify: Verify, addon: bytes) -> None:
    theirs, ours = site.layer(addon, "theirs"), site.layer(addon, "ours")
    site.function({"index.js": HANDLER, "package.json": NEEDS}, theirs, ours)
    site.aws.line.refuse["GetLayerVersion"] = [AwsError("AccessDeniedException", "no")]
    code, report, _ = verify("fn")
    assert (code, report["verdict"]) == (0, "warn")
    assert [(each["name"], each["path"]) for each in report["findings"]] == [("layer-unseen", theirs)]
    assert [each["path"] for each in report["subject"]["layers"]] == [ours]


@pytest.mark.spares("layer-unseen")
def test_layers_with_one_name_in_two_places_stay_apart(site: Site, verify: Verify, addon: bytes) -> None:
    first, second = site.layer(addon), site.layer(addon + b"\0")
    site.function({"index.js": HANDLER, "package.json": NEEDS}, first, second)
    _, report, _ = verify("fn")
    assert [each["path"] for each in report["subject"]["layers"]] == [first, second]
    assert len({each["code_digest"] for each in report["subject"]["layers"]}) == 2


def test_an_object_is_judged_as_the_zip_that_it_is(site: Site, verify: Verify, addon: bytes) -> None:
    archive = site.zip({"index.js": HANDLER, "package.json": NEEDS, **package(addon)})
    site.aws.cloud().upload_object(S3Object(BUCKET, "some/fn.zip", 0), archive, lambda _amount: None)
    code, report, _ = verify(f"s3://{BUCKET}/some/fn.zip", "--runtime", "nodejs22.x")
    assert (code, report["subject"]["kind"]) == (0, "zip")
    assert report["subject"]["path"] == f"s3://{BUCKET}/some/fn.zip"
    assert report["subject"]["code_digest"] == code_digest(archive)
    code, report, _ = verify(f"s3://{BUCKET}/some/fn.zip", "--runtime", "nodejs22.x", "--arch", "arm64")
    assert (code, report["binaries"][0]["cause"]) == (1, "wrong-cpu")


def test_an_object_that_is_not_there_is_named(verify: Verify) -> None:
    code, failure, _ = verify(f"s3://{BUCKET}/none.zip")
    assert (code, failure["code"]) == (5, "LP421")
    assert f"s3://{BUCKET}/none.zip" in failure["what"]


def test_code_that_changes_meanwhile_is_not_judged_as_another(site: Site, verify: Verify) -> None:
    site.function({"index.js": "1"})
    latest = site.aws.functions.functions["fn"].latest
    said = latest["CodeSha256"]
    latest["CodeSha256"] = code_digest(site.zip({"index.js": "2"}))
    site.aws.functions.code[latest["CodeSha256"]] = site.aws.functions.code[said]
    code, failure, _ = verify("fn")
    assert (code, failure["code"]) == (5, "LP427")


def test_a_function_is_inspected_with_its_layers(site: Site, addon: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    layer = site.layer(addon)
    site.function({"index.js": HANDLER, "package.json": NEEDS}, layer)
    assert run_command(["inspect", "fn", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["subject"]["path"], found["verdict"]) == (f"{site.arn()}:$LATEST", "pass")
    (binary,) = found["binaries"]
    assert [each["name"] for each in binary["wanted_by"]] == ["addon"]
    assert f"/opt/nodejs/{ADDON}" == binary["path"]


def answering(process: Process) -> int:
    process.out(b"HTTP/1.0 200 OK\r\n\r\n[1]" + f"\n{process.argv[7]}\n".encode())
    return 0


def test_a_deployed_function_runs_here_as_it_is_there(
    site: Site, addon: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = site.layer(addon)
    there: dict[str, Any] = {"timeout": 7, "memory": 256, "environment": {"STAGE": "live", "LEVEL": "1"}}
    site.function({"app.js": HANDLER, "package.json": NEEDS}, layer, handler="app.handler", **there)
    engine = FakeEngine(programs={"bash": answering})
    monkeypatch.setattr("lambdapack.cli.run.invoke.engine_connector", lambda *_args, **_options: lambda _cpu: engine)
    monkeypatch.setenv("LAMBDAPACK_IMAGE", "lambdapack-lab/nodejs:{node}-{arch}")
    assert run_command(["invoke", "--function", "fn", "--env", "LEVEL=2"]) == 0
    assert capsys.readouterr().out == "[1]\n"
    (sandbox,) = engine.opened
    assert {"/var/task/app.js", f"/opt/nodejs/{ADDON}"} <= sandbox.files.keys()
    (command,) = sandbox.commands
    assert command.argv[4] == "app.handler"
    names = ("STAGE", "LEVEL", "FUNCTION_TIMEOUT", "FUNCTION_MEMORY_SIZE", "FUNCTION_NAME")
    told = [command.env.get(each, command.env.get(f"AWS_LAMBDA_{each}")) for each in names]
    assert told == ["live", "2", "7", "256", "fn"]
    assert run_command(["invoke", "--function", "fn", "--timeout", "9", "--memory", "512"]) == 0
    said = engine.opened[-1].commands[0].env
    assert (said["AWS_LAMBDA_FUNCTION_TIMEOUT"], said["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("9", "512")
    assert site.aws.line.writes == []
    assert run_command(["invoke", "--function", "gone"]) == 5
    assert "LP415" in capsys.readouterr().err
