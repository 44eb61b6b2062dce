import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.config.kinds import IgnoreSetting
from lambdapack.config.settings import OPTIONS, Settings
from lambdapack.config.sources import load_settings
from lambdapack.engine.interface import Limits
from lambdapack.errors.record import LambdapackError
from lambdapack.install.writers import AllowedWrite


def load(
    directory: Path,
    toml: str = "",
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    package: Mapping[str, Any] | None = None,
) -> Settings:
    if toml:
        (directory / "lambdapack.toml").write_text(toml)
    if package is not None:
        (directory / "package.json").write_text(json.dumps(package))
    return load_settings(directory, flags or {}, environ or {}, majors=(20, 22, 24))


def refusal(directory: Path, **layers: Any) -> LambdapackError:
    with pytest.raises(LambdapackError) as caught:
        load(directory, **layers)
    assert caught.value.failure.code == "LP006"
    return caught.value


def test_the_table_and_the_fields_are_the_same_list() -> None:
    fields = [each.name for each in dataclasses.fields(Settings) if each.name not in {"notes", "template"}]
    assert [option.field for option in OPTIONS] == fields


def test_defaults_hold_where_nobody_spoke(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert {option.field: getattr(settings, option.field).origin for option in OPTIONS} == dict.fromkeys(
        (option.field for option in OPTIONS), "default"
    )
    assert (settings.runtime.value, settings.arch.value, settings.handler.value) == (None, "x86_64", "index.handler")


def test_the_default_limits_are_the_sandboxs(tmp_path: Path) -> None:
    settings, limits = load(tmp_path), Limits()
    assert (settings.memory.value, settings.processes.value) == (limits.memory_bytes, limits.processes)
    assert (settings.time_limit.value, settings.silence_limit.value) == (limits.wall_seconds, limits.silence_seconds)


def test_each_source_goes_before_the_next_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      Handler: t.t\n"
    )
    layers: list[tuple[dict[str, Any], str, str]] = [
        ({"flags": {"handler": "f.f"}}, "f.f", "--handler"),
        ({"environ": {"LAMBDAPACK_HANDLER": "e.e"}}, "e.e", "LAMBDAPACK_HANDLER"),
        ({"toml": 'arch = "arm64"\nhandler = "l.l"\n'}, "l.l", "lambdapack.toml:2"),
        ({"package": {"lambdapack": {"handler": "p.p"}}}, "p.p", 'package.json "lambdapack".handler'),
        ({}, "t.t", "template.yaml:6"),
    ]
    for first in range(len(layers)):
        for left in (tmp_path / "lambdapack.toml", tmp_path / "package.json"):
            left.unlink(missing_ok=True)
        merged = {key: value for layer, _value, _origin in layers[first:] for key, value in layer.items()}
        found = load(tmp_path, **merged).handler
        assert (found.value, found.origin) == layers[first][1:]


def test_engines_give_the_runtime_when_no_template_does(tmp_path: Path) -> None:
    found = load(tmp_path, package={"engines": {"node": "22.x"}}).runtime
    assert (found.value, found.origin) == ("nodejs22.x", "package.json engines.node 22.x")


def test_a_flag_that_was_not_given_counts_for_nothing(tmp_path: Path) -> None:
    settings = load(tmp_path, 'arch = "arm64"', {"arch": None, "executable": (), "nothing-of-ours": 1})
    assert settings.arch.value == "arm64"


def test_an_empty_variable_counts_for_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, environ={"LAMBDAPACK_ARCH": " "}).arch.origin == "default"


TOML = """\
runtime = "nodejs22.x"
arch = "ALL"
output = "out/fn.zip"
image = "mirror.example/nodejs:{node}-{arch}"
layer = true
executable = ["bin/*", "tool"]
install-inputs = ["config/*.json"]
memory = "6g"
time-limit = "1h30m"
silence-limit = 90
processes = 64
fail-on = "never"
scripts = "offline"
allow-writes = {"@prisma/client:node_modules/.prisma/**" = "generated"}
emulation = "full"

[ignore]
"LP301:node_modules/x/*" = "only read by the tests"
LP210 = "known"

[engine.hosts]
arm64 = "ssh://graviton"
"""


def test_a_whole_file_is_parsed_at_the_edge(tmp_path: Path) -> None:
    settings = load(tmp_path, TOML)
    assert settings.arch.value == "all"
    assert settings.output.value == tmp_path.resolve() / "out/fn.zip"
    assert settings.image.value == "mirror.example/nodejs:{node}-{arch}"
    assert settings.layer.value is True
    assert settings.executable.value == ("bin/*", "tool")
    assert (settings.memory.value, settings.time_limit.value, settings.silence_limit.value) == (
        6 * 1024**3,
        5400.0,
        90.0,
    )
    assert settings.ignore.value == (
        IgnoreSetting("LP301", "node_modules/x/*", "only read by the tests"),
        IgnoreSetting("LP210", "", "known"),
    )
    assert settings.allow_writes.value == (AllowedWrite("@prisma/client", "node_modules/.prisma/**", "generated"),)
    assert settings.engine_hosts.value == {"arm64": "ssh://graviton"}
    assert settings.engine_hosts.origin == "lambdapack.toml:21"


