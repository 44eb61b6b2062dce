"""Install scripts that reach for what is not theirs: siblings, the function, its secrets, the time after their end."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.attack.packages import HANDLER, HostilePackage, write_project
from tests.command import lambdapack

pytestmark = pytest.mark.engine

FS = "const fs = require('fs');"
VICTIM = HostilePackage("victim", {"install": f"{FS} fs.writeFileSync('built.node', 'own')"})
QUIET = HostilePackage("quiet")

DAEMON = """
const code = "setTimeout(() => require('fs').writeFileSync('/var/task/node_modules/quiet/index.js', 'evil'), 700)";
require('child_process').spawn(process.execPath, ['-e', code], { detached: true, stdio: 'ignore' }).unref();
"""
WAIT = "const end = Date.now() + 2000; while (Date.now() < end);"
RESTORE = f"""
{FS} const file = '../victim/install.js', own = fs.readFileSync(file, 'utf8');
fs.writeFileSync(file, `require('fs').writeFileSync('built.node', 'evil');
require('fs').writeFileSync(__filename, ${{JSON.stringify(own)}})`);
"""

ATTACKS = {
    "handler": f"{FS} fs.writeFileSync('/var/task/index.js', 'evil')",
    "environment": f"{FS} fs.writeFileSync('/var/task/.env', 'evil')",
    "sibling": f"{FS} fs.writeFileSync('../quiet/index.js', 'evil')",
    "sibling with a script of its own": f"{FS} fs.writeFileSync('../victim/built.node', 'evil')",
    "script that restores itself": RESTORE,
    "new package": f"{FS} fs.mkdirSync('../new'); fs.writeFileSync('../new/index.js', 'evil')",
    "program": f"{FS} fs.mkdirSync('../.bin', {{recursive: true}}); fs.writeFileSync('../.bin/node-gyp', 'evil')",
    "link": f"{FS} fs.unlinkSync('../quiet/index.js'); fs.symlinkSync('/etc/passwd', '../quiet/index.js')",
    "hard link": f"{FS} fs.linkSync('../quiet/index.js', 'mine'); fs.writeFileSync('mine', 'evil')",
    "removal": f"{FS} fs.rmSync('../quiet', {{recursive: true}})",
    "manifest": f"{FS} fs.writeFileSync('/var/task/package.json', '{{}}')",
    "nested": f"{FS} fs.renameSync('../quiet', 'quiet')",
}
SAMPLE = frozenset(("handler", "sibling with a script of its own", "script that restores itself"))


@pytest.mark.parametrize(
    "attack", [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.full]) for name in ATTACKS]
)
def test_a_script_that_writes_elsewhere_is_refused_by_name(
    attack: str, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    evil = HostilePackage("a-evil", {"install": ATTACKS[attack]})
    project = write_project(tmp_path / "shop", evil, VICTIM, QUIET)
    done = lambdapack("build", project, "--no-load", "--format", "json", env=lab_engine)
    assert done.returncode == 4, done.stderr
    failure = json.loads(done.stdout)
    assert failure["code"] == "LP123"
    assert "a-evil@1.0.0" in failure["what"]
    assert not list(project.glob(".lambdapack/*.zip"))


def test_what_scripts_leave_running_is_gone_before_anything_is_copied(
    tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    evil = HostilePackage("a-evil", {"install": DAEMON})
    project = write_project(tmp_path / "shop", evil, HostilePackage("waits", {"install": WAIT}), QUIET)
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    if done.returncode == 4:  # on a busy machine it comes in time, and is caught
        assert "error[LP123]" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(done.stdout.strip()) as archive:
        assert archive.read("node_modules/quiet/index.js") == QUIET.files["index.js"].encode()


ROOT = (
    f"{FS} for (const name of ['index.js', '.env', 'gen.js', 'node_modules/quiet/new.js']) fs.writeFileSync(name, '1')"
)


@pytest.mark.proves("source-kept")
def test_a_script_of_the_project_replaces_nothing_of_the_source_and_the_manifest_names_it(
    tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    scripts, files = {"postinstall": "node postinstall.js"}, {"postinstall.js": ROOT}
    project = write_project(tmp_path / "shop", VICTIM, QUIET, files=files, scripts=scripts)
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout.strip())
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("index.js").decode() == HANDLER
        assert {"gen.js", "node_modules/quiet/new.js"} <= set(opened.namelist())
        assert ".env" not in opened.namelist()
    own = "postinstall script of this project"
    made = json.loads(archive.with_name(archive.name + ".lambdapack.json").read_text())["made"]
    assert {each["path"]: each["by"] for each in made} == {
        "gen.js": own,
        "node_modules/quiet/new.js": own,
        "node_modules/victim/built.node": "victim@1.0.0",
    }


@pytest.mark.full
def test_what_the_user_allows_is_allowed_and_no_more(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    evil = HostilePackage("a-evil", {"install": f"{FS} fs.writeFileSync('../quiet/index.js', 'fine')"})
    allowed = {"lambdapack.toml": 'allow-writes = {"a-evil:node_modules/quiet/*.js" = "it is ours"}\n'}
    project = write_project(tmp_path / "shop", evil, VICTIM, QUIET, files=allowed)
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(done.stdout.strip()) as archive:
        assert archive.read("node_modules/quiet/index.js") == b"fine"
