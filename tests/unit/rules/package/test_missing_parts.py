import json
from pathlib import Path
from typing import Any

import pytest

from lambdapack.model import Severity
from lambdapack.rules.model.report import Verdict
from tests import elf
from tests.world import World

MACH_O = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x08\0\0\0" + bytes(4096)


@pytest.fixture
def addon(tmp_path: Path) -> bytes:
    return elf.link(tmp_path, "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()


def sharp(world: World, *installed: tuple[str, bytes], root: dict[str, Any] | None = None) -> None:
    members = ("darwin-arm64", "linux-arm64", "linux-x64", "linuxmusl-x64")
    world.package("", dependencies={"sharp": "1"}, **(root or {}))
    world.package("node_modules/sharp", optionalDependencies={f"@img/sharp-{each}": "1" for each in members})
    for name, content in installed:
        system, cpu = name.split("-")
        directory = f"node_modules/@img/sharp-{name}"
        world.package(directory, os=["linux" if system.startswith("linux") else system], cpu=[cpu])
        world.add(f"{directory}/lib/sharp-{name}.node", content)


@pytest.mark.spares("missing-addon")
def test_the_right_platform_package_passes_and_a_foreign_one_beside_it_does_not_count(
    world: World, addon: bytes
) -> None:
    sharp(world, ("linux-x64", addon), ("darwin-arm64", MACH_O))
    report = world.report()
    assert report.verdict is Verdict.PASS
    assert {each.binary.path: each.selected for each in report.judgements} == {
        "node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node": False,
        "node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node": True,
    }


def test_a_tree_made_on_a_mac_is_refused_for_what_lies_there(world: World) -> None:
    sharp(world, ("darwin-arm64", MACH_O))
    finding = world.report(arch="arm64").findings[0]
    assert finding.rule.name == "not-elf"
    assert "Mach-O arm64" in finding.message
    assert finding.cure == "Run `npm ci --os=linux --cpu=arm64 --libc=glibc`."


def test_a_tree_made_for_the_other_cpu_is_refused_for_its_cpu(world: World, addon: bytes) -> None:
    sharp(world, ("linux-x64", addon))
    assert world.found(arch="arm64") == [("wrong-cpu", "node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node")]


def test_a_tree_made_on_alpine_is_refused_as_musl(world: World, tmp_path: Path) -> None:
    libc = elf.library(tmp_path, "libc.musl-x86_64.so.1")
    made = elf.link(tmp_path, "m.node", elf.NODE_API + "int shiny(void); int g(void) { return shiny(); }",
                    "-DLEVEL=8", libraries=(libc,))  # fmt: skip
    sharp(world, ("linuxmusl-x64", made.read_bytes()))
    finding = world.report().findings[0]
    assert finding.rule.name == "musl"
    assert "--libc=glibc" in finding.cure


@pytest.mark.proves("missing-addon")
def test_no_platform_package_at_all_is_a_missing_addon(world: World) -> None:
    sharp(world)
    finding = world.report().findings[0]
    assert (finding.rule.name, finding.path) == ("missing-addon", "node_modules/sharp")
    assert "@img/sharp-linux-x64 is not installed" in finding.message


def test_a_package_that_only_something_optional_needs_earns_a_note(world: World) -> None:
    world.package("", dependencies={"web": "1"})
    world.package("node_modules/web", optionalDependencies={"sharp": "1"})
    world.package("node_modules/sharp", optionalDependencies={"@img/sharp-linux-x64": "1"})
    assert [each.weight for each in world.report().findings] == [Severity.NOTE]


def test_a_compiler_that_the_package_can_do_without_earns_a_note(world: World) -> None:
    world.package("", dependencies={"next": "1"})
    world.package("node_modules/next", optionalDependencies={"@next/swc-linux-x64-gnu": "1"})
    assert [each.weight for each in world.report().findings] == [Severity.NOTE]


def test_an_installed_webassembly_build_is_a_fallback(world: World) -> None:
    names = ("@x/y-linux-x64-gnu", "@x/y-wasm32-wasi")
    world.package("", dependencies={"y": "1"})
    world.package("node_modules/y", optionalDependencies=dict.fromkeys(names, "1"))
    world.package("node_modules/@x/y-wasm32-wasi", cpu=["wasm32"])
    assert [each.weight for each in world.report().findings] == [Severity.NOTE]


def test_a_nested_platform_package_is_found_from_its_owner(world: World, addon: bytes) -> None:
    world.package("", dependencies={"web": "1"})
    world.package("node_modules/web", dependencies={"sharp": "1"})
    world.package("node_modules/web/node_modules/sharp", optionalDependencies={"@img/sharp-linux-x64": "1"})
    world.package("node_modules/web/node_modules/@img/sharp-linux-x64", os=["linux"], cpu=["x64"])
    world.add("node_modules/web/node_modules/@img/sharp-linux-x64/sharp.node", addon)
    assert world.found() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"scripts": {"install": "prebuild-install || node-gyp rebuild"}},
        {"gypfile": True},
        {"binary": {"module_name": "a", "module_path": "./lib/{node_abi}-{platform}-{arch}"}},
    ],
)
def test_a_package_that_was_never_built_is_a_missing_addon(world: World, fields: dict[str, Any]) -> None:
    world.package("node_modules/a", **fields)
    assert world.found() == [("missing-addon", "node_modules/a")]


