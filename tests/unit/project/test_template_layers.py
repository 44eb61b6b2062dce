from pathlib import Path

from lambdapack.project.template import find_resources, read_template

TEMPLATE = """\
Resources:
  Resize:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: resize, Runtime: nodejs22.x, Architectures: [arm64], Handler: a.b}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: resize
      CompatibleRuntimes: [nodejs20.x]
      CompatibleArchitectures: [x86_64]
  Other:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: other}
"""


def test_functions_and_layers_of_a_directory_are_found_and_only_functions_tell_settings(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "resize").mkdir()
    found = find_resources(tmp_path / "resize", [])
    assert [(each.name, each.layer, each.values["architecture"].value) for each in found] == [
        ("Resize", False, "arm64"),
        ("Shared", True, "x86_64"),
    ]
    declared = read_template(tmp_path / "resize")
    assert declared.architecture is not None
    assert declared.architecture.value == "arm64"
