from pathlib import Path

import pytest
import yaml

from lambdapack.project.declarations import DeclaredValue, TemplateDeclarations
from lambdapack.project.template import read_template, runtime_from_engines
from lambdapack.project.template_nodes import compose_file

SAM = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Arch: {Type: String}
Globals:
  Function:
    Runtime: nodejs22.x
Resources:
  Resize:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Architectures: [arm64]
      Environment: {Variables: {TABLE: !Ref Table}}
  Table:
    Type: AWS::DynamoDB::Table
"""


def declared(directory: Path, text: str, name: str = "template.yaml") -> TemplateDeclarations:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)
    return read_template(directory)


def test_a_sam_template_tells_runtime_architecture_and_handler_with_their_lines(tmp_path: Path) -> None:
    assert declared(tmp_path, SAM) == TemplateDeclarations(
        DeclaredValue("nodejs22.x", "template.yaml:7"),
        DeclaredValue("arm64", "template.yaml:14"),
        DeclaredValue("app.handler", "template.yaml:13"),
        environment={"TABLE": None},
    )


def test_serverless_functions_inherit_from_the_provider(tmp_path: Path) -> None:
    text = "provider:\n  runtime: nodejs22.x\n  architecture: arm64\nfunctions:\n  a:\n    handler: src/a.handler\n"
    found = declared(tmp_path, text, "serverless.yml")
    assert found.runtime == DeclaredValue("nodejs22.x", "serverless.yml:2")
    assert found.architecture == DeclaredValue("arm64", "serverless.yml:3")
    assert found.handler == DeclaredValue("src/a.handler", "serverless.yml:6")


@pytest.mark.parametrize(
    "value", ["!Ref Arch", "!Sub '${Arch}'", "{Ref: Arch}", "'{{resolve:ssm:x}}'", "[arm64, x86_64]", "12"]
)
def test_only_literal_values_count(tmp_path: Path, value: str) -> None:
    text = SAM.replace("[arm64]", value if value.startswith("[") else f"[{value}]")
    found = declared(tmp_path, text)
    assert found.architecture is None
    assert found.runtime is not None


def test_variables_of_the_serverless_framework_are_not_literal(tmp_path: Path) -> None:
    text = "provider: {runtime: '${opt:runtime}'}\nfunctions: {a: {handler: a.b}}\n"
    assert declared(tmp_path, text, "serverless.yml").runtime is None


def test_functions_that_differ_give_nothing_and_say_so(tmp_path: Path) -> None:
    text = (
        SAM
        + "  Other:\n    Type: AWS::Serverless::Function\n"
        + "    Properties: {CodeUri: ., Handler: b.c, Architectures: [arm64]}\n"
    )
    found = declared(tmp_path, text)
    assert (found.handler, found.architecture) == (None, DeclaredValue("arm64", "template.yaml:14"))
    assert found.notes == (
        (
            "the template has more than one handler, so none is taken: "
            "app.handler (template.yaml:13), b.c (template.yaml:20)"
        ),
    )


def test_a_template_above_counts_for_the_function_whose_code_lies_here(tmp_path: Path) -> None:
    text = SAM.replace("CodeUri: .", "CodeUri: functions/resize/")
    (tmp_path / "template.yaml").write_text(text)
    (tmp_path / "functions" / "resize").mkdir(parents=True)
    (tmp_path / "functions" / "other").mkdir()
    assert read_template(tmp_path / "functions" / "resize").runtime == DeclaredValue("nodejs22.x", "template.yaml:7")
    assert read_template(tmp_path / "functions" / "other") == TemplateDeclarations()


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(SAM.replace("CodeUri: .", "CodeUri: repo/fn"))
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "fn").mkdir()
    assert read_template(tmp_path / "repo" / "fn") == TemplateDeclarations()


def test_code_in_a_directory_below_gives_all_but_the_handler(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    found = declared(tmp_path, SAM.replace("CodeUri: .", "CodeUri: src/"))
    assert found.runtime is not None
    assert found.handler is None


def test_functions_of_other_languages_and_projects_are_passed_over(tmp_path: Path) -> None:
    assert declared(tmp_path, SAM.replace("nodejs22.x", "python3.13")) == TemplateDeclarations()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "package.json").write_text("{}")
    assert declared(tmp_path, SAM.replace("CodeUri: .", "CodeUri: other")) == TemplateDeclarations()


@pytest.mark.parametrize(
    "text", ["a: [", "\x00", "- 1", "", "[" * 5000, "Resources: []", "Resources: {a: 1, ? [b] : c}", "--- a\n--- b"]
)
def test_a_template_that_cannot_be_used_is_at_most_a_note(tmp_path: Path, text: str) -> None:
    found = declared(tmp_path, text)
    assert (found.runtime, found.architecture, found.handler) == (None, None, None)


def test_a_recursive_template_ends(tmp_path: Path) -> None:
    assert declared(tmp_path, "Resources: &a\n  Fn: *a\n").runtime is None


@pytest.mark.parametrize(
    ("node", "runtime"),
    [
        ("22.x", "nodejs22.x"),
        (">=22 <24", "nodejs22.x"),
        (">=20", None),
        ("^18", None),
        ("lts/*", None),
        ("", None),
        (22, None),
    ],
)
def test_engines_give_a_runtime_when_they_admit_one_major(node: object, runtime: str | None) -> None:
    found = runtime_from_engines({"engines": {"node": node}}, (20, 22, 24))
    assert (found.value if found else None) == runtime


def test_engines_say_where_they_are() -> None:
    assert runtime_from_engines({"engines": {"node": "22"}}, (22,)) == DeclaredValue(
        "nodejs22.x", "package.json engines.node 22"
    )
    assert runtime_from_engines({"engines": ["node 22"]}, (22,)) is None


SERVERLESS = """\
provider: {name: aws, runtime: nodejs22.x, architecture: arm64}
package: {individually: true}
functions:
  resize: {handler: functions/resize/app.handler}
  hash: {handler: functions/hash/src/index.handler, architecture: x86_64}
  ready: {handler: app.handler, package: {artifact: functions/ready/.lambdapack/ready.zip}}
