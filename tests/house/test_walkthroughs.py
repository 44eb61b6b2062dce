"""CONTRIBUTING's walk-throughs, followed to the letter in a copy of the program."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TITLED_BLOCK = re.compile(r'^( *)```\w+ title="([^"]+)"\n(.*?)^ *```$', re.MULTILINE | re.DOTALL)


def snippets() -> dict[str, str]:
    """Return the text of each titled block of CONTRIBUTING.md, by the file that it is for."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = {title: textwrap.dedent(body) for _indent, title, body in TITLED_BLOCK.findall(text)}
    assert blocks, "CONTRIBUTING.md has no titled block"
    return blocks


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("lambdapack", "images"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(copy: Path, *arguments: str, code: int = 0) -> str:
    """Run python in the copy and return its standard output."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "LAMBDAPACK_CACHE": str(copy / "cache")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def write(copy: Path, path: str) -> None:
    """Write a new file as the walk-through has it."""
    assert not (copy / path).exists()
    (copy / path).parent.mkdir(parents=True, exist_ok=True)
    (copy / path).write_text(snippets()[path], encoding="utf-8")


def change(copy: Path, path: str, anchor: str, new: str, *, instead: bool = False) -> None:
    """Put a line of the walk-through before the line that begins with `anchor`, or in its place."""
    lines = (copy / path).read_text(encoding="utf-8").split("\n")
    index = next(index for index, line in enumerate(lines) if line.startswith(anchor))
    lines[index : index + int(instead)] = [new]
    (copy / path).write_text("\n".join(lines), encoding="utf-8")


def make_function(copy: Path) -> Path:
    """Write a function without dependencies into the copy."""
    directory = copy / "fn"
    directory.mkdir()
    (directory / "index.js").write_text("exports.handler = async () => 1;\n", encoding="utf-8")
    (directory / "package.json").write_text('{"name": "fn", "version": "1.0.0"}', encoding="utf-8")
    return directory


VERIFY = ("-m", "lambdapack", "verify", "--runtime", "nodejs22.x", "--arch", "x86_64")


def test_a_rule_is_two_files_and_a_test(copy: Path) -> None:
    write(copy, "lambdapack/rules/package/licences.py")
    path = "lambdapack/rules/registry.py"
    importing, line = snippets()[path].rstrip("\n").split("\n")
    change(copy, path, "from lambdapack.rules.package.records", importing)
    change(copy, path, "    Check((NOT_READABLE,)", line)
    assert "the package has no licence file" in run(copy, "-m", "lambdapack", "explain", "LP399")
    report = json.loads(run(copy, *VERIFY, str(make_function(copy)), "--format", "json"))
    assert "LP399" in [finding["code"] for finding in report["findings"]]


def test_a_runtime_is_one_file(copy: Path) -> None:
    facts = copy / "images" / "runtimes" / "facts.toml"
    change(copy, "images/runtimes/facts.toml", "[loader]", snippets()["images/runtimes/facts.toml"])
    run(copy, "-m", "images.runtimes")
    assert "nodejs24.custom" in run(copy, "-m", "lambdapack", "runtimes")
    assert "nodejs24.custom" in facts.read_text(encoding="utf-8")


def test_a_strategy_is_two_files(copy: Path) -> None:
    write(copy, "lambdapack/install/strategy/borrowed.py")
    path = "lambdapack/install/strategy/__init__.py"
    importing, line = snippets()[path].rstrip("\n").split("\n")
    change(copy, path, "from lambdapack.install.strategy.cross_prebuilt", importing)
    change(copy, path, "STRATEGIES: ", line, instead=True)
    names = "from lambdapack.install.strategy import STRATEGIES; print([strategy.name for strategy in STRATEGIES])"
    assert "borrowed" in run(copy, "-c", names)


def test_a_manager_is_one_folder_and_one_line(copy: Path) -> None:
    write(copy, "lambdapack/managers/cnpm/__init__.py")
    path = "lambdapack/managers/registry.py"
    importing, line = snippets()[path].rstrip("\n").split("\n")
    change(copy, path, "from lambdapack.managers.lock", importing)
    change(copy, path, "MANAGERS: ", line, instead=True)
    names = "from lambdapack.managers.registry import MANAGERS; print([manager.name for manager in MANAGERS])"
    assert "['npm', 'cnpm']" in run(copy, "-c", names)


def test_a_format_is_two_files(copy: Path) -> None:
    write(copy, "lambdapack/report/ci/tally.py")
    path = "lambdapack/report/formats.py"
    change(copy, path, '    ReportFormat("gitlab"', "    " + snippets()[path].rstrip("\n"))
    assert run(copy, *VERIFY, str(make_function(copy)), "--format", "tally").endswith(" findings\n")
    assert "tally" in run(copy, "-m", "lambdapack", "verify", "--help")
