"""Each example is built, judged and invoked for both CPUs, with the real engine and the real registry."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.command import EXAMPLES, containers, lambdapack

pytestmark = [pytest.mark.engine, pytest.mark.registry]

ARCHITECTURES = {"x86_64": "x64", "arm64": "arm64"}

ANSWERS: dict[str, dict[str, Any]] = {
    "thumbnail": {"width": 32, "height": 24, "format": "png"},
    "password": {"matches": True, "other": False, "scheme": "$2b$04$"},
    "sqlite": {"sum": 42},
    "addon": {"adler32": 300286872},
    "plain": {"milliseconds": 172800000},
}


def copied(name: str, to: Path) -> Path:
    shutil.copytree(EXAMPLES / name, to / name, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return to / name


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_example_is_built_judged_and_answers(
    name: str, arch: str, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    project = copied(name, tmp_path)
    built = lambdapack("build", project, "--arch", arch, env=lab_engine)
    assert built.returncode == 0, built.stderr
    archive = Path(built.stdout.removesuffix("\n"))
    assert archive == project / ".lambdapack" / f"{name}-nodejs22.x-{arch}.zip"
    assert "Traceback" not in built.stderr

    judged = lambdapack("verify", archive, "--format", "json", env=lab_engine)
    report = json.loads(judged.stdout)
    assert judged.returncode == 0, judged.stdout
    assert report["target"] | {"runtime": "nodejs22.x", "arch": arch} == report["target"]
    assert all(each["outcome"] == "loads" for each in report["binaries"] if each["selected"])
    assert bool(report["binaries"]) == (name != "plain")

    invoked = lambdapack("invoke", archive, "--event", project / "event.json", env=lab_engine)
    assert invoked.returncode == 0, invoked.stderr
    answer = json.loads(invoked.stdout)
    assert answer == answer | ANSWERS[name] | {"arch": ARCHITECTURES[arch]}
    assert containers() == []


def test_a_node_api_10_addon_is_refused_for_nodejs20(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    built = lambdapack(
        "build", copied("sqlite", tmp_path), "--runtime", "nodejs22.x", "--arch", "x86_64", env=lab_engine
    )
    judged = lambdapack("verify", built.stdout.strip(), "--runtime", "nodejs20.x", "--format", "json", env=lab_engine)
    assert judged.returncode == 1
    assert "node-api-level" in {each["name"] for each in json.loads(judged.stdout)["findings"]}
