"""Packages as npm and pnpm install them: which lack a native part or a program, and which only look like it."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdapack.model import Finding, Severity
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.rules.model.case import Policy
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.npm_trees import manager, npm, run
from tests.world import TODAY

pytestmark = pytest.mark.registry

RUNTIME = shipped_runtime(parse_target("nodejs22.x", "x86_64"))

FETCH = """
const fs = require('fs'), http = require('http')
fs.mkdirSync('bin', { recursive: true })
http.get(process.env.TOOL_URL, got => got.pipe(fs.createWriteStream('bin/tool'))
  .on('close', () => fs.chmodSync('bin/tool', 0o755)))
"""


def function(directory: Path, **dependencies: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    manifest = {"name": "fn", "version": "1.0.0", "dependencies": dependencies}
    (directory / "package.json").write_text(json.dumps(manifest))
    names = "".join(f"require('{name}');" for name in dependencies)
    (directory / "index.js").write_text(f"{names} exports.handler = async () => 1\n")
    return directory


def package(directory: Path, files: dict[str, str], **fields: object) -> None:
    directory.mkdir(parents=True)
    (directory / "package.json").write_text(json.dumps({"name": directory.name, "version": "1.0.0", **fields}))
    for name, text in files.items():
        (directory / name).write_text(text)


def found(directory: Path) -> dict[str, Finding]:
    report = verify_package(VerificationTarget(directory, "index.handler"), RUNTIME, Policy(TODAY))
    return {each.package: each for each in report.findings if each.rule.name in {"missing-addon", "missing-program"}}


@pytest.fixture
def shell_script() -> Iterator[str]:
    """Serve a program that is a shell script."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"#!/bin/sh\necho works\n")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base class names it so
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/tool"
        server.shutdown()


def test_a_framework_with_a_thankful_script_lacks_nothing_and_real_addons_and_programs_do(tmp_path: Path) -> None:
    nest = {f"@nestjs/{name}": "10.4.15" for name in ("core", "common", "platform-express")}
    others = {"reflect-metadata": "0.2.2", "rxjs": "7.8.1", "nodemon": "3.1.9", "protobufjs": "7.4.0"}
    lacking = {"sqlite3": "5.1.7", "ffmpeg-static": "5.2.0", "chromedriver": "131.0.5"}
    made = function(tmp_path / "fn", **nest, **others, **lacking)
    npm(made, "install")
    assert {name: (each.rule.name, each.weight) for name, each in found(made).items()} == {
        "sqlite3": ("missing-addon", Severity.ERROR),
        "ffmpeg-static": ("missing-program", Severity.ERROR),
        "chromedriver": ("missing-program", Severity.ERROR),
    }


def test_a_script_that_was_fetched_when_npm_ran_it_is_there(
    tmp_path: Path, shell_script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "module.exports = () => require('child_process').execFileSync(__dirname + '/bin/tool')"
    package(tmp_path / "tool", {"index.js": start, "install.js": FETCH}, scripts={"postinstall": "node install.js"})
    package(
        tmp_path / "plain", {"index.js": "exports.load = name => require(name)"}, scripts={"install": "echo thanks"}
    )
    made = function(tmp_path / "fn", tool="file:../tool", plain="file:../plain")
    monkeypatch.setenv("TOOL_URL", shell_script)
    run(["npm", "install", "--install-links", "--no-audit", "--no-fund"], made)
    assert (made / "node_modules/tool/bin/tool").exists()
    assert found(made) == {}
    (made / "node_modules/tool/bin/tool").unlink()
    assert {name: each.rule.name for name, each in found(made).items()} == {"tool": "missing-program"}


@pytest.mark.parametrize("program", ["npm", "pnpm"])
def test_prismas_client_needs_the_engine_for_amazon_linux(tmp_path: Path, program: str) -> None:
    made = function(tmp_path / "fn", **{"@prisma/client": "6.19.0"})
    if program == "npm":
        npm(made, "install")
        client = made / "node_modules/.prisma/client"
    else:
        tools = function(tmp_path / "tools")
        run([manager(tools, "pnpm@10.23.0"), "install", "--ignore-scripts"], made)
        client = (made / "node_modules/@prisma/client").resolve().parents[1] / ".prisma/client"
    client.mkdir(parents=True)
    (client / "index.js").write_text("exports.PrismaClient = class {}")
    (client / "package.json").write_text('{"name": "prisma-client-0000", "main": "index.js"}')
    engine = elf.link(tmp_path, "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    (client / "libquery_engine-debian-openssl-3.0.x.so.node").write_bytes(engine)
    (finding,) = found(made).values()
    assert (finding.rule.name, finding.package) == ("missing-addon", "@prisma/client")
    assert "rhel-openssl-3.0.x" in finding.cure
    (client / "libquery_engine-rhel-openssl-3.0.x.so.node").write_bytes(engine)
    assert found(made) == {}
