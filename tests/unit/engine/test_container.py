import re
import subprocess

import pytest

from lambdapack.engine import container
from lambdapack.engine.container import KEPT_LABEL, OWNER_LABEL, PURPOSE_LABEL
from lambdapack.engine.interface import CacheVolume, Limits, SandboxSpec
from lambdapack.model import MIB, Architecture


def spec(**changes: object) -> SandboxSpec:
    return SandboxSpec("x:1", Architecture.ARM64, "build", **changes)  # type: ignore[arg-type]


def test_a_sandbox_is_bounded_and_has_no_powers() -> None:
    body = container.sandbox_config(spec(limits=Limits(memory_bytes=64 * MIB, processes=9)), "sha256:1", "here:1")
    host = body["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (64 * MIB, 64 * MIB, 9)
    assert (host["CapDrop"], host["SecurityOpt"], host["AutoRemove"]) == (["ALL"], ["no-new-privileges"], True)
    assert (body["Entrypoint"], body["OpenStdin"], body["StdinOnce"]) == (["cat"], True, True)
    assert body["Labels"] == {OWNER_LABEL: "here:1", PURPOSE_LABEL: "build"}
    assert "Env" not in body


def test_what_was_asked_for_is_there_and_nothing_else() -> None:
    plain = container.sandbox_config(spec(), "i", "o")["HostConfig"]
    assert (plain["Tmpfs"], plain["Mounts"], plain["ReadonlyRootfs"]) == ({}, [], False)
    assert "NetworkMode" not in plain
    asked = spec(
        network=False,
        read_only=True,
        writable=("/var/task",),
        secrets="/run/s",
        volumes=(CacheVolume("npm", "/c"),),
        capabilities=True,
    )
    host = container.sandbox_config(asked, "i", "o", careful=True)["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"]) == ("none", True)
    assert sorted(host["Tmpfs"]) == ["/run/s", "/tmp"]
    assert [mount["Target"] for mount in host["Mounts"]] == ["/var/task", "/c"]
    assert "CapDrop" not in host
    assert [each["Name"] for each in host["Ulimits"]] == ["nofile", "nproc"]


def test_a_kept_container_is_not_removed_by_the_engine() -> None:
    body = container.sandbox_config(spec(keep=True), "i", "o")
    assert body["HostConfig"]["AutoRemove"] is False
    assert body["Labels"][KEPT_LABEL] == "1"


@pytest.mark.parametrize("label", ["build", "Build x", "", "\u00fc/..", "-"])
def test_a_name_is_one_that_engines_take(label: str) -> None:
    assert re.fullmatch(r"lambdapack-[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{10}", container.container_name(label))
    assert container.container_name(label) != container.container_name(label)


@pytest.mark.parametrize(
    ("said", "argv", "printed", "code"),
    [
        (b"0\n", ("cat",), b"", 0),
        (b"3\nabcdef", ("cat",), b"abc", 0),
        (b"2\nab", ("sh", "-c", 'cat; echo "$1"; exit 5', "sh", "two words"), b"abtwo words\n", 5),
        (b"", ("echo", "never"), b"", 125),
    ],
)
def test_the_gate_frames_standard_input(said: bytes, argv: tuple[str, ...], printed: bytes, code: int) -> None:
    done = subprocess.run(container.gate_command(argv), input=said, capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (printed, code)


def test_a_sandbox_gets_an_eighth_of_the_cpu_that_the_host_wants_itself() -> None:
    assert container.sandbox_config(spec(), "i", "o")["HostConfig"]["CpuShares"] * 8 == 1024
    assert "CpuShares" not in container.sandbox_config(spec(), "i", "o", careful=True)["HostConfig"]
