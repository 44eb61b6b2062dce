import gzip
import io
import lzma
import tarfile

import pytest

from images.lab import deb


def ar(*members: tuple[str, bytes]) -> bytes:
    archive = b"!<arch>\n"
    for name, content in members:
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        archive += header.encode() + content + b"\n" * (len(content) % 2)
    return archive


def tar(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(f"./{name}")
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return stream.getvalue()


def test_members_of_odd_length_are_padded_to_even() -> None:
    assert list(deb.members(ar(("a/", b"odd"), ("b", b"even")))) == [("a", b"odd"), ("b", b"even")]


@pytest.mark.parametrize(
    ("name", "compress"),
    [("data.tar", bytes), ("data.tar.gz", gzip.compress), ("data.tar.xz", lzma.compress)],
)
def test_the_data_archive_is_found_by_its_name(name: str, compress: type[bytes]) -> None:
    package = ar(("debian-binary", b"2.0\n"), ("control.tar.xz", b"?"), (name, compress(tar(hello=b"world"))))
    with deb.open_data(package) as archive:
        content = archive.extractfile("./hello")
        assert content is not None
        assert content.read() == b"world"


@pytest.mark.parametrize(
    "package",
    [b"", b"PK\3\4", ar(("debian-binary", b"2.0\n")), ar(("data.tar", b"x" * 512))[:-8], ar(("data.tar", b""))[:-3]],
    ids=["empty", "a zip", "no data", "cut short", "a cut header"],
)
def test_what_is_no_package_is_refused(package: bytes) -> None:
    with pytest.raises(deb.DamagedPackageError):
        deb.open_data(package)
