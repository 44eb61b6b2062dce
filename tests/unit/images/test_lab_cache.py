import base64
import hashlib
from pathlib import Path

import pytest

from images.lab import cache
from images.lab.recipe import Tarball

CONTENT = b"a package"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of one package, as files."""
    folder = tmp_path / "registry" / "left-pad" / "-"
    folder.mkdir(parents=True)
    (folder / "left-pad-1.0.0.tgz").write_bytes(CONTENT)
    monkeypatch.setenv("npm_config_registry", (tmp_path / "registry").as_uri() + "/")
    return folder


def package(content: bytes) -> Tarball:
    return Tarball("left-pad", "1.0.0", base64.b64encode(hashlib.sha512(content).digest()).decode())


def test_a_package_is_downloaded_once(registry: Path, tmp_path: Path) -> None:
    assert cache.npm_tarball(package(CONTENT), tmp_path / "cache") == CONTENT
    (registry / "left-pad-1.0.0.tgz").unlink()
    assert cache.npm_tarball(package(CONTENT), tmp_path / "cache") == CONTENT


def test_a_package_of_a_scope_has_its_short_name_in_its_address(registry: Path, tmp_path: Path) -> None:
    folder = registry.parent.parent / "@left" / "pad" / "-"
    folder.mkdir(parents=True)
    (folder / "pad-1.0.0.tgz").write_bytes(b"scoped")
    digest = base64.b64encode(hashlib.sha512(b"scoped").digest()).decode()
    packages = (Tarball("@left/pad", "1.0.0", digest), package(CONTENT))
    assert cache.npm_tarballs(packages, tmp_path / "cache") == (b"scoped", CONTENT)
    assert (tmp_path / "cache" / "npm" / "@left" / "pad-1.0.0.tgz").read_bytes() == b"scoped"


@pytest.mark.usefixtures("registry")
def test_other_bytes_than_the_pinned_are_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(cache.LabError, match="sha512 differs"):
        cache.npm_tarball(package(b"another package"), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_damaged_cache_is_downloaded_again(registry: Path, tmp_path: Path) -> None:
    kept = tmp_path / "cache" / "npm" / "left-pad-1.0.0.tgz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"half a pack")
    assert cache.npm_tarball(package(CONTENT), tmp_path / "cache") == CONTENT
    assert kept.read_bytes() == (registry / "left-pad-1.0.0.tgz").read_bytes()


@pytest.mark.usefixtures("registry")
def test_a_missing_package_names_its_address_and_the_cure(tmp_path: Path) -> None:
    with pytest.raises(cache.LabError, match=r"left-pad-2\.0\.0\.tgz.*npm_config_registry"):
        cache.npm_tarball(Tarball("left-pad", "2.0.0", ""), tmp_path / "cache")


def test_an_npmrc_names_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".npmrc").write_text("fund=false\nregistry = ${MIRROR}/npm/\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MIRROR", "https://mirror.example")
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    assert cache.npm_registry() == "https://mirror.example/npm"


def test_a_failed_write_leaves_the_old_file_and_no_scratch(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("old")

    def write_and_fail() -> None:
        with cache.replacing(kept) as scratch:
            scratch.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert kept.read_text() == "old"
