"""`publish-layer` from the command line: what a layer is good for is read from its bytes; what is none stays."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests import elf
from tests.cloud.deploying import Site
from tests.cloud.wire import ACCOUNT, REGION
from tests.cloud.world import zipped

MIB = 1 << 20
PURE = {"nodejs/node_modules/x/index.js": "1", "nodejs/node_modules/x/package.json": '{"name": "x"}'}
ALL_RUNTIMES = ["nodejs20.x", "nodejs22.x", "nodejs24.x"]


@dataclass
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def layer(self) -> Any:
        (found,) = json.loads(self.out)["layers"]
        return found


Publish = Callable[..., Said]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", lambda *_arguments, **_place: made.aws.cloud())
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def publish(site: Site, capsys: pytest.CaptureFixture[str]) -> Publish:
    def call(files: Mapping[str, str | bytes], *words: str, size: int = 0, packed: bool = False) -> Said:
        path = site.directory / "layer.zip"
        path.write_bytes(zipped(dict(files), size, packed=packed, below="nodejs/"))
        site.aws.line.forget()
        code = run_command(["publish-layer", "layer.zip", "--name", "deps", *words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def with_addon(data: bytes) -> dict[str, str | bytes]:
    manifest = '{"name": "addon", "version": "1.0.0", "main": "build/Release/addon.node"}'
    below = "nodejs/node_modules/addon"
    return {f"{below}/package.json": manifest, f"{below}/build/Release/addon.node": data}


@pytest.fixture(scope="module")
def node_api(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = elf.link(tmp_path_factory.mktemp("elf"), "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    return elf.with_machine(made, elf.X86_64)


@pytest.fixture(scope="module")
def abi_127(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = elf.link(tmp_path_factory.mktemp("elf"), "addon.node", elf.V8_PLAIN, "-DABI=127").read_bytes()
    return elf.with_machine(made, elf.X86_64)


def test_publishing_twice_prints_the_same_arn_and_writes_once(site: Site, publish: Publish) -> None:
    first = publish(PURE)
    assert (first.code, first.out) == (0, f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:deps:1\n")
    again = publish(PURE)
    assert (again.code, again.out) == (0, first.out)
    assert site.aws.line.operations == ["ListLayerVersions", "GetLayerVersion"]
    assert "nothing to do, version 1 has these bytes" in again.err


def test_without_native_code_it_is_for_every_runtime_and_cpu(publish: Publish) -> None:
    layer = publish(PURE, "--format", "json").layer
    assert (layer["runtimes"], layer["architectures"]) == (ALL_RUNTIMES, ["x86_64", "arm64"])


def test_a_folder_for_one_runtime_is_for_that_one(publish: Publish) -> None:
    layer = publish({"nodejs/node22/node_modules/x/index.js": "1"}, "--format", "json").layer
    assert layer["runtimes"] == ["nodejs22.x"]


def test_a_node_api_addon_is_for_every_runtime_on_its_cpu(publish: Publish, node_api: bytes) -> None:
    layer = publish(with_addon(node_api), "--format", "json").layer
    assert (layer["runtimes"], layer["architectures"]) == (ALL_RUNTIMES, ["x86_64"])


def test_an_addon_of_one_abi_is_for_its_runtime_alone(publish: Publish, abi_127: bytes) -> None:
    layer = publish(with_addon(abi_127), "--format", "json").layer
    assert (layer["runtimes"], layer["architectures"]) == (["nodejs22.x"], ["x86_64"])


def test_a_library_alone_is_a_layer_for_its_cpu(publish: Publish, tmp_path: Path) -> None:
    library = elf.link(tmp_path, "libx.so", "int x(void) { return 1; }").read_bytes()
    layer = publish({"lib/libx.so": elf.with_machine(library, elf.ARM64)}, "--format", "json").layer
    assert layer["architectures"] == ["arm64"]


@pytest.mark.parametrize("words", [("--arch", "arm64"), ("--runtime", "nodejs24.x")], ids=" ".join)
def test_bytes_that_are_not_good_for_what_is_said_are_refused(
    site: Site, publish: Publish, abi_127: bytes, words: tuple[str, ...]
) -> None:
    said = publish(with_addon(abi_127), *words)
    assert (said.code, said.out) == (1, "")
    assert "nothing was published" in said.err
    assert "lambdapack build --layer" in said.err
    assert site.aws.line.operations == []


def test_a_plan_changes_nothing(site: Site, publish: Publish) -> None:
    planned = publish(PURE, "--dry-run", "--public")
    assert planned.code == 0
    assert [line.split()[0] for line in planned.out.splitlines()[-2:]] == ["publish", "permit"]
    assert site.aws.line.writes == []
    assert publish(PURE, "--dry-run", "--format", "json").layer["arn"] is None


@pytest.mark.parametrize("files", [{"index.js": "1"}, {"node_modules/x/index.js": "1"}, {"python/x.py": "1"}])
def test_what_is_no_layer_is_refused(site: Site, publish: Publish, files: dict[str, str]) -> None:
    said = publish(files)
    assert (said.code, said.out) == (2, "")
    assert "error[LP440]" in said.err
    assert site.aws.line.operations == []


def test_60_mb_need_a_bucket_and_260_mb_are_too_much(site: Site, publish: Publish) -> None:
    large = publish(PURE, size=60 * MIB)
    assert large.code == 1
    assert "error[LP452]" in large.err
    assert "--bucket NAME" in large.err
    assert "error[LP302]" in publish(PURE, size=260 * MIB, packed=True).err
    assert site.aws.line.writes == []


def test_a_private_key_does_not_leave_the_machine(publish: Publish) -> None:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEpAIBAAKCAQEA' * 40}\n-----END RSA PRIVATE KEY-----\n"
    said = publish({**PURE, "nodejs/key.pem": key}, "--public")
    assert said.code == 1
    assert "secret-packed" in said.err


def test_a_zip_that_is_for_one_cpu_is_not_for_all(site: Site, publish: Publish, node_api: bytes) -> None:
    said = publish(with_addon(node_api), "--arch", "all")
    assert said.code == 2
    assert "works on x86_64 only" in said.err
    assert site.aws.line.writes == []
    assert publish(PURE, "--arch", "all").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "a.b"),
        ("--name", ""),
        ("--share", "me"),
        ("--share", "1234"),
        ("--keep", "0"),
        ("--runtime", "nodejs2.x"),
        ("--arch", "mips"),
    ],
    ids=" ".join,
)
def test_a_slip_costs_nothing(site: Site, publish: Publish, words: tuple[str, ...]) -> None:
    said = publish(PURE, *words)
    assert (said.code, said.out) == (2, "")
    assert site.aws.line.operations == []
