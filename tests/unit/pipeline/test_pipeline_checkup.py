from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.engine.interface import Engine
from lambdapack.errors.build import NO_ENGINE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.doctor import DoctorTarget, run_health_checks
from lambdapack.report.doctor import HealthCheck, HealthState
from tests.fakes import FakeEngine, Process
from tests.projects import lock_of, write_project

IMAGE = "lambdapack-lab/nodejs:{node}-{arch}"
X86, ARM = (Target("nodejs22.x", each) for each in Architecture)


def node(process: Process) -> int:
    process.out(f"{process.sandbox.image.architecture.node}\n")
    return 0


def crash(_process: Process) -> int:
    return 139


@pytest.fixture
def patient(tmp_path: Path) -> DoctorTarget:
    environ = {"npm_config_registry": "http://registry.invalid:9/"}
    return DoctorTarget(
        tmp_path, (X86,), IMAGE, f"{IMAGE}-build", environ, tmp_path, "auto", {"the cache": tmp_path / "not" / "yet"}
    )


def checks(patient: DoctorTarget, engine: Engine | None = None) -> Mapping[str, HealthCheck]:
    found = engine or FakeEngine(programs={"node": node})
    return {each.name: each for each in run_health_checks(patient, lambda _: found, SILENT)}


def test_a_machine_with_everything_has_no_error(patient: DoctorTarget) -> None:
    found = checks(patient)
    assert [each.name for each in found.values() if each.state is HealthState.ERROR] == []
    assert found["engine for x86_64"].said == "Fake Engine 1.0 (linux/amd64)"


@pytest.mark.parametrize(("least", "state"), [(0, HealthState.OK), (1 << 80, HealthState.WARNING)])
def test_a_disk_with_too_little_room_is_a_warning(
    patient: DoctorTarget, monkeypatch: pytest.MonkeyPatch, least: int, state: HealthState
) -> None:
    monkeypatch.setattr("lambdapack.pipeline.doctor.MIN_FREE_BYTES", least)
    found = checks(patient)["disk for the cache"]
    assert found.state is state
    assert str(patient.directory) in found.said
    assert bool(found.fix) == (state is HealthState.WARNING)


def test_no_engine_is_an_error_with_what_starts_one(patient: DoctorTarget) -> None:
    def connect(_architecture: Architecture) -> Engine:
        raise LambdapackError(NO_ENGINE, "nothing answered", hint="Start it.")

    found = {each.name: each for each in run_health_checks(patient, connect, SILENT)}
    assert found["engine for x86_64"].state is HealthState.ERROR
    assert found["engine for x86_64"].fix == "Start it."
    assert "runtime image for nodejs22.x/x86_64" not in found


def test_another_cpu_is_proved_by_starting_its_node(patient: DoctorTarget) -> None:
    engine = FakeEngine(programs={"node": node})
    found = checks(replace(patient, targets=(ARM,)), engine)
    assert found["emulation of arm64"].state is HealthState.OK
    assert [each.spec.label for each in engine.opened] == ["emulation"]
    assert engine.living == []


def test_an_emulator_that_crashes_is_an_error_with_its_cure(patient: DoctorTarget) -> None:
    found = checks(replace(patient, targets=(ARM,)), FakeEngine(programs={"node": crash}))
    assert found["emulation of arm64"].state is HealthState.ERROR
    assert found["emulation of arm64"].fix


def test_the_engines_own_cpu_is_not_emulated(patient: DoctorTarget) -> None:
    engine = FakeEngine(programs={"node": node})
    assert "emulation of x86_64" not in checks(patient, engine)
    assert engine.opened == []


def test_an_image_that_can_be_pulled_is_a_note_and_one_that_cannot_an_error(patient: DoctorTarget) -> None:
    engine = FakeEngine(images={}, programs={"node": node})
    local = checks(replace(patient, targets=(ARM,)), engine)
    assert local["runtime image for nodejs22.x/arm64"].state is HealthState.ERROR
    official = replace(patient, image="public.ecr.aws/lambda/nodejs:{node}-{arch}", targets=(ARM,))
    found = checks(official, engine)
    assert found["runtime image for nodejs22.x/arm64"].state is HealthState.NOTE
    assert found["emulation of arm64"].state is HealthState.NOTE


def test_an_image_name_that_makes_no_sense_is_an_error(patient: DoctorTarget) -> None:
    found = checks(replace(patient, image="nodejs:{major}"))
    assert found["runtime image for nodejs22.x/x86_64"].state is HealthState.ERROR
    assert "{major}" in found["runtime image for nodejs22.x/x86_64"].said


def test_a_registry_that_does_not_answer_is_a_warning_with_a_command(patient: DoctorTarget) -> None:
    found = checks(patient)["npm registry"]
    assert found.state is HealthState.WARNING
    assert "`npm ping --registry http://registry.invalid:9/`" in found.fix


def test_a_registry_on_this_machine_is_what_the_build_refuses_too(patient: DoctorTarget) -> None:
    found = checks(replace(patient, environ={"npm_config_registry": "http://localhost:4873/"}))["npm settings"]
    assert found.state is HealthState.ERROR
    assert "host.docker.internal" in found.fix


def test_a_proxys_password_is_not_shown(patient: DoctorTarget) -> None:
    environ = {**patient.environ, "HTTPS_PROXY": "http://me:secret@proxy.example:3128"}
    found = checks(replace(patient, environ=environ))["proxy"]
    assert found.said == "HTTPS_PROXY=http://proxy.example:3128"


def test_a_ca_bundle_that_is_not_there_is_an_error(patient: DoctorTarget) -> None:
    environ = {**patient.environ, "NODE_EXTRA_CA_CERTS": "/nowhere/ca.pem"}
    assert checks(replace(patient, environ=environ))["CA bundle"].state is HealthState.ERROR


COMPILES = {"dependencies": {"bcrypt": "6.0.0"}}
COMPILED = {"node_modules/bcrypt": {"version": "6.0.0", "hasInstallScript": True}}


def test_each_architecture_says_which_strategy_it_would_take_and_why(patient: DoctorTarget) -> None:
    compiled = {"node_modules/bcrypt": {"version": "6.0.0", "hasInstallScript": True}}
    write_project(
        patient.directory,
        {"dependencies": {"bcrypt": "6.0.0"}},
        lock_of(compiled, {"dependencies": {"bcrypt": "6.0.0"}}),
    )
    found = checks(replace(patient, targets=(X86, ARM)))
    assert found["strategy for x86_64"].said == "native: this engine's CPU is x86_64"
    assert found["strategy for arm64"].said.startswith("cross-compiled: bcrypt@6.0.0 runs an install script")
    assert found["strategy for arm64"].said.endswith("; then emulated")


def test_a_strategy_that_cannot_serve_is_an_error(patient: DoctorTarget) -> None:
    compiled = {"node_modules/bcrypt": {"version": "6.0.0", "hasInstallScript": True}}
    write_project(
        patient.directory,
        {"dependencies": {"bcrypt": "6.0.0"}},
        lock_of(compiled, {"dependencies": {"bcrypt": "6.0.0"}}),
    )
    found = checks(replace(patient, targets=(ARM,), strategy="cross-prebuilt"))
    assert found["strategy for arm64"].state is HealthState.ERROR
    assert "LP139" in found["strategy for arm64"].said