"""


@pytest.mark.parametrize(
    ("directory", "architecture", "handler"),
    [
        ("functions/resize", "arm64", "app.handler"),
        ("functions/hash", "x86_64", "src/index.handler"),
        ("functions/ready", "arm64", "app.handler"),
        ("functions/other", None, None),
    ],
)
def test_a_serverless_file_at_the_root_counts_for_the_directories_of_its_handlers(
    tmp_path: Path, directory: str, architecture: str | None, handler: str | None
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "serverless.yml").write_text(SERVERLESS)
    for name in ("resize", "hash/src", "ready", "other"):
        (tmp_path / "functions" / name).mkdir(parents=True)
    for name in ("resize", "hash", "ready", "other"):
        (tmp_path / "functions" / name / "package.json").write_text("{}")
    found = read_template(tmp_path / directory)
    assert (found.architecture.value if found.architecture else None) == architecture
    assert (found.handler.value if found.handler else None) == handler


def test_a_template_at_the_root_counts_for_the_project_around_a_codeuri(tmp_path: Path) -> None:
    (tmp_path / "fn" / "dist").mkdir(parents=True)
    (tmp_path / "fn" / "package.json").write_text("{}")
    (tmp_path / "template.yaml").write_text(SAM.replace("CodeUri: .", "CodeUri: fn/dist"))
    found = read_template(tmp_path / "fn")
    assert found.architecture == DeclaredValue("arm64", "template.yaml:14")
    assert found.handler is None, "it is relative to dist"


def test_the_nearest_template_with_this_directory_counts(tmp_path: Path) -> None:
    (tmp_path / "services" / "a").mkdir(parents=True)
    (tmp_path / "services" / "template.yaml").write_text(SAM.replace("CodeUri: .", "CodeUri: b"))
    (tmp_path / "template.yaml").write_text(SAM.replace("CodeUri: .", "CodeUri: services/a"))
    assert read_template(tmp_path / "services" / "a").architecture is not None


def test_a_function_without_codeuri_is_built_from_the_templates_directory(tmp_path: Path) -> None:
    assert declared(tmp_path, SAM.replace("      CodeUri: .\n", "")).architecture is not None


def test_a_codeuri_that_cannot_be_read_is_a_note_where_no_function_has_this_directory(tmp_path: Path) -> None:
    found = declared(tmp_path, SAM.replace("CodeUri: .", "CodeUri: !Ref Code"))
    assert found.architecture is None
    assert found.notes == (
        "the template's code cannot be read: template.yaml:12: `!Ref Code`: the template has no parameter Code",
    )


def test_a_json_template_counts(tmp_path: Path) -> None:
    text = (
        '{"Parameters": {"A": {"Type": "String", "Default": "arm64"}},\n'
        '\t"Resources": {"F": {"Type": "AWS::Serverless::Function",\n'
        '\t\t"Properties": {"CodeUri": ".", "Handler": "a.b", "Architectures": [{"Ref": "A"}]}}}}'
    )
    found = declared(tmp_path, text, "template.json")
    assert found.architecture == DeclaredValue("arm64", "template.json:3, default of parameter A", literal=False)


def test_the_layer_of_a_directory_counts_where_no_function_has_it(tmp_path: Path) -> None:
    text = (
        "Resources:\n  Deps:\n    Type: AWS::Serverless::LayerVersion\n"
        "    Metadata: {BuildMethod: nodejs22.x, BuildArchitecture: arm64}\n"
        "    Properties: {ContentUri: layers/deps, CompatibleRuntimes: [nodejs20.x, nodejs22.x]}\n"
    )
    (tmp_path / "template.yaml").write_text(text)
    (tmp_path / "layers" / "deps").mkdir(parents=True)
    found = read_template(tmp_path / "layers" / "deps")
    assert found.architecture == DeclaredValue("arm64", "template.yaml:4")
    assert found.runtime == DeclaredValue("nodejs22.x", "template.yaml:4")


@pytest.mark.parametrize("bracket", ["[", "{a: "])
def test_brackets_without_end_are_not_read_to_their_end(tmp_path: Path, bracket: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(f"Resources: {bracket * 3000}", encoding="utf-8")
    with pytest.raises(yaml.YAMLError, match="more than 100 open brackets"):
        compose_file(path, "template.yaml")
