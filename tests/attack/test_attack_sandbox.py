"""Packages that look for secrets, for other projects, for the end of the machine; registries and disks that fail."""

import json
import os
import resource
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.packages import HostilePackage, bridge_gateway, write_project
from tests.command import lambdapack

pytestmark = pytest.mark.engine

CANARY = "npm_c4n4ryc4n4ryc4n4ryc4n4ryc4n4ryc4n4"
FS = "const fs = require('fs');"

SEARCH = r"""
const fs = require('fs'), seen = [JSON.stringify(process.env)];
function read(path, depth) {
  let found;
  try { found = fs.lstatSync(path); } catch (error) { return; }
  if (found.isDirectory() && depth < 7) {
    let names = [];
    try { names = fs.readdirSync(path); } catch (error) { return; }
    for (const name of names) read(path + '/' + name, depth + 1);
  } else if (found.isFile() && found.size < 1e6) {
    let text = '';
    try { text = fs.readFileSync(path, 'latin1'); } catch (error) { return; }
    if (text.includes(['c4n', '4ry'].join(''))) seen.push(path + text);
  }
}
for (const top of ['/run', '/tmp', '/var/task', '/var/cache', '/root', '/etc', '/home']) read(top, 0);
for (const name of fs.readdirSync('/proc')) {
  for (const file of ['environ', 'cmdline']) {
    try { seen.push(fs.readFileSync(`/proc/${name}/${file}`, 'latin1')); } catch (error) {}
  }
}
fs.writeFileSync('seen.txt', seen.join('\n'));
"""


def read_member(archive: str, name: str) -> str:
    with zipfile.ZipFile(archive.strip()) as opened:
        return opened.read(name).decode("utf-8", "replace")


