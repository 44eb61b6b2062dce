from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.rules.check import check_lockfile
from tests.projects import lock_of, write_project

URL = "https://r.example/a/-/a-1.0.0.tgz"


def findings(directory: Path, packages: dict[str, Any], settings: ManagerSettings | None = None) -> tuple[Finding, ...]:
    project = read_dependencies(write_project(directory, {}, lock_of(packages)))
    return check_lockfile(project, Target("nodejs22.x", Architecture.X86_64), None, settings or ManagerSettings())


@pytest.mark.proves("lock-without-integrity")
def test_packages_that_could_be_anything_are_named_once(tmp_path: Path) -> None:
    packages = {f"node_modules/{name}": {"version": "1.0.0", "integrity": ""} for name in ("a", "b")}
    (finding,) = findings(tmp_path, packages)
    assert (finding.rule.name, finding.package, finding.weight) == ("lock-without-integrity", "a", Severity.WARNING)
    assert finding.message == "node_modules/a has no integrity, and 1 more have none"
    assert dict(finding.evidence)["packages"] == ["a@1.0.0", "b@1.0.0"]
    assert finding.line is not None


@pytest.mark.parametrize(
    "entry",
    [
        {"version": "1.0.0", "resolved": URL, "integrity": "sha512-x"},
        {"version": "1.0.0", "resolved": URL, "dev": True},
        {"version": "1.0.0", "inBundle": True},
        {"version": "1.0.0", "resolved": "git+ssh://git@github.com/a/a.git#0123456789abcdef0123456789abcdef01234567"},
        {"version": "1.0.0", "resolved": "file:a.tgz"},
    ],
)
@pytest.mark.spares("lock-without-integrity")
def test_what_needs_none_is_left_alone(tmp_path: Path, entry: dict[str, Any]) -> None:
    packages = {"node_modules/a": {"integrity": "", **entry}}
    assert "lock-without-integrity" not in [finding.rule.name for finding in findings(tmp_path, packages)]


def settings(directory: Path, text: str) -> ManagerSettings:
    directory.mkdir(exist_ok=True)
    (directory / ".npmrc").write_text(text, encoding="utf-8")
    return translate_npm_settings(directory, {}, directory / "home")


@pytest.mark.proves("setting-not-taken")
@pytest.mark.parametrize(
    ("text", "named", "severity"),
    [
        ("include=dev", "include=dev", Severity.WARNING),
        ("production=false", "production=false", Severity.WARNING),
        ("also=dev", "also=dev", Severity.WARNING),
        ("dev=true", "dev=true", Severity.WARNING),
        ("workspaces=false", "workspaces=false", Severity.WARNING),
        ("build_from_source=true", "build_from_source", Severity.NOTE),
        ("sharp_binary_host=https://mirror.example", "sharp_binary_host", Severity.NOTE),
    ],
)
def test_a_setting_that_a_build_does_not_take_is_named(
    tmp_path: Path, text: str, named: str, severity: Severity
) -> None:
    (finding,) = findings(tmp_path, {}, settings(tmp_path, text))
    assert (finding.rule.name, finding.weight) == ("setting-not-taken", severity)
    assert finding.message.startswith(named)


@pytest.mark.spares("setting-not-taken")
@pytest.mark.parametrize(
    "text",
    [
        "omit=optional",
        "omit=dev",
        "production=true",
        "only=production",
        "optional=false",
        "force=true",
        "python=/usr/bin/python2",
    ],
)
def test_a_setting_that_counts_or_changes_nothing_is_not_named(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, {}, settings(tmp_path, text)) == ()
