"""A package made of real files in memory, and its report."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from lambdapack.pipeline.open import scan_trees
from lambdapack.pipeline.verify import read_package_facts
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Judgement, Report, Subject
from lambdapack.rules.registry import CHECKS
from lambdapack.runtimes.runtime import Runtime, parse_target, shipped_runtime
from lambdapack.tree.entry import Entry, EntryKind

TODAY = date(2026, 11, 21)


@dataclass
class MemoryTree:
    """Files by path; satisfies the Tree protocol."""

    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> Mapping[str, Entry]:
        found = {
            **{
                path: Entry(path, EntryKind.FILE, self.modes.get(path, 0o644), len(data))
                for path, data in self.files.items()
            },
            **{path: Entry(path, EntryKind.SYMLINK, 0o777, 0, target) for path, target in self.links.items()},
        }
        return dict(sorted(found.items()))

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        with memoryview(self.files[path]) as data:
            yield data


@dataclass
class World(MemoryTree):
    """A function under construction."""

    kind: str = "directory"
    handler: str | None = None
    runtime: Runtime | None = None
    reads_code: bool = False  # most tests are about other things, with handlers that are empty files

    def add(self, path: str, content: Path | bytes | str, mode: int = 0o644) -> None:
        self.modes[path] = mode
        match content:
            case Path():
                self.files[path] = content.read_bytes()
            case str():
                self.files[path] = content.encode()
            case bytes():
                self.files[path] = content

    def package(self, directory: str, **fields: Any) -> None:
        name = directory.rpartition("node_modules/")[2]
        manifest = {"name": name, "version": "1.0.0", **fields}
        self.add(f"{directory}/package.json" if directory else "package.json", json.dumps(manifest))

    def facts(self, layers: Sequence[MemoryTree] = ()) -> PackageFacts:
        found = scan_trees((self, *layers))
        facts = read_package_facts(self, found, layer=self.kind == "layer", handler=self.handler, layers=layers)
        return facts if self.reads_code else replace(facts, script=None, modules=None)

    def report(
        self,
        runtime: str = "nodejs22.x",
        arch: str = "x86_64",
        policy: Policy | None = None,
        layers: Sequence[MemoryTree] = (),
    ) -> Report:
        provided = self.runtime or shipped_runtime(parse_target(runtime, arch))
        case = Case(Subject(self.kind, "."), self.facts(layers), provided, policy or Policy(TODAY))
        for check in CHECKS:
            assert {finding.rule.code for finding in check.run(case)} <= {rule.code for rule in check.rules}
        return check_package(case.subject, case.facts, case.runtime, case.policy)

    def judged(self, path: str, runtime: str = "nodejs22.x", arch: str = "x86_64") -> Judgement:
        return next(each for each in self.report(runtime, arch).judgements if each.binary.path == path)

    def found(self, runtime: str = "nodejs22.x", arch: str = "x86_64") -> list[tuple[str, str]]:
        return [(each.rule.name, each.path) for each in self.report(runtime, arch).findings]