def test_a_binding_gyp_counts_as_a_native_part(world: World) -> None:
    world.package("node_modules/a")
    world.add("node_modules/a/binding.gyp", "{}")
    assert world.found() == [("missing-addon", "node_modules/a")]


GUARDED = "try { module.exports = require('node-gyp-build')(__dirname) } catch (e) { module.exports = require('./js') }"


@pytest.mark.parametrize(
    "source",
    [
        GUARDED,
        "var b; try { b = require('bindings')('b') } catch (e) { console.warn('slow', e) }",
        "try { exports.b = require('./build/Release/b.node') } catch {}",
        "/* throw new Error('native') */ try { b = require('./native') } catch (e) { if (e.code) console.log(1) }",
    ],
)
def test_a_package_whose_sources_go_on_without_its_addon_earns_a_note(world: World, source: str) -> None:
    world.package("node_modules/a", scripts={"install": "node-gyp-build || node-gyp rebuild"})
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/native.js", "module.exports = require('bindings')('a')")
    finding = world.report().findings[0]
    assert (finding.weight, "its JavaScript takes over" in finding.message) == (Severity.NOTE, True)
    assert world.report().verdict is Verdict.PASS


@pytest.mark.parametrize(
    "source",
    [
        "module.exports = require('node-gyp-build')(__dirname)",
        "let b; try { b = require('bindings')('b') } catch (e) { throw e }",
        "let f; try { b = require('./build/Release/b.node') } catch (e) { f = e } if (f) throw f",
        "const all = []; try { b = require(path) } catch (e) { all.push(e) }",
        "let b; try { b = require('./a.node') } catch {}\nexports.f = () => { throw new Error('Bindings not found') }",
        "// try {\nrequire('./native') // } catch {}",
        "const s = 'try {'; const r = /try {/; require('./build/Debug/b.node'); const t = '} catch {}'",
    ],
)
def test_a_package_whose_sources_show_no_way_without_its_addon_is_refused(world: World, source: str) -> None:
    world.package("node_modules/a", scripts={"install": "node-gyp rebuild"})
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/native.js", "module.exports = require('bindings')('a')")
    assert world.found() == [("missing-addon", "node_modules/a")]
    assert world.report().verdict is Verdict.FAIL


def test_a_package_for_another_system_lacks_nothing(world: World) -> None:
    world.package("node_modules/fsevents", os=["darwin"], gypfile=True)
    world.add("node_modules/fsevents/fsevents.node", MACH_O)
    assert world.found() == [("out-of-place", "node_modules/fsevents")]


