"""The whole arrow from a project to its dependency tree, on the real engine and the lab's images."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.engine.docker import connect_engine
from lambdapack.engine.interface import Engine
from lambdapack.errors.build import LOCK_REFUSED, NO_REGISTRY, ROOT_SCRIPT, TOO_LONG
from lambdapack.errors.install import COMPILE_FAILED, OUT_OF_MEMORY
from lambdapack.errors.record import LambdapackError
from lambdapack.install.compile_lines import CompilerFlag
from lambdapack.install.install import install_dependencies
from lambdapack.install.request import ImageReferences, InstallRequest, InstallResult
from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.npm.inputs import find_install_scripts, install_inputs
from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.registry import MANAGERS, read_dependencies
from lambdapack.model import Architecture, Target
from tests.fakes import RecordingObserver

pytestmark = pytest.mark.engine

X86, ARM = Architecture.X86_64, Architecture.ARM64
VOLUME = "lambdapack-test-npm"
CANARY = "npm_c4n4ryc4n4ryc4n4ry"

SOURCE = """
#include <node_api.h>
static napi_value Init(napi_env env, napi_value exports) {
  napi_value answer;
  napi_create_int32(env, 42, &answer);
  napi_set_named_property(env, exports, "answer", answer);
  return exports;
}
NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
"""
GYP = '{"targets": [{"target_name": "addon", "sources": ["addon.cc"]}]}'


@pytest.fixture(scope="module")
def engine(lab_engine: Mapping[str, str]) -> Iterator[Engine]:
    assert lab_engine
    connected = connect_engine(os.environ)
    yield connected
    for volume in connected.caches():  # of projects that lie in a temporary directory
        if volume.name.startswith(f"{VOLUME}-"):
            connected.drop_cache(volume.name)


@dataclass(frozen=True)
class Bench:
    """Installs one project."""

    engine: Engine
    images: Callable[[Architecture], ImageReferences]
    tmp_path: Path

    def order(self, root: Path, architecture: Architecture, **changes: Any) -> InstallRequest:
        source = read_dependencies(root)
        inputs = install_inputs(source)
        settings = translate_npm_settings(root, os.environ, Path.home())
        scripts = find_install_scripts(source, inputs, architecture)
        target = Target("nodejs22.x", architecture)
        asked = InstallRequest(MANAGERS[0], source, target, inputs, scripts, self.images, settings, cache=VOLUME)
        return replace(asked, **changes)

    def install(
        self, root: Path, architecture: Architecture, **changes: Any
    ) -> tuple[InstallResult, RecordingObserver]:
        observer = RecordingObserver()
        spool = self.tmp_path / f"{architecture}.tar"
        return install_dependencies(self.order(root, architecture, **changes), self.engine, spool, observer), observer

    def refused(self, root: Path, architecture: Architecture = X86, **changes: Any) -> LambdapackError:
        with pytest.raises(LambdapackError) as caught:
            self.install(root, architecture, **changes)
        return caught.value


@pytest.fixture
def bench(engine: Engine, lab_engine: Mapping[str, str], tmp_path: Path) -> Bench:
    def images(architecture: Architecture) -> ImageReferences:
        words = {"node": "22", "arch": architecture.aws}
        names = (lab_engine["LAMBDAPACK_IMAGE"], lab_engine["LAMBDAPACK_BUILD_IMAGE"])
        return ImageReferences(*(name.format(**words) for name in names))

    return Bench(engine, images, tmp_path)


def written(root: Path, manifest: Mapping[str, Any], packages: Mapping[str, Any], files: Mapping[str, str]) -> Path:
    """Write a project whose lockfile is made up."""
    own = {"name": "shop", "version": "1.0.0", **manifest}
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": own, **packages}}
    texts = {"package.json": json.dumps(own), "package-lock.json": json.dumps(lock), **files}
    for name, text in texts.items():
        path = root / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "project"


def locked(root: Path, npm: str, manifest: Mapping[str, Any], *flags: str) -> Path:
    """Write a project and let npm lock it."""
    project = root / "project"
    project.mkdir()
    text = json.dumps({"name": "shop", "version": "1.0.0", **manifest})
    (project / "package.json").write_text(text, encoding="utf-8")
    argv = [npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", *flags]
    subprocess.run(argv, cwd=project, check=True, capture_output=True)
    return project


def addon(root: Path, source: str = SOURCE, gyp: str = GYP) -> Path:
    packages = {
        "lib/addon": {"version": "1.0.0", "hasInstallScript": True},
        "node_modules/addon": {"resolved": "lib/addon", "link": True},
    }
    scripts = {"install": "node-gyp rebuild"}
    inner = json.dumps({"name": "addon", "version": "1.0.0", "gypfile": True, "scripts": scripts})
    files = {"lib/addon/package.json": inner, "lib/addon/binding.gyp": gyp, "lib/addon/addon.cc": source}
    return written(root, {"dependencies": {"addon": "file:lib/addon"}}, packages, files)


def machine(installed: InstallResult, path: str) -> int:
    """Return e_machine of a file of the tree."""
    with installed.tree.view(path) as data:
        assert bytes(data[:4]) == b"\x7fELF"
        return int.from_bytes(data[18:20], "little")


@pytest.mark.registry
def test_prebuilt_addons_are_installed_natively(bench: Bench, npm: str, tmp_path: Path) -> None:
    root = locked(tmp_path, npm, {"dependencies": {"bcrypt": "6.0.0", "sharp": "0.34.5"}})
    found, observer = bench.install(root, X86)
    assert found.recipe is not None
    assert found.recipe.strategy == "native"
    assert found.facts is not None
    assert found.facts.manager == "10.9.9"
    assert found.absent == ()
    for path in (
        "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node",
        "node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node",
    ):
        assert machine(found, path) == X86.elf_machine
    assert "package.json" not in found.tree.entries
    assert any("sharp@0.34.5" in line for line in observer.lines)
    assert not any("bcrypt@6.0.0" in line for line in observer.lines)  # its script only looks for the prebuilt file


@pytest.mark.registry
def test_prebuilt_addons_for_the_other_cpu_need_no_emulation(bench: Bench, npm: str, tmp_path: Path) -> None:
    root = locked(tmp_path, npm, {"optionalDependencies": {"@img/sharp-linux-arm64": "0.34.5"}})
    found, observer = bench.install(root, ARM)
    assert found.recipe is not None
    assert found.recipe.strategy == "cross-prebuilt"
    assert machine(found, "node_modules/@img/sharp-linux-arm64/lib/sharp-linux-arm64.node") == ARM.elf_machine
    assert any("no emulation" in note for note in observer.notes)


@pytest.mark.registry
@pytest.mark.parametrize("recorded", ["true", "false"], ids=["without-urls", "with-urls"])
def test_scripts_run_offline_on_what_was_fetched(bench: Bench, npm: str, tmp_path: Path, recorded: str) -> None:
    root = locked(
        tmp_path,
        npm,
        {"dependencies": {"bcrypt": "6.0.0", "protobufjs": "7.4.0"}},
        f"--omit-lockfile-registry-resolved={recorded}",
    )
    found, observer = bench.install(root, X86, script_policy="offline")
    assert machine(found, "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node") == X86.elf_machine
    assert any("protobufjs@7.4.0" in line for line in observer.lines)  # bcrypt's script is decided without running
    assert [label.partition(" (")[0] for label in observer.tasks if label.startswith("npm")] == [
        "npm ci",
        "npm rebuild",
    ]


@pytest.mark.registry
def test_a_binding_gyp_is_compiled_where_the_lock_tells_of_no_script(bench: Bench, npm: str, tmp_path: Path) -> None:
    """unix-dgram's metadata in the registry has neither script nor gypfile; better-sqlite3 excludes its binding.gyp."""
    root = locked(tmp_path, npm, {"dependencies": {"unix-dgram": "2.0.7", "better-sqlite3": "13.2.0"}})
    assert "hasInstallScript" not in (root / "package-lock.json").read_text(encoding="utf-8")
    found, observer = bench.install(root, X86)
    assert machine(found, "node_modules/unix-dgram/build/Release/unix_dgram.node") == X86.elf_machine
    assert not [path for path in found.tree.entries if path.startswith("node_modules/better-sqlite3/build/")]
    assert found.image is not None
    assert found.image.reference.endswith("-build")
    assert any("> unix-dgram@2.0.7 install" in line for line in observer.lines)


