"""osls, the Serverless Framework's free fork, with what `lambdapack init --serverless` writes."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.command import lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

pytestmark = [pytest.mark.engine, pytest.mark.registry]


def test_the_artifact_is_taken_as_it_is_for_the_target_that_serverless_yml_says(
    project: Copy, lab_engine: dict[str, str]
) -> None:
    directory = project("plain")
    assert lambdapack("init", "--serverless", "--arch", "arm64", cwd=directory).returncode == 0
    built = lambdapack("build", cwd=directory, env=lab_engine)
    assert built.returncode == 0, built.stderr
    archive = directory / built.stdout.strip()
    before = hashlib.sha256(archive.read_bytes()).hexdigest()

    done = tools.run(["node", tools.node_modules() / "osls" / "bin" / "serverless.js", "package"], directory, {})
    assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads((directory / ".serverless" / "serverless-state.json").read_text())
    function = state["service"]["functions"]["plain"]
    assert (directory / function["package"]["artifact"]).resolve() == archive.resolve()
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == before
    resources = state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"]
    made = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    assert [(each["Runtime"], each["Architectures"]) for each in made] == [("nodejs22.x", ["arm64"])]


def test_a_serverless_yml_of_ones_own_is_told_what_to_add(project: Copy) -> None:
    directory = project("plain")
    (directory / "serverless.yml").write_text("service: mine\n")
    done = lambdapack("init", "--serverless", cwd=directory)
    assert "individually: true" in " ".join(done.stderr.split())
    assert Path(directory / "serverless.yml").read_text() == "service: mine\n"
