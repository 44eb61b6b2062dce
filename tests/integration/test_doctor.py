"""`lambdapack doctor` on this machine, with the engine of the lab."""

import json

import pytest

from tests.command import EXAMPLES, containers, lambdapack

LAB = {
    "LAMBDAPACK_IMAGE": "lambdapack-lab/nodejs:{node}-{arch}",
    "LAMBDAPACK_BUILD_IMAGE": "lambdapack-lab/nodejs:{node}-{arch}-build",
}


@pytest.mark.engine
def test_a_machine_with_the_lab_is_ready_for_both_cpus() -> None:
    done = lambdapack(
        "doctor",
        EXAMPLES / "thumbnail",
        "--runtime",
        "nodejs22.x",
        "--arch",
        "all",
        "--no-aws",
        "--format",
        "json",
        env=LAB,
    )
    found = json.loads(done.stdout)
    states = {each["name"]: each["state"] for each in found["checks"]}
    assert (done.returncode, found["ready"]) == (0, True)
    assert states["engine for x86_64"] == states["runtime image for nodejs22.x/arm64"] == "ok"
    assert [state for name, state in states.items() if name.startswith("emulation")] == ["ok"]
    assert containers() == []


def test_without_an_engine_the_answer_is_three() -> None:
    done = lambdapack(
        "doctor", "--no-aws", env={"DOCKER_HOST": "unix:///nowhere/docker.sock", "LAMBDAPACK_ENGINE_USE": "docker"}
    )
    assert done.returncode == 3
    assert "error    engine for x86_64: LP101" in done.stdout
    assert done.stdout.endswith("not ready: 1 error\n")


def test_settings_are_shown_with_who_said_them() -> None:
    env = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "LAMBDAPACK_MEMORY": "512m"}
    done = lambdapack("doctor", "--no-aws", "--arch", "arm64", "--format", "json", env=env)
    said = {each["name"]: (each["value"], each["origin"]) for each in json.loads(done.stdout)["settings"]}
    assert said["arch"] == ("arm64", "--arch")
    assert said["memory"] == (str(512 * 1024**2), "LAMBDAPACK_MEMORY")
    assert said["handler"][1] == "default"