@pytest.mark.registry
def test_an_optional_package_that_does_not_compile_is_left_out(bench: Bench, npm: str, tmp_path: Path) -> None:
    """Ref 1.3.5 uses a V8 that Node.js no longer has."""
    root = locked(tmp_path, npm, {"dependencies": {"ms": "2.1.3"}, "optionalDependencies": {"ref": "1.3.5"}})
    found, observer = bench.install(root, X86)
    assert "node_modules/ms/package.json" in found.tree.entries
    assert not [path for path in found.tree.entries if path.startswith("node_modules/ref/")]
    assert any(note.startswith("ref@1.3.5 is optional and left out: ") for note in observer.notes)


@pytest.mark.registry
def test_an_npmrc_that_omits_optional_packages_is_obeyed_and_they_are_named(
    bench: Bench, npm: str, tmp_path: Path
) -> None:
    wanted = {"dependencies": {"is-number": "7.0.0"}, "optionalDependencies": {"is-odd": "3.0.1"}}
    root = locked(tmp_path, npm, wanted)
    (root / ".npmrc").write_text("omit=optional\n", encoding="utf-8")
    found, observer = bench.install(root, X86)
    assert "node_modules/is-number/package.json" in found.tree.entries
    assert "node_modules/is-odd/package.json" not in found.tree.entries
    assert any("(omit=optional in the npm settings): is-odd@3.0.1" in note for note in observer.notes)


