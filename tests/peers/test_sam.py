"""The real `sam build` and `sam package` with what `lambdapack init --sam` writes, and with a ready zip."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cloud import servers
from tests.cloud.wire import ACCOUNT, REGION
from tests.cloud.world import BUCKET, served
from tests.command import EXAMPLES, containers, lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

pytestmark = [pytest.mark.engine, pytest.mark.registry]

BUILT = Path(".aws-sam") / "build"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with servers.moto() as address:
        served("moto", address, tmp_path_factory.mktemp("aws"))
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
        }


def sent(directory: Path, aws: dict[str, str]) -> str:
    """Return the address of the function's package after `sam package`."""
    command = [tools.sam(), "package", "--s3-bucket", BUCKET, "--output-template-file", "out.yaml"]
    done = tools.run(command, directory, aws)
    assert done.returncode == 0, done.stderr
    found = re.search(r"CodeUri: (s3://\S+)", (directory / "out.yaml").read_text())
    assert found is not None
    return found[1]


def test_a_target_that_init_wrote_gives_sam_a_package_that_is_good_and_runs(
    project: Copy, lab_engine: dict[str, str], aws: dict[str, str], tmp_path: Path
) -> None:
    directory = project("thumbnail")
    assert lambdapack("init", "--sam", "--arch", "arm64", cwd=directory).returncode == 0
    built = tools.run([tools.sam(), "build"], directory, lab_engine)
    assert built.returncode == 0, built.stderr
    assert "pass: nodejs22.x/arm64 - 2 binaries - 1 note" in built.stdout + built.stderr
    tree = directory / BUILT / "Thumbnail"
    assert [each for each in tree.rglob("*") if each.is_symlink()] == []
    assert (tree / "node_modules" / ".bin" / "semver").is_file(), "links are copies of what they pointed to"
    assert not (tree / ".lambdapack").exists()

    address = sent(directory, aws)
    judged = lambdapack("verify", address, "--arch", "arm64", "--runtime", "nodejs22.x", env=aws)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    again = lambdapack("build", tree, "--arch", "arm64", "--no-install", "--output", tmp_path / "a.zip", env=lab_engine)
    assert again.returncode == 0, again.stderr
    answer = lambdapack("invoke", tmp_path / "a.zip", "--event", EXAMPLES / "thumbnail" / "event.json", env=lab_engine)
    assert json.loads(answer.stdout)["arch"] == "arm64"
    assert containers() == []


def test_a_template_that_says_another_architecture_stops_sam_with_our_words(
    project: Copy, lab_engine: dict[str, str]
) -> None:
    directory = project("plain")
    assert lambdapack("init", "--sam", "--arch", "arm64", cwd=directory).returncode == 0
    template = directory / "template.yaml"
    template.write_text(template.read_text().replace("[arm64]", "[x86_64]"))
    built = tools.run([tools.sam(), "build"], directory, lab_engine)
    assert built.returncode == 1
    assert "error[LP014]" in built.stderr
    assert "template.yaml:15 has x86_64, but this build is for arm64" in " ".join(
        built.stderr.replace("|", " ").split()
    )
    template.write_text(template.read_text().replace("[x86_64]", "[!Ref Arch]"))
    assert "LP014" not in tools.run([tools.sam(), "build"], directory, lab_engine).stderr, "not literal: not judged"


def test_functions_and_layers_of_one_template_are_built_each_for_what_it_says(
    project: Copy, lab_engine: dict[str, str]
) -> None:
    directory = project("plain")
    (directory / "template.yaml").write_text(
        yaml.safe_dump(
            {
                "Transform": "AWS::Serverless-2016-10-31",
                "Resources": {
                    "Api": {
                        "Type": "AWS::Serverless::Function",
                        "Metadata": {"BuildMethod": "makefile"},
                        "Properties": {"CodeUri": ".", "Runtime": "nodejs22.x", "Handler": "index.handler"},
                    },
                    "Shared": {
                        "Type": "AWS::Serverless::LayerVersion",
                        "Metadata": {"BuildMethod": "makefile", "BuildArchitecture": "arm64"},
                        "Properties": {
                            "ContentUri": ".",
                            "CompatibleRuntimes": ["nodejs22.x"],
                            "CompatibleArchitectures": ["arm64"],
                        },
                    },
                },
            }
        )
    )
    assert lambdapack("init", "--sam", cwd=directory).stdout == "lambdapack-sam.mk\nMakefile\n.lambdapackignore\n"
    built = tools.run([tools.sam(), "build"], directory, lab_engine)
    assert built.returncode == 0, built.stderr
    assert (directory / BUILT / "Api" / "node_modules" / "ms" / "package.json").is_file()
    assert (directory / BUILT / "Shared" / "nodejs" / "node_modules" / "ms" / "package.json").is_file()
    assert not (directory / BUILT / "Shared" / "index.js").exists()


def test_a_ready_zip_reaches_aws_byte_for_byte(project: Copy, lab_engine: dict[str, str], aws: dict[str, str]) -> None:
    directory = project("plain")
    shutil.copy(EXAMPLES / "recipes" / "sam-zip" / "template.yaml", directory)
    made = lambdapack("build", "--output", ".lambdapack/package.zip", cwd=directory, env=lab_engine)
    assert made.returncode == 0, made.stderr
    assert "nodejs22.x/arm64" in made.stderr, "the architecture is the template's"
    assert tools.run([tools.sam(), "build"], directory, lab_engine).returncode == 0
    judged = lambdapack("verify", sent(directory, aws), "--arch", "arm64", "--format", "json", env=aws)
    manifest = json.loads((directory / ".lambdapack" / "package.zip.lambdapack.json").read_text())
    assert json.loads(judged.stdout)["subject"]["code_digest"] == manifest["code_digest"]
