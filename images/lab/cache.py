"""Downloads, kept by name and judged by digest. Nothing that is not pinned or signed goes into an image."""

import base64
import contextlib
import functools
import hashlib
import os
import ssl
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from images.lab.recipe import NPM_REGISTRY, Tarball

REPOSITORY_ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 60
"""Longest silence of a server before a download fails."""
DOWNLOADS: Final = 8
"""Packages fetched at a time: of the SDK's, most are smaller than a round trip is long."""
ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a download that several images share is looked for and fetched."""


class LabError(Exception):
    """The lab cannot be made; the text says what to do."""


def directory() -> Path:
    """`.lab` in the repository, or what LAMBDAPACK_LAB_CACHE names."""
    path = Path(os.environ.get("LAMBDAPACK_LAB_CACHE") or REPOSITORY_ROOT / ".lab").resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch file that becomes `path` only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def npm_tarball(package: Tarball, cache: Path) -> bytes:
    """The package's bytes from the cache or the registry; refused when they are not the pinned ones."""
    return npm_tarballs((package,), cache)[0]


def npm_tarballs(packages: Sequence[Tarball], cache: Path) -> tuple[bytes, ...]:
    """The bytes of several packages in their order, DOWNLOADS of them fetched at a time."""
    with ONE_AT_A_TIME, ThreadPoolExecutor(DOWNLOADS) as pool:
        return tuple(pool.map(lambda package: _kept_or_downloaded(package, cache), packages))


def _kept_or_downloaded(package: Tarball, cache: Path) -> bytes:
    path = cache / "npm" / f"{package.name}-{package.version}.tgz"  # a scope is a directory
    if path.exists() and _integrity(content := path.read_bytes()) == package.sha512:
        return content
    return _download(package, path)


def _download(package: Tarball, path: Path) -> bytes:
    url = f"{npm_registry()}/{package.name}/-/{package.name.rpartition('/')[2]}-{package.version}.tgz"
    content = _get(url)
    if _integrity(content) != package.sha512:
        raise LabError(f"{url}: not the bytes that images/lab/recipe.py pins (sha512 differs)")
    with replacing(path) as scratch:
        scratch.write_bytes(content)
    return content


def _integrity(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


def npm_registry() -> str:
    """As npm finds it: environment, project's .npmrc, user's .npmrc, default."""
    for name, value in os.environ.items():
        if name.lower() == "npm_config_registry" and value:  # npm takes either case
            return value.rstrip("/")
    for path in (REPOSITORY_ROOT / ".npmrc", Path.home() / ".npmrc"):
        if path.is_file():
            for line in path.read_text("utf-8").splitlines():
                name, _, value = line.partition("=")
                if name.strip() == "registry" and value.strip():
                    return os.path.expandvars(value.strip()).rstrip("/")
    return NPM_REGISTRY


def _get(url: str) -> bytes:
    extra = os.environ.get("NODE_EXTRA_CA_CERTS", "")  # a company's CA is often named for node only
    try:
        with urllib.request.urlopen(url, timeout=SECONDS, context=_trust(extra)) as response:
            content: bytes = response.read()
            return content
    except (urllib.error.URLError, TimeoutError) as error:
        raise LabError(f"{url}: {error} (a mirror can be named with npm_config_registry)") from error


@functools.cache
def _trust(extra: str) -> ssl.SSLContext:
    """The system's certificates and those of the file `extra`, read once: reading takes longer than a download."""
    context = ssl.create_default_context()
    if extra and Path(extra).is_file():
        context.load_verify_locations(extra)
    return context
