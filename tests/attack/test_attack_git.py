"""Git dependencies whose prepare script looks for credentials: it never runs where there are any."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attack.packages import bridge_gateway, write_project
from tests.command import lambdapack

pytestmark = pytest.mark.engine

CANARY = "npm_c4n4ry0fg1tc4n4ry0fg1tc4n4ry0f"
PREPARE = """
const fs = require('fs');
const read = (path) => { try { return fs.readFileSync(path, 'latin1'); } catch (error) { return ''; } };
const seen = JSON.stringify(process.env) + read('/run/lambdapack/npmrc') + read('/run/lambdapack/environment');
fs.writeFileSync('made.js', 'module.exports = ' + JSON.stringify(seen));
"""


@dataclass(frozen=True)
class GitServer:
    """Serves repositories to containers."""

    home: Path
    address: str

    def commit(self, name: str, files: dict[str, str]) -> str:
        """Make a repository of one commit; return its git URL with that commit."""
        root = self.home / name
        root.mkdir()
        for path, text in files.items():
            (root / path).write_text(text, encoding="utf-8")
        author = ("-c", "user.name=x", "-c", "user.email=x@example.test")
        for words in (("init", "-q"), ("add", "-A"), (*author, "commit", "-qm", "all")):
            subprocess.run(["git", *words], cwd=root, check=True)
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
        return f"git://{self.address}/{name}#{head.stdout.strip()}"


@pytest.fixture
def git_server(tmp_path: Path, lab_engine: dict[str, str]) -> Iterator[GitServer]:
    assert lab_engine
    host = bridge_gateway()
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    home = tmp_path / "git"
    home.mkdir()
    daemon = subprocess.Popen(
        ["git", "daemon", "--reuseaddr", "--export-all", f"--base-path={home}", f"--listen={host}", f"--port={port}"],
        env={**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
    )
    time.sleep(1)
    try:
        yield GitServer(home, f"{host}:{port}")
    finally:
        daemon.terminate()
        subprocess.run(["pkill", "-P", str(daemon.pid)], check=False)
        daemon.wait(10)


def depend(root: Path, url: str, *, npmrc: str = "") -> Path:
    """Write a project that depends on a git URL."""
    project = write_project(root, files={".npmrc": npmrc} if npmrc else None)
    for name in ("package.json", "package-lock.json"):
        document = json.loads((project / name).read_text())
        own = document["packages"][""] if "packages" in document else document
        own["dependencies"]["fork"] = url
        if "packages" in document:
            document["packages"]["node_modules/fork"] = {"version": "1.0.0", "resolved": url}
        (project / name).write_text(json.dumps(document))
    return project


MANIFEST = {"name": "fork", "version": "1.0.0", "main": "index.js"}
TOKEN = f"//registry.example.test/:_authToken={CANARY}\n"


def fork(*, prepare: bool) -> dict[str, str]:
    scripts = {"prepare": "node prepare.js"} if prepare else {}
    return {
        "package.json": json.dumps({**MANIFEST, "scripts": scripts}),
        "index.js": "exports.own = 1\n",
        "prepare.js": PREPARE,
    }


def test_a_prepare_script_never_runs_beside_a_token(
    git_server: GitServer, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    project = depend(tmp_path / "shop", git_server.commit("fork", fork(prepare=True)), npmrc=TOKEN)
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 4, done.stderr
    assert "error[LP122]" in done.stderr
    assert "fork@1.0.0" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert not list(project.glob(".lambdapack/*.zip"))


@pytest.mark.full
def test_a_git_dependency_without_one_is_installed_beside_a_token(
    git_server: GitServer, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    project = depend(tmp_path / "shop", git_server.commit("fork", fork(prepare=False)), npmrc=TOKEN)
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout.strip())
    assert CANARY.encode() not in archive.read_bytes()


@pytest.mark.full
def test_without_a_token_it_is_prepared_in_a_step_of_its_own(
    git_server: GitServer, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    project = depend(tmp_path / "shop", git_server.commit("fork", fork(prepare=True)))
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout.strip())
    made = json.loads(archive.with_name(archive.name + ".lambdapack.json").read_text())["made"]
    assert made == [{"path": "node_modules/fork/made.js", "by": "fork@1.0.0"}]
