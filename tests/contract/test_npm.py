"""What we read and write of npm's, held against the host's npm itself; nothing is fetched."""

import json
import os
import subprocess
from pathlib import Path

from lambdapack.managers.npm.ini import encode_ini
from lambdapack.project.semver import satisfies

VERSIONS = ("0.0.0", "0.0.3", "0.1.2", "1.0.0", "1.2.3", "1.2.3-beta.1", "1.2.3-beta.11", "1.2.4-rc", "2.0.0-alpha",
            "2.0.0", "3.5.1", "10.0.0", "v1.2.3", "1.2.3+build", "0.0.0-0", "1.2", "abc")  # fmt: skip
RANGES = ("", "*", "x", "^1", "^1.2", "^1.2.3", "^0.0.3", "^0", "^0.0", "^0.1", "~1", "~1.2", "~1.2.3", "~0", ">1",
          ">=1.2", "<2", "<=1.2", ">1.2", "1.x", "1.2.x", "1.2.3 - 2", "1.2 - 1.2.3", ">=1.2.3-beta.2", "^1.2.3-beta",
          ">=1 <2", ">= 1 < 2", "^1 || ^3", "latest", "1.2.3", "=1.2.3", "^v1.2.3", "~>1.2", ">x", "<*", ">=*", "1||",
          "<1.2.3-rc", "^2.0.0-0", "  ^1  ", "1.2.3beta", "^1,^2", "1.2.3.4", "<0", ">=1.2.3-beta <1.2.3")  # fmt: skip


def test_ranges_mean_what_they_mean_to_npm(npm: str) -> None:
    root = Path(npm).resolve().parents[1]
    script = (
        f"const s=require({json.dumps(str(root / 'node_modules/semver'))});"
        "const [v,r]=JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(r.map(x=>v.map(y=>{try{new s.Range(x,true)}catch{return null}"
        "return s.valid(y,true)?s.satisfies(y,x,true):null}))))"
    )
    asked = json.dumps([VERSIONS, RANGES])
    done = subprocess.run(["node", "-e", script], input=asked, capture_output=True, text=True, check=True)
    ours = [[satisfies(version, spec) for version in VERSIONS] for spec in RANGES]
    assert ours == json.loads(done.stdout)


def test_npm_reads_back_what_we_write(tmp_path: Path, npm: str) -> None:
    values = {"//r.example/:_authToken": 'a;b#c"d\\e=${HOME} \\${HOME}', "registry": "https://r.example/x/"}
    rc = tmp_path / "rc"
    rc.write_text("".join(encode_ini(key, value) for key, value in values.items()))
    root = Path(npm).resolve().parents[1]
    script = (
        "const Config=require(process.argv[1]);const {definitions,shorthands,flatten}=require(process.argv[1]"
        "+'/lib/definitions');const c=new Config({definitions,shorthands,flatten,npmPath:process.argv[2],"
        "argv:['node','npm'],warn:false});c.load().then(()=>console.log(JSON.stringify("
        "[c.get('//r.example/:_authToken'),c.get('registry')])))"
    )
    environ = {**os.environ, "npm_config_userconfig": str(rc), "HOME": str(tmp_path)}
    config = str(root / "node_modules/@npmcli/config")
    done = subprocess.run(
        ["node", "-e", script, config, str(root)], capture_output=True, text=True, check=True, env=environ, cwd=tmp_path
    )
    assert json.loads(done.stdout) == list(values.values())