FETCHING = "require('https').get(url, to => to.pipe(file));"


@pytest.mark.proves("missing-program")
@pytest.mark.parametrize(
    ("more", "weight"), [(" fs.chmodSync(file, 0o755)", Severity.ERROR), ("", Severity.WARNING)], ids=["program", "any"]
)
def test_a_script_that_downloads_a_program_left_none(world: World, more: str, weight: Severity) -> None:
    world.package("node_modules/ffmpeg", scripts={"install": "node ./scripts/install"})
    world.add("node_modules/ffmpeg/scripts/install.js", "require('./fetch')")
    world.add("node_modules/ffmpeg/scripts/fetch.js", FETCHING + more)
    finding = world.report().findings[0]
    assert (finding.rule.name, finding.weight) == ("missing-program", weight)


@pytest.mark.spares("missing-program")
def test_a_downloaded_program_and_a_script_that_downloads_nothing_are_fine(world: World, tmp_path: Path) -> None:
    world.package("node_modules/ffmpeg", scripts={"install": "node install.js"})
    world.add("node_modules/ffmpeg/install.js", FETCHING + " fs.chmodSync(file, 0o755)")
    program = elf.program(tmp_path, "ffmpeg", "void _start(void) { for (;;) {} }", "-static")
    world.add("node_modules/ffmpeg/ffmpeg", program, mode=0o755)
    world.package("node_modules/core", scripts={"postinstall": "node postinstall.js || exit 0"})
    world.add("node_modules/core/postinstall.js", "console.log('thank you')")
    assert world.found() == []


def test_prebuilds_for_others_only_are_a_missing_addon(world: World) -> None:
    world.package("node_modules/pty", scripts={"install": "node-gyp rebuild"})
    world.add("node_modules/pty/prebuilds/darwin-arm64/pty.node", MACH_O)
    world.add("node_modules/pty/prebuilds/win32-x64/pty.node", b"MZ" + bytes(512))
    finding = world.report().findings[0]
    assert finding.rule.name == "missing-addon"
    assert "prebuilds/darwin-arm64/pty.node and 1 more" in finding.message


def test_an_addon_compiled_on_a_mac_is_refused_for_what_it_is(world: World) -> None:
    world.package("node_modules/bcrypt", scripts={"install": "node-gyp-build"})
    world.add("node_modules/bcrypt/build/Release/bcrypt_lib.node", MACH_O)
    world.add("node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node", b"")
    assert world.found() == [("not-elf", "node_modules/bcrypt/build/Release/bcrypt_lib.node")]


def test_a_single_file_for_one_other_platform_is_what_is_wrong(world: World) -> None:
    world.add("index.darwin-arm64.node", MACH_O)
    assert world.found() == [("not-elf", "index.darwin-arm64.node")]


def test_a_foreign_prebuild_that_nobody_loads_is_judged_but_does_not_count(world: World, addon: bytes) -> None:
    world.package("node_modules/a")
    world.add("node_modules/a/prebuilds/linux-x64/a.node", addon)
    world.add("node_modules/a/prebuilds/linux-arm64/a.node", elf.with_machine(addon, elf.ARM64))
    judged = world.judged("node_modules/a/prebuilds/linux-arm64/a.node")
    assert (judged.selected, judged.cause) == (False, "wrong-cpu")
    assert world.report().verdict is Verdict.PASS


def test_a_foreign_program_that_a_package_always_ships_is_judged_but_does_not_count(world: World) -> None:
    world.package("node_modules/active-win")
    world.add("node_modules/active-win/main", MACH_O[:12] + b"\x02" + MACH_O[13:], mode=0o755)
    judged = world.judged("node_modules/active-win/main")
    assert (judged.selected, judged.cause) == (False, "not-elf")
    assert (world.report().verdict, world.found()) == (Verdict.PASS, [])