def test_no_script_meets_the_cache_that_other_projects_read(bench: Bench, tmp_path: Path) -> None:
    """What one project's script writes is there for its next build, and for nobody else's."""
    script = "cd $npm_config_cache/.. && cat planted 2>/dev/null; echo mine > planted"

    def build(name: str) -> list[str]:
        root = written(tmp_path / name, {"scripts": {"postinstall": script}}, {}, {})
        return [line for line in bench.install(root, X86)[1].lines if line == "mine"]

    assert (build("one"), build("one"), build("two")) == ([], ["mine"], [])


@pytest.mark.parametrize("architecture", list(Architecture), ids=str)
def test_an_addon_of_the_project_is_compiled_in_its_place(
    bench: Bench, tmp_path: Path, architecture: Architecture
) -> None:
    found, _ = bench.install(addon(tmp_path), architecture)
    assert machine(found, "lib/addon/build/Release/addon.node") == architecture.elf_machine
    assert found.tree.entries["node_modules/addon"].target == "../lib/addon"
    assert found.owned == ("node_modules", "lib/addon")


def test_a_flag_for_this_machines_cpu_is_noticed(bench: Bench, tmp_path: Path) -> None:
    gyp = GYP.replace('"addon.cc"]', '"addon.cc"], "cflags": ["-march=native"]')
    assert bench.install(addon(tmp_path, gyp=gyp), X86)[0].compiler_flags == (
        CompilerFlag("addon", "-march=native", everywhere=True),
    )


def test_the_cure_for_it_wins_over_the_packages_own_flag(bench: Bench, tmp_path: Path) -> None:
    root = addon(tmp_path, gyp=GYP.replace('"addon.cc"]', '"addon.cc"], "cflags": ["-march=native"]'))
    environ = {**os.environ, "CXXFLAGS": "-march=x86-64-v2 -I/of/the/host"}
    found, observer = bench.install(root, X86, settings=translate_npm_settings(root, environ, Path.home()))
    assert found.compiler_flags == (CompilerFlag("addon", "-march=x86-64-v2", everywhere=True),)
    compiling = [each for each in observer.lines if "addon.cc" in each and "g++" in each]
    assert [("-march=native" in each, each.count("/of/the/host")) for each in compiling] == [(True, 0)]
    assert compiling[0].index("-march=native") < compiling[0].index("-march=x86-64-v2")


def test_a_compiler_error_is_shown_with_its_line(bench: Bench, tmp_path: Path) -> None:
    error = bench.refused(addon(tmp_path, SOURCE.replace("napi_create_int32", "napi_create_nothing")))
    assert error.failure is COMPILE_FAILED
    assert "addon.cc:5:3: error: " in error.detail


