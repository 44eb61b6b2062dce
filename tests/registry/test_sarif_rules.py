"""The SARIF of a report, checked by the validator that GitHub names for it."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.model import Finding
from lambdapack.report.ci import sarif
from lambdapack.report.ci.place import FindingLocator
from lambdapack.report.formats import RenderContext
from lambdapack.rules.registry import RULES
from tests.unit.report.samples import ADDON, FAILING, PASSING

WHERE = FindingLocator("", "package-lock.json", {"node_modules/sharp": 42})
CONTEXT = RenderContext(lambda: WHERE, handler="index.handler")
ALL_RULES = replace(FAILING, findings=tuple(Finding(rule, ADDON, "Something.") for rule in RULES))


@pytest.mark.registry
@pytest.mark.full
def test_sarif_passes_githubs_rules_for_what_it_takes(tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", tmp_path, "@microsoft/sarif-multitool-linux@5.7.0"],
        check=True,
        capture_output=True,
    )
    log = tmp_path / "lambdapack.sarif"
    log.write_text(sarif.render_reports((FAILING, PASSING, ALL_RULES), CONTEXT), encoding="utf-8")
    program = tmp_path / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
    program.chmod(0o755)
    done = subprocess.run(
        [program, "validate", log, "--rule-kind", "Sarif;Ghas", "--level", "Error", "--kind", "Fail"],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "error" not in done.stdout.lower().replace("0 error", ""), done.stdout  # its exit code is 0 in any case
    assert "Done" in done.stdout or "Analysis completed" in done.stdout, done.stdout + done.stderr
