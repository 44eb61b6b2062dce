import hashlib
import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.engine.interface import CacheVolume
from lambdapack.errors.build import (
    DISK_FULL,
    FOREIGN_WRITE,
    GIT_WITH_CREDENTIALS,
    LOCK_REFUSED,
    NO_IMAGE,
    NO_REGISTRY,
    ROOT_SCRIPT,
    WRONG_IMAGE,
)
from lambdapack.errors.install import COMPILE_FAILED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.available import find_available_image
from lambdapack.install.compile_lines import CompilerFlag
from lambdapack.install.install import install_dependencies
from lambdapack.install.request import (
    CACHE_VOLUME,
    ImageReferences,
    InstallJob,
    InstallRequest,
    InstallResult,
    dependency_key,
)
from lambdapack.install.strategy import candidate_recipes
from lambdapack.install.writers import AllowedWrite
from lambdapack.managers.interface import CACHE_DIRECTORY, ImageFacts, InstallScripts, ManagerSettings
from lambdapack.managers.npm import commands
from lambdapack.managers.npm.inputs import find_install_scripts, install_inputs
from lambdapack.managers.registry import MANAGERS, read_dependencies
from lambdapack.model import Architecture, Target
from tests.fakes import FakeEngine, FakeFile, Process, RecordingObserver
from tests.projects import NPM_LOGS

X86, ARM = Architecture.X86_64, Architecture.ARM64
LAB = {
    each: ImageReferences(f"lambdapack-lab/nodejs:22-{each}", f"lambdapack-lab/nodejs:22-{each}-build")
    for each in Architecture
}
TOKEN = "npm_abcdef"  # noqa: S105  # a canary
SECRET = ManagerSettings(
    text=f"//registry.example.test/:_authToken={TOKEN}\n".encode(),
    has_credentials=True,
    without_secrets="registry=https://registry.example.test/\n",
)

Npm = Callable[[Process, Sequence[str]], int]


def manifest_of(package: str, **fields: Any) -> bytes:
    return json.dumps({"name": package, "version": "1.0.0", **fields}).encode()


def install_all(process: Process, argv: Sequence[str]) -> int:
    """Play an npm that installs every locked production package and runs nothing."""
    assert argv[0] == "npm"
    lock = json.loads(process.files["/var/task/package-lock.json"].data)
    for path, package in lock["packages"].items():
        if argv[1] == "ci" and path.startswith("node_modules/") and not package.get("dev") and not package.get("link"):
            scripts = {"install": "node-gyp rebuild"} if package.get("hasInstallScript") else {}
            process.write(f"/var/task/{path}/package.json", manifest_of(path, scripts=scripts))
    process.out(f"{' '.join(argv[:2])} done\n")
    return 0


@dataclass
class Machine:
    """A fake engine whose images bring `version` of npm, and what was asked of it."""

    npm: Npm = install_all
    version: str = "10.9.9"
    needs_libraries: bool = False
    calls: list[tuple[str, ...]] = field(default_factory=list)
    looks: dict[int, dict[str, FakeFile]] = field(default_factory=dict)

    def engine(self) -> FakeEngine:
        return FakeEngine(programs={"sh": self._sh, "node": self._node})

    def _node(self, process: Process) -> int:
        if process.argv[1] == "-e":
            return self._look(process)
        assert process.argv[1] == "-p"
        process.out(f"{process.sandbox.image.architecture.node}\n")
        return 0

    def _look(self, process: Process) -> int:
        """Print what has changed since the last look, as LOOK_SCRIPT does."""
        root, clock, own = process.argv[3:]
        before, now = self.looks.get(int(clock), {}), dict(process.files)
        for path in sorted(path for path in now if path.startswith(f"{root}/")):
            file, name = now[path], path.removeprefix(f"{root}/")
            if int(clock) in self.looks and before.get(path) != file and not self._is_own(name, own):
                process.out(json.dumps([name, file.kind.value, hashlib.sha256(file.data).hexdigest()]) + "\n")
        for path in sorted(set(before) - set(now)):
            name = path.removeprefix(f"{root}/")
            folder = posixpath.dirname(name)
            names = [posixpath.basename(each) for each in now if posixpath.dirname(each) == f"{root}/{folder}"]
            if not self._is_own(name, own):
                process.out(json.dumps([folder, "directory", names]) + "\n")
        self.looks[len(self.looks) + 1] = now
        process.out(json.dumps(["", "clock", str(len(self.looks))]) + "\n")
        return 0

    @staticmethod
    def _is_own(name: str, own: str) -> bool:
        return bool(own) and name.startswith(f"{own}/")

    def _probe(self, process: Process) -> int:
        if self.needs_libraries and "LD_LIBRARY_PATH" in process.command.env:
            process.err("libssl.so.3: cannot open shared object file\n")
            return 127
        process.out(json.dumps({"node": "22.23.3", "npm": self.version, "headers": "/var/lang", "jobs": 2}) + "\n")
        return 0

    def _sh(self, process: Process) -> int:
        if process.argv[3:] == (commands.PROBE_SCRIPT,):
            return self._probe(process)
        if process.argv[2] == commands.LEAVE_OUT_SCRIPT:
            gone = f"/var/task/{process.argv[-1]}/"
            for path in [path for path in process.files if path.startswith(gone)]:
                del process.files[path]
            return 0
        assert process.argv[2].endswith(commands.ENVIRONMENT_SCRIPT)
        assert process.argv[3] == commands.ENVIRONMENT_PATH
        assert process.command.user == "1051:1051"
        assert process.command.cwd == "/var/task"
        argv = process.argv[4:]
        self.calls.append(argv)
        return self.npm(process, argv)


