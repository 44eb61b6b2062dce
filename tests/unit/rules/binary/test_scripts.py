"""Scripts that JavaScript starts: their "#!" lines, their interpreters, and the execute bit of Lambda's user."""

from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.packages.programs.shebang import parse_shebang
from tests import elf
from tests.world import MemoryTree, World

STARTS = "const path = require('path');\nrequire('child_process').spawnSync(path.join(__dirname, 'bin', 'tool'), []);\n"
VIA_SHELL = "require('child_process').spawnSync('sh', [require('path').join(__dirname, 'bin', 'tool')]);\n"
VIA_NODE = "require('child_process').spawnSync(process.execPath, [require('path').join(__dirname, 'bin', 'tool')]);\n"
PROGRAM = "void _start(void) { for (;;) {} }"


@pytest.fixture(autouse=True)
def _reading(world: World) -> None:
    world.reads_code = True


def _function(world: World, line: str, code: str = STARTS, mode: int = 0o755) -> World:
    world.handler = "index.handler"
    world.add("index.js", f"{code}exports.handler = async () => 1;\n")
    world.add("bin/tool", f"{line}\necho\n", mode=mode)
    return world


def _refusals(world: World, *layers: MemoryTree) -> list[str]:
    findings = world.report(layers=layers).findings
    return [found.rule.name for found in findings if found.rule.code in {"LP217", "LP218"}]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("#!/usr/bin/perl -w", marks=pytest.mark.proves("missing-interpreter")),
        "#!/usr/bin/env perl",
        "#!/usr/bin/env -S perl -w",
        "#!/usr/bin/env -S -i LC_ALL=C python3 -u",
        "#!/usr/bin/env bash -e",
        "#!/usr/bin/env node --no-warnings",
        "#!/bin/sh\r",
        "#! /usr/local/bin/bash",
        "#!/bin/dash",
    ],
)
def test_an_interpreter_that_the_runtime_lacks_is_an_error(world: World, line: str) -> None:
    assert _refusals(_function(world, line)) == ["missing-interpreter"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("#!/bin/sh", marks=pytest.mark.spares("missing-interpreter")),
        "#! /bin/bash -e",
        "#!/usr/bin/env bash",
        "#!/usr/bin/env -S bash -e",
        "#!/usr/bin/env -S node --no-warnings",
        "#!/usr/bin/awk -f",
        "#!",
        "echo no first line at all",
    ],
)
def test_what_the_kernel_or_a_shell_starts_is_no_finding(world: World, line: str) -> None:
    assert _refusals(_function(world, line)) == []


def test_the_fix_names_the_option_of_env_and_the_line_ends(world: World) -> None:
    assert "env -S bash -e" in _function(world, "#!/usr/bin/env bash -e").report().findings[0].cure
    assert "LF line ends" in _function(world, "#!/bin/sh\r").report().findings[0].cure


def test_an_interpreter_in_the_package_or_in_a_layer_counts(world: World, tmp_path: Path) -> None:
    perl = elf.program(tmp_path, "tool", PROGRAM, "-static")
    layer = MemoryTree({"bin/perl": perl.read_bytes()}, {"bin/perl": 0o755})
    closed = MemoryTree({"bin/perl": perl.read_bytes()}, {"bin/perl": 0o744})
    assert _refusals(_function(world, "#!/usr/bin/env perl"), layer) == []
    assert _refusals(world, closed) == ["no-exec-bit", "missing-interpreter"]
    world.add("bin/perl", perl, mode=0o755)
    assert _refusals(_function(world, "#!/var/task/bin/perl -w")) == []


def test_an_es_module_names_a_script_by_its_url(world: World) -> None:
    world.handler = "index.handler"
    spawn = "spawn(fileURLToPath(new URL('./bin/tool', import.meta.url)))"
    world.add(
        "index.mjs", f"import {{ spawn }} from 'node:child_process';\n{spawn};\nexport const handler = () => 1;\n"
    )
    world.add("bin/tool", "#!/usr/bin/perl\n", mode=0o755)
    assert _refusals(world) == ["missing-interpreter"]


@pytest.mark.parametrize("code", ["", "// bin/tool\n", VIA_NODE])
def test_a_script_that_nobody_starts_by_its_first_line_is_no_finding(world: World, code: str) -> None:
    line = "#!/usr/bin/env node --no-warnings" if code == VIA_NODE else "#!/usr/bin/perl"
    assert _refusals(_function(world, line, code)) == []


