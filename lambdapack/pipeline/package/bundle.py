"""Takes the libraries along that a package's binaries need and the runtime lacks, from the image it was built in.

They go to lib/ of the function or of the layer: both are in LD_LIBRARY_PATH, after the system's own directories, so a
library of the runtime is never replaced (AWS developer guide, "Configuring environment variables").
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.engine.interface import Command, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.engine.toolchain import check_package_names, make_system_image
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.system_packages import BUNDLE_REFUSED, SYSTEM_PACKAGE
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture, Finding
from lambdapack.pipeline.open import scan_trees
from lambdapack.pipeline.package.request import BuildRequest
from lambdapack.rules.binary.linking_records import MISSING_LIBRARY
from lambdapack.rules.model.package import BundledLibrary
from lambdapack.rules.model.report import Report
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.compose import PrefixedTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

if TYPE_CHECKING:
    from lambdapack.pipeline.measure import Connect

LIBRARY_DIRECTORY = "lib"
"""Of the function or of the layer: /var/task/lib and /opt/lib are in LD_LIBRARY_PATH."""

COLLECTED = "/tmp/lambdapack-libraries"  # noqa: S108  # inside the sandbox

MAX_ROUNDS = 40
"""A library's libraries have libraries; cairo's are five deep."""

NEVER_BUNDLED = re.compile(
    r"(?:ld-linux[\w.-]*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libnsl|libanl|libthread_db|libnss_\w+"
    r"|libBrokenLocale|libstdc\+\+|libgcc_s)\.so(?:\.\d+)*"
)
"""glibc's parts work only with the loader of their own glibc, and node has loaded its C++ library before any addon."""

COLLECT_SCRIPT = r"""
export LD_LIBRARY_PATH= LC_ALL=C
mkdir -p "$0"
for name in "$@"; do
  for directory in /usr/lib64 /lib64 /usr/lib/*-linux-gnu /usr/local/lib64 /usr/local/lib /usr/lib \
      $(cat /etc/ld.so.conf.d/*.conf 2>/dev/null); do
    [ -f "$directory/$name" ] || continue
    real=$(readlink -f "$directory/$name")
    cp -- "$real" "$0/$name" && chmod 755 "$0/$name"
    package= version= licence=
    if command -v rpm >/dev/null; then
      package=$(rpm -qf --qf '%{NAME}' "$real" 2>/dev/null) || package=
      [ -z "$package" ] || version=$(rpm -q --qf '%{VERSION}-%{RELEASE}' "$package")
      [ -z "$package" ] || licence=$(rpm -q --qf '%{LICENSE}' "$package")
    elif command -v dpkg >/dev/null; then
      package=$(dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null) || package=
      package=${package%%:*}
      [ -z "$package" ] || version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null)
      [ -z "$package" ] || licence=$(sed -n 's/^License: *//p' "/usr/share/doc/$package/copyright" 2>/dev/null \
        | sort -u | head -n 5 | paste -s -d, -)
    fi
    printf '%s\t%s\t%s\t%s\n' "$name" "$package" "$version" "$licence"
    break
  done
done
"""
"""Copies libraries by name out of the system's directories; prints name, package, version and licence of each."""


@dataclass(frozen=True, slots=True)
class LibrarySource:
    """Where libraries are taken from."""

    engine: Engine
    image: str  # reference of the image that the package was built in
    architecture: Architecture
    limits: Limits


@dataclass(slots=True)
class LibraryBundle:
    """Libraries that were taken along, below lib/, and the names that the image does not have."""

    tree: Tree
    libraries: tuple[BundledLibrary, ...]
    absent: tuple[str, ...] = ()
    spool: SpoolTree | None = field(default=None, repr=False)

    def close(self) -> None:
        """Give the spool file back."""
        if self.spool is not None:
            self.spool.close()


def add_system_packages(request: BuildRequest, connect: "Connect", observer: Observer) -> BuildRequest:
    """Return the request with the images that have its system packages: made once, without inputs or credentials."""
    check_package_names(request.system_packages)
    images = {}
    for target in request.outputs:
        engine = connect(target.architecture)
        if not engine.kind.has_images:
            hint = "Build with a container engine (`--engine docker`): the packages are those of the image's system."
            raise LambdapackError(SYSTEM_PACKAGE, f"{engine.name} has no system of the runtime's own", hint=hint)
        base = engine.image(request.images(target, target.architecture).build, target.architecture, observer)
        images[target.architecture] = make_system_image(
            engine, base, request.system_packages, request.environ, observer
        )
    return replace(request, system_images=images)