def failing_with(log: str, code: int = 1) -> Npm:
    def play(process: Process, _argv: Sequence[str]) -> int:
        process.err((NPM_LOGS / f"{log}.txt").read_bytes())
        return code

    return play


PLAIN = {"ms": {"version": "2.1.3"}}
COMPILES = {"bcrypt": {"version": "6.0.0", "hasInstallScript": True}}


def project(root: Path, packages: Mapping[str, Any], **manifest: Any) -> Path:
    own = {name: package["version"] for name, package in packages.items() if not package.get("dev")}
    described = {"name": "shop", "version": "1.0.0", "dependencies": own, **manifest}
    locked = {f"node_modules/{name}": package for name, package in packages.items()}
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": described, **locked}}
    (root / "package.json").write_text(json.dumps(described), encoding="utf-8")
    (root / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return root


def order(root: Path, architecture: Architecture = X86, **changes: Any) -> InstallRequest:
    source = read_dependencies(root)
    inputs = install_inputs(source)
    scripts = find_install_scripts(source, inputs, architecture)
    target = Target("nodejs22.x", architecture)
    return replace(InstallRequest(MANAGERS[0], source, target, inputs, scripts, LAB.__getitem__), **changes)


def installed(
    asked: InstallRequest,
    machine: Machine,
    tmp_path: Path,
    observer: Observer = SILENT,
    engine: FakeEngine | None = None,
) -> InstallResult:
    return install_dependencies(asked, engine or machine.engine(), tmp_path / "spool.tar", observer)


def refused(asked: InstallRequest, machine: Machine, tmp_path: Path) -> LambdapackError:
    engine = machine.engine()
    with pytest.raises(LambdapackError) as caught:
        installed(asked, machine, tmp_path, engine=engine)
    assert engine.living == []
    return caught.value


def test_nothing_to_install_starts_nothing(tmp_path: Path) -> None:
    engine = Machine().engine()
    dev = {"husky": {"version": "9.1.7", "dev": True}}
    found = installed(order(project(tmp_path, dev)), Machine(), tmp_path, engine=engine)
    assert engine.opened == []
    assert dict(found.tree.entries) == {}
    assert found.image is None


def test_what_npm_made_ships_and_the_manifests_do_not(tmp_path: Path) -> None:
    found = installed(order(project(tmp_path, PLAIN)), Machine(), tmp_path)
    assert [path for path in found.tree.entries if path.endswith("package.json")] == ["node_modules/ms/package.json"]
    assert "package.json" not in found.tree.entries
    assert "package-lock.json" not in found.tree.entries
    assert found.facts is not None
    assert (found.facts.manager, found.facts.node, found.owned) == ("10.9.9", "22.23.3", ("node_modules",))


def test_without_scripts_the_bare_image_is_enough(tmp_path: Path) -> None:
    machine = Machine()
    found = installed(order(project(tmp_path, PLAIN)), machine, tmp_path)
    assert found.image is not None
    assert found.image.reference == "lambdapack-lab/nodejs:22-x86_64"
    assert "--ignore-scripts" in machine.calls[0]


def test_scripts_get_the_image_with_the_toolchain(tmp_path: Path) -> None:
    machine = Machine()
    found = installed(order(project(tmp_path, COMPILES)), machine, tmp_path)
    assert found.image is not None
    assert found.image.reference == "lambdapack-lab/nodejs:22-x86_64-build"
    assert "--ignore-scripts" in machine.calls[0]
    assert machine.calls[1][1] == "rebuild"
    assert machine.calls[1][-1] == "/var/task/node_modules/bcrypt"


def test_what_only_the_fetched_files_tell_of_gets_the_toolchain_as_well(tmp_path: Path) -> None:
    """The lock has no `hasInstallScript`: the bare image fetches, and the files want a compiler."""

    def play(process: Process, argv: Sequence[str]) -> int:
        install_all(process, argv)
        process.write("/var/task/node_modules/ms/binding.gyp", b"{}")
        return 0

    engine, machine = Machine(play).engine(), Machine(play)
    observer = RecordingObserver()
    found = installed(order(project(tmp_path, PLAIN), ARM), machine, tmp_path, observer, machine.engine())
    assert found.recipe is not None
    assert found.recipe.strategy == "emulated"
    assert machine.calls[1][-1] == "/var/task/node_modules/ms"
    assert any("ms@2.1.3 runs an install script, so the arm64 image" in note for note in observer.notes)
    installed(order(project(tmp_path, PLAIN)), machine, tmp_path, engine=engine)
    assert [sandbox.image.reference[-6:] for sandbox in engine.opened] == ["x86_64", "-build"]


def test_what_the_lock_alone_tells_of_is_not_run(tmp_path: Path) -> None:
    """The registry's metadata had a script, the package itself has none."""

    def play(process: Process, _argv: Sequence[str]) -> int:
        process.write("/var/task/node_modules/bcrypt/package.json", manifest_of("bcrypt"))
        return 0

    machine = Machine(play)
    found = installed(order(project(tmp_path, COMPILES)), machine, tmp_path)
    assert "node_modules/bcrypt/package.json" in found.tree.entries
    assert len(machine.calls) == 1


def test_nothing_runs_where_the_user_says_so(tmp_path: Path) -> None:
    machine = Machine()
    installed(order(project(tmp_path, COMPILES), settings=ManagerSettings(ignore_scripts=True)), machine, tmp_path)
    assert [argv[1] for argv in machine.calls] == ["ci"]


def test_an_optional_package_whose_script_fails_is_left_out_as_npm_does(tmp_path: Path) -> None:
    packages = {**PLAIN, "bcrypt": {"version": "6.0.0", "hasInstallScript": True, "optional": True}}

    def play(process: Process, argv: Sequence[str]) -> int:
        return failing_with("compile-error")(process, argv) if argv[1] == "rebuild" else install_all(process, argv)

    engine, observer = Machine(play).engine(), RecordingObserver()
    installed(order(project(tmp_path, packages)), Machine(play), tmp_path, observer, engine)
    assert engine.opened[-1].commands[-1].argv[-1] == "node_modules/bcrypt"
    assert any(note.startswith("bcrypt@6.0.0 is optional and left out: ") for note in observer.notes)


GIT = {"resolved": "git+https://git.example.test/fork.git#" + "0" * 40, "version": "1.0.0"}


def fetching_git(*, prepare: bool, evil: str = "") -> Npm:
    """Play an npm that brings a fork from git, and runs its prepare script unless the script-shell does nothing."""

    def play(process: Process, argv: Sequence[str]) -> int:
        install_all(process, argv)
        scripts = {"prepare": "tsc"} if prepare else {}
        process.write("/var/task/node_modules/fork/package.json", manifest_of("fork", scripts=scripts))
        if process.command.env.get("npm_config_script_shell") != commands.NO_SHELL:
            process.write("/var/task/node_modules/fork/dist.js", b"made")
            if evil:
                process.write(evil, b"evil")
        else:
            assert process.command.env[commands.PREPARED_VARIABLE] == GIT["resolved"]
        return 0

    return play


@pytest.mark.parametrize("settings", [SECRET, ManagerSettings()], ids=["credentials", "none"])
def test_nothing_that_git_brings_runs_while_it_is_fetched(tmp_path: Path, settings: ManagerSettings) -> None:
    asked, engine = order(project(tmp_path, {**PLAIN, "fork": GIT}), settings=settings), Machine().engine()
    machine = Machine(fetching_git(prepare=False))
    found = installed(asked, machine, tmp_path, engine=machine.engine())
    assert "node_modules/fork/dist.js" not in found.tree.entries
    assert engine.living == []


def test_a_git_dependency_that_has_to_be_prepared_is_refused_beside_credentials(tmp_path: Path) -> None:
    asked = order(project(tmp_path, {**PLAIN, "fork": GIT}), settings=SECRET)
    machine = Machine(fetching_git(prepare=True))
    error = refused(asked, machine, tmp_path)
    assert error.failure is GIT_WITH_CREDENTIALS
    assert "fork@1.0.0" in error.detail
    assert len(machine.calls) == 1


def test_a_git_dependency_is_prepared_in_a_step_of_its_own(tmp_path: Path) -> None:
    asked = order(project(tmp_path, {**PLAIN, "fork": GIT}))
    machine = Machine(fetching_git(prepare=True))
    engine = machine.engine()
    found = installed(asked, machine, tmp_path, engine=engine)
    assert [sandbox.spec.label for sandbox in engine.opened] == ["fetch", "prepare"]
    assert engine.opened[-1].ended == ["1051:1051"]
    assert found.authors == {"node_modules/fork/dist.js": "fork@1.0.0"}
    assert "node_modules/fork/dist.js" in found.tree.entries


@pytest.mark.parametrize("evil", ["/var/task/node_modules/ms/index.js", "/var/task/index.js"])
def test_what_a_git_dependency_writes_elsewhere_is_refused(tmp_path: Path, evil: str) -> None:
    asked = order(project(tmp_path, {**PLAIN, "fork": GIT}))
    error = refused(asked, Machine(fetching_git(prepare=True, evil=evil)), tmp_path)
    assert error.failure is FOREIGN_WRITE
    assert "fork@1.0.0" in error.detail


def test_what_git_fetches_is_kept_from_the_cache_of_all_projects(tmp_path: Path) -> None:
    asked = order(project(tmp_path, PLAIN))
    engine = Machine().engine()
    installed(replace(asked, scripts=InstallScripts(git=("fork",))), Machine(), tmp_path, engine=engine)
    assert [volume.name for volume in engine.opened[0].spec.volumes] != [CACHE_VOLUME]


def test_scripts_of_packages_for_other_systems_do_not_count(tmp_path: Path) -> None:
    mac = {"fsevents": {"version": "2.3.3", "hasInstallScript": True, "optional": True, "os": ["darwin"]}}

    def play(process: Process, _argv: Sequence[str]) -> int:
        process.write("/var/task/node_modules/.package-lock.json", b'{"lockfileVersion": 3, "packages": {}}')
        return 0

    found = installed(order(project(tmp_path, mac)), Machine(play), tmp_path)
    assert found.image is not None
    assert not found.image.reference.endswith("-build")
    assert found.absent == ()


def test_another_cpu_without_scripts_needs_no_emulation(tmp_path: Path) -> None:
    machine = Machine()
    found = installed(order(project(tmp_path, PLAIN), ARM), machine, tmp_path)
    assert found.recipe is not None
    assert found.recipe.strategy == "cross-prebuilt"
    assert found.image is not None
    assert found.image.architecture is X86
    assert "--cpu=arm64" in machine.calls[0]


def test_an_npm_that_is_too_old_for_that_is_emulated_instead(tmp_path: Path) -> None:
    observer = RecordingObserver()
    found = installed(order(project(tmp_path, PLAIN), ARM), Machine(version="8.19.4"), tmp_path, observer)
    assert found.recipe is not None
    assert found.recipe.strategy == "emulated"
    assert any("npm 8.19.4" in note for note in observer.notes)


def test_an_image_name_that_fits_one_cpu_only_is_emulated_too(tmp_path: Path) -> None:
    images = dict.fromkeys(Architecture, LAB[ARM])
    found = installed(order(project(tmp_path, PLAIN), ARM, images=images.__getitem__), Machine(), tmp_path)
    assert found.recipe is not None
    assert found.recipe.strategy == "emulated"


def test_another_cpu_with_scripts_is_emulated_and_says_why(tmp_path: Path) -> None:
    observer = RecordingObserver()
    engine = Machine().engine()
    installed(order(project(tmp_path, COMPILES), ARM), Machine(), tmp_path, observer, engine)
    assert [each.spec.label for each in engine.opened] == ["fetch", "emulation", "build"]
    assert any("bcrypt@6.0.0 runs an install script" in note for note in observer.notes)


def test_a_missing_image_is_a_failure_when_nothing_else_is_left(tmp_path: Path) -> None:
    images = {each: ImageReferences("absent", "absent") for each in Architecture}
    assert refused(order(project(tmp_path, PLAIN), images=images.__getitem__), Machine(), tmp_path).failure is NO_IMAGE


def test_an_image_without_npm_is_the_wrong_one(tmp_path: Path) -> None:
    error = refused(order(project(tmp_path, PLAIN)), Machine(version=""), tmp_path)
    assert error.failure is WRONG_IMAGE
    assert "no npm" in error.detail


def test_a_node_that_needs_the_images_libraries_keeps_them(tmp_path: Path) -> None:
    engine = Machine(needs_libraries=True).engine()
    installed(order(project(tmp_path, PLAIN)), Machine(), tmp_path, engine=engine)
    assert "LD_LIBRARY_PATH" not in engine.opened[0].commands[-1].env


def test_secrets_go_to_the_tmpfs_and_nowhere_else(tmp_path: Path) -> None:
    engine = Machine().engine()
    installed(order(project(tmp_path, PLAIN), settings=SECRET), Machine(), tmp_path, engine=engine)
    (sandbox,) = engine.opened
    assert TOKEN.encode() in sandbox.hidden["/run/lambdapack/npmrc"]
    assert sandbox.spec.secrets == "/run/lambdapack"
    seen = [repr((each.argv, each.env, each.cwd, each.stdin)) for each in sandbox.commands]
    assert not [each for each in seen if TOKEN in each]
    assert TOKEN not in repr(sandbox.spec)


def test_a_secret_that_npm_prints_is_not_passed_on(tmp_path: Path) -> None:
    def play(process: Process, argv: Sequence[str]) -> int:
        process.err(f"npm http fetch GET 200 with {TOKEN}\n")
        return install_all(process, argv)

    observer = RecordingObserver()
    found = installed(order(project(tmp_path, PLAIN), settings=SECRET), Machine(play), tmp_path, observer)
    assert TOKEN not in " ".join((*observer.lines, *observer.notes, *found.log))


def test_scripts_never_run_beside_credentials_or_the_cache_of_all_projects(tmp_path: Path) -> None:
    machine = Machine()
    engine = machine.engine()
    installed(order(project(tmp_path, COMPILES), settings=SECRET), machine, tmp_path, engine=engine)
    fetch, build = engine.opened
    assert [argv[1] for argv in machine.calls] == ["ci", "rebuild"]
    assert TOKEN.encode() in b"".join(fetch.hidden.values())
    assert TOKEN.encode() not in b"".join(file.data for file in build.files.values())
    assert build.spec.network
    assert fetch.spec.volumes == (CacheVolume(CACHE_VOLUME, CACHE_DIRECTORY),)
    (volume,) = build.spec.volumes
    assert volume.directory == CACHE_DIRECTORY
    assert volume.name.startswith(f"{CACHE_VOLUME}-")


def test_scripts_see_all_settings_where_none_is_secret(tmp_path: Path) -> None:
    engine = Machine().engine()
    settings = ManagerSettings(text=b"strict-ssl=false\n")
    installed(order(project(tmp_path, COMPILES), settings=settings), Machine(), tmp_path, engine=engine)
    assert b"strict-ssl=false" in engine.opened[-1].hidden["/run/lambdapack/npmrc"]


def test_scripts_can_be_kept_from_the_network(tmp_path: Path) -> None:
    engine = Machine().engine()
    installed(order(project(tmp_path, COMPILES), script_policy="offline"), Machine(), tmp_path, engine=engine)
    assert [each.spec.network for each in engine.opened] == [True, False]


def test_root_scripts_run_after_an_install_that_runs_no_others(tmp_path: Path) -> None:
    machine = Machine()
    installed(order(project(tmp_path, PLAIN, scripts={"postinstall": "node x.js"})), machine, tmp_path)
    assert "--ignore-scripts" in machine.calls[0]
    assert machine.calls[1] == ("npm", "run", "--omit=dev", "--foreground-scripts", "postinstall")


def test_root_scripts_run_after_those_of_the_packages(tmp_path: Path) -> None:
    machine = Machine()
    installed(order(project(tmp_path, COMPILES, scripts={"postinstall": "node x.js"})), machine, tmp_path)
    assert [argv[1] for argv in machine.calls] == ["ci", "rebuild", "run"]


def test_prepare_is_not_run(tmp_path: Path) -> None:
    engine = Machine().engine()
    installed(order(project(tmp_path, PLAIN, scripts={"prepare": "husky"})), Machine(), tmp_path, engine=engine)
    assert b"husky" not in engine.opened[0].files["/var/task/package.json"].data


@pytest.mark.parametrize(
    ("log", "failure"),
    [
        ("no-network", NO_REGISTRY),
        ("lock-out-of-step", LOCK_REFUSED),
        ("compile-error", COMPILE_FAILED),
    ],
)
def test_a_failure_of_npm_is_explained(tmp_path: Path, log: str, failure: Failure) -> None:
    assert refused(order(project(tmp_path, PLAIN)), Machine(failing_with(log)), tmp_path).failure is failure


def test_a_root_script_that_needs_a_devdependency_is_named_with_it(tmp_path: Path) -> None:
    packages = {**PLAIN, "prisma": {"version": "6.19.3", "dev": True, "bin": {"prisma": "build/index.js"}}}
    asked = order(project(tmp_path, packages, scripts={"postinstall": "prisma generate"}))
    error = refused(asked, Machine(failing_with("root-postinstall-prisma", 127)), tmp_path)
    assert error.failure is ROOT_SCRIPT
    assert "devDependency prisma brings" in error.detail


def test_a_program_of_a_devdependency_with_another_name_is_found_too(tmp_path: Path) -> None:
    packages = {**PLAIN, "@acme/orm": {"version": "1.0.0", "dev": True, "bin": {"prisma": "cli.js"}}}
    asked = order(project(tmp_path, packages, scripts={"postinstall": "prisma generate"}))
    error = refused(asked, Machine(failing_with("root-postinstall-prisma", 127)), tmp_path)
    assert "npm install --save-prod @acme/orm" in error.hint


def test_a_full_disk_is_a_failure_although_npm_exits_with_0(tmp_path: Path) -> None:
    error = refused(order(project(tmp_path, PLAIN)), Machine(failing_with("disk-full", 0)), tmp_path)
    assert error.failure is DISK_FULL


def test_an_optional_package_for_this_cpu_that_npm_dropped_is_noted(tmp_path: Path) -> None:
    packages = {
        **PLAIN,
        "@img/x": {"version": "0.34.5", "optional": True, "cpu": ["x64"], "os": ["linux"]},
        "@img/y": {"version": "0.34.5", "optional": True, "cpu": ["arm64"], "os": ["linux"]},
        "wasm": {"version": "1.0.0", "optional": True},
    }

    def play(process: Process, _argv: Sequence[str]) -> int:
        process.write("/var/task/node_modules/ms/package.json", manifest_of("ms"))
        return 0

    observer = RecordingObserver()
    found = installed(order(project(tmp_path, packages)), Machine(play), tmp_path, observer)
    assert found.absent == ("@img/x@0.34.5",)
    assert any("@img/x@0.34.5" in note for note in observer.notes)


def test_flags_for_the_build_machines_cpu_are_kept_for_the_verdict(tmp_path: Path) -> None:
    def play(process: Process, argv: Sequence[str]) -> int:
        process.out("> x@1.0.0 install\n> node-gyp rebuild\n  g++ -O3 -march=native -o x.o x.cc\n")
        return install_all(process, argv)

    found = installed(order(project(tmp_path, COMPILES)), Machine(play), tmp_path)
    assert found.compiler_flags == (CompilerFlag("x", "-march=native", everywhere=True),)


def test_a_result_carries_the_job_and_the_recipe_that_was_followed(tmp_path: Path) -> None:
    job = InstallJob(dependency_key({"a": b"1"}), Target("nodejs22.x", ARM), ".")
    found = installed(order(project(tmp_path, PLAIN), ARM, job=job), Machine(), tmp_path)
    assert found.job is job
    assert found.recipe is not None
    assert found.recipe.key_parts == {"strategy": "cross-prebuilt/1"}
    assert found.facts is not None
    assert found.image is not None
    assert found.facts.digest == found.image.digest


def test_tools_flags_and_environment_of_a_recipe_are_followed(tmp_path: Path) -> None:
    machine = Machine()
    engine = machine.engine()
    asked = order(project(tmp_path, PLAIN))
    (recipe,) = candidate_recipes(asked, engine)
    recipe = replace(recipe, strategy="crossed", flags=("--prefer-offline",), environment={"CC": "x-cc"})
    found = installed(replace(asked, recipes=(recipe,)), machine, tmp_path, engine=engine)
    assert found.recipe is recipe
    assert "--prefer-offline" in machine.calls[0]
    assert engine.opened[0].commands[-1].env["CC"] == "x-cc"


def test_a_recipe_that_gives_up_on_a_failure_is_followed_by_the_next(tmp_path: Path) -> None:
    def play(process: Process, argv: Sequence[str]) -> int:
        return install_all(process, argv) if "--good" in argv else failing_with("compile-error")(process, argv)

    asked = order(project(tmp_path, PLAIN))
    (good,) = candidate_recipes(asked, Machine().engine())
    bad = replace(good, strategy="bad", give_up_on=frozenset((COMPILE_FAILED,)))
    good = replace(good, flags=("--good",))
    observer = RecordingObserver()
    found = installed(replace(asked, recipes=(bad, good)), Machine(play), tmp_path, observer)
    assert found.recipe is good
    assert any("trying native instead" in note for note in observer.notes)
    error = refused(replace(asked, recipes=(replace(bad, give_up_on=frozenset()), good)), Machine(play), tmp_path)
    assert error.failure is COMPILE_FAILED


@dataclass
class Known:
    """Remembers facts of images."""

    facts: dict[str, ImageFacts] = field(default_factory=dict)

    def get(self, digest: str) -> ImageFacts | None:
        return self.facts.get(digest)

    def put(self, facts: ImageFacts) -> None:
        self.facts[facts.digest] = facts


def test_an_image_is_looked_at_once_without_network_inputs_or_secrets(tmp_path: Path) -> None:
    engine, known = Machine().engine(), Known()
    asked = order(project(tmp_path, PLAIN), settings=SECRET)
    (recipe,), facts = find_available_image(asked, engine, known)
    assert (recipe.strategy, facts.manager, facts.node, facts.headers) == ("native", "10.9.9", "22.23.3", "/var/lang")
    (sandbox,) = engine.opened
    assert (sandbox.spec.network, sandbox.spec.secrets, sandbox.spec.volumes, sandbox.files) == (False, None, (), {})
    assert find_available_image(asked, engine, known) == ((recipe,), facts)
    assert len(engine.opened) == 1


def test_recipes_begin_with_the_first_whose_image_is_there(tmp_path: Path) -> None:
    images = dict.fromkeys(Architecture, LAB[ARM])
    observer = RecordingObserver()
    asked = order(project(tmp_path, PLAIN), ARM, images=images.__getitem__)
    (recipe,), facts = find_available_image(asked, Machine().engine(), Known(), observer)
    assert recipe.strategy == "emulated"
    assert facts.manager == "10.9.9"
    assert any("trying emulated instead" in note for note in observer.notes)


def addon(root: Path) -> Path:
    """Make a project with a `file:` dependency, as npm locks it."""
    packages: dict[str, Any] = {"addon": {"version": "1.0.0"}}
    project(root, packages)
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    lock["packages"]["node_modules/addon"] = {"resolved": "lib/addon", "link": True}
    lock["packages"]["lib/addon"] = {"version": "1.0.0", "hasInstallScript": True}
    (root / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (root / "lib/addon").mkdir(parents=True)
    (root / "lib/addon/package.json").write_bytes(manifest_of("addon"))
    (root / "lib/addon/binding.gyp").write_text("{}", encoding="utf-8")
    return root


def test_a_linked_package_ships_with_what_was_built_in_it(tmp_path: Path) -> None:
    def play(process: Process, _argv: Sequence[str]) -> int:
        process.write("/var/task/lib/addon/build/Release/addon.node", b"\x7fELF")
        return 0

    found = installed(order(addon(tmp_path)), Machine(play), tmp_path)
    assert found.owned == ("node_modules", "lib/addon")
    files = [path for path in found.tree.entries if path.endswith((".node", ".json", ".gyp"))]
    assert files == ["lib/addon/binding.gyp", "lib/addon/build/Release/addon.node", "lib/addon/package.json"]
    assert found.image is not None
    assert found.image.reference.endswith("-build")


def test_what_a_root_script_wrote_or_changed_ships_and_untouched_inputs_do_not(tmp_path: Path) -> None:
    root = project(tmp_path, PLAIN, scripts={"postinstall": "node make.js"})
    (root / "make.js").write_text("//", encoding="utf-8")
    (root / "prisma").mkdir()
    (root / "prisma/schema.prisma").write_text("one", encoding="utf-8")
    (root / "prisma/state.txt").write_text("one", encoding="utf-8")

    def play(process: Process, argv: Sequence[str]) -> int:
        if argv[1] == "run":
            process.write("/var/task/generated/client.js", b"made")
            process.write("/var/task/prisma/state.txt", b"two")
        return install_all(process, argv)

    found = installed(order(root), Machine(play), tmp_path)
    outside = [path for path in found.tree.entries if not path.startswith("node_modules")]
    assert outside == ["generated/client.js", "prisma/state.txt"]
    with found.tree.view("prisma/state.txt") as data:
        assert bytes(data) == b"two"
    with pytest.raises(KeyError), found.tree.view("make.js"):
        pass


def writing(**scripts: Mapping[str, bytes | None]) -> Npm:
    """Play packages whose scripts write files, or remove them, by absolute path."""

    def play(process: Process, argv: Sequence[str]) -> int:
        if argv[1] == "ci":
            for name in scripts:
                process.write(
                    f"/var/task/node_modules/{name}/package.json", manifest_of(name, scripts={"install": "x"})
                )
            process.write("/var/task/node_modules/ms/package.json", manifest_of("ms"))
            process.write("/var/task/node_modules/ms/index.js", b"own")
            return 0
        name = argv[-1].rpartition("/")[2]
        for path, data in scripts.get(name, {}).items():
            if data is None:
                del process.files[path]
            else:
                process.write(path, data)
        return 0

    return play


def scripted(root: Path, *names: str, **manifest: Any) -> InstallRequest:
    packages = {name: {"version": "1.0.0", "hasInstallScript": True} for name in names}
    return order(project(root, {**packages, "ms": {"version": "2.1.3"}}, **manifest))


MODULES = "/var/task/node_modules"


@pytest.mark.parametrize(
    "written",
    [
        {f"{MODULES}/ms/index.js": b"evil"},
        {f"{MODULES}/ms/new.js": b"evil"},
        {f"{MODULES}/ms/index.js": None},
        {f"{MODULES}/b/index.js": b"evil"},
        {f"{MODULES}/new/index.js": b"evil"},
        {"/var/task/index.js": b"evil"},
        {"/var/task/.env": b"evil"},
        {"/var/task/package.json": b"{}"},
    ],
    ids=["sibling", "beside a sibling", "removed", "with scripts", "new package", "handler", "secrets", "manifest"],
)
@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("b", "a")], ids="-".join)
def test_a_script_that_writes_elsewhere_is_refused_by_name(
    tmp_path: Path, names: tuple[str, ...], written: Mapping[str, bytes | None]
) -> None:
    npm = writing(**{name: (written if name == "a" else {f"{MODULES}/b/own": b"1"}) for name in names})
    error = refused(scripted(tmp_path, *names), Machine(npm), tmp_path)
    assert error.failure is FOREIGN_WRITE
    assert "the install script of a@1.0.0 " in error.detail
    assert min(written).removeprefix("/var/task/") in error.detail
    assert 'allow-writes = {"a:' in error.hint