@pytest.mark.parametrize(
    ("mode", "code", "found"),
    [
        pytest.param(0o744, STARTS, ["no-exec-bit"], marks=pytest.mark.proves("no-exec-bit")),
        (0o754, STARTS, ["no-exec-bit"]),
        pytest.param(0o745, STARTS, [], marks=pytest.mark.spares("no-exec-bit")),
        (0o755, STARTS, []),
        (0o644, VIA_SHELL, []),
    ],
)
def test_the_execute_bit_for_others_counts_for_scripts(world: World, mode: int, code: str, found: list[str]) -> None:
    assert _refusals(_function(world, "#!/bin/sh", code, mode)) == found


@pytest.mark.parametrize(("mode", "refused"), [(0o744, True), (0o754, True), (0o745, False), (0o755, False)])
def test_the_execute_bit_for_others_counts_for_programs(
    world: World, tmp_path: Path, mode: int, *, refused: bool
) -> None:
    world.add("bin/tool", elf.program(tmp_path, "tool", PROGRAM, "-static"), mode=mode)
    assert _refusals(world) == (["no-exec-bit"] if refused else [])


def _wrapper(world: World, naming: str, *, depends: bool = True) -> World:
    """A package whose program is a script, and one that loads it with a computed require, as exiftool-vendored does."""
    world.handler = "index.handler"
    world.package("", dependencies={"user": "1"})
    world.add("index.js", "require('user');\nexports.handler = async () => 1;\n")
    world.package("node_modules/user", **({"optionalDependencies": {"tool.pl": "1"}} if depends else {}))
    world.add("node_modules/user/index.js", "const kind = process.env.KIND;\nrequire(`tool.${kind}`);\n")
    world.package("node_modules/tool.pl")
    world.add("node_modules/tool.pl/index.js", naming)
    world.add("node_modules/tool.pl/bin/tool", "#!/usr/bin/env perl\n", mode=0o755)
    world.add("node_modules/tool.pl/bin/other", "#!/usr/bin/env perl\n", mode=0o755)
    return world


def test_a_packages_program_counts_where_a_reached_package_depends_on_it(world: World) -> None:
    naming = "module.exports = require('path').join(__dirname, 'bin', 'tool');\n"
    assert world.kind == "directory"
    findings = [found for found in _wrapper(world, naming).report().findings if found.rule.code == "LP218"]
    assert [(found.path, found.weight, found.package) for found in findings] == [
        ("node_modules/tool.pl/bin/tool", Severity.ERROR, "tool.pl")
    ]
    assert _refusals(_wrapper(world, naming, depends=False)) == []


def test_a_path_that_is_put_together_at_run_time_weighs_less(world: World) -> None:
    naming = "const name = process.env.TOOL || 'tool';\nmodule.exports = [process.env.D || 'bin', name].join('/');\n"
    findings = [found for found in _wrapper(world, naming).report().findings if found.rule.code == "LP218"]
    assert [(found.path, found.weight) for found in findings] == [("node_modules/tool.pl/bin/tool", Severity.WARNING)]


@pytest.mark.parametrize("name", ["python", "python2.7"])
def test_what_only_an_image_has_is_a_warning(world: World, name: str) -> None:
    _function(world, f"#!/usr/bin/env {name}")
    older = [found.weight for found in world.report("nodejs18.x").findings if found.rule.code == "LP218"]
    newer = [found.weight for found in world.report("nodejs22.x").findings if found.rule.code == "LP218"]
    assert (older, newer) == ([Severity.WARNING], [Severity.ERROR])


@pytest.mark.parametrize(
    ("line", "interpreter", "program"),
    [
        (b"#! \t/bin/sh -e \n", "/bin/sh", ""),
        (b"#!/usr/bin/perl\t-w\n", "/usr/bin/perl", ""),
        (b"#!/usr/bin/env\tpython3\n", "/usr/bin/env", "python3"),
        (b"#!/usr/bin/env -vS ruby -w\n", "/usr/bin/env", "ruby"),
        (b"#!/usr/bin/env -S -u HOME PATH=/x ruby\n", "/usr/bin/env", ""),
        (b"#!/usr/bin/env -i\n", "/usr/bin/env", ""),
        (b"#!/usr/bin/env -S 'perl\n", "/usr/bin/env", ""),
    ],
)
def test_first_lines_as_kernel_and_env_take_them_apart(line: bytes, interpreter: str, program: str) -> None:
    shebang = parse_shebang(line)
    assert shebang is not None
    assert (shebang.interpreter, shebang.program) == (interpreter, program)
