"""GitHub's and GitLab's files: valid by their own schemas, and their shell lines really run."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

ROOT = Path(__file__).resolve().parents[2]
ACTION = Path(".github") / "actions" / "lambdapack" / "action.yml"
WORKFLOW = Path(".github") / "workflows" / "lambdapack.yml"


def valid(schema: str, path: Path) -> None:
    command = ["check-jsonschema", "--builtin-schema", schema, str(path)]
    done = tools.run(command, path.parent, {})
    assert done.returncode == 0, done.stdout + done.stderr


def loaded(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def test_github_and_gitlab_take_the_files(project: Copy) -> None:
    directory = project("plain")
    assert lambdapack("init", "--github", "--gitlab", "--arch", "arm64", cwd=directory).returncode == 0
    valid("vendor.github-actions", directory / ACTION)
    valid("vendor.github-workflows", directory / WORKFLOW)
    valid("vendor.gitlab-ci", directory / "lambdapack.gitlab-ci.yml")
    valid("vendor.gitlab-ci", directory / ".gitlab-ci.yml")


def test_in_a_repository_of_several_functions_the_files_stand_at_its_root(project: Copy) -> None:
    directory = project("plain") / "services" / "two"
    directory.mkdir(parents=True)
    (directory / "package.json").write_text('{"name": "two"}')
    assert lambdapack("init", "--github", "--gitlab", cwd=directory).returncode == 0
    root = directory.parents[1]
    assert loaded(root / WORKFLOW)["jobs"]["package"]["steps"][1]["with"]["path"] == "services/two"
    assert "lambdapack build services/two " in (root / "lambdapack.gitlab-ci.yml").read_text()


def resolved(value: str, inputs: dict[str, str], runner: Path) -> str:
    """Return an expression of a step's `env`, which names one input or the runner's directory."""
    for name, text in inputs.items():
        value = value.replace(f"${{{{ inputs.{name} }}}}", text)
    return value.replace("${{ runner.temp }}", str(runner))


@pytest.mark.engine
@pytest.mark.registry
def test_the_actions_steps_install_build_annotate_and_name_the_archive(
    project: Copy, lab_engine: dict[str, str], tmp_path: Path
) -> None:
    directory, runner = project("plain"), tmp_path / "runner"
    runner.mkdir()
    assert lambdapack("init", "--github", "--arch", "arm64", cwd=directory).returncode == 0
    action = loaded(directory / ACTION)
    inputs = {name: str(each["default"]) for name, each in action["inputs"].items()} | {"lambdapack": str(ROOT)}
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    said = ""
    for step in (each for each in action["runs"]["steps"] if "run" in each):
        environment = {name: resolved(str(value), inputs, runner) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=directory,
            env={**os.environ, **lab_engine, **files, "RUNNER_TEMP": str(runner), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "archive=./.lambdapack/function-nodejs22.x-arm64.zip\n"
    assert (directory / ".lambdapack" / "function-nodejs22.x-arm64.zip").is_file()
    assert "nodejs22.x/arm64" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert "::error" not in said
    assert (runner / "lambdapack-cache").is_dir(), "what the action caches is what lambdapack keeps"


@pytest.mark.engine
@pytest.mark.registry
def test_the_jobs_script_builds_and_leaves_the_report_where_gitlab_looks(
    project: Copy, lab_engine: dict[str, str]
) -> None:
    directory = project("plain")
    assert lambdapack("init", "--gitlab", "--arch", "arm64", cwd=directory).returncode == 0
    job = loaded(directory / "lambdapack.gitlab-ci.yml")["lambdapack"]
    done = tools.run(["bash", "-ec", "\n".join(job["script"])], directory, lab_engine)
    assert done.returncode == 0, done.stderr
    assert (directory / job["artifacts"]["paths"][0]).is_file()
    report = yaml.safe_load((directory / job["artifacts"]["reports"]["codequality"]).read_text())
    assert [issue["check_name"] for issue in report] == ["LP361 not-proved"], "arm64 would be emulated here"