def test_broken_and_hostile_manifests_are_survived(world: World, addon: bytes) -> None:
    world.add("node_modules/a/package.json", "{")
    world.add("node_modules/b/package.json", '["os"]')
    world.add("node_modules/c/package.json", '{"name": 7, "os": {"x": 1}, "scripts": [], "binary": "x", "cpu": [1]}')
    world.add("node_modules/d/package.json", "[" * 100000)
    world.add("node_modules/d/build/manifest.json", '{"x": 1, "{}": [], "[]": "y"}')
    world.add("node_modules/e/addon.node", addon)
    world.add("node_modules/@scope/f/addon.node", addon)
    report = world.report()
    assert report.verdict is Verdict.PASS
    assert {each.package for each in report.judgements} == {"e", "@scope/f"}


def test_a_lockfile_that_lost_the_platform_package_is_named(world: World) -> None:
    sharp(world)
    world.add("package-lock.json", json.dumps({"packages": {"": {}, "node_modules/sharp": {}}}))
    finding = world.report().findings[0]
    assert dict(finding.evidence)["reason"] == "lost-from-lock"
    assert "npm/cli#4828" in finding.message
    assert "npx npm@11 install --package-lock-only" in finding.cure


def test_a_platform_package_that_was_omitted_is_named(world: World) -> None:
    sharp(world)
    names = ("node_modules/sharp", "node_modules/@img/sharp-linux-x64")
    world.add("package-lock.json", json.dumps({"packages": {each: {} for each in names}}))
    finding = world.report().findings[0]
    assert dict(finding.evidence)["reason"] == "optional-omitted"
    assert finding.cure == "Run `npm ci --include=optional --os=linux --cpu=x64 --libc=glibc`."


@pytest.mark.parametrize(
    ("script", "left", "reason"),
    [
        ("node-gyp rebuild", "", "scripts-skipped"),
        ("node-gyp rebuild", "build/config.gypi", "compile-failed"),
        ("prebuild-install || exit 0", "", "scripts-skipped"),
        ("node-gyp rebuild", "prebuilds/win32-x64/a.node", "no-prebuild"),
    ],
)
def test_the_reason_of_a_missing_build_is_what_its_files_tell(
    world: World, script: str, left: str, reason: str
) -> None:
    world.package("node_modules/a", scripts={"install": script})
    if left:
        world.add(f"node_modules/a/{left}", b"MZ" + bytes(512))
    assert dict(world.report().findings[0].evidence)["reason"] == reason


def test_prebuilds_by_abi_without_the_runtimes_are_a_missing_addon(world: World, addon: bytes) -> None:
    world.package("node_modules/a", dependencies={"node-gyp-build": "3"}, scripts={"install": "exit 0"})
    world.add("node_modules/a/index.js", "module.exports = require('node-gyp-build')(__dirname)")
    for place in ("linux-x64", "linuxmusl-x64"):
        world.add(f"node_modules/a/prebuilds/{place}/node-115.node", addon)
    assert world.found() == [("missing-addon", "node_modules/a")]


def test_what_an_optional_dependency_lacks_earns_a_note(world: World) -> None:
    world.package("", dependencies={"ssh": "1"})
    world.package("node_modules/ssh", optionalDependencies={"cpu-features": "1"})
    world.package("node_modules/cpu-features", scripts={"install": "node-gyp rebuild"})
    assert [(each.rule.name, each.weight) for each in world.report().findings] == [("missing-addon", Severity.NOTE)]


def test_a_dependency_for_another_cpu_that_was_forced_in_is_a_missing_addon(world: World) -> None:
    world.package("", dependencies={"db": "1"}, optionalDependencies={"fsevents": "1"})
    world.package("node_modules/db", cpu=["x64"], scripts={"install": "node-gyp rebuild"})
    world.package("node_modules/fsevents", os=["darwin"], gypfile=True)
    missing = [path for name, path in world.found(arch="arm64") if name == "missing-addon"]
    assert missing == ["node_modules/db"]


