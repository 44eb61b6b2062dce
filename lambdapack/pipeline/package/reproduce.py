"""Compares two builds of the same inputs, and names the first member that differs, with its package."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.errors.build import NOT_REPRODUCIBLE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import NODE_MODULES
from lambdapack.pack.output import zip_manifest_path
from lambdapack.pipeline.package.build import build_packages
from lambdapack.pipeline.package.request import BuildRequest, BuiltPackage
from lambdapack.pipeline.scratch import scratch_directory
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.entry import EntryKind, Tree

if TYPE_CHECKING:
    from lambdapack.pipeline.measure import Connect

SHOWN_BYTES = 24
"""Bytes of each side that are shown from where two files begin to differ."""


def build_twice(request: BuildRequest, connect: "Connect", observer: Observer) -> tuple[BuiltPackage, ...]:
    """Build twice without what earlier builds stored; LP134 when the archives differ. The second one is kept."""
    alone = replace(request, store=None, reuse=replace(request.reuse, open_trees=None))
    with scratch_directory() as directory:
        spare = {target: directory / f"{number}.zip" for number, target in enumerate(request.outputs)}
        before = build_packages(replace(alone, outputs=spare, load="never", sbom=None), connect, observer)
        if any(built.archive is None for built in before):
            return before
        built = build_packages(alone, connect, observer)
        for one, other in zip(before, built, strict=True):
            if one.archive is None or other.archive is None:
                continue
            try:
                check_same_archives(one.archive.path, other.archive.path)
            except LambdapackError:
                for path in (other.archive.path, zip_manifest_path(other.archive.path)):
                    path.unlink(missing_ok=True)
                raise
    return built


def check_same_archives(first: Path, second: Path) -> None:
    """Raise LP134, naming the first difference, unless two zips have the same members."""
    with ZipTree(first) as one, ZipTree(second) as other:
        difference = next(_differences(one, other), None)
    if difference is not None:
        path, how = difference
        package = _owner(path)
        of = f" (package {package})" if package else ""
        raise LambdapackError(NOT_REPRODUCIBLE, f"{path}{of}: {how}")


def _differences(one: Tree, other: Tree) -> Iterator[tuple[str, str]]:
    for path in sorted({*one.entries, *other.entries}):
        before, after = one.entries.get(path), other.entries.get(path)
        if before is None or after is None:
            yield path, f"only the {'second' if before is None else 'first'} build has it"
        elif (before.kind, before.mode, before.target) != (after.kind, after.mode, after.target):
            yield (
                path,
                f"{before.kind.value} of mode {before.mode:03o}, then {after.kind.value} of mode {after.mode:03o}",
            )
        elif before.kind is EntryKind.FILE and (how := _compare_bytes(one, other, path)):
            yield path, how


def _compare_bytes(one: Tree, other: Tree, path: str) -> str:
    with one.view(path) as before, other.view(path) as after:
        if before == after:
            return ""
        left, right = bytes(before), bytes(after)
    at = next((index for index, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(left), len(right)) if at is None else at
    start = max(0, at - SHOWN_BYTES // 2)
    shown = [ascii(side[start : start + SHOWN_BYTES].decode("latin-1")) for side in (left, right)]
    return f"from byte {at} on it differs, {shown[0]} and then {shown[1]} ({len(left)} and {len(right)} bytes)"


def _owner(path: str) -> str:
    """Return the npm name of the package that a path lies in, "" for none."""
    parts = path.split("/")
    if NODE_MODULES not in parts[:-1]:
        return ""
    index = len(parts) - 1 - parts[::-1].index(NODE_MODULES)
    name = parts[index + 1 : index + 3]
    return "/".join(name) if name[0].startswith("@") else name[0]