def test_scripts_run_offline_and_without_the_credentials_that_fetched(bench: Bench, tmp_path: Path) -> None:
    root = addon(tmp_path)
    spy = "env; cat /run/lambdapack/* /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; node-gyp rebuild"
    path = root / "lib/addon/package.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "scripts": {"install": spy}}), encoding="utf-8")
    settings = ManagerSettings(
        text=f"//registry.example.test/:_authToken={CANARY}\n".encode(),
        environment={"HTTPS_PROXY": f"http://me:{CANARY}@proxy.example.test:3128"},
        has_credentials=True,
    )
    found, observer = bench.install(root, X86, settings=settings, script_policy="offline")
    assert "lib/addon/build/Release/addon.node" in found.tree.entries
    said = "\n".join((*observer.lines, *observer.notes, *found.log))
    assert "HTTPS_PROXY=http://proxy.example.test:3128" in said
    assert CANARY not in said
    assert "***" not in said


def test_a_root_script_that_needs_a_devdependency_is_named(bench: Bench, tmp_path: Path) -> None:
    packages = {"node_modules/prisma": {"version": "6.19.3", "dev": True, "bin": {"prisma": "build/index.js"}}}
    manifest = {"scripts": {"postinstall": "prisma generate"}, "devDependencies": {"prisma": "6.19.3"}}
    error = bench.refused(written(tmp_path, manifest, packages, {}))
    assert error.failure is ROOT_SCRIPT
    assert "the devDependency prisma brings" in error.detail
    assert "npm install --save-prod prisma" in error.hint


def test_a_root_script_ships_what_it_makes(bench: Bench, tmp_path: Path) -> None:
    manifest = {"scripts": {"postinstall": "node make.js", "prepare": "husky"}, "devDependencies": {"husky": "9.1.7"}}
    packages = {"node_modules/husky": {"version": "9.1.7", "dev": True}}
    script = (
        "const fs = require('fs'); fs.mkdirSync('made');fs.writeFileSync('made/by', require('os').userInfo().username)"
    )
    found, _ = bench.install(written(tmp_path, manifest, packages, {"make.js": script}), X86)
    assert [path for path in found.tree.entries if not path.startswith("node_modules")] == ["made", "made/by"]


def test_an_unreachable_registry_is_said_in_seconds(bench: Bench, tmp_path: Path) -> None:
    packages = {"node_modules/lambdapack-never": {"version": "1.0.0"}}
    root = written(tmp_path, {"dependencies": {"lambdapack-never": "1.0.0"}}, packages, {})
    settings = ManagerSettings(text=b"registry=https://registry.invalid/\n")
    begun = time.monotonic()
    error = bench.refused(root, settings=settings)
    assert error.failure is NO_REGISTRY
    assert "registry.invalid" in error.detail
    assert time.monotonic() - begun < 15


def test_a_lockfile_that_is_out_of_step_is_refused_with_its_repair(bench: Bench, tmp_path: Path) -> None:
    root = written(tmp_path, {"dependencies": {"ms": "2.1.3"}}, {"node_modules/ms": {"version": "2.1.2"}}, {})
    error = bench.refused(root)
    assert error.failure is LOCK_REFUSED
    assert "npx npm@10.9.9 install --package-lock-only" in error.hint


def test_a_script_that_eats_the_memory_is_said_so(bench: Bench, tmp_path: Path) -> None:
    script = "node -e 'const all = []; for (;;) all.push(Buffer.alloc(1 << 26, 1))'"
    root = written(tmp_path, {"scripts": {"postinstall": script}}, {}, {})
    limits = replace(bench.order(root, X86).limits, memory_bytes=400 * 1024 * 1024)
    assert bench.refused(root, limits=limits).failure is OUT_OF_MEMORY


def test_a_script_that_hangs_is_named_and_not_our_own_command_line(bench: Bench, tmp_path: Path) -> None:
    root = written(tmp_path, {"scripts": {"postinstall": "echo begun; sleep 600"}}, {}, {})
    error = bench.refused(root, limits=replace(bench.order(root, X86).limits, silence_seconds=4))
    assert error.failure is TOO_LONG
    assert error.detail.startswith(
        "the postinstall script of shop@1.0.0: `npm run postinstall` was stopped: it printed nothing for 4 s"
    )
