"""Through how many modules one build leads: a reader who follows it opens as many files."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

MAX_ENTERED_MODULES = 88
"""Modules of lambdapack/ in which a function is called by `lambdapack build` of a project without dependencies."""

FUNCTION = 2
"""CO_NEWLOCALS (inspect): code of functions has it, that of modules and classes has not."""

RECORDER = """
import json, sys, threading
import lambdapack
package = lambdapack.__file__.removesuffix("__init__.py")
entered = {}

def note(frame, event, _argument):
    code = frame.f_code
    of_function = code.co_flags & FUNCTION and not code.co_qualname.startswith("<")  # "<genexpr>": of a module's body
    if event == "call" and of_function and code.co_filename.startswith(package):
        entered.setdefault(code.co_filename.removeprefix(package), []).append(code.co_qualname)

from lambdapack.__main__ import main
threading.setprofile(note)
sys.setprofile(note)
try:
    status = main()
except SystemExit as end:
    status = end.code
sys.setprofile(None)
print(json.dumps({"status": status, "entered": sorted(entered)}))
""".replace("FUNCTION", str(FUNCTION))


def entered_modules(project: Path, home: Path) -> list[str]:
    """Return the modules that a build enters, in a process of its own with an empty cache and no settings."""
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": str(ROOT)}
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    command = [sys.executable, "-c", RECORDER, "build", str(project), "--runtime", "nodejs22.x", "--arch", "x86_64"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env={**kept, **variables}, cwd=project)
    document = json.loads(run.stdout.splitlines()[-1])
    assert document["status"] in {0, None}, run.stderr
    assert (project / ".lambdapack").is_dir()
    return [str(module) for module in document["entered"]]


def test_a_build_without_dependencies_leads_through_few_modules(tmp_path: Path) -> None:
    project, home = tmp_path / "plain", tmp_path / "home"
    project.mkdir()
    home.mkdir()
    manifest = {"name": "plain", "version": "1.0.0"}
    lock = {**manifest, "lockfileVersion": 3, "packages": {"": manifest}}
    (project / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    (project / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    code = "const helper = require('./helper');\nexports.handler = async (event) => helper(event);\n"
    (project / "index.js").write_text(code, encoding="utf-8")
    (project / "helper.js").write_text("module.exports = (event) => ({ statusCode: 200 });\n", encoding="utf-8")
    entered = entered_modules(project, home)
    assert "pipeline/package/build.py" in entered
    assert len(entered) <= MAX_ENTERED_MODULES, "\n".join(entered)
