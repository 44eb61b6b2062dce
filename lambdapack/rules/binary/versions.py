"""Symbol versions: whether the loaded library defines each version that a binary needs."""

from collections.abc import Iterable, Iterator

from lambdapack.binary.facts import VersionNeed
from lambdapack.model import Target
from lambdapack.rules.binary.linking_records import MISSING_LIBRARY, SYMBOL_VERSION, UNPROVED
from lambdapack.rules.binary.loader import LoadedObject, Process
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.runtimes.runtime import Runtime, runtime_architectures, runtime_ids, runtime_node_major, shipped_runtime
from lambdapack.runtimes.versions import NUMBERED_VERSION, VersionAvailability, version_availability, version_key


def check_versions(process: Process) -> Defect | None:
    """Return the first version that the runtime lacks, else the highest that is not guaranteed."""
    doubts: list[Defect] = []
    for asking, need in _version_needs(process):
        answer = _need_availability(process, need)
        message = f"{need.file}: version `{need.version}' not found{process.other_files(asking)}"
        if answer is VersionAvailability.NO:
            newer = _runtimes_with_versions(process, need)
            fix = NEWER_RUNTIME_FIX.format(runtime=newer[-1]) if newer else ""
            message += f"; {newer[0]} and later runtimes have it" if newer else ""
            return Defect(SYMBOL_VERSION, message, fix=fix, evidence=_version_evidence(process, need))
        if answer is not VersionAvailability.YES:
            doubts.append(_doubtful_version_defect(process, need))
    return max(doubts, key=_version_rank, default=None)


NEWER_RUNTIME_FIX = (
    "Deploy to {runtime}, whose system is newer (`lambdapack build --runtime {runtime}`), or choose a version of the "
    "package that was built on an older Linux."
)


def _runtimes_with_versions(process: Process, missing: VersionNeed) -> tuple[str, ...]:
    """Return the newer Lambda runtimes whose libraries surely have every version that the files need, oldest first."""
    found = process.link_map.find(missing.file)
    if found is None or found.library is None:
        return ()
    architecture = process.runtime.target.architecture
    needs = [need.version for _, need in _version_needs(process) if NUMBERED_VERSION.match(need.version)]
    return tuple(
        name
        for name in runtime_ids()
        if runtime_node_major(name) > process.runtime.node_major
        and architecture in runtime_architectures(name)
        and _has_versions(shipped_runtime(Target(name, architecture)), (missing.version, *needs))
    )


def _has_versions(runtime: Runtime, versions: Iterable[str]) -> bool:
    """Tell whether a runtime surely has some version nodes; one of a package's own library is not asked for."""
    numbered = (NUMBERED_VERSION.match(version) for version in versions)
    return all(
        match is not None and version_key(match[2]) <= version_key(runtime.floor.get(match[1], match[2]))
        for match in numbered
    )


def _version_needs(process: Process) -> Iterator[tuple[LoadedObject, VersionNeed]]:
    """A weak need is only ever a warning of the loader."""
    for loaded, elf in process.files:
        yield from ((loaded, need) for need in elf.version_needs if not need.weak)


def _need_availability(process: Process, need: VersionNeed) -> VersionAvailability:
    found = process.link_map.find(need.file)
    if found is None:
        return VersionAvailability.NO
    if found.library is not None:
        return version_availability(process.runtime, found.library, need.version)
    defined = found.binary.elf.version_definitions if found.binary and found.binary.elf else ()
    return VersionAvailability.NO if defined and need.version not in defined else VersionAvailability.YES


def _doubtful_version_defect(process: Process, need: VersionNeed) -> Defect:
    found = process.link_map.find(need.file)
    sure = found is None or found.library is None or found.library.certain
    message = f"needs {need.version} of {need.file}; " + _describe_limits(process, need)
    cause = SYMBOL_VERSION.name if sure else MISSING_LIBRARY.name
    return Defect(UNPROVED, message, cause, Outcome.UNKNOWN, evidence=_version_evidence(process, need))


def _describe_limits(process: Process, need: VersionNeed) -> str:
    prefix = need.version.split("_", 1)[0]
    floor, ceiling = (limits.get(prefix) for limits in (process.runtime.floor, process.runtime.ceiling))
    if floor is None:
        return "its versions in the managed runtime are not known"
    return f"guaranteed up to {prefix}_{floor}, in newer images up to {prefix}_{ceiling}"


def _version_rank(doubt: Defect) -> tuple[int, ...]:
    """The highest version says most."""
    return version_key(dict(doubt.evidence)["version"].rpartition("_")[2])


def _version_evidence(process: Process, need: VersionNeed) -> tuple[tuple[str, str | None], ...]:
    limits = process.runtime.floor.get(need.version.split("_", 1)[0])
    return (("library", need.file), ("version", need.version), ("surely_there", limits))


def check_doubtful_libraries(process: Process) -> Defect | None:
    """Return the first library that only images are known to have."""
    for loaded_object in process.new:
        if loaded_object.library is not None and not loaded_object.library.certain:
            name = loaded_object.library.soname
            message = f"needs {name}, which the container image has and the managed runtime may lack"
            cause = MISSING_LIBRARY.name
            fix = f"Put {name} into `lib/` of the function or of a layer."
            return Defect(UNPROVED, message, cause, Outcome.UNKNOWN, fix=fix, evidence=(("library", name),))
    return None
