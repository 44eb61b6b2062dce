"""What shows that a package has a native part, or a program that its install script fetches."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.model import Severity
from lambdapack.rules.check import check_package
from lambdapack.rules.fixes import avoid_install_commands
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject, Verdict
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import TODAY, World

COMPUTED = "exports.load = name => require(name)"
"""A loader of plug-ins, as frameworks have one: it says nothing about a native part."""

FETCH_TO = "require('https').get(url, got => got.pipe(require('fs').createWriteStream('{}')));"


def one(world: World, fields: dict[str, Any], files: dict[str, str], *, executable: tuple[str, ...] = ()) -> None:
    world.package("", dependencies={"a": "1"})
    world.package("node_modules/a", **fields)
    for name, text in files.items():
        world.add(f"node_modules/a/{name}", text, mode=0o755 if name in executable else 0o644)


@pytest.mark.spares("missing-addon", "missing-program")
@pytest.mark.parametrize(
    ("script", "files"),
    [
        ("echo thanks", {}),
        ("opencollective || exit 0", {}),
        ("opencollective-postinstall || true", {}),
        ("patch-package", {}),
        ("husky install", {"resolve.js": "exports.extensions = ['.js', '.json', '.node']"}),
        ("node -e \"console.log('hello')\"", {"index.mjs": "export const load = name => import(name)"}),
        ("node banner.js", {"banner.js": "console.log('see https://example.com, or npm fund')"}),
        ("node check.js", {"check.js": "if (process.versions.node < '18') throw new Error('node is too old')"}),
        ("node report.js", {"report.js": "require('https').request({host, method: 'POST'}).end(JSON.stringify(os))"}),
        ("node news.js", {"news.js": "fetch(registry).then(answer => answer.json()).then(x => console.log(x.latest))"}),
    ],
)
def test_a_script_that_makes_nothing_beside_a_computed_require_is_no_native_part(
    world: World, script: str, files: dict[str, str]
) -> None:
    one(world, {"scripts": {"postinstall": script}}, {"index.js": f"require('./resolve');{COMPUTED}", **files})
    assert world.found() == []
    assert world.report().verdict is Verdict.PASS


@pytest.mark.proves("missing-addon")
@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"scripts": {"install": "node-gyp rebuild"}}, COMPUTED),
        (
            {"scripts": {"install": "node build.js"}},
            "const file = `${__dirname}/b.node`; exports.b = require(file)",
        ),
        ({"scripts": {"install": "node make.js"}}, COMPUTED),
        ({"scripts": {"install": "node x.js"}}, "module.exports = require('bindings')('b')"),
        ({"scripts": {"install": "node x.js"}}, "const at = join(__dirname, 'bin', 'b.node'); exports.b = require(at)"),
        ({"scripts": {"install": "node x.js"}}, "process.dlopen(module, require.resolve('./lib/b.node'))"),
        ({"binary": {"module_name": "b"}, "scripts": {"install": "node x.js"}}, COMPUTED),
        ({"napi": {"name": "b"}, "scripts": {"install": "node x.js"}}, COMPUTED),
        ({"napi": {"name": "b"}}, "module.exports = require('./b.linux-x64-gnu.node')"),
        ({"gypfile": True}, ""),
    ],
)
def test_what_names_a_native_part_is_evidence_of_one(world: World, fields: dict[str, Any], source: str) -> None:
    make = "require('child_process').spawnSync('node-gyp', ['rebuild'], {stdio: 'inherit'})"
    one(world, fields, {"index.js": source, "x.js": "console.log('made')", "build.js": "make()", "make.js": make})
    assert world.found() == [("missing-addon", "node_modules/a")]
    assert world.report().verdict is Verdict.FAIL


FETCHED = {
    "a script": ("bin/tool", "#!/bin/sh\necho works\n", "require('child_process').execFile(__dirname + '/bin/tool')"),
    "an archive": ("vendor/tool.tar.gz", "\x1f\x8b", "exports.unpack = () => untar('vendor/tool.tar.gz')"),
    "a jar": ("lib/tool-1.2.jar", "PK\x03\x04", "exports.run = () => spawn('java', ['-jar', jar])"),
    "data": ("data/geo.mmdb", "\xab\xcd\xef", "exports.open = () => fs.readFileSync(__dirname + '/data/geo.mmdb')"),
}


@pytest.mark.spares("missing-program")
@pytest.mark.parametrize("what", FETCHED)
def test_whatever_a_script_fetches_counts_as_fetched(world: World, what: str) -> None:
    name, content, source = FETCHED[what]
    install = FETCH_TO.format(name) + "fs.chmodSync(to, 0o755)"
    one(
        world,
        {"scripts": {"postinstall": "node install.js"}},
        {"index.js": source, "install.js": install, name: content},
        executable=("bin/tool",),
    )
    assert world.found() == []


@pytest.mark.proves("missing-program")
@pytest.mark.parametrize("what", FETCHED)
def test_what_a_script_should_have_fetched_is_missing(world: World, what: str) -> None:
    name, _, source = FETCHED[what]
    install = FETCH_TO.format(name) + "fs.chmodSync(to, 0o755)"
    files = {
        "index.js": source,
        "install.js": f"{install}; const source = 'src/tool.tar.gz'; const command = 'tool-cli'",
        "README.md": "fetches",
        "bin/tool-cli": "#!/usr/bin/env node\n",
        "src/tool.tar.gz": "\x1f\x8b",
    }
    one(world, {"scripts": {"postinstall": "node install.js"}}, files, executable=("bin/tool-cli", "README.md"))
    assert world.found() == [("missing-program", "node_modules/a")]


@pytest.mark.spares("missing-program")
def test_a_fetched_program_under_a_name_that_the_script_computes_counts(world: World) -> None:
    install = "const to = path.join('bin', process.platform); download(url, to); fs.chmodSync(to, 0o755)"
    files = {"index.js": "", "install.js": install, "bin/linux": "#!/bin/sh\necho works\n"}
    one(world, {"scripts": {"install": "node install.js"}}, files, executable=("bin/linux",))
    assert world.found() == []


def test_a_script_that_downloads_and_writes_no_program_earns_a_warning(world: World) -> None:
    one(
        world,
        {"scripts": {"install": "node install.js"}},
        {"index.js": "", "install.js": FETCH_TO.format("data/words.txt")},
    )
    assert [(found.rule.name, found.weight) for found in world.report().findings] == [
        ("missing-program", Severity.WARNING)
    ]


def test_an_addon_that_a_package_has_for_another_system_is_evidence(world: World) -> None:
    one(world, {}, {"index.js": "module.exports = require(find())"})
    world.add("node_modules/a/lib/darwin-arm64.node", b"\xcf\xfa\xed\xfe\x0c\0\0\x01" + bytes(64))
    world.add("node_modules/a/lib/win32-x64.node", b"MZ" + bytes(64))
    assert world.found() == [("missing-addon", "node_modules/a")]


def test_an_executable_of_another_machine_is_not_what_was_to_be_fetched(world: World, tmp_path: Any) -> None:
    one(
        world,
        {"scripts": {"install": "node install.js"}},
        {"index.js": "", "install.js": FETCH_TO.format("bin/tool") + "fs.chmodSync(to, 0o755)"},
    )
    program = elf.program(tmp_path, "tool", "void _start(void) { for (;;) {} }", "-static").read_bytes()
    world.add("node_modules/a/bin/tool", elf.with_machine(program, elf.ARM64), mode=0o755)
    assert world.report().verdict is Verdict.FAIL


def test_a_script_that_the_log_shows_as_run_was_not_skipped(world: World) -> None:
    one(
        world,
        {"scripts": {"install": "prebuild-install || exit 0"}},
        {"index.js": "exports.b = require('bindings')('b')"},
    )
    facts = replace(world.facts(), scripts_run=frozenset(("a",)))
    runtime = shipped_runtime(parse_target("nodejs22.x", "arm64"))
    report = check_package(Subject("zip", "."), facts, runtime, Policy(TODAY))
    (finding,) = avoid_install_commands(report.findings, runtime)
    assert finding.message == "its install script ran and left no file for linux-arm64; it always exits with 0"
    assert dict(finding.evidence)["reason"] == "script-made-nothing"
    assert "npm view a versions" in finding.cure
    assert "Run `lambdapack build" not in finding.cure


def test_a_build_does_not_advise_the_install_that_it_has_just_made(world: World, tmp_path: Path) -> None:
    world.package("", dependencies={"sharp": "1"})
    world.package("node_modules/sharp", optionalDependencies={"@img/sharp-linux-x64": "1"})
    world.add("node_modules/sharp/other.node", b"MZ" + bytes(64))
    world.add("own.node", elf.link(tmp_path, "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()[:400])
    runtime = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    findings = avoid_install_commands(world.report().findings, runtime)
    assert {finding.rule.name for finding in findings} >= {"missing-addon", "truncated"}
    assert not [each.cure for each in findings if each.cure.startswith(("Run `lambdapack build", "Run `npm ci"))]