def test_platform_packages_that_are_plain_dependencies_are_all_there_and_one_is_taken(
    world: World, addon: bytes
) -> None:
    names = ("edr-linux-x64-gnu", "edr-linux-arm64-gnu", "edr-darwin-arm64", "edr-win32-x64-msvc")
    world.package("", dependencies={"edr": "1"})
    world.package("node_modules/edr", dependencies=dict.fromkeys(names, "1"))
    for name in names:
        world.package(f"node_modules/{name}")
        content = addon if "x64-gnu" in name else elf.with_machine(addon, elf.ARM64) if "arm64-gnu" in name else MACH_O
        world.add(f"node_modules/{name}/{name.replace('edr-', 'edr.')}.node", content)
    assert world.found() == []


def test_a_project_that_renamed_its_platform_packages_has_those_of_the_old_name(world: World, tmp_path: Path) -> None:
    names = ("@build/linux-loong64", "build-linux-64", "build-linux-arm64", "build-linux-mips64le", "build-windows-32")
    world.package("", dependencies={"build": "1"})
    world.package("node_modules/build", optionalDependencies=dict.fromkeys(names, "1"))
    world.package("node_modules/build-linux-64", os=["linux"], cpu=["x64"])
    program = elf.program(tmp_path, "build", "void _start(void) { for (;;) {} }", "-static")
    world.add("node_modules/build-linux-64/bin/build", program, mode=0o755)
    assert world.found() == []


def test_a_variant_that_does_not_load_is_a_warning_while_the_plain_build_does(
    world: World, tmp_path: Path, addon: bytes
) -> None:
    libvulkan = elf.library(tmp_path, "libvulkan.so.1")
    special = elf.link(tmp_path, "v.node", elf.NODE_API + "int shiny(void); int g(void) { return shiny(); }",
                       "-DLEVEL=8", libraries=(libvulkan,))  # fmt: skip
    names = ("@x/linux-x64", "@x/linux-x64-vulkan")
    world.package("", dependencies={"x": "1"})
    world.package("node_modules/x", optionalDependencies=dict.fromkeys(names, "1"))
    for name, content in zip(names, (addon, special.read_bytes()), strict=True):
        world.package(f"node_modules/{name}", os=["linux"], cpu=["x64"])
        world.add(f"node_modules/{name}/a.node", content)
    assert [(each.rule.name, each.weight) for each in world.report().findings] == [
        ("missing-library", Severity.WARNING)
    ]
    del world.files["node_modules/@x/linux-x64/a.node"]
    assert world.report().verdict is Verdict.FAIL


def test_a_program_published_without_execute_bit_beside_an_addon_that_loads_is_a_warning(
    world: World, tmp_path: Path, addon: bytes
) -> None:
    program = elf.program(tmp_path, "swc", "void _start(void) { for (;;) {} }", "-static")
    world.package("node_modules/swc")
    world.add("node_modules/swc/swc", program, mode=0o644)
    assert world.report().verdict is Verdict.FAIL
    world.add("node_modules/swc/swc.linux-x64-gnu.node", addon)
    assert world.report().verdict is Verdict.WARN


@pytest.mark.parametrize(
    "source",
    [
        "const n = process.platform === 'win32'\n    ? require('./build/Release/a.node')\n    : null;",
        "const other = process.platform === 'win32' || platform === 'darwin'\nif (other) require('bindings')('a')",
        "if (require('os').platform() != 'linux') { exports.a = require('./build/Release/a.node') } else { f() }",
        "module.exports = process.platform === 'linux' ? {} : require('./native')",
        "process.platform === 'darwin' && require('./native')",
    ],
)
def test_an_addon_that_only_other_systems_ask_for_is_missed_by_nobody(
    world: World, source: str, tmp_path: Path
) -> None:
    world.package("node_modules/a", scripts={"install": "node-gyp rebuild"})
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/native.js", "module.exports = require('bindings')('a')")
    finding = world.report().findings[0]
    assert (finding.weight, "on other systems only" in finding.message) == (Severity.NOTE, True)
    world.add("node_modules/a/build/Release/a.node", elf.link(tmp_path, "a.node", "int a(void) { return 1; }"))
    assert [(each.rule.name, each.weight) for each in world.report().findings] == [("not-an-addon", Severity.NOTE)]


