"""From an order to loaded images: looks what is there, downloads, composes, loads. Says what it does."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images.lab import archive, engine, rootfs, sdk
from images.lab.apt import apt_sources, debs
from images.lab.archive import Image, StoredLayer
from images.lab.cache import npm_tarball, npm_tarballs
from images.lab.recipe import (
    BARE_DEBS,
    BUILD_DEBS,
    BUILD_DEBS_OF,
    DECLARED_DEBS,
    OPENSSL_DEB,
    Cpu,
    NodeRelease,
    image_name,
)
from images.lab.rie import emulator

RECIPE_LABEL: Final = "lambdapack.lab.recipe"
DEBS_LABEL: Final = "lambdapack.lab.debs"
NO_INPUT: Final = frozenset({"__init__.py", "__main__.py", "apt.py", "cache.py", "engine.py", "host.py"})
"""Modules that fetch, ask and talk, and so decide nothing about what is in an image."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of one Node line on one CPU."""

    release: NodeRelease
    cpu: Cpu
    noheaders: bool = False  # also the variants without /var/lang/include
    refresh: bool = False  # newest Debian packages, even when the images are there

    @property
    def kinds(self) -> tuple[str, ...]:
        """The variants by their tag's ending."""
        return ("", "build", "noheaders", "build-noheaders") if self.noheaders else ("", "build")

    @property
    def names(self) -> tuple[str, ...]:
        """The images."""
        return tuple(image_name(self.release, self.cpu, kind) for kind in self.kinds)


def recipe_digest() -> str:
    """Changes with everything in this folder that an image's content depends on; needs no network."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted((*folder.glob("*.py"), *rootfs.RUNTIME.iterdir(), sdk.LOCKFILE)):
        if path.name not in NO_INPUT:
            digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def missing(orders: Sequence[Order]) -> tuple[Order, ...]:
    """The orders that the engine does not have by this very recipe."""
    recipe = recipe_digest()
    form = f'{{{{index .Config.Labels "{RECIPE_LABEL}"}}}}'
    return tuple(
        order for order in orders if order.refresh or any(engine.inspect(n, form) != recipe for n in order.names)
    )


def make(order: Order, cache: Path, say: Say) -> tuple[Image, ...]:
    """Make and load the images of one order."""
    with tempfile.TemporaryDirectory(dir=cache, prefix=f"{order.release.major}-{order.cpu.aws}-") as scratch:
        images = _compose(order, cache, Path(scratch), say)
        say(f"{order.names[0]}: loading {len(images)} images")
        before = {engine.inspect(image.name, "{{.Id}}") for image in images}
        engine.load(lambda stream: archive.write(images, stream))
        engine.drop(old for old in before if old and old not in map(archive.image_id, images))
    return images


def _compose(order: Order, cache: Path, scratch: Path, say: Say) -> tuple[Image, ...]:
    cpu, release = order.cpu, order.release
    name = image_name(release, cpu)
    extra = (*BUILD_DEBS, *BUILD_DEBS_OF[cpu])
    say(f"{name}: packages")
    every = dict.fromkeys((*BARE_DEBS, OPENSSL_DEB, *extra, *DECLARED_DEBS))
    packages = dict(zip(every, debs(tuple(every), cpu, cache, refresh=order.refresh), strict=True))
    node, npm = npm_tarball(release.node[cpu], cache), npm_tarball(release.npm, cache)
    say(f"{name}: runtime image")
    bare = rootfs.bare(cpu, (packages[deb].read() for deb in BARE_DEBS), node, npm, release.major)
    rootfs.add_lambda_openssl(bare, packages[OPENSSL_DEB].read())
    bare.file("usr/local/bin/aws-lambda-rie", emulator(cpu, cache), 0o755)
    pinned = sdk.locked_packages()
    sdk.add_sdk(bare, zip(pinned, npm_tarballs(tuple(pinned.values()), cache), strict=True))
    layers = {"": archive.store(bare, scratch / "bare.tar")}
    del bare
    say(f"{name}: compilers")
    build = rootfs.build(packages[deb].read() for deb in extra)
    rootfs.add_package_database(build, (package.read() for package in packages.values()), apt_sources())
    layers["build"] = archive.store(build, scratch / "build.tar")
    layers["noheaders"] = archive.store(rootfs.without_headers(), scratch / "noheaders.tar")
    versions = "\n".join(sorted(f"{package.path.name} {package.sha256}" for package in packages.values()))
    labels = {RECIPE_LABEL: recipe_digest(), DEBS_LABEL: hashlib.sha256(versions.encode()).hexdigest()}
    return tuple(Image(image_name(release, cpu, kind), cpu, _stack(layers, kind), labels) for kind in order.kinds)


def _stack(layers: dict[str, StoredLayer], kind: str) -> tuple[StoredLayer, ...]:
    """`build-noheaders` is the bare layer, the build layer and the whiteout."""
    return (layers[""], *(layers[part] for part in kind.split("-") if part))
