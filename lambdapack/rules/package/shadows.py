"""Packages and libraries with several copies in function and layers: which is loaded, what is dead weight."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from lambdapack.binary.facts import Binary
from lambdapack.model import LAYER_ROOT, Finding, Rule, Severity
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import LambdaFileSystem, path_in_report
from lambdapack.rules.model.package import PackageFacts
from lambdapack.runtimes.runtime import Runtime

SHADOWED_PACKAGE = Rule(
    "LP312",
    "shadowed-package",
    "a package is in the function and in a layer, or in several layers",
    "node takes the first it finds: node_modules above the asking file, then NODE_PATH, which begins with "
    "/opt/nodejs. The other copy is bytes that count against the size limit but are never loaded, or a second "
    "version in one process.",
    "Leave it out of one of them: remove it from the function's package.json, or build the layer without it.",
    Severity.WARNING,
)
SHADOWED_LIBRARY = Rule(
    "LP313",
    "shadowed-library",
    "a library is never loaded: another library of the same name comes first",
    "The loader takes the first file of the name in RPATH, LD_LIBRARY_PATH and RUNPATH, in this order, and Lambda's "
    "LD_LIBRARY_PATH has /lib64 before /var/task/lib before /opt/lib.",
    "Remove the copy that is not loaded, or link what needs it with an RPATH "
    "(`-Wl,--disable-new-dtags,-rpath,'$ORIGIN'`).",
    Severity.WARNING,
)

MAX_NAMED_COPIES = 3
"""Packages that a message names; the evidence has all."""


def check_shadowed_packages(case: Case) -> Iterator[Finding]:
    """Yield at most one finding each for mixed packages, for other versions and for second copies of one version."""
    if LAYER_ROOT not in case.file_system.directories:
        return
    yield from _mixed_version_findings(case.facts)
    losers = [(copies.taken, other) for copies in case.reach.copies for other in copies.others]
    sizes = _directory_sizes(case.file_system, [other.directory for _, other in losers])
    for same, severity in ((False, None), (True, Severity.NOTE)):
        pairs = [pair for pair in losers if (pair[0].version == pair[1].version) is same]
        pairs.sort(key=lambda pair: (-sizes[pair[1].directory], pair[1].directory))
        if pairs:
            yield _shadowed_finding(case, pairs, sizes, severity)


def _shadowed_finding(
    case: Case,
    pairs: list[tuple[PackageManifest, PackageManifest]],
    sizes: Mapping[str, int],
    severity: Severity | None,
) -> Finding:
    root, dead_packages = case.facts.root, case.reach.dead
    rows = [
        {
            "package": taken.name,
            "taken": path_in_report(root, taken.directory) or taken.directory,
            "taken_version": taken.version,
            "shadowed": path_in_report(root, other.directory),
            "shadowed_version": other.version,
            "bytes": sizes[other.directory],
            "dead": other.directory in dead_packages,
        }
        for taken, other in pairs
    ]
    said = "; ".join(map(_describe_copy, rows[:MAX_NAMED_COPIES]))
    more = f"; likewise {len(rows) - MAX_NAMED_COPIES} more" if len(rows) > MAX_NAMED_COPIES else ""
    dead = sum(sizes[other.directory] for _, other in pairs if other.directory in dead_packages)
    sums = f"; {dead} bytes are never loaded" if dead else ""
    _, first = pairs[0]
    path = path_in_report(root, first.directory)
    evidence = (("packages", rows), ("dead_bytes", dead))
    return Finding(SHADOWED_PACKAGE, path, f"{said}{more}{sums}", first.name, severity=severity, evidence=evidence)


def _describe_copy(row: Mapping[str, object]) -> str:
    lost = f"{row['package']} {row['shadowed_version']}".rstrip()
    if row["dead"]:
        return f"{lost} is shadowed by {row['taken_version'] or 'the copy'} in {row['taken']}"
    return f"{lost} is loaded by other packages of the layer, {row['taken_version']} in {row['taken']} by the function"


def _directory_sizes(file_system: LambdaFileSystem, directories: Iterable[str]) -> Mapping[str, int]:
    sums = dict.fromkeys(directories, 0)
    for place, entry in file_system.entries.items() if sums else ():
        path = place
        while path := path.rpartition("/")[0]:
            if path in sums:
                sums[path] += entry.size
    return sums


def _mixed_version_findings(facts: PackageFacts) -> Iterator[Finding]:
    """Layers merge file by file: of a package in two versions, what only the earlier one has stays."""
    for later, above in enumerate(facts.layers):
        for earlier in facts.layers[:later]:
            for directory, manifest in above.manifests.items():
                other = earlier.manifests.get(directory)
                if directory and other is not None and other.version != manifest.version:
                    yield from _leftover_file_findings(earlier, above, other, manifest)


def _leftover_file_findings(
    earlier: PackageFacts, later: PackageFacts, old: PackageManifest, new: PackageManifest
) -> Iterator[Finding]:
    start = f"{new.directory}/"
    left = [entry for entry in earlier.entries if entry.startswith(start) and entry not in later.entries]
    if left:
        message = (
            f"two layers have {new.name}: files of {new.version} lie over those of {old.version}, "
            f"of which {len(left)} stay, such as {left[0].removeprefix(start)}"
        )
        evidence = (("versions", [old.version, new.version]), ("left", left[:20]), ("count", len(left)))
        yield Finding(SHADOWED_PACKAGE, f"{LAYER_ROOT}/{new.directory}", message, new.name, evidence=evidence)


def check_shadowed_libraries(case: Case) -> Iterator[Finding]:
    """Yield every library on LD_LIBRARY_PATH, and every one in a RUNPATH, that another of its name hides."""
    file_system, runtime = case.file_system, case.runtime
    first: dict[str, str] = {}
    for place in _libraries_on_path(file_system, runtime):
        name = posixpath.basename(place)
        taken = _system_copy(name, runtime) or first.setdefault(name, place)
        yield from _hidden_library_findings(case, place, taken)
    for place, binary in file_system.binaries.items() if first else ():
        for name in binary.elf.needed if binary.elf and binary.elf.runpath else ():
            for own in _runpath_places(place, binary, name) if name in first else ():
                yield from _hidden_library_findings(case, own, first[name])


def _libraries_on_path(file_system: LambdaFileSystem, runtime: Runtime) -> Iterator[str]:
    """Libraries, and links to them, in the order of LD_LIBRARY_PATH; the loader passes over other CPUs' files."""
    inside: dict[str, list[str]] = {}
    for path in (*file_system.binaries, *file_system.links):
        if ".so" in posixpath.basename(path) and _is_for_cpu(file_system.binary(path), runtime):
            inside.setdefault(posixpath.dirname(path), []).append(path)
    for directory in runtime.library_path:
        yield from inside.get(directory, ())


