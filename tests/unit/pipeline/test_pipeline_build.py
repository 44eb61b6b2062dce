import json
import tempfile
import zipfile
from pathlib import Path

import pytest

from lambdapack.errors.build import NPM_FAILED
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pack.output import read_zip_manifest, zip_manifest_path
from lambdapack.pipeline.origin import find_package_origin
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.rules.model.case import IgnoredFinding, Policy
from lambdapack.rules.model.report import Verdict
from lambdapack.runtimes.runtime import shipped_runtime
from tests import elf
from tests.fakes import Process
from tests.unit.pipeline.workshop import ARM, DARWIN, TODAY, X86, Workshop

NODE_22 = {each: Target("nodejs22.x", each) for each in Architecture}
BOTH = tuple(NODE_22.values())


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where spools go; nothing may be left in it."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture(autouse=True)
def _nothing_left(temporary: Path) -> object:
    yield
    assert list(temporary.iterdir()) == []


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def for_darwin(process: Process) -> None:
    process.write("/var/task/node_modules/ms/build/Release/ms.node", DARWIN)


def for_darwin_on_arm(process: Process) -> None:
    if any("--cpu=arm64" in each for each in process.argv):
        for_darwin(process)


def test_a_build_ends_with_an_archive_and_its_manifest(shop: Workshop) -> None:
    (built,) = shop.build()
    assert built.archive is not None
    assert built.report.verdict is Verdict.PASS
    assert names(built.archive.path) == [
        "index.js",
        "node_modules/ms/package.json",
        "package-lock.json",
        "package.json",
    ]
    assert shop.written == ["x86_64.zip", "x86_64.zip.lambdapack.json"]
    subject = built.report.subject
    assert subject.code_digest == built.archive.code_digest == code_digest(built.archive.path)
    assert (subject.zip_bytes, subject.archive) == (built.archive.path.stat().st_size, str(built.archive.path))


def test_the_manifest_says_how_the_archive_came_to_be(shop: Workshop) -> None:
    (built,) = shop.build()
    assert built.archive is not None
    document = read_zip_manifest(built.archive.path)
    assert document is not None
    assert document["code_digest"] == built.archive.code_digest
    assert document["target"] == {"runtime": "nodejs22.x", "arch": "x86_64"}
    assert document["install"]["npm"] == "10.9.9"
    assert document["install"]["strategy"] == "native"
    assert document["dependency_key"]["digest"].startswith("sha256:")
    assert (document["handler"], document["verdict"]) == ("index.handler", "pass")
    assert str(shop.place) not in zip_manifest_path(built.archive.path).read_text()


def test_verify_agrees_with_the_build(shop: Workshop) -> None:
    (built,) = shop.build()
    assert built.archive is not None
    again = verify_package(
        VerificationTarget(built.archive.path, "index.handler"), shipped_runtime(NODE_22[X86]), Policy(TODAY)
    )
    assert again.verdict is built.report.verdict
    assert again.subject.content_digest == built.archive.content_digest
    assert again.subject.code_digest == built.archive.code_digest


def test_the_same_project_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for place in ("a", "b/deeper"):
        (built,) = Workshop(tmp_path / place).build()
        assert built.archive is not None
        digests.append((built.archive.code_digest, zip_manifest_path(built.archive.path).read_text()))
    assert digests[0] == digests[1]


def test_every_target_is_built_in_order(shop: Workshop) -> None:
    built = shop.build(*BOTH)
    assert [each.report.runtime.target for each in built] == list(BOTH)
    assert shop.asked == [X86, ARM]
    assert len(shop.written) == 4