def test_who_made_what_is_told_and_background_processes_are_ended(tmp_path: Path) -> None:
    npm = writing(
        a={f"{MODULES}/a/made": b"1"}, b={f"{MODULES}/b/made": b"1", f"{MODULES}/ms/allowed.js": b"2"},
        postinstall={"/var/task/gen.js": b"1", f"{MODULES}/ms/index.js": b"patched"},
    )  # fmt: skip
    asked = scripted(tmp_path, "a", "b", scripts={"postinstall": "node x"})
    asked = replace(asked, allow_writes=(AllowedWrite("b", "node_modules/ms/*.js", "why"),))
    engine = Machine(npm).engine()
    found = installed(asked, Machine(npm), tmp_path, engine=engine)
    assert dict(found.authors) == {
        "gen.js": "postinstall script of this project",
        "node_modules/a/made": "a@1.0.0",
        "node_modules/b/made": "b@1.0.0",
        "node_modules/ms/allowed.js": "b@1.0.0",
        "node_modules/ms/index.js": "postinstall script of this project",
    }
    assert engine.opened[-1].ended == ["1051:1051"] * 3


def test_an_optional_package_that_is_left_out_is_nobodys_removal(tmp_path: Path) -> None:
    packages = {"a": {"version": "1.0.0", "hasInstallScript": True, "optional": True}, **PLAIN}
    play = writing(a={}, b={})

    def fail(process: Process, argv: Sequence[str]) -> int:
        return 1 if argv[1] == "rebuild" and argv[-1].endswith("/a") else play(process, argv)

    machine = Machine(fail)
    packages["b"] = {"version": "1.0.0", "hasInstallScript": True}
    found = installed(order(project(tmp_path, packages)), machine, tmp_path)
    assert found.authors == {}
