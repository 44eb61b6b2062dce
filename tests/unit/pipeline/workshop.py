"""A project, an engine in memory whose npm installs what the lockfile says, and a build of the two."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from lambdapack.managers.npm import commands
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.package.build import build_packages
from lambdapack.pipeline.package.request import BuildRequest, BuiltPackage
from lambdapack.rules.model.case import Policy
from tests.fakes import FakeEngine, FakeFile, Process, RecordingObserver
from tests.projects import lock_of, write_project

X86, ARM = Architecture.X86_64, Architecture.ARM64
TODAY = date(2026, 11, 21)

IMAGE = "lambdapack-lab/nodejs:{node}-{arch}"

DARWIN = b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(4) + b"\x08" + bytes(19)
"""The header of a Mach-O bundle for arm64: CPU_TYPE_ARM64, MH_BUNDLE (xnu EXTERNAL_HEADERS/mach-o/loader.h)."""

Ship = Callable[[Process], None]


def nothing(_process: Process) -> None:
    """Add nothing to what npm installs."""


@dataclass
class Workshop:
    """Everything that a build needs, in a directory of its own."""

    place: Path
    dependencies: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"ms": {"version": "2.1.3"}})
    files: Mapping[str, str] = field(default_factory=lambda: {"index.js": "exports.handler = async () => 1\n"})
    ship: Ship = nothing
    roots: Mapping[str, Mapping[str, FakeFile]] = field(default_factory=dict)
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    asked: list[Architecture] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = FakeEngine(programs={"sh": self._sh, "node": _node}, roots=self.roots)

    @property
    def project(self) -> Path:
        """The project's directory, written when it is not there."""
        directory = self.place / "project"
        if not directory.exists():
            wanted = {name: each["version"] for name, each in self.dependencies.items()}
            locked = {f"node_modules/{name}": each for name, each in self.dependencies.items()}
            lock = lock_of(locked, {"name": "fn", "version": "1.0.0", "dependencies": wanted})
            write_project(directory, {"dependencies": wanted}, lock, self.files)
        return directory

    def wanted(self, *targets: Target, **changes: Any) -> BuildRequest:
        """Return an order for the targets, x86_64 of nodejs22.x when none is named."""
        chosen = targets or (Target("nodejs22.x", X86),)
        whole = BuildRequest(
            directory=self.project,
            outputs={each: self.place / "out" / f"{each.architecture}.zip" for each in chosen},
            policy=Policy(TODAY, handler_required=True),
            image=IMAGE,
            build_image=f"{IMAGE}-build",
            handler="index.handler",
            environ={"NPM_CONFIG_USERCONFIG": str(self.place / "absent")},
            cache=self.place / "cache",
            load="never",  # no node runs in this engine
        )
        return replace(whole, **changes)

    def build(self, *targets: Target, **changes: Any) -> tuple[BuiltPackage, ...]:
        """Build, and make sure that no sandbox outlives it."""
        try:
            return build_packages(self.wanted(*targets, **changes), self.connect, self.observer)
        finally:
            assert self.engine.living == []

    @property
    def written(self) -> list[str]:
        """The names of all results."""
        return sorted(path.name for path in (self.place / "out").glob("*"))

    def connect(self, architecture: Architecture) -> FakeEngine:
        """Return the engine, and remember for whom."""
        self.asked.append(architecture)
        return self.engine

    def _sh(self, process: Process) -> int:
        if process.argv[3:] == (commands.PROBE_SCRIPT,):
            process.out(json.dumps({"node": "22.23.1", "npm": "10.9.9", "headers": "/var/lang", "jobs": 2}) + "\n")
            return 0
        return self._npm(process, process.argv[4:])

    def _npm(self, process: Process, argv: Sequence[str]) -> int:
        if argv[1] == "ci":
            for name, each in self.dependencies.items():
                manifest = json.dumps({"name": name, "version": each["version"]})
                process.write(f"/var/task/node_modules/{name}/package.json", manifest.encode())
            self.ship(process)
            process.out("added packages\n")
        return 0


def _node(process: Process) -> int:
    process.out(f"{process.sandbox.image.architecture.node}\n")
    return 0
