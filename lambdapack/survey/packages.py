"""Every file of a function and its layers under the package that it belongs to."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping

from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.project.installed import PACKAGE_ROOT, name_from
from lambdapack.rules.facts import Facts
from lambdapack.rules.space import Space, seen_from
from lambdapack.survey.chains import Chain
from lambdapack.survey.nouns import File, Package, Sort, Weight
from lambdapack.survey.sorts import sort_of
from lambdapack.tree.entry import Kind

MODULES = "node_modules"


def packages_of(
    facts: Facts, space: Space, chains: Mapping[str, Chain], natives: Collection[str]
) -> tuple[Package, ...]:
    """Return the packages, the heaviest first; `natives` are the paths of native files as a report has them."""
    owners: dict[str, str] = {}
    files: dict[str, list[File]] = {}
    for place, entry in space.entries.items():
        if entry.kind is not Kind.FILE:
            continue
        owner = _owner(posixpath.dirname(place), owners)
        path = seen_from(facts.root, place)
        sort = sort_of(place[len(owner) + 1 :], native=path in natives, dependency=bool(name_from(owner)))
        files.setdefault(owner, []).append(File(path, entry.size, sort))
    found = (_package(facts, space, owner, inside, chains.get(owner)) for owner, inside in files.items())
    return tuple(sorted(found, key=lambda each: (-each.size, each.path)))


def _owner(directory: str, known: dict[str, str]) -> str:
    """Return the package that a directory is of: inside node_modules also one without a package.json.

    What lies in node_modules and in no package, such as .bin, is node_modules' own; the rest the function's or layer's.
    """
    if directory not in known:
        stops = directory in {TASK_ROOT, LAYER_ROOT, "/"} or posixpath.basename(directory) == MODULES
        whole = stops or PACKAGE_ROOT.match(directory) is not None
        known[directory] = directory if whole else _owner(posixpath.dirname(directory), known)
    return known[directory]


def _package(facts: Facts, space: Space, place: str, files: Iterable[File], chain: Chain | None) -> Package:
    manifest = space.manifests.get(place)
    return Package(
        path=seen_from(facts.root, place),
        name=name_from(place) and (manifest.name if manifest and manifest.name else name_from(place)),
        version=manifest.version if manifest else "",
        files=tuple(sorted(files, key=lambda each: (-each.size, each.path))),
        chain=chain.steps if chain else None,
        dev=chain.dev if chain else False,
    )


def weights(packages: Iterable[Package]) -> Mapping[Sort, Weight]:
    """Return files and bytes of each sort that is there, the heaviest first."""
    found: dict[Sort, Weight] = {}
    for each in _files(packages):
        weight = found.get(each.sort, Weight())
        found[each.sort] = Weight(weight.files + 1, weight.size + each.size)
    return dict(sorted(found.items(), key=lambda each: (-each[1].size, each[0].value)))


def _files(packages: Iterable[Package]) -> Iterator[File]:
    for package in packages:
        yield from package.files