def _is_for_cpu(binary: Binary | None, runtime: Runtime) -> bool:
    return (
        binary is not None and binary.elf is not None and binary.elf.machine == runtime.target.architecture.elf_machine
    )


def _runpath_places(place: str, binary: Binary, name: str) -> Iterator[str]:
    for entry in binary.elf.runpath if binary.elf else ():
        directory = entry.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", posixpath.dirname(place))
        if directory.startswith("/"):
            yield posixpath.normpath(posixpath.join(directory, name))


def _system_copy(name: str, runtime: Runtime) -> str:
    """The system's copy is what node has loaded already, or lies in a directory that comes first."""
    library = runtime.libraries.get(name)
    if name in runtime.loaded:
        return (library.path if library else "") or name
    if library is None or not library.certain:
        return ""
    here = posixpath.dirname(library.path) in runtime.library_path
    return library.path or name if here or not library.path else ""


def _hidden_library_findings(case: Case, place: str, taken: str) -> Iterator[Finding]:
    hidden, winner = case.file_system.binary(place), case.file_system.binary(taken)
    if hidden is None or taken == place or _has_same_bytes(hidden, winner):
        return
    name = posixpath.basename(place)
    system = winner is None
    why = "node has it loaded" if name in case.runtime.loaded else "its directory comes first"
    message = f"{hidden.size} bytes are never loaded: " + (
        f"the runtime's own {name} is taken, {why}" if system else f"{taken} is taken, its directory comes first"
    )
    evidence = (("taken", taken), ("bytes", hidden.size), ("sha256", hidden.sha256))
    severity = Severity.NOTE if system else None
    yield Finding(
        SHADOWED_LIBRARY, path_in_report(case.facts.root, place), message, severity=severity, evidence=evidence
    )


def _has_same_bytes(one: Binary, other: Binary | None) -> bool:
    return other is not None and one.sha256 == other.sha256
