"""Writes a package as a CycloneDX bill of materials: npm packages, libraries taken along, native files."""

import json
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.exception.factory import InvalidSpdxLicenseException
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from lambdapack import __version__
from lambdapack.binary.facts import Binary
from lambdapack.model import is_in_node_modules
from lambdapack.pack.output import replace_file
from lambdapack.packages.manifests import PackageManifest
from lambdapack.pipeline.package.request import JudgedPackage
from lambdapack.project.repository import Manifest
from lambdapack.rules.model.package import BundledLibrary
from lambdapack.tree.entry import Tree, read_file

SBOM_NAMESPACE: Final = uuid.UUID("b5ff8a4e-3c9b-5f6e-9b43-6d3b4b1f0a57")
"""Names the serial numbers of our documents: equal packages have equal documents (RFC 9562, version 5)."""

PATH_PROPERTY: Final = "lambdapack:path"


def write_sbom(path: Path, package: JudgedPackage, project: Manifest, content_digest: str) -> None:
    """Write the document of a package, whole or not at all. LP009. Equal packages give equal bytes."""
    document = json.loads(JsonV1Dot6(make_bom(package, project, content_digest)).output_as_string())
    document.get("metadata", {}).pop("timestamp", None)  # the one thing that differs between equal packages
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    with replace_file(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def make_bom(package: JudgedPackage, project: Manifest, content_digest: str) -> Bom:
    """Return the bill of materials of a package."""
    facts, tree = package.facts, package.tree
    bom = Bom(serial_number=uuid.uuid5(SBOM_NAMESPACE, content_digest))
    version = project.document.get("version")
    root = Component(
        name=project.name,
        version=version if isinstance(version, str) else None,
        type=ComponentType.APPLICATION,
        bom_ref="root",
        properties=[Property(name="lambdapack:target", value=str(package.report.runtime.target))],
    )
    bom.metadata.component = root
    bom.metadata.tools.components.add(Component(name="lambdapack", version=__version__, type=ComponentType.APPLICATION))
    binaries = _binaries_by_package(facts.inventory.binaries, facts.manifests)
    components = {
        directory: _package_component(tree, manifest, binaries.get(directory, ()))
        for directory, manifest in facts.manifests.items()
        if is_in_node_modules(directory) and manifest.name
    }
    for component in components.values():
        bom.components.add(component)
    bundled = {library.path: library for library in facts.bundled}
    for binary in binaries.get("", ()):
        library = bundled.get(binary.path)
        bom.components.add(_bundled_component(library, binary) if library else _binary_component(binary))
    for directory, component in components.items():
        needed = _resolved(directory, facts.manifests[directory].needed_names, components)
        bom.register_dependency(component, needed)
    own = facts.manifests.get("")
    bom.register_dependency(root, _resolved("", own.needed_names if own else (), components))
    return bom


def _binaries_by_package(
    binaries: Iterable[Binary], manifests: Mapping[str, PackageManifest]
) -> Mapping[str, tuple[Binary, ...]]:
    """Return the native files by the directory of the package that they lie in, "" for the function's own."""
    found: dict[str, tuple[Binary, ...]] = {}
    for binary in binaries:
        directory = binary.path
        while directory and not (directory in manifests and is_in_node_modules(directory)):
            directory = directory.rpartition("/")[0]
        found[directory] = (*found.get(directory, ()), binary)
    return found


def _package_component(tree: Tree, manifest: PackageManifest, binaries: Iterable[Binary]) -> Component:
    namespace, _, name = manifest.name.rpartition("/")
    return Component(
        name=name,
        group=namespace or None,
        version=manifest.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=manifest.directory,
        purl=PackageURL("npm", namespace or None, name, manifest.version or None),
        licenses=_licenses(tree, manifest.directory),
        components=[_binary_component(binary) for binary in binaries],
        properties=[Property(name=PATH_PROPERTY, value=manifest.directory)],
    )


def _licenses(tree: Tree, directory: str) -> list[Any]:
    """Return the licence that a package.json states, as an SPDX identifier or expression where it is one."""
    try:
        document = json.loads(read_file(tree, f"{directory}/package.json"))
        stated = document.get("license") if isinstance(document, dict) else None
    except (KeyError, ValueError, RecursionError):
        return []
    stated = stated.get("type") if isinstance(stated, dict) else stated
    return _stated_licence(stated) if isinstance(stated, str) else []


def _stated_licence(stated: str) -> list[Any]:
    if not stated.strip():
        return []
    try:
        return [LicenseFactory().make_from_string(stated.strip())]
    except (InvalidSpdxLicenseException, ValueError):
        return []


def _bundled_component(library: BundledLibrary, binary: Binary) -> Component:
    """Return the system package that a library was taken from, with the file that the package has of it."""
    return Component(
        name=library.package or library.name,
        version=library.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"bundled:{library.path}",
        licenses=_stated_licence(library.licence),
        components=[_binary_component(binary)],
        properties=[Property(name=PATH_PROPERTY, value=library.path)],
    )


def _binary_component(binary: Binary) -> Component:
    machines = ", ".join(binary.machines)
    return Component(
        name=binary.path.rpartition("/")[2],
        type=ComponentType.FILE,
        bom_ref=binary.path,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=binary.sha256)],
        properties=[
            Property(name=PATH_PROPERTY, value=binary.path),
            Property(name="lambdapack:format", value=binary.format.value),
            *([Property(name="lambdapack:machine", value=machines)] if machines else []),
        ],
    )


def _resolved(directory: str, names: Iterable[str], components: Mapping[str, Component]) -> list[Component]:
    """Return the packages that node finds for names from a directory: in the nearest node_modules."""
    found = []
    for name in sorted(names):
        place = directory
        while True:
            path = f"{place}/node_modules/{name}" if place else f"node_modules/{name}"
            if path in components:
                found.append(components[path])
                break
            if not place:
                break
            place = place.rpartition("/")[0]
    return found