def test_a_script_finds_no_token_anywhere(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    npmrc = f"//registry.example.test/:_authToken=${{CANARY}}\n//other.example.test/:_password={CANARY}\n"
    project = write_project(tmp_path / "shop", HostilePackage("spy", {"install": SEARCH}), files={".npmrc": npmrc})
    env = {**lab_engine, "CANARY": CANARY, "HTTPS_PROXY_PASSWORD": CANARY}
    done = lambdapack("build", project, "--no-load", env=env)
    assert done.returncode == 0, done.stderr
    seen = read_member(done.stdout, "node_modules/spy/seen.txt")
    assert "npm_config_cache" in seen
    assert "c4n4ry" not in seen + done.stderr


POISON = f"""
{FS} const cache = process.env.npm_config_cache;
for (const name of ['_prebuilds', '_libvips', '_cacache/index-v5', '_cacache/content-v2']) {{
  fs.mkdirSync(`${{cache}}/${{name}}`, {{recursive: true}}); fs.writeFileSync(`${{cache}}/${{name}}/poison`, 'p0is0n');
}}
fs.writeFileSync('/tmp/poison', 'p0is0n');
"""
LOOK = """
const found = require('child_process').execSync(
  'ls -R $npm_config_cache /tmp /var/cache 2>/dev/null | grep -c poison || :');
require('fs').writeFileSync('found.txt', found);
"""


@pytest.mark.full
def test_what_one_project_writes_no_other_sees(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    first = write_project(tmp_path / "first", HostilePackage("evil", {"install": POISON}))
    second = write_project(tmp_path / "second", HostilePackage("looks", {"install": LOOK}))
    done = lambdapack("build", first, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    done = lambdapack("build", second, "--no-load", env=lab_engine)
    assert done.returncode == 0, done.stderr
    assert read_member(done.stdout, "node_modules/looks/found.txt").strip() == "0"


COSTLY = {
    "log": (f"{FS} for (;;) {{ try {{ fs.writeSync(1, 'x'.repeat(1000) + '\\n'); }} catch {{}} }}", 4, "LP116"),
    "buffered log": ("for (;;) console.log('x'.repeat(1000));", 4, "LP117"),  # node keeps what a pipe does not take
    "holes": (f"{FS} fs.closeSync(fs.openSync('big', 'w')); fs.truncateSync('big', 3 * 2 ** 30);", 2, "LP019"),
    "link": (f"{FS} fs.symlinkSync('/etc/passwd', 'index.node');", 1, "LP304"),
    "silence": ("setTimeout(() => 0, 1e6);", 4, "LP116"),
    "forks": ("for (;;) require('child_process').spawn(process.execPath, [__filename], {stdio: 'ignore'});", 4, "LP1"),
    "memory": ("const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));", 4, "LP1"),
    "device": ("require('child_process').execSync('mkfifo pipe');", 2, "LP008"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(key, marks=[] if key == "log" else [pytest.mark.full]) for key in COSTLY]
)
def test_what_costs_too_much_ends_with_a_name(name: str, tmp_path: Path, lab_engine: dict[str, str]) -> None:
    code, exit_code, words = COSTLY[name]
    project = write_project(tmp_path / "shop", HostilePackage("costs", {"install": code}))
    limits = {"LAMBDAPACK_TIME_LIMIT": "90", "LAMBDAPACK_SILENCE_LIMIT": "20", "LAMBDAPACK_MEMORY": "512m"}
    limits |= {"LAMBDAPACK_PROCESSES": "100"}
    done = lambdapack("build", project, "--no-load", "--log-limit", "2m", env={**lab_engine, **limits})
    assert done.returncode == exit_code, done.stderr[-3000:]
    assert f"[{words}" in done.stderr
    assert len(done.stderr) < 4 << 20
    assert not list(project.glob(".lambdapack/*.zip"))


@pytest.mark.full
def test_a_token_in_a_dependencys_url_is_masked_and_never_ships(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    url = f"https://user:{CANARY}@registry.example.test/x.tgz"
    project = write_project(tmp_path / "shop", HostilePackage("spy", {"install": SEARCH}))
    for name in ("package.json", "package-lock.json"):
        document = json.loads((project / name).read_text())
        (document["packages"][""] if "packages" in document else document)["devDependencies"] = {"x": url}
        if "packages" in document:
            document["packages"]["node_modules/x"] = {"version": "1.0.0", "resolved": url, "dev": True}
        (project / name).write_text(json.dumps(document))
    done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert (done.returncode, "LP305" in done.stderr) == (1, True), done.stderr
    ignored = lambdapack("build", project, "--no-load", "--ignore", "secret-packed=to look at it", env=lab_engine)
    assert ignored.returncode == 0, ignored.stderr
    assert "c4n4ry" not in read_member(ignored.stdout, "node_modules/spy/seen.txt")
    assert "c4n4ry" not in done.stdout + done.stderr + ignored.stdout + ignored.stderr


@pytest.mark.full
def test_a_disk_that_is_full_is_named_and_left_clean(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    fat = HostilePackage(
        "fat", {"install": f"{FS} fs.writeFileSync('fat.bin', require('crypto').randomBytes(2 << 20));"}
    )
    project = write_project(tmp_path / "shop", fat)
    places = {"TMPDIR": str(tmp_path / "tmp"), "LAMBDAPACK_CACHE": str(tmp_path / "cache")}
    (tmp_path / "tmp").mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        done = lambdapack("build", project, "--no-load", env={**lab_engine, **places})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.returncode == 3, done.stderr
    assert "error[LP106]" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


@contextmanager
def registry(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve containers on the address that the engine's network has on this machine."""

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    def talk(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65536)
                answer(client)
            except OSError:
                return

    with socket.create_server((bridge_gateway(), 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://{server.getsockname()[0]}:{server.getsockname()[1]}"


def resets(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes.fromhex("0100000000000000"))


def refuses(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def lies(client: socket.socket) -> None:
    body = HostilePackage("other").tarball
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    )
    client.sendall(head % len(body) + body)


def cuts(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + os.urandom(500))


REGISTRIES: Mapping[str, Callable[[socket.socket], None]] = {
    "resets": resets,
    "500": refuses,
    "lies": lies,
    "cuts": cuts,
}


@pytest.mark.full
@pytest.mark.parametrize("name", REGISTRIES)
def test_a_registry_that_fails_or_lies_is_named(name: str, tmp_path: Path, lab_engine: dict[str, str]) -> None:
    mark = f"{name}-{time.time_ns()}"  # npm's cache has no such tarball
    project = write_project(tmp_path / "shop", HostilePackage("good", files={"index.js": f"// {mark}\n"}))
    with registry(REGISTRIES[name]) as address:
        for path in ("package.json", "package-lock.json"):
            text = (project / path).read_text()
            text = text.replace("file:tarballs/good-1.0.0.tgz", f"{address}/good-{mark}.tgz")
            (project / path).write_text(text)
        done = lambdapack("build", project, "--no-load", env=lab_engine)
    assert done.returncode == 4, done.stderr
    assert "error[LP1" in done.stderr
    assert not list(project.glob(".lambdapack/*.zip"))
