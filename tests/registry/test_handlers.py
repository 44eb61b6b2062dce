"""Small functions of popular packages, as their README shows them: the verdict against node's import in the image."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import lambdapack
from tests.npm_trees import npm

LIST = Path(__file__).with_name("handlers.txt")

SAMPLE = ("ky-ofetch", "graphql-clients", "knex")
"""What the standard run looks at: an ES module, dual packages, and drivers that are asked for by name."""

ELSEWHERE = ("--os=linux", "--cpu=x64", "--libc=glibc")

IMAGE = "lambdapack-lab/nodejs:22-x86_64"

FLAGS = ("--no-experimental-require-module", "--no-experimental-detect-module")
"""With which nodejs22.x starts node (docs/facts.md#3-loader)."""

IMPORT = """
const timer = setTimeout(() => process.exit(7), 9000);
import(process.argv[1]).then((module) => process.exit(typeof (module.handler ?? module.default?.handler) ===
  'function' ? 0 : 3), (error) => { console.error(error); process.exit(1); });
"""


@dataclass(frozen=True, slots=True)
class SmallFunction:
    """One block of the list."""

    name: str
    packages: tuple[str, ...]
    file: str
    code: str
    ends: bool  # its import fails in the image, as recorded
    unseen: bool  # for a reason that only a run can tell, so the verdict is not `fail`
    too_big: bool  # imports, and is above Lambda's limit


def read_functions(text: str) -> Iterator[SmallFunction]:
    """Yield the blocks: `== NAME [WORDS]`, packages, `E:FILE` where it is not index.js, code."""
    for block in text.split("\n== ")[1:]:
        head, packages, *code = block.rstrip("\n").split("\n")
        name, *words = head.split()
        file = code.pop(0)[2:] if code[0].startswith("E:") else "index.js"
        source = "\n".join(code) + "\n"
        yield SmallFunction(
            name, tuple(packages.split()), file, source, "ends" in words, "unseen" in words, "too-big" in words
        )


FUNCTIONS: Mapping[str, SmallFunction] = {
    function.name: function for function in read_functions(LIST.read_text("utf-8"))
}


def _cases() -> Sequence[object]:
    long = (pytest.mark.full, pytest.mark.engine)
    return [
        pytest.param(function, id=name, marks=() if name in SAMPLE else long) for name, function in FUNCTIONS.items()
    ]


def install(function: SmallFunction, directory: Path) -> None:
    """Install the packages for Lambda as they were when the truth was recorded."""
    (directory / "package.json").write_text('{"name": "fn", "version": "1.0.0"}')
    (directory / function.file).write_text(function.code, "utf-8")
    npm(directory, "install", "--prefer-offline", "--before=2026-11-30", *ELSEWHERE, *function.packages)


def imports(directory: Path, file: str) -> bool:
    """Tell whether the function imports in the bare image."""
    command = ["docker", "run", "--rm", "--network=none", "-v", f"{directory}:/var/task:ro"]
    command += [
        "-e",
        "AWS_REGION=eu-west-1",
        "--entrypoint",
        "/var/lang/bin/node",
        IMAGE,
        *FLAGS,
        "-e",
        IMPORT,
        f"/var/task/{file}",
    ]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0


@pytest.mark.registry
@pytest.mark.parametrize("function", _cases())
def test_the_verdict_is_what_node_says(function: SmallFunction, tmp_path: Path) -> None:
    install(function, tmp_path)
    target = ("--runtime", "nodejs22.x", "--arch", "x86_64")
    done = lambdapack("verify", tmp_path, *target, "--handler", "index.handler", "--format", "json")
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    errors = [(found["code"], found["message"]) for found in report["findings"] if found["severity"] == "error"]
    assert (report["verdict"] == "fail") == ((function.ends and not function.unseen) or function.too_big), errors
    if function.name not in SAMPLE:
        assert imports(tmp_path, function.file) != function.ends


def test_the_list_has_each_function_once() -> None:
    names = [function.name for function in read_functions(LIST.read_text("utf-8"))]
    assert len(names) == len(set(names)) >= 180
    assert set(SAMPLE) <= set(names)
