"""Values of a SAM template that no literal is: what its text determines is taken, everything else is named."""

from pathlib import Path

import pytest

from lambdapack.project.declarations import DeclaredLayer
from lambdapack.project.template import read_template

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Arm: {Type: String, Default: arm64}
  Word: {Type: String, Default: arm}
  Stage: {Type: String, Default: prod}
  Major: {Type: Number, Default: 22}
  Cpus: {Type: CommaDelimitedList, Default: 'x86_64, arm64'}
  One: {Type: CommaDelimitedList, Default: arm64}
  Open: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /cpu}
Mappings:
  Stages: {prod: {Cpu: arm64}, dev: {Cpu: x86_64}}
  Same: {us-east-1: {Cpu: arm64}, eu-west-1: {Cpu: arm64}}
  Regions: {us-east-1: {Cpu: arm64}, ap-east-2: {Cpu: x86_64}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotDev: !And [!Not [!Equals [!Ref Stage, dev]], !Condition IsProd]
  EitherWay: !Or [!Equals [!Ref Open, x], !Equals [a, a]]
  Neither: {'Fn::And': [{'Fn::Equals': [{Ref: Open}, x]}, {'Fn::Equals': [a, b]}]}
  Unknown: !Equals [!Ref Open, x]
  Circle: !Not [!Condition Circle]
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: !Sub nodejs${Major}.x
      Architectures: ARCHITECTURES
"""


def architecture(directory: Path, value: str, text: str = TEMPLATE) -> tuple[str | None, str]:
    (directory / "template.yaml").write_text(text.replace("ARCHITECTURES", value))
    declared = read_template(directory)
    if declared.architecture:
        return declared.architecture.value, declared.architecture.origin
    return None, declared.unreadable[0].detail if declared.unreadable else ""


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("[!Ref Arm]", "default of parameter Arm"),
        ("[{Ref: Arm}]", "default of parameter Arm"),
        ("!Ref One", "default of parameter One"),
        ("[!Sub '${Word}64']", "default of parameter Word"),
        ("[!Sub ['${Cpu}', {Cpu: !Ref Arm}]]", "default of parameter Arm"),
        ("[!FindInMap [Stages, !Ref Stage, Cpu]]", "default of parameter Stage, mapping Stages"),
        ("[!FindInMap [Same, !Ref 'AWS::Region', Cpu]]", "mapping Same"),
        ("[!FindInMap [Stages, test, Cpu, {DefaultValue: arm64}]]", "mapping Stages"),
        ("!If [IsProd, [arm64], [x86_64]]", "condition IsProd, default of parameter Stage"),
        ("[!If [NotDev, arm64, x86_64]]", "condition NotDev, default of parameter Stage, condition IsProd"),
        ("{'Fn::If': [EitherWay, [arm64], [x86_64]]}", "condition EitherWay, default of parameter Open"),
        ("!If [Neither, [x86_64], [arm64]]", "condition Neither, default of parameter Open"),
        ("!If [Unknown, [arm64], [!Ref Arm]]", None),  # either way the same
        ("[!Select [1, !Ref Cpus]]", "default of parameter Cpus"),
        ("[!Select [1, !Split [/, x86_64/arm64]]]", None),
        ("[!Join ['', [arm, 64]]]", None),
    ],
)
def test_what_the_template_determines_is_taken(tmp_path: Path, value: str, origin: str | None) -> None:
    found, place = architecture(tmp_path, value)
    assert found == "arm64", place
    assert origin is None or place == f"template.yaml:29, {origin}"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("[!Ref Open]", "parameter Open has no default"),
        ("[!Ref Stored]", "parameter Stored is in AWS Systems Manager"),
        ("[!Ref Nobody]", "the template has no parameter Nobody"),
        ("[!ImportValue cpu]", "ImportValue is known only when the stack is deployed"),
        ("[!GetAtt Custom.Cpu]", "GetAtt is known only when the stack is deployed"),
        ("['{{resolve:ssm:/cpu}}']", "a dynamic reference is known only when the stack is deployed"),
        ("[!FindInMap [Regions, !Ref 'AWS::Region', Cpu]]", "AWS::Region is known only when the stack is deployed"),
        ("[!FindInMap [Stages, test, Cpu]]", "mapping Stages has no such key"),
        ("[!FindInMap [Stages]]", "FindInMap has not 3 arguments"),
        ("!If [Unknown, [arm64], [x86_64]]", "parameter Open has no default"),
        ("!If [Circle, [arm64], [x86_64]]", "the value refers to itself, or its expression is too long"),
        ("!If [Missing, [arm64], [x86_64]]", "the template has no condition Missing"),
        ("!Ref Cpus", "a function has one architecture"),
        ("[!Select [7, !Ref Cpus]]", "the list has no member 7"),
        ("[arm65]", "Lambda has no such architecture"),
        ("[{a: b, c: d}]", "the value is not a text"),
        ("!If [x]", "an intrinsic function has not 3 arguments"),
        ("!If {a: b}", "an intrinsic function has not 3 arguments"),
        ("!Select", "an intrinsic function has not 2 arguments"),
    ],
)
def test_what_it_does_not_determine_is_named_with_place_and_reason(tmp_path: Path, value: str, reason: str) -> None:
    found, detail = architecture(tmp_path, value)
    assert found is None
    assert detail == f"template.yaml:29: `{value}`: {reason}"


def test_no_value_is_lambdas_default_and_not_unreadable(tmp_path: Path) -> None:
    assert architecture(tmp_path, "!If [IsProd, !Ref 'AWS::NoValue', [arm64]]") == (None, "")


def test_the_runtime_is_resolved_and_known_as_no_literal(tmp_path: Path) -> None:
    architecture(tmp_path, "[arm64]")
    runtime, cpu = read_template(tmp_path).runtime, read_template(tmp_path).architecture
    assert runtime is not None
    assert cpu is not None
    assert (runtime.value, runtime.literal, cpu.literal) == ("nodejs22.x", False, True)


@pytest.mark.parametrize(
    "written",
    [
        "'Arm=x86_64 Stage=dev'",
        "['Arm=x86_64', 'Stage=dev']",
        "'ParameterKey=Arm,ParameterValue=x86_64'",
        "\"Arm='x86_64'\"",
    ],
)
def test_parameters_of_samconfig_come_before_defaults(tmp_path: Path, written: str) -> None:
    (tmp_path / "samconfig.toml").write_text(f"[default.deploy.parameters]\nparameter_overrides = {written}\n")
    assert architecture(tmp_path, "[!Ref Arm]") == ("x86_64", "template.yaml:29, parameter Arm in samconfig.toml")


def test_the_region_of_samconfig_picks_from_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text('[default.global.parameters]\nregion = "ap-east-2"\n')
    assert architecture(tmp_path, "[!FindInMap [Regions, !Ref 'AWS::Region', Cpu]]")[0] == "x86_64"


@pytest.mark.parametrize("text", ["[", "default = 1", "[default.deploy.parameters]\nparameter_overrides = 1"])
def test_a_samconfig_that_cannot_be_used_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "samconfig.toml").write_text(text)
    assert architecture(tmp_path, "[!Ref Arm]")[0] == "arm64"


def test_a_function_whose_condition_is_not_met_does_not_count(tmp_path: Path) -> None:
    other = (
        "  Other:\n    Type: AWS::Serverless::Function\n    Condition: CONDITION\n"
        "    Properties: {CodeUri: ., Handler: app.handler, Runtime: nodejs22.x, Architectures: [x86_64]}\n"
    )
    assert architecture(tmp_path, "[arm64]", TEMPLATE + other.replace("CONDITION", "Neither"))[0] == "arm64"
    found, detail = architecture(tmp_path, "[arm64]", TEMPLATE + other.replace("CONDITION", "IsProd"))
    assert found is None
    assert "its functions differ: arm64 (template.yaml:29), x86_64 (template.yaml:33)" in detail


def test_a_function_that_states_no_architecture_has_lambdas_default(tmp_path: Path) -> None:
    other = "  Other:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: ., Handler: a.b}\n"
    found, detail = architecture(tmp_path, "[arm64]", TEMPLATE + other)
    assert found is None
    assert "x86_64 (template.yaml: Other states none)" in detail


def test_functions_of_a_loop_are_found(tmp_path: Path) -> None:
    loop = (
        "Resources:\n  Fn::ForEach::Functions:\n    - Name\n    - [resize, hash]\n"
        "    - ${Name}Function:\n        Type: AWS::Serverless::Function\n"
        "        Properties: {CodeUri: !Sub '${Name}/', Handler: a.b, Runtime: nodejs22.x, Architectures: [arm64]}\n"
    )
    (tmp_path / "template.yaml").write_text(loop)
    for name in ("resize", "hash", "other"):
        (tmp_path / name).mkdir()
    assert [bool(read_template(tmp_path / name).architecture) for name in ("resize", "hash", "other")] == [
        True,
        True,
        False,
    ]


def test_aliases_that_describe_more_than_can_be_computed_end_soon(tmp_path: Path) -> None:
    levels = "".join(f"  - &l{level} !If [Unknown, *l{level - 1}, *l{level - 1}]\n" for level in range(1, 60))
    text = TEMPLATE.replace("Resources:", f"Metadata:\n  - &l0 [arm64]\n{levels}Resources:")
    assert architecture(tmp_path, "*l30", text)[1].endswith("its expression is too long")


def test_layers_and_variables_come_along(tmp_path: Path) -> None:
    text = TEMPLATE.replace(
        "Resources:\n",
        "Globals:\n  Function:\n    Layers: [!Sub 'arn:aws:lambda:${AWS::Region}:1:layer:trace:7']\n"
        "    Environment: {Variables: {STAGE: !Ref Stage, BOTH: shared}}\n"
        "Resources:\n  Deps: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layers/deps}}\n",
    ).replace(
        "      CodeUri: .\n",
        "      CodeUri: .\n      Layers: [!Ref Deps, !ImportValue shared]\n"
        "      Environment: {Variables: {BOTH: own, TABLE: !GetAtt Table.Arn, NODE_OPTIONS: --require /opt/a.js}}\n",
    )
    architecture(tmp_path, "[arm64]", text)
    declared = read_template(tmp_path)
    assert declared.layers == (
        DeclaredLayer("arn:aws:lambda:${AWS::Region}:1:layer:trace:7", "template.yaml:24"),
        DeclaredLayer("Deps", "template.yaml:32", "layers/deps"),
        DeclaredLayer("!ImportValue shared", "template.yaml:32"),
    )
    assert declared.environment == {
        "STAGE": "prod",
        "BOTH": "own",
        "TABLE": None,
        "NODE_OPTIONS": "--require /opt/a.js",
    }


@pytest.mark.parametrize(
    "loops",
    [
        "  Fn::ForEach::A: &a [X, [p, q], {'Fn::ForEach::B': *a}]\n",
        "  Fn::ForEach::A: [X, [1, 2]]\n",
        "  Fn::ForEach::A: [X, !Ref Nobody, {}]\n",
    ],
)
def test_loops_without_an_end_or_a_list_are_a_note(tmp_path: Path, loops: str) -> None:
    (tmp_path / "template.yaml").write_text(f"Resources:\n{loops}")
    (note,) = read_template(tmp_path).notes
    assert "its functions cannot be read" in note


def test_long_texts_are_not_searched(tmp_path: Path) -> None:
    assert architecture(tmp_path, f"[!Sub '{'${' + 'x' * 20000}']")[1].endswith("the text is too long")
