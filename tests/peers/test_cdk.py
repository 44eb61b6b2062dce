"""The real AWS CDK, in JavaScript, with the function that `lambdapack init --cdk` writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

pytestmark = [pytest.mark.engine, pytest.mark.registry]

APP = """\
const { App, Stack } = require('aws-cdk-lib')
const lambda = require('aws-cdk-lib/aws-lambda')
const { packaged } = require('./lambdapack-code')
const app = new App({ outdir: 'cdk.out' })
const stack = new Stack(app, 'Site')
const target = { runtime: lambda.Runtime.NODEJS_22_X, architecture: lambda.Architecture.ARM_64 }
new lambda.Function(stack, 'Plain', { ...target, handler: 'index.handler', code: packaged(process.argv[2], target) })
app.synth()
"""


def app(directory: Path) -> Path:
    directory.mkdir()
    (directory / "app.js").write_text(APP)
    (directory / "node_modules").symlink_to(tools.node_modules())
    assert lambdapack("init", "--cdk", "--arch", "arm64", cwd=directory).returncode == 0
    return directory


def function_of(directory: Path) -> dict[str, Any]:
    template = json.loads((directory / "cdk.out" / "Site.template.json").read_text())
    found: list[dict[str, Any]] = [
        each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"
    ]
    return found[0]


def test_a_synth_builds_the_package_and_its_hash_follows_the_content(
    project: Copy, lab_engine: dict[str, str], tmp_path: Path
) -> None:
    code, site = project("plain"), app(tmp_path / "site")
    made = tools.run(["node", "app.js", code], site, lab_engine)
    assert made.returncode == 0, made.stderr
    first = function_of(site)
    assert (first["Runtime"], first["Architectures"]) == ("nodejs22.x", ["arm64"])
    asset = site / "cdk.out" / f"asset.{first['Code']['S3Key']}"
    assert asset.read_bytes() == (code / ".lambdapack" / "cdk-nodejs22.x-arm64.zip").read_bytes()

    assert tools.run(["node", "app.js", code], site, lab_engine).returncode == 0
    assert function_of(site)["Code"] == first["Code"]
    with (code / "index.js").open("a") as file:
        file.write("// changed\n")
    assert tools.run(["node", "app.js", code], site, lab_engine).returncode == 0
    assert function_of(site)["Code"] != first["Code"]


def test_a_package_that_would_not_load_fails_the_synth_with_our_words(
    project: Copy, lab_engine: dict[str, str], tmp_path: Path
) -> None:
    code, site = project("plain"), app(tmp_path / "site")
    (code / "index.js").unlink()
    made = tools.run(["node", "app.js", code], site, lab_engine)
    assert made.returncode != 0
    assert "handler-missing" in made.stderr
    assert not (site / "cdk.out" / "Site.template.json").exists()
