from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.lock import LockedPackage, admits_platform, is_installable
from lambdapack.model import Architecture, Target
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.selection.selection import foreign_package_reason
from lambdapack.runtimes.runtime import shipped_runtime


@pytest.mark.parametrize(
    ("listed", "admitted"),
    [
        ((), True),
        (("any",), True),
        (("linux",), True),
        (("darwin", "linux"), True),
        (("darwin",), False),
        (("!win32",), True),
        (("!linux",), False),
        (("!win32", "!linux"), False),
        (("linux", "!linux"), False),
        (("!win32", "darwin"), False),
        (("any", "linux"), True),
        (("any", "darwin"), False),  # "any" has its meaning only where it stands alone
        (("!any",), True),
    ],
)
def test_a_platform_field_admits_what_npm_installs(listed: tuple[str, ...], admitted: bool) -> None:
    """The table is what checkList of npm-install-checks 7.1.2 and 8.0.0 answers for "linux" (run 2026-11)."""
    assert admits_platform(listed, "linux") is admitted
    package = LockedPackage("node_modules/x", "x", "1.0.0", 1, os=listed)
    assert is_installable(package, Architecture.ARM64) is admitted


@pytest.mark.parametrize("field", ["os", "cpu", "libc"])
def test_the_rules_ask_the_same_question(field: str, tmp_path: Path) -> None:
    runtime = shipped_runtime(Target("nodejs22.x", Architecture.ARM64))
    fitting = {"os": "linux", "cpu": "arm64", "libc": "glibc"}[field]
    directory = f"{tmp_path.as_posix()}/node_modules/x"
    for listed, foreign in (((), False), (("any",), False), (("any", fitting), False), (("any", "other"), True)):
        changes: dict[str, Any] = {field: listed}
        manifest = replace(PackageManifest(directory, "x", "1.0.0"), **changes)
        assert (foreign_package_reason(manifest, runtime) is not None) is foreign
