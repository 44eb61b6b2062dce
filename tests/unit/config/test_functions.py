from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.config.functions import DeclaredFunction, find_functions, select_functions
from lambdapack.errors.record import LambdapackError

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: nodejs22.x, Architectures: [arm64]}}
Resources:
  Resize: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/resize, Handler: src/app.handler}}
  Whole: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: functions/hash/index.handler}}
"""


def functions(root: Path, **files: str) -> Mapping[str, DeclaredFunction]:
    for directory in ("functions/resize", "functions/hash"):
        (root / directory).mkdir(parents=True, exist_ok=True)
        (root / directory / "package.json").write_text("{}")
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    return {function.name: function for function in find_functions(root, {}, [])}


def test_a_templates_functions_have_their_own_packages_and_handlers(tmp_path: Path) -> None:
    found = functions(tmp_path, template_yaml=TEMPLATE)
    assert {
        name: function.directory.relative_to(tmp_path.resolve()).as_posix() for name, function in found.items()
    } == {
        "Resize": "functions/resize",
        "Whole": "functions/hash",
    }
    assert found["Resize"].values == {"runtime": "nodejs22.x", "arch": "arm64", "handler": "src/app.handler"}
    assert found["Whole"].values["handler"] == "index.handler"


def test_a_table_adds_to_the_templates_function_and_globs_add_to_all(tmp_path: Path) -> None:
    toml = 'memory = "1g"\n[functions.Resize]\narch = "x86_64"\n[functions."*"]\nload = "never"\n'
    found = functions(tmp_path, template_yaml=TEMPLATE, lambdapack_toml=toml)
    values = {"runtime": "nodejs22.x", "arch": "x86_64", "handler": "src/app.handler", "load": "never", "memory": "1g"}
    assert found["Resize"].values == values
    assert found["Whole"].values["arch"] == "arm64"


def test_a_glob_of_directories_is_one_function_for_each(tmp_path: Path) -> None:
    found = functions(
        tmp_path, lambdapack_toml='[functions."*"]\ndirectory = "functions/*"\nhandler = "index.handler"\n'
    )
    assert sorted(found) == ["hash", "resize"]
    assert found["hash"].values == {"handler": "index.handler"}


def test_a_table_extends_another(tmp_path: Path) -> None:
    toml = '[functions.a]\ndirectory = "functions/hash"\narch = "arm64"\n'
    toml += '[functions.b]\nextends = "a"\nhandler = "b.handler"\n'
    found = functions(tmp_path, lambdapack_toml=toml)
    assert found["b"].values == {"arch": "arm64", "handler": "b.handler"}
    assert found["b"].directory.name == "hash"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[functions.a]\nextends = "b"\n[functions.b]\nextends = "a"\n', "a -> b -> a"),
        ('[functions.a]\nextends = "gone"\n', "extends gone, which is not there"),
        ("[functions.a]\nhandlr = 1\n", "unknown setting handlr"),
        ("functions = 1\n", "tables are expected"),
    ],
)
def test_a_table_that_contradicts_itself_is_named(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(LambdapackError, match="LP006") as caught:
        functions(tmp_path, lambdapack_toml=toml)
    assert words in caught.value.detail


def test_a_function_that_two_templates_list_is_refused(tmp_path: Path) -> None:
    other = "service: s\nprovider: {name: aws, runtime: nodejs22.x}\n"
    other += "functions:\n  Resize: {handler: functions/hash/a.handler}\n"
    with pytest.raises(LambdapackError, match="Resize is listed twice"):
        functions(tmp_path, template_yaml=TEMPLATE, serverless_yml=other)


def test_only_chooses_by_glob_and_names_what_there_is(tmp_path: Path) -> None:
    found = tuple(functions(tmp_path, template_yaml=TEMPLATE).values())
    assert [function.name for function in select_functions(found, ("Re*",))] == ["Resize"]
    assert len(select_functions(found, ())) == 2
    with pytest.raises(LambdapackError, match="--only x") as caught:
        select_functions(found, ("x",))
    assert caught.value.hint == "There are: Resize, Whole."
    with pytest.raises(LambdapackError, match="no function is declared"):
        select_functions((), ())
