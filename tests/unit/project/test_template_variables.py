"""Variables of a serverless.yml: what files of the repository determine is taken, everything else is named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.project.declarations import DeclaredLayer, TemplateDeclarations
from lambdapack.project.template import find_resources, read_template
from lambdapack.project.template_variables import split_alternatives, split_variables

SERVICE = """\
service: shop
params:
  default: {cpu: arm64, other: x86_64}
  dev: {staged: arm64}
stages: {default: {params: {newer: arm64}}}
custom:
  cpu: arm64
  word: arm
  list: [x86_64, arm64]
  none: null
  stages: {dev: arm64, prod: x86_64}
  circle: ${self:custom.circle}
  base: ${file(./config/base.yml)}
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  runtime: ${self:custom.base.runtime, 'nodejs20.x'}
  architecture: ARCHITECTURE
functions:
  a: {handler: src/a.handler}
"""


def declared(
    directory: Path, value: str, *, environ: Mapping[str, str] | None = None, text: str = SERVICE
) -> TemplateDeclarations:
    (directory / ".git").mkdir(exist_ok=True)
    (directory / "config").mkdir(exist_ok=True)
    (directory / "config" / "base.yml").write_text("runtime: nodejs22.x\ndev: {cpu: arm64}\nback: ${self:custom.cpu}\n")
    (directory / "config" / "cpu.json").write_text('{"cpu": "arm64"}')
    (directory / "config" / "cpu.js").write_text("module.exports = {}\n")
    (directory / "serverless.yml").write_text(text.replace("ARCHITECTURE", value))
    return read_template(directory, environ)


@pytest.mark.parametrize(
    "value",
    [
        "${self:custom.cpu}",
        "${ self:custom.cpu }",
        "${self:custom.word}64",
        "${self:custom.list.1}",
        "${self:custom.none, self:custom.cpu}",
        "${self:custom.stages.${sls:stage}}",
        "${self:custom.stages.${self:provider.stage}}",
        "${self:custom.stages.${opt:stage, 'dev'}}",
        "${opt:arch, 'arm64'}",
        "${opt:arch, env:NOBODY_SETS_IT, ${self:custom.cpu}}",
        "${env:CPU}",
        "${env:NOBODY_SETS_IT, 'arm64'}",
        "${param:cpu}",
        "${param:staged}",
        "${param:newer}",
        "${file(./config/cpu.json):cpu}",
        "${file(config/base.yml):${sls:stage}.cpu}",
        "${file(config/base.yml):back}",
        "${file(config/absent.yml):cpu, 'arm64'}",
        "${self:custom.base.dev.cpu}",
    ],
)
def test_what_the_repository_determines_is_taken(tmp_path: Path, value: str) -> None:
    found = declared(tmp_path, f'"{value}"', environ={"CPU": "arm64"})
    assert found.architecture is not None, found.unreadable
    assert (found.architecture.value, found.architecture.literal) == ("arm64", False)
    assert found.runtime is not None
    assert found.runtime.value == "nodejs22.x"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("${opt:arch}", "${opt:arch} has no value without options and a stage"),
        ("${self:custom.absent}", "${self:custom.absent} has no value without options and a stage"),
        ("${self:custom.stages.${opt:stage}}", "${opt:stage} has no value without options and a stage"),
        ("${ssm:/cpu, 'arm64'}", "ssm is known only when the service is deployed"),
        ("${opt:arch, arm64}", "arm64 is known only when the service is deployed"),
        ("${cf:stack.Cpu}", "cf is known only when the service is deployed"),
        ("${sls:instanceId}", "sls:instanceId is known only when the service is deployed"),
        ("${file(./config/cpu.js):cpu}", "./config/cpu.js is a program"),
        ("${file(../../etc/cpu.yml):cpu}", "../../etc/cpu.yml is outside the repository"),
        ("${self:custom.circle}", "the value refers to itself, or its expression is too long"),
        ("${self:custom.list}", "a function has one architecture"),
        ("${self:custom.stages}", "the value is not a text"),
        ("${unclosed", "Lambda has no such architecture"),
    ],
)
def test_what_they_do_not_determine_is_named(tmp_path: Path, value: str, reason: str) -> None:
    found = declared(tmp_path, f'"{value}"')
    assert found.architecture is None
    assert [unreadable.reason for unreadable in found.unreadable] == [reason]
    assert found.unreadable[0].origin == "serverless.yml:18"


@pytest.mark.parametrize("name", [".env", ".env.dev"])
def test_env_files_beside_it_count_after_the_environment(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# cpu\nexport CPU='arm64'\n")
    value = "\"${env:CPU, 'x86_64'}\""
    for environ, expected in (({}, "arm64"), ({"CPU": "x86_64"}, "x86_64")):
        found = declared(tmp_path, value, environ=environ).architecture
        assert found is not None
        assert found.value == expected


def test_functions_may_lie_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("b: {handler: src/b.handler, architecture: arm64}\n")
    text = SERVICE.replace("functions:\n  a: {", "functions:\n  - ${file(more.yml)}\n  - a: {architecture: arm64, ")
    assert declared(tmp_path, "x86_64", text=text).architecture is not None
    assert [resource.name for resource in find_resources(tmp_path, [])] == ["b", "a"]


def test_merge_keys_count(tmp_path: Path) -> None:
    text = (
        SERVICE.replace("  architecture: ARCHITECTURE\n", "")
        .replace("a: {handler", "a: {<<: [*mixin], handler")
        .replace("custom:\n", "custom:\n  mixin: &mixin {architecture: arm64, handler: other.handler}\n")
    )
    found = declared(tmp_path, "", text=text)
    assert found.architecture is not None
    assert found.handler is not None
    assert found.handler.value == "src/a.handler"


def test_functions_that_cannot_be_read_are_a_note(tmp_path: Path) -> None:
    text = SERVICE[: SERVICE.index("functions:")] + "functions: ${file(functions.js)}\n"
    (tmp_path / "functions.js").write_text("module.exports = {}\n")
    found = declared(tmp_path, "arm64", text=text)
    assert found.notes == ("serverless.yml: its functions cannot be read: functions.js is a program",)


def test_layers_and_variables_come_along(tmp_path: Path) -> None:
    text = SERVICE.replace(
        "a: {handler",
        "a: {layers: [{Ref: DepsLambdaLayer}, 'arn:aws:lambda:eu-west-1:1:layer:x:1'], "
        "environment: {STAGE: '${sls:stage}', KEY: '${ssm:/key}'}, handler",
    )
    found = declared(tmp_path, "arm64", text=text + "layers: {deps: {path: layers/deps}}\n")
    assert found.layers == (
        DeclaredLayer("deps", "serverless.yml:20", "layers/deps"),
        DeclaredLayer("arn:aws:lambda:eu-west-1:1:layer:x:1", "serverless.yml:20"),
    )
    assert found.environment == {"STAGE": "dev", "KEY": None}


def test_a_serverless_file_that_is_a_program_is_named_where_it_says_arm64(tmp_path: Path) -> None:
    (tmp_path / "serverless.ts").write_text("export default {\n  provider: { architecture: 'arm64' } }\n")
    (unreadable,) = read_template(tmp_path).unreadable
    assert (unreadable.field, unreadable.detail) == (
        "architecture",
        "serverless.ts:2: serverless.ts is a program",
    )
    (tmp_path / "serverless.ts").write_text("export default { provider: {} }\n")
    assert read_template(tmp_path).unreadable == ()


def test_variables_are_parted_from_text_and_alternatives_from_each_other() -> None:
    assert list(split_variables("a${b${c}}d${AWS::Region}")) == [
        (False, "a"),
        (True, "b${c}"),
        (False, "d"),
        (False, "${AWS::Region}"),
    ]
    assert split_alternatives("self:a, 'x, y', ${b, c}, file(a,b):c") == [
        "self:a",
        "'x, y'",
        "${b, c}",
        "file(a,b):c",
    ]
