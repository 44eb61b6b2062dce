from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.rules.check import check_lockfile
from lambdapack.rules.lockfile.platform import is_for_target
from tests.projects import lock_of, real_lock, write_project

ARM, X86 = Architecture.ARM64, Architecture.X86_64


def findings(directory: Path, lock: dict[str, Any], architecture: Architecture, npm: str | None) -> tuple[Finding, ...]:
    manifest = {key: lock["packages"][""][key] for key in lock["packages"][""] if key.endswith("ependencies")}
    project = read_dependencies(write_project(directory, manifest, lock))
    found = check_lockfile(project, Target("nodejs22.x", architecture), npm, ManagerSettings())
    return tuple(each for each in found if each.rule.name in {"platform-package-missing", "npm-refuses-lock"})


def sharp_without(*names: str) -> dict[str, Any]:
    lock = real_lock("sharp-0.34.5")
    for name in names:
        del lock["packages"][f"node_modules/{name}"]
    return lock


@pytest.mark.parametrize("npm", ["10.9.9", "11.19.1", None])
@pytest.mark.parametrize("architecture", [ARM, X86])
@pytest.mark.spares("lock-old", "lock-unknown", "platform-package-missing", "npm-refuses-lock")
def test_a_whole_lockfile_has_all_platforms(tmp_path: Path, npm: str | None, architecture: Architecture) -> None:
    assert findings(tmp_path, sharp_without(), architecture, npm) == ()


@pytest.mark.parametrize("npm", ["10.9.9", "11.19.1", None])
@pytest.mark.proves("platform-package-missing")
def test_the_targets_package_missing_is_an_error_with_every_npm(tmp_path: Path, npm: str | None) -> None:
    (finding,) = findings(tmp_path, sharp_without("@img/sharp-linux-arm64"), ARM, npm)
    assert (finding.rule.name, finding.weight, finding.package) == ("platform-package-missing", Severity.ERROR, "sharp")
    assert "@img/sharp-linux-arm64" in finding.message
    assert "npx npm@11 install --package-lock-only" in finding.cure
    assert "npm view @img/sharp-linux-arm64 version" in finding.cure
    assert "never published, or the lock has lost it; the packages for darwin and linux and win32" in finding.message
    assert dict(finding.evidence)["missing"] == ["@img/sharp-linux-arm64"]
    assert "@img/sharp-darwin-arm64" in dict(finding.evidence)["present"]
    text = (tmp_path / "package-lock.json").read_text().splitlines()
    assert '"node_modules/sharp"' in text[(finding.line or 0) - 1]


def test_a_lock_made_on_a_mac_by_npm_10_has_only_its_own(tmp_path: Path) -> None:
    packages = real_lock("sharp-0.34.5")["packages"]
    foreign = [
        key.removeprefix("node_modules/") for key in packages if "@img/sharp-" in key and "darwin-arm64" not in key
    ]
    (finding,) = findings(tmp_path, sharp_without(*foreign), X86, "10.9.9")
    assert "never published" not in finding.message
    assert finding.cure.startswith("Run `npx npm@11 install --package-lock-only`")
    assert set(dict(finding.evidence)["missing"]) == {"@img/sharp-linux-x64", "@img/sharp-libvips-linux-x64"}


def test_another_platforms_package_missing_is_a_note_for_an_npm_that_takes_it(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, sharp_without("@img/sharp-linux-arm64"), X86, "10.9.9")
    assert (finding.rule.name, finding.weight) == ("platform-package-missing", Severity.NOTE)


@pytest.mark.parametrize(("npm", "refuses"), [("11.2.0", False), ("11.3.0", True), ("11.19.1", True), ("12.2.0", True)])
def test_another_platforms_package_missing_is_an_error_for_an_npm_that_refuses(
    tmp_path: Path, npm: str, refuses: bool
) -> None:
    (finding,) = findings(tmp_path, sharp_without("@img/sharp-linux-arm64"), X86, npm)
    assert (finding.rule.name == "npm-refuses-lock", finding.weight is Severity.ERROR) == (refuses, refuses)


@pytest.mark.proves("npm-refuses-lock")
def test_development_packages_matter_only_to_an_npm_that_refuses(tmp_path: Path) -> None:
    lock = sharp_without("@img/sharp-linux-arm64")
    for entry in lock["packages"].values():
        entry["dev"] = True
    assert findings(tmp_path, lock, ARM, "10.9.9") == ()
    (finding,) = findings(tmp_path, lock, ARM, "11.19.1")
    assert finding.rule.name == "npm-refuses-lock"


def test_what_only_another_platform_needs_is_not_the_targets(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, sharp_without("@img/sharp-libvips-linux-arm64"), X86, "10.9.9")
    assert finding.weight is Severity.NOTE


def test_optional_packages_without_a_platform_in_their_name_are_left_to_npm(tmp_path: Path) -> None:
    lock = lock_of(
        {"node_modules/a": {"version": "1.0.0", "optionalDependencies": {"fast": "1"}}}, {"dependencies": {"a": "1"}}
    )
    assert findings(tmp_path / "old", lock, X86, "10.9.9") == ()
    (finding,) = findings(tmp_path / "new", lock, X86, "11.19.1")
    assert finding.rule.name == "npm-refuses-lock"


def test_bundled_packages_need_no_entry(tmp_path: Path) -> None:
    entry = {"version": "1.0.0", "optionalDependencies": {"a-linux-x64": "1"}, "bundleDependencies": ["a-linux-x64"]}
    assert findings(tmp_path, lock_of({"node_modules/a": entry}, {"dependencies": {"a": "1"}}), X86, "11.19.1") == ()


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("@img/sharp-linux-x64", X86), ("@img/sharp-linux-arm64", ARM), ("@img/sharp-linuxmusl-arm64", None),
        ("@node-rs/bcrypt-linux-x64-gnu", X86), ("@node-rs/bcrypt-linux-x64-musl", None), ("cli-linux-amd64", X86),
        ("@parcel/watcher-linux-arm64-glibc", ARM), ("turbo-linux-64", X86), ("pkg_linux_x86_64", X86),
        ("lib-linux-aarch64", ARM), ("lightningcss-linux-arm-gnueabihf", None), ("@esbuild/darwin-x64", None),
        ("@esbuild/linux-riscv64", None), ("@esbuild/openharmony-arm64", None), ("linux-tools", None),
    ],
)  # fmt: skip
def test_names_tell_their_platform(name: str, architecture: Architecture | None) -> None:
    assert [each for each in (X86, ARM) if is_for_target(name, each)] == ([architecture] if architecture else [])