def test_variables_say_the_same_in_words(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        environ={
            "LAMBDAPACK_LAYER": "yes",
            "LAMBDAPACK_EXECUTABLE": "bin/*, tool",
            "LAMBDAPACK_MEMORY": "512MiB",
            "LAMBDAPACK_PROCESSES": "64",
            "LAMBDAPACK_TIME_LIMIT": "90",
            "LAMBDAPACK_OUTPUT": "out.zip",
            "LAMBDAPACK_ENGINE_HOSTS": "arm64=ssh://graviton,x86_64=tcp://b:2375",
            "LAMBDAPACK_IGNORE": "LP301:a=one, two;LP302=three",
        },
    )
    assert settings.layer.value is True
    assert settings.executable.value == ("bin/*", "tool")
    assert (settings.memory.value, settings.processes.value, settings.time_limit.value) == (512 * 1024**2, 64, 90.0)
    assert settings.output.value == Path("out.zip")
    assert settings.engine_hosts.value == {"arm64": "ssh://graviton", "x86_64": "tcp://b:2375"}
    assert settings.ignore.value == (IgnoreSetting("LP301", "a", "one, two"), IgnoreSetting("LP302", "", "three"))


def test_flags_that_repeat_come_as_tuples(tmp_path: Path) -> None:
    settings = load(tmp_path, flags={"ignore": ("LP301=fine",), "executable": ("a", "b")})
    assert settings.ignore.value == (IgnoreSetting("LP301", "", "fine"),)
    assert settings.executable.value == ("a", "b")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('handeler = "a.b"', "lambdapack.toml:1: unknown setting handeler; did you mean handler"),
        (
            'arch = "arm64"\n\ntime_limit = 3',
            "lambdapack.toml:3: unknown setting time_limit; did you mean time-limit",
        ),
        ('arch = "arm64"\n[engine]\nhots = {}', "unknown setting engine.hots; did you mean engine.hosts"),
        ("zzz = 1", "lambdapack.toml:1: unknown setting zzz"),
        ('arch = "sparc"', "arch (lambdapack.toml:1) is 'sparc': one of x86_64, arm64, all is expected"),
        ("handler = 7", "handler (lambdapack.toml:1) is 7: a non-empty string is expected"),
        ('layer = "perhaps"', "true or false is expected"),
        ('executable = "a"\nprocesses = 0', "a whole number from 1 is expected"),
        ("executable = [1]", "an array of strings is expected"),
        ('memory = "lots"', 'a size such as "512m" or "4g" is expected'),
        ('memory = "0g"', "a size such as"),
        ("time-limit = -1", "a time such as 600 (seconds)"),
        ("time-limit = inf", "a time such as 600 (seconds)"),
        ('time-limit = "1h30"', "a time such as 600 (seconds)"),
        ('image = "x:{cpu}"', "{cpu} is not a placeholder: {node}, {runtime} or {arch} is expected"),
        ('image = "x:{node"', "{node is not a placeholder"),
        ('build-image = "a b"', "an image name without spaces is expected"),
        ("[engine]\nhosts = {sparc = 'ssh://x'}", "sparc is not an architecture"),
        ("[engine]\nhosts = {arm64 = 'graviton'}", "graviton is not an engine address"),
        ("[ignore]\nLP301 = ''", "LP301 has no reason"),
        ("[ignore]\n'wrong cpu' = 'x'", "'wrong cpu' is not a code"),
        ("ignore = [3]", "a table of strings"),
        ("allow-writes = {evil = 'x'}", "'evil' is not PACKAGE:PATH"),
        ("allow-writes = {'evil:!a' = 'x'}", "'evil:!a' is not PACKAGE:PATH"),
        ("allow-writes = {'evil:a' = ' '}", "evil:a has no reason"),
        ("allow-writes = {'evil:*********' = 'x'}", "more than 8 wildcards"),
        ("engine = 'docker'", "unknown setting engine"),
        ("arch = \n", "lambdapack.toml:1:8: Invalid value"),
        ("arch = 'arm64'\narch = 'x86_64'", "Cannot overwrite a value"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_place_and_cause(tmp_path: Path, toml: str, words: str) -> None:
    assert words in refusal(tmp_path, toml=toml).detail


def test_variables_and_package_json_are_named_as_the_origin(tmp_path: Path) -> None:
    assert "(--memory)" in refusal(tmp_path, flags={"memory": "x"}).detail
    assert "(LAMBDAPACK_ARCH)" in refusal(tmp_path, environ={"LAMBDAPACK_ARCH": "ppc"}).detail
    assert 'package.json "lambdapack".arch' in refusal(tmp_path, package={"lambdapack": {"arch": "ppc"}}).detail
    assert '"lambdapack" is not an object' in refusal(tmp_path, package={"lambdapack": []}).detail


def test_a_variable_that_is_nearly_ours_is_noted(tmp_path: Path) -> None:
    environ = {"LAMBDAPACK_RUNTIM": "nodejs22.x", "LAMBDAPACK_REQUIRE_ENGINE": "1"}
    assert load(tmp_path, environ=environ).notes == (
        "unknown variable LAMBDAPACK_RUNTIM; did you mean LAMBDAPACK_RUNTIME?",
    )


def test_the_schema_line_of_editors_is_passed_over(tmp_path: Path) -> None:
    assert load(tmp_path, '"$schema" = "x"\narch = "arm64"').arch.value == "arm64"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_row_has_names_help_and_a_schema(option: Any) -> None:
    assert option.variable == "LAMBDAPACK_" + option.name.upper().replace("-", "_").replace(".", "_")
    assert option.flag == (option.flag_name or "--" + option.name.replace(".", "-"))
    assert option.help
    assert not option.help.endswith(".")
    assert option.kind.schema