def bundle_missing(
    report: Report, request: BuildRequest, connect: "Connect", scratch: Callable[[], Path], observer: Observer
) -> "LibraryBundle | None":
    """Return the libraries that a report misses, out of the image that the package was built in; None for none."""
    names = missing_libraries(report.findings, request.bundle) if request.install else ()
    if not names:
        return None
    target = report.runtime.target
    engine, image = connect(target.architecture), request.images(target, target.architecture).build
    if not engine.kind.has_images:
        return None
    spool = scratch() / f"libraries-{target.runtime}-{target.architecture}.tar"
    source = LibrarySource(engine, image, target.architecture, request.limits)
    return bundle_libraries(names, report.runtime, source, spool, observer)


def missing_libraries(findings: Sequence[Finding], wanted: str | Collection[str]) -> tuple[str, ...]:
    """Return the SONAMEs that binaries in use need and nothing has, of those that are to be bundled.

    LP191 for a name that must not be bundled.
    """
    if wanted == "off":
        return ()
    if wanted != "auto":
        for name in wanted:
            check_bundled_name(name)
    names = {
        str(value)
        for finding in findings
        if finding.rule is MISSING_LIBRARY and finding.ignored is None
        for key, value in dict(finding.evidence).items()
        if key == "library"
    }
    return tuple(sorted(name for name in names if (wanted == "auto" or name in wanted) and _is_bundled(name)))


def check_bundled_name(name: str) -> None:
    """Refuse with LP191 a library that only works as the system's own."""
    if not _is_bundled(name):
        raise LambdapackError(BUNDLE_REFUSED, name)


def _is_bundled(name: str) -> bool:
    return not NEVER_BUNDLED.fullmatch(name) and "musl" not in name and "/" not in name


def bundle_libraries(
    names: Sequence[str], runtime: Runtime, source: LibrarySource, spool: Path, observer: Observer
) -> LibraryBundle | None:
    """Return the libraries and everything that they need and the runtime lacks; None when the image has none of them.

    Runs the image without network, inputs or credentials. LP116 or LP105 when it does not answer.
    """
    spec = SandboxSpec(source.image, source.architecture, "libraries", source.limits, network=False)
    with (
        observer.task(f"Collecting {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"),
        source.engine.open(spec, observer) as sandbox,
    ):
        libraries, absent = dict[str, BundledLibrary](), set[str]()
        wanted = list(names)
        tree: SpoolTree | None = None
        for _round in range(MAX_ROUNDS):
            found = _collect(sandbox, wanted)
            absent |= {*wanted} - {*found}
            if not found:
                break
            libraries |= found
            if tree is not None:
                tree.close()
            sandbox.get(COLLECTED, spool, SILENT)
            tree = SpoolTree(spool)
            wanted = sorted(_needed_names(tree) - {*libraries} - absent - _provided_names(runtime))
            if not wanted:
                break
    if tree is None:
        return None
    kept = tuple(
        _with_size(library, tree.entries[name].size)
        for name, library in sorted(libraries.items())
        if name in tree.entries
    )
    return LibraryBundle(PrefixedTree(tree, LIBRARY_DIRECTORY), kept, tuple(sorted(absent)), tree)


def _collect(sandbox: Sandbox, names: Sequence[str]) -> dict[str, BundledLibrary]:
    transcript = Transcript(SILENT)
    argv = ["/bin/sh", "-c", COLLECT_SCRIPT, COLLECTED, *names]
    sandbox.run(Command(argv, title="collecting libraries"), transcript)
    transcript.close()
    found = {}
    for line in transcript.lines:
        name, package, version, licence = [*line.split("\t"), "", "", ""][:4]
        if name in names:
            found[name] = BundledLibrary(f"{LIBRARY_DIRECTORY}/{name}", package, version, licence)
    return found


def _needed_names(tree: Tree) -> set[str]:
    (inventory,) = scan_trees((tree,), SILENT)
    return {
        name
        for binary in inventory.binaries
        if binary.elf is not None
        for name in binary.elf.needed
        if _is_bundled(name)
    }


def _provided_names(runtime: Runtime) -> set[str]:
    return {name for name, library in runtime.libraries.items() if library.certain}


def _with_size(library: BundledLibrary, size: int) -> BundledLibrary:
    return BundledLibrary(library.path, library.package, library.version, library.licence, size)
