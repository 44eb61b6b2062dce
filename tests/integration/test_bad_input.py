"""Each kind of bad input: one clear error, the right exit code, nothing left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.command import EXAMPLES, containers, lambdapack

NOWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:1", "HOME": "/nonexistent", "LAMBDAPACK_ENGINE_USE": "docker"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    target = tmp_path / "project"
    shutil.copytree(EXAMPLES / "plain", target, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return target


@pytest.fixture
def native(tmp_path: Path) -> Path:
    target = tmp_path / "native"
    shutil.copytree(EXAMPLES / "password", target, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return target


def edit(project: Path, **changes: object) -> None:
    manifest = project / "package.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))


def refuse(expected_exit: int, code: str, *arguments: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must fail, and return what it said."""
    done = lambdapack(*arguments, env=env)
    said = done.stderr + done.stdout
    assert done.returncode == expected_exit, said
    assert code in said
    assert "Traceback" not in said
    assert "= fix: " in said or "= help: " in said
    return said


def left_behind(project: Path) -> list[str]:
    return [path.name for path in project.rglob("*") if ".lambdapack" in path.parts or path.suffix == ".zip"]


def test_a_directory_without_package_json_is_named(tmp_path: Path) -> None:
    assert "package.json" in refuse(2, "LP002", "build", tmp_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "absent" in refuse(2, "LP002", "build", tmp_path / "absent")


def test_broken_json_is_shown_with_its_line(project: Path) -> None:
    (project / "package.json").write_text('{\n  "name": "x",\n  oops\n}\n')
    assert "package.json:3" in refuse(2, "LP003", "build", project)


def test_a_broken_lockfile_is_shown_with_its_line(project: Path) -> None:
    (project / "package-lock.json").write_text('{\n "lockfileVersion": 3,\n<<<<<<< HEAD\n')
    assert "package-lock.json:3" in refuse(2, "LP003", "build", project)


def test_a_missing_lockfile_is_a_judgement_with_the_command_that_makes_one(project: Path) -> None:
    (project / "package-lock.json").unlink()
    assert "npm install --package-lock-only" in refuse(1, "lock-missing", "build", project)
    assert left_behind(project) == []


def test_a_lock_out_of_step_is_found_before_any_engine(project: Path) -> None:
    edit(project, dependencies={"ms": "2.1.3", "left-pad": "1.3.0"})
    assert "left-pad" in refuse(1, "lock-out-of-step", "build", project, env=NOWHERE)


@pytest.mark.parametrize(
    ("lock", "cure"), [("yarn.lock", "`yarn install`"), ("pnpm-lock.yaml", "`npx pnpm@10 install")]
)
def test_another_managers_broken_lockfile_is_refused_with_its_own_command(project: Path, lock: str, cure: str) -> None:
    (project / "package-lock.json").unlink()
    (project / lock).write_text("# lock\n")
    said = refuse(1, "LP15", "build", project)
    assert f"Run {cure}" in said


def test_a_file_dependency_outside_the_root_is_named(project: Path) -> None:
    edit(project, dependencies={"ms": "2.1.3", "shared": "file:../shared"})
    lock = project / "package-lock.json"
    document = json.loads(lock.read_text())
    document["packages"][""]["dependencies"]["shared"] = "file:../shared"
    document["packages"]["../shared"] = {"version": "1.0.0"}
    document["packages"]["node_modules/shared"] = {"resolved": "../shared", "link": True}
    lock.write_text(json.dumps(document, indent=2))
    assert "../shared" in refuse(1, "LP15", "build", project)


def test_an_unknown_runtime_is_answered_with_a_near_one(project: Path) -> None:
    assert "nodejs22.x" in refuse(2, "LP004", "build", project, "--runtime", "nodejs22.y")


def test_an_unknown_architecture_is_refused(project: Path) -> None:
    assert "arm64" in refuse(2, "LP005", "build", project, "--arch", "sparc")


def test_an_unknown_option_is_a_usage_error_in_json_too(project: Path) -> None:
    done = lambdapack("build", project, "--colour", "--format", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "LP001"


def test_no_engine_lists_what_was_tried(native: Path) -> None:
    said = refuse(3, "LP101", "build", native, env=NOWHERE)
    assert "127.0.0.1:1" in said
    assert left_behind(native) == []


def test_a_failure_is_one_json_object_on_stdout(native: Path) -> None:
    done = lambdapack("build", native, "--format", "json", env=NOWHERE)
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert {"schema", "code", "what", "why", "fix"} <= document.keys()
    assert document["schema"] == "lambdapack/failure/1"


def test_verify_refuses_what_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"not a zip")
    refuse(2, "LP007", "verify", tmp_path / "x.zip")
    refuse(2, "LP007", "verify", tmp_path / "absent.zip")


def test_a_missing_handler_is_an_error_of_build(project: Path, lab_engine: dict[str, str]) -> None:
    (project / "index.js").rename(project / "main.js")
    refuse(1, "handler-missing", "build", project, env=lab_engine)
    assert left_behind(project) == []


@pytest.mark.engine
def test_an_image_that_is_not_there_is_named(native: Path, lab_engine: dict[str, str]) -> None:
    image = "lambdapack-lab/absent:{node}-{arch}"
    said = refuse(3, "LP102", "build", native, "--image", image, "--build-image", image, env=lab_engine)
    assert "lambdapack-lab/absent:22-x86_64" in said


@pytest.mark.engine
@pytest.mark.registry
def test_npm_failures_show_npms_own_words(native: Path, lab_engine: dict[str, str]) -> None:
    lock = native / "package-lock.json"
    lock.write_text(lock.read_text().replace('"version": "6.0.0"', '"version": "6.0.999"'))
    edit(native, dependencies={"bcrypt": "6.0.999"})
    lock.write_text(lock.read_text().replace('"bcrypt": "6.0.0"', '"bcrypt": "6.0.999"'))
    said = refuse(4, "LP115", "build", native, env=lab_engine)
    assert "6.0.999" in said
    assert containers() == []


@pytest.mark.engine
@pytest.mark.registry
def test_a_root_script_that_needs_a_dev_dependency_is_named(native: Path, lab_engine: dict[str, str]) -> None:
    edit(native, scripts={"prepare": "husky", "postinstall": "prisma generate"})
    said = refuse(4, "LP113", "build", native, env=lab_engine)
    assert "prisma" in said
    assert containers() == []


@pytest.mark.engine
@pytest.mark.registry
def test_a_husky_prepare_script_does_not_matter(native: Path, lab_engine: dict[str, str]) -> None:
    edit(native, scripts={"prepare": "husky"})
    assert lambdapack("build", native, env=lab_engine).returncode == 0


@pytest.mark.engine
def test_an_output_that_cannot_be_written_is_named(project: Path, lab_engine: dict[str, str]) -> None:
    (project / "file").write_text("")
    refuse(3, "LP009", "build", project, "--output", project / "file" / "x.zip", env=lab_engine)
    assert containers() == []


STEPS = ("Copying the lockfile", "npm ci", "    added", "Copying /var/task", "Reading", "Writing")


@pytest.mark.engine
@pytest.mark.registry
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("step", STEPS)
def test_a_signal_at_any_step_leaves_nothing(
    native: Path, lab_engine: dict[str, str], number: signal.Signals, code: int, step: str
) -> None:
    command = [sys.executable, "-m", "lambdapack", "build", str(native)]
    with subprocess.Popen(command, env={**os.environ, **lab_engine}, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        heard = next((line for line in process.stderr if line.startswith(step)), "")
        process.send_signal(number)
        _out, said = process.communicate(timeout=60)
    assert heard, said
    assert process.returncode in ((code, 0) if step == "Writing" else (code,)), said
    assert "Traceback" not in said
    assert containers() == []
    if step == "Writing":  # the signal may come when the zip has its name already: then it is whole
        assert all(zipfile.is_zipfile(path) for path in native.rglob("*") if path.suffix in {".zip", ".lambdapack-tmp"})
    elif process.returncode:
        assert left_behind(native) == []
