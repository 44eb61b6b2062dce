"""Real packages whose program is a script: the runtime lacks the interpreter of one, and has the other's."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.rules.model.case import Policy
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.npm_trees import npm

pytestmark = [
    pytest.mark.registry,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the trees of this test: install Node.js"),
]


@pytest.mark.parametrize(
    ("package", "code", "refused"),
    [
        pytest.param(
            "exiftool-vendored@35.21.0",
            "const { exiftool } = require('exiftool-vendored');",
            {("exiftool-vendored.pl", Severity.ERROR)},
            marks=pytest.mark.proves("missing-interpreter"),
        ),
        pytest.param(
            "open@8.4.2",
            "const open = require('open');",  # its xdg-open is a script of /bin/sh
            set(),
            marks=pytest.mark.spares("missing-interpreter"),
        ),
        ("dtrace-provider@0.8.8", "require('dtrace-provider');", set()),  # libusdt/test.pl: nothing starts it
    ],
)
def test_a_program_that_is_a_script(
    tmp_path: Path, package: str, code: str, refused: set[tuple[str, Severity]]
) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"name": "function", "version": "1.0.0"}))
    (tmp_path / "index.js").write_text(f"{code}\nexports.handler = async () => 1;\n")
    npm(tmp_path, "install", package)
    runtime = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    report = verify_package(VerificationTarget(tmp_path, "index.handler"), runtime, Policy(date(2026, 11, 30)))
    assert {(found.package, found.weight) for found in report.findings if found.rule.code == "LP218"} == refused
