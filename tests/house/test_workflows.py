"""What GitHub and pre-commit run is valid, pinned, and the same as what `make check` runs.

Nothing here can run the workflows: check-jsonschema and zizmor read them.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HOOKS = ROOT / ".pre-commit-config.yaml"

PINNED = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@[0-9a-f]{40} # v\d+(\.\d+)*")
"""A tag can be moved to other code; a commit cannot. The version is for people and for zizmor."""


def tool(name: str) -> str:
    """Return the path of a development tool, which need not be on PATH: the virtual environment has it."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert path is not None, f"{name} is not installed: run `make venv`"
    return path


def run_tool(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool(argv[0]), *argv[1:]], capture_output=True, text=True, check=False)


def load(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def hooks() -> list[dict[str, Any]]:
    return [hook for repo in load(HOOKS)["repos"] for hook in repo["hooks"]]


def test_there_are_workflows_for_changes_and_releases() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid(path: Path) -> None:
    done = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))
    assert done.returncode == 0, done.stdout


def test_check_jsonschema_refuses_what_is_no_workflow(tmp_path: Path) -> None:
    broken = load(WORKFLOWS[0])
    broken["jobs"]["unit"]["runs-on"] = 3
    path = tmp_path / "ci.yml"
    path.write_text(yaml.safe_dump(broken), encoding="utf-8")
    done = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))
    assert done.returncode == 1


def test_zizmor_finds_nothing() -> None:
    done = run_tool("zizmor", "--offline", "--persona=pedantic", "--no-progress", *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_and_its_source_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    uses = [line.strip().removeprefix("- ") for line in text.splitlines() if "uses:" in line]
    assert uses
    matches = [PINNED.fullmatch(line) for line in uses]
    assert all(matches), uses
    comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [match["action"] for match in matches if match and match["action"] not in comments] == []


def test_the_unit_tests_run_on_every_host_and_python() -> None:
    matrix = load(ROOT / ".github/workflows/ci.yml")["jobs"]["unit"]["strategy"]["matrix"]
    assert {host.partition("-")[0] for host in matrix["host"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_hooks_are_local_and_run_what_make_check_runs() -> None:
    assert {repo["repo"] for repo in load(HOOKS)["repos"]} == {"local"}
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert check is not None
    for hook in hooks():
        assert set(hook) <= {"id", "name", "entry", "language", "types_or", "always_run", "pass_filenames"}
        assert hook["language"] == "system"
        command = hook["entry"].removeprefix("python -m ").replace(" --force-exclude", "")
        assert f"$(RUN){command}" in check[1], f"`make check` does not run {command}"
