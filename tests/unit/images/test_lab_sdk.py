import io
import tarfile

from images.lab.layer import Layer
from images.lab.sdk import add_sdk, locked_packages


def tarball(*paths: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path in paths:
            archive.addfile(tarfile.TarInfo(path), io.BytesIO())
    return stream.getvalue()


def test_every_package_is_pinned_to_its_bytes() -> None:
    packages = locked_packages()
    assert packages["node_modules/@aws-sdk/client-s3"].version == "3.895.0"
    assert all(len(package.sha512) == 88 for package in packages.values())
    assert all(path.endswith(f"node_modules/{package.name}") for path, package in packages.items())


def test_a_package_is_unpacked_without_its_root_and_its_declarations() -> None:
    layer = Layer()
    archive = tarball("uuid/index.js", "uuid/dist-types/index.d.ts", "uuid/lib/dist-types/ts3.4/index.d.ts")
    add_sdk(layer, [("node_modules/a/node_modules/uuid", archive)])
    files = [path for path in layer.paths() if layer[path].content is not None]
    assert files == ["var/runtime/node_modules/a/node_modules/uuid/index.js"]
