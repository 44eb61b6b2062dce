"""Trees that npm itself installs for other machines, judged for Lambda."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from lambdapack.binary.scan import scan_binaries
from lambdapack.packages.manifests import read_manifests
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Outcome, Report, Subject, Verdict
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from lambdapack.tree.directory import DirectoryTree

pytestmark = pytest.mark.registry

Install = Callable[..., Path]


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory) -> Install:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm installs the trees of this test: install Node.js")

    def run(platform: str, *packages: str) -> Path:
        directory = tmp_path_factory.mktemp("tree")
        (directory / "package.json").write_text(json.dumps({"name": "function", "version": "1.0.0"}))
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", *platform.split()]
        subprocess.run([npm, "install", *flags, *packages], cwd=directory, check=True, capture_output=True)
        return directory

    return run


def verify(directory: Path, runtime: str, arch: str) -> Report:
    tree = DirectoryTree(directory)
    facts = PackageFacts(tree.entries, scan_binaries(tree), read_manifests(tree))
    provided = shipped_runtime(parse_target(runtime, arch))
    return check_package(Subject("directory", str(directory)), facts, provided, Policy(date(2026, 1, 1)))


def errors(report: Report) -> set[tuple[str, str]]:
    return {(each.rule.name, each.package) for each in report.findings}


MACOS = "--os=darwin --cpu=arm64"
MUSL = "--os=linux --cpu=x64 --libc=musl"
X64 = "--os=linux --cpu=x64 --libc=glibc"
ARM64 = "--os=linux --cpu=arm64 --libc=glibc"


@pytest.mark.parametrize(
    ("platform", "arch", "cause", "package"),
    [
        pytest.param(MACOS, "arm64", "not-elf", "@img/sharp-darwin-arm64", marks=pytest.mark.proves("not-elf")),
        pytest.param(MUSL, "x86_64", "musl", "@img/sharp-linuxmusl-x64", marks=pytest.mark.proves("musl")),
        pytest.param(X64, "arm64", "wrong-cpu", "@img/sharp-linux-x64", marks=pytest.mark.proves("wrong-cpu")),
        (ARM64, "x86_64", "wrong-cpu", "@img/sharp-linux-arm64"),
    ],
)
def test_a_tree_made_for_another_machine_is_refused_for_its_own_cause(
    install: Install, platform: str, arch: str, cause: str, package: str
) -> None:
    report = verify(install(platform, "sharp@0.34.5", "bcrypt@6.0.0"), "nodejs22.x", arch)
    assert report.verdict is Verdict.FAIL
    assert {name for name, _ in errors(report)} == {cause}
    assert (cause, package) in errors(report)


@pytest.mark.parametrize(("platform", "arch"), [(X64, "x86_64"), (ARM64, "arm64")])
@pytest.mark.spares("node-api-level", "unproved", "undefined-symbol", "cpu-level")
def test_a_tree_made_for_the_target_passes_on_both_cpus(install: Install, platform: str, arch: str) -> None:
    directory = install(platform, "sharp@0.34.5", "bcrypt@6.0.0", "better-sqlite3@13.2.0")
    for runtime in ("nodejs22.x", "nodejs24.x"):
        report = verify(directory, runtime, arch)
        assert errors(report) == set()
        loaded = {each.package for each in report.judgements if each.selected and each.outcome is Outcome.LOADS}
        assert {"bcrypt", "better-sqlite3", f"@img/sharp-linux-{platform.split('=')[2].split(maxsplit=1)[0]}"} <= loaded


@pytest.mark.proves("node-api-level")
def test_a_node_api_10_addon_is_right_for_node_22_and_refused_for_node_20(install: Install) -> None:
    report = verify(install(X64, "better-sqlite3@13.2.0"), "nodejs20.x", "x86_64")
    assert errors(report) == {("node-api-level", "better-sqlite3")}


@pytest.mark.proves("missing-addon")
def test_packages_whose_scripts_never_ran_are_named(install: Install) -> None:
    report = verify(install(X64, "better-sqlite3@12.4.1", "cpu-features@0.0.10"), "nodejs22.x", "x86_64")
    assert errors(report) == {("missing-addon", "better-sqlite3"), ("missing-addon", "cpu-features")}


def test_a_zeromq_that_needs_too_new_a_glibc_is_refused_only_where_its_loader_takes_it(install: Install) -> None:
    report = verify(install(X64, "zeromq@6.8.0"), "nodejs22.x", "x86_64")
    causes = {each.cause for each in report.judgements}
    assert "symbol-version" in causes
    assert report.verdict is Verdict.PASS