def test_nothing_is_written_unless_every_target_passes(shop: Workshop) -> None:
    shop.ship = for_darwin_on_arm
    good, bad = shop.build(*BOTH)
    assert (good.report.verdict, bad.report.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert (good.archive, bad.archive) == (None, None)
    assert shop.written == []


def test_an_archive_of_before_stays_when_a_build_fails(shop: Workshop) -> None:
    (built,) = shop.build()
    assert built.archive is not None
    before = built.archive.path.read_bytes()
    shop.ship = for_darwin
    assert shop.build()[0].archive is None
    assert built.archive.path.read_bytes() == before


def test_a_missing_handler_ends_in_no_archive(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, files={"main.js": ""})
    (built,) = shop.build()
    assert built.archive is None
    assert [each.rule.name for each in built.report.findings] == ["handler-missing"]
    assert shop.written == []


def test_an_ignored_finding_lets_the_archive_through(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, files={"main.js": ""})
    policy = Policy(
        TODAY, handler_required=True, ignores=(IgnoredFinding("handler-missing", "a wrapper in a layer has it"),)
    )
    (built,) = shop.build(policy=policy)
    assert built.archive is not None
    assert [each.ignored for each in built.report.findings] == ["a wrapper in a layer has it"]


def test_the_gate_keeps_an_archive_back_that_would_only_warn(shop: Workshop) -> None:
    deprecated = Target("nodejs20.x", X86)
    shop.engine.images |= {"lambdapack-lab/nodejs:20-x86_64": X86}
    (built,) = shop.build(deprecated, gate=Severity.WARNING)
    assert (built.report.verdict, built.archive, shop.written) == (Verdict.WARN, None, [])
    (built,) = shop.build(deprecated)
    assert (built.report.verdict, shop.written[:1]) == (Verdict.WARN, ["x86_64.zip"])


def test_findings_of_the_lockfile_end_it_before_any_engine_is_asked(shop: Workshop) -> None:
    (shop.project / "package-lock.json").unlink()
    built = shop.build(*BOTH)
    assert [each.report.verdict for each in built] == [Verdict.FAIL, Verdict.FAIL]
    assert [each.archive for each in built] == [None, None]
    assert {finding.rule.name for each in built for finding in each.report.findings} == {"lock-missing"}
    assert shop.asked == []
    assert shop.written == []


def test_a_ready_tree_is_packed_without_engine_and_lockfile(shop: Workshop) -> None:
    (shop.project / "package-lock.json").unlink()
    (shop.project / "node_modules" / "ms").mkdir(parents=True)
    (shop.project / "node_modules" / "ms" / "index.js").write_text("")
    (built,) = shop.build(install=False)
    assert built.archive is not None
    assert names(built.archive.path) == ["index.js", "node_modules/ms/index.js", "package.json"]
    assert shop.asked == []
    document = read_zip_manifest(built.archive.path)
    assert document is not None
    assert (document["dependency_key"], document["install"]["image"]) == (None, None)


def put(shop: Workshop, *paths: str) -> None:
    for path in paths:
        (shop.project / path).parent.mkdir(parents=True, exist_ok=True)
        (shop.project / path).write_text("")


def test_a_ready_tree_holds_the_nested_node_modules_that_the_handler_reaches(shop: Workshop) -> None:
    put(shop, "fns/a/node_modules/x/index.js", "fns/b/node_modules/y/index.js", "lib/node_modules/z/index.js")
    put(shop, "node_modules/ms/index.js", "fns/b/index.js", "lib/index.js")
    (shop.project / "fns" / "a" / "index.js").write_text("require('../../lib'); require(name);\nexports.handler = 1;\n")
    (built,) = shop.build(install=False, handler="fns/a/index.handler")
    assert built.archive is not None
    assert [name for name in names(built.archive.path) if "node_modules/" in name] == [
        "fns/a/node_modules/x/index.js",
        "lib/node_modules/z/index.js",
        "node_modules/ms/index.js",
    ]
    assert [path for path, _reason in built.left_out if "node_modules" in path] == ["fns/b/node_modules"]


def test_an_es_module_reaches_its_nested_node_modules_too(shop: Workshop) -> None:
    put(shop, "src/node_modules/x/index.js", "node_modules/ms/index.js")
    (shop.project / "src" / "app.mjs").write_text("import 'x';\nexport const handler = async () => 1;\n")
    (built,) = shop.build(install=False, handler="src/app.handler")
    assert built.archive is not None
    assert "src/node_modules/x/index.js" in names(built.archive.path)


def test_a_ready_tree_loses_what_no_loader_counts(shop: Workshop) -> None:
    put(shop, "node_modules/ms/index.js", "node_modules/ms/._index.js", "node_modules/ms/.DS_Store")
    (shop.project / "node_modules" / "ms" / "._ms.node").write_bytes(b"\0\5\x16\7" + bytes(100))
    hoisted = shop.project / "node_modules" / ".pnpm" / "node_modules"
    put(shop, "node_modules/.pnpm/node_modules/ms/index.js")
    (hoisted / "fn").symlink_to("../../../../fn")
    (built,) = shop.build(install=False)
    assert built.archive is not None
    assert [name for name in names(built.archive.path) if "node_modules" in name] == [
        "node_modules/.pnpm/node_modules/ms/index.js",
        "node_modules/ms/index.js",
    ]


def test_the_modes_of_a_ready_tree_are_judged_as_the_zip_has_them(shop: Workshop, tmp_path: Path) -> None:
    put(shop, "node_modules/ms/index.js")
    tool = shop.project / "node_modules" / "ms" / "tool"
    tool.write_bytes(elf.program(tmp_path, "tool", "void _start(void) { for (;;) {} }", "-static").read_bytes())
    tool.chmod(0o700)
    (built,) = shop.build(install=False)
    assert built.report.verdict is Verdict.PASS


def test_a_directory_without_package_json_is_packed_as_it_is(shop: Workshop) -> None:
    for name in ("package.json", "package-lock.json"):
        (shop.project / name).unlink()
    (built,) = shop.build(install=False)
    assert built.archive is not None
    assert names(built.archive.path) == ["index.js"]
    with pytest.raises(LambdapackError) as caught:
        shop.build()
    assert caught.value.failure.code == "LP002"


def test_a_ready_tree_without_what_the_handler_loads_is_refused(shop: Workshop) -> None:
    (shop.project / "index.js").write_text("require('ms');\nexports.handler = async () => 1\n")
    (built,) = shop.build(install=False)
    assert built.archive is None
    (found,) = (each for each in built.report.findings if each.rule.name == "dependency-missing")
    assert found.message == "node_modules has no ms; index.js line 1 loads it"


def test_a_dependency_that_nothing_loads_may_be_absent(shop: Workshop) -> None:
    (built,) = shop.build(install=False)
    assert built.archive is not None
    assert [(each.rule.name, each.weight) for each in built.report.findings] == [("dependency-missing", Severity.NOTE)]


def test_a_ready_tree_for_another_system_is_refused(shop: Workshop) -> None:
    addon = shop.project / "node_modules" / "addon" / "build" / "Release" / "addon.node"
    addon.parent.mkdir(parents=True)
    addon.write_bytes(DARWIN)
    (addon.parents[2] / "package.json").write_text('{"name": "addon", "version": "1.0.0", "main": "x.js"}')
    (built,) = shop.build(install=False)
    assert built.archive is None
    assert "not-elf" in {each.rule.name for each in built.report.findings}


def test_the_hosts_own_node_modules_never_ship(shop: Workshop) -> None:
    (shop.project / "node_modules" / "ms").mkdir(parents=True)
    (shop.project / "node_modules" / "ms" / "mine.js").write_text("")
    (built,) = shop.build()
    assert built.archive is not None
    assert "node_modules/ms/mine.js" not in names(built.archive.path)


def test_a_layer_holds_the_dependencies_alone_in_a_layers_form(shop: Workshop) -> None:
    (built,) = shop.build(layer=True, policy=Policy(TODAY))
    assert built.archive is not None
    assert names(built.archive.path) == ["nodejs/node_modules/ms/package.json"]
    assert built.report.subject.kind == "layer"
    assert built.report.findings == ()
    again = verify_package(
        VerificationTarget(built.archive.path, "index.handler"), shipped_runtime(NODE_22[X86]), Policy(TODAY)
    )
    assert (again.subject.kind, again.verdict) == ("layer", Verdict.PASS)


def test_binaries_for_other_systems_are_left_out_and_counted(shop: Workshop) -> None:
    manifest = {"name": "ms", "version": "2.1.3", "dependencies": {"node-gyp-build": "4.8.4"}}
    addon = elf.link(shop.place / "c", "ms.node", elf.NODE_API, "-DLEVEL=8").read_bytes()

    def prebuilds(process: Process) -> None:
        process.write("/var/task/node_modules/ms/package.json", json.dumps(manifest).encode())
        process.write("/var/task/node_modules/ms/prebuilds/linux-x64/ms.node", addon)
        process.write("/var/task/node_modules/ms/prebuilds/darwin-arm64/ms.node", DARWIN)

    shop.ship = prebuilds
    path = "node_modules/ms/prebuilds/darwin-arm64/ms.node"
    (built,) = shop.build()
    assert [file.path for file in built.pruned] == [path]
    assert built.archive is not None
    assert path not in names(built.archive.path)
    (built,) = shop.build(prune=False)
    assert built.archive is not None
    assert path in names(built.archive.path)


def test_a_secret_in_the_source_ends_in_no_archive(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 8 + "\n-----END PRIVATE KEY-----\n"
    shop = Workshop(tmp_path, files={"index.js": "exports.handler = 1;", "keys/server.key": key})
    (built,) = shop.build()
    assert built.archive is None
    assert [(each.rule.name, each.path) for each in built.report.findings] == [("secret-packed", "keys/server.key")]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, files={"index.js": "", ".env": "A=1", ".lambdapackignore": "*.md\n", "README.md": ""})
    (built,) = shop.build()
    assert {".env", "README.md"} <= {path for path, _reason in built.left_out}


def test_an_output_that_cannot_be_written_is_named_and_leaves_nothing(shop: Workshop) -> None:
    (shop.place / "file").write_text("")
    with pytest.raises(LambdapackError) as caught:
        shop.build(outputs={NODE_22[X86]: shop.place / "file" / "x.zip"})
    assert caught.value.failure is OUTPUT
    assert shop.written == []
    assert shop.asked == [], "it is said before an install that takes minutes"


def test_a_directory_that_holds_files_is_refused_before_any_engine_is_asked(shop: Workshop) -> None:
    (shop.place / "full").mkdir()
    (shop.place / "full" / "mine").write_text("")
    with pytest.raises(LambdapackError) as caught:
        shop.build(into=shop.place / "full")
    assert caught.value.failure is OUTPUT
    assert shop.asked == []


def test_a_package_goes_into_a_directory_without_a_zip(shop: Workshop) -> None:
    (built,) = shop.build(into=shop.place / "out")
    assert (built.archive, built.directory) == (None, shop.place / "out")
    assert (shop.place / "out" / "index.js").is_file()
    assert (shop.place / "out" / "node_modules" / "ms" / "package.json").is_file()
    assert list(shop.place.rglob("*.zip")) == []


def test_a_failure_of_npm_leaves_nothing(shop: Workshop) -> None:
    def broken(process: Process) -> None:
        process.err("npm error code EWHATEVER\n")
        raise LambdapackError(NPM_FAILED, "npm error code EWHATEVER")

    shop.ship = broken
    with pytest.raises(LambdapackError):
        shop.build(*BOTH)
    assert shop.written == []


@pytest.mark.parametrize("architecture", BOTH)
def test_an_interrupt_leaves_nothing(shop: Workshop, architecture: Target) -> None:
    def interrupted(process: Process) -> None:
        if process.sandbox.spec.architecture is architecture.architecture or "--cpu=arm64" in process.argv:
            raise KeyboardInterrupt

    shop.ship = interrupted
    with pytest.raises(KeyboardInterrupt):
        shop.build(*BOTH)
    assert shop.written == []


def test_a_user_without_a_home_builds_too(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert shop.build()[0].archive is not None


def test_the_stages_are_told_in_their_order(shop: Workshop) -> None:
    shop.build()
    tasks = shop.observer.tasks
    assert [each for each in tasks if each.startswith(("npm", "Copying /var", "Reading", "Writing"))] == [
        "npm ci (native, x86_64)",
        "Copying /var/task out of the sandbox",
        "Reading every native file",
        "Writing x86_64.zip",
    ]
    assert shop.observer.lines == ["added packages"]


def test_the_key_is_known_before_the_install_and_each_image_is_looked_at_once(shop: Workshop) -> None:
    def labels() -> list[str]:
        return [sandbox.spec.label for sandbox in shop.engine.opened]

    (first,) = shop.build()
    assert labels() == ["look", "fetch"]
    (second,) = shop.build()
    assert labels() == ["look", "fetch", "fetch"]
    assert first.job.install is not None
    assert first.job == second.job
    assert first.archive is not None
    document = read_zip_manifest(first.archive.path)
    assert document is not None
    assert document["dependency_key"]["digest"] == first.job.install.key.digest


def test_a_zip_is_stale_when_its_lockfile_has_changed_and_not_before(shop: Workshop) -> None:
    (built,) = shop.build()
    assert built.archive is not None
    origin = find_package_origin(built.archive.path, shop.project)
    assert origin is not None
    assert (origin.has_manifest, origin.changed) == (True, ())
    lock = shop.project / "package-lock.json"
    lock.write_text(lock.read_text().replace("2.1.3", "2.1.2"))
    origin = find_package_origin(built.archive.path, shop.project)
    assert origin is not None
    assert origin.changed == ("package-lock.json",)


def test_a_project_without_dependencies_needs_no_sandbox(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, dependencies={})
    (built,) = shop.build()
    assert built.archive is not None
    assert shop.engine.opened == []
    assert built.job.install is not None