@pytest.mark.parametrize(
    "source",
    [
        "if (process.platform === 'win32') { f() } else { require('./native') }",
        "const n = process.platform === 'linux' ? require('./native') : null",
        "if (x || process.platform === 'win32') require('./native')",
        "if (process.platform === 'win32') require('./native')\nelse throw new Error('Windows only')",
        "const s = process.platform === 'linux' ? 'a' : 'b'\nrequire('./native')",
        "if (process.platform === 'win32') f()\nrequire('./native')",
        "switch (process.platform) { case 'win32': require('./native') }",
    ],
)
def test_an_addon_that_linux_may_ask_for_is_missed(world: World, source: str) -> None:
    world.package("node_modules/a", scripts={"install": "node-gyp rebuild"})
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/native.js", "module.exports = require('bindings')('a')")
    assert [(each.rule.name, each.weight) for each in world.report().findings] == [("missing-addon", Severity.ERROR)]


@pytest.mark.parametrize(
    "source",
    [
        "if (typeof fs.statfs === 'function') { f() } else { module.exports = require('./native') }",
        "exports.crc32 = zlib.crc32 ? zlib.crc32 : require('bindings')('a')",
        "if (typeof buffer.isUtf8 === 'undefined') require('./native')",
    ],
)
def test_an_addon_that_only_an_older_node_needs_earns_a_warning(world: World, source: str) -> None:
    world.package("node_modules/a", gypfile=True)
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/native.js", "module.exports = require('bindings')('a')")
    finding = world.report().findings[0]
    assert (finding.weight, "where Node.js lacks something" in finding.message) == (Severity.WARNING, True)


@pytest.mark.parametrize("text", ["require(", "if (process.platform === 'win32') ", "process.platform === 'win32' && "])
def test_sources_that_never_close_what_they_open_are_read_all_the_same(world: World, text: str) -> None:
    world.package("node_modules/a", gypfile=True)
    world.add("node_modules/a/index.js", text * 3000)
    assert world.found() == [("missing-addon", "node_modules/a")]


def _viewer_beside(world: World, tmp_path: Path, source: str) -> list[tuple[str, Severity]]:
    absent = elf.library(tmp_path, "libGL.so.1")
    main = "int shiny(void); void _start(void) { shiny(); }"
    shown = elf.program(tmp_path, "view", main, "-pie", "-fPIE", "-Wl,--no-as-needed", str(absent))
    plain = elf.program(tmp_path, "convert", "void _start(void) {}", "-pie", "-fPIE")
    world.package("", dependencies={"a": "1"})
    world.package("node_modules/a")
    world.add("node_modules/a/index.js", source)
    world.add("node_modules/a/bin/view", shown, 0o755)
    world.add("node_modules/a/bin/convert", plain, 0o755)
    return [(each.rule.name, each.weight) for each in world.report().findings]


def test_a_program_that_its_package_never_names_earns_a_warning(world: World, tmp_path: Path) -> None:
    found = _viewer_beside(world, tmp_path, "exports.path = path.join(__dirname, 'bin', 'convert')")
    assert found == [("missing-library", Severity.WARNING)]


@pytest.mark.parametrize("source", ["start('convert'); start('view')", "start(name)", "start(`bin/${x}`) // view"])
def test_a_program_that_its_package_may_start_is_refused(world: World, tmp_path: Path, source: str) -> None:
    assert _viewer_beside(world, tmp_path, source) == [("missing-library", Severity.ERROR)]
