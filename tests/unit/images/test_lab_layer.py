import hashlib
import io
import tarfile
from collections.abc import Callable

from images.lab.layer import EPOCH, Layer, relocated


def written(layer: Layer) -> tuple[bytes, str]:
    stream = io.BytesIO()
    digest = layer.write(stream)
    return stream.getvalue(), digest


def small(*steps: Callable[[Layer], None]) -> Layer:
    layer = Layer()
    for step in steps:
        step(layer)
    return layer


STEPS: tuple[Callable[[Layer], None], ...] = (
    lambda layer: layer.file("usr/bin/tool", b"\x7fELF", 0o755),
    lambda layer: layer.symlink("bin", "usr/bin"),
    lambda layer: layer.file("etc/ä", b"text"),
    lambda layer: layer.directory("tmp", 0o1777),
)


def test_the_order_of_adding_does_not_change_a_byte() -> None:
    assert written(small(*STEPS)) == written(small(*reversed(STEPS)))


def test_entries_are_sorted_owned_by_root_and_dated_1980() -> None:
    content, _ = written(small(*STEPS))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == ["bin", "etc", "etc/ä", "tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries} == {(0, 0, "", EPOCH)}
    assert {entry.name: entry.mode for entry in entries if not entry.issym()} == {
        "etc": 0o755,
        "etc/ä": 0o644,
        "tmp": 0o1777,
        "usr": 0o755,
        "usr/bin": 0o755,
        "usr/bin/tool": 0o755,
    }


def test_a_later_entry_replaces_an_earlier_one() -> None:
    layer = Layer()
    layer.file("a", b"1")
    layer.file("a", b"2")
    assert layer["a"].content == b"2"


def test_the_digest_is_that_of_what_was_written() -> None:
    content, digest = written(small(*STEPS))
    assert digest == hashlib.sha256(content).hexdigest()


def packed() -> tarfile.TarFile:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, target in (
            ("./", tarfile.DIRTYPE, ""),
            ("./lib/", tarfile.DIRTYPE, ""),
            ("./lib/one.so", tarfile.REGTYPE, ""),
            ("./lib/two.so", tarfile.LNKTYPE, "./lib/one.so"),
            ("./lib64/ld.so", tarfile.SYMTYPE, "/lib/one.so"),
            ("./usr/share/doc/x", tarfile.REGTYPE, ""),
            ("./usr/share/documents", tarfile.REGTYPE, ""),
        ):
            header = tarfile.TarInfo(name)
            header.type, header.linkname, header.size = kind, target, 3 * (kind == tarfile.REGTYPE)
            archive.addfile(header, io.BytesIO(b"abc"))
    stream.seek(0)
    return tarfile.open(fileobj=stream)


def test_unpacking_moves_copies_hard_links_and_leaves_out() -> None:
    layer = Layer()
    with packed() as archive:
        layer.unpack(archive, relocated({"": "", "lib": "usr/lib", "lib64": None, "usr/share/doc": None}))
    files = {path: layer[path].content for path in layer.paths() if layer[path].content is not None}
    assert files == {"usr/lib/one.so": b"abc", "usr/lib/two.so": b"abc", "usr/share/documents": b"abc"}
    assert "lib64" not in layer


def test_what_no_prefix_names_is_left_out() -> None:
    place = relocated({"package/bin/node": "var/lang/bin/node", "package/include": "var/lang/include"})
    assert place("package/bin/node") == "var/lang/bin/node"
    assert place("package/include/node/node.h") == "var/lang/include/node/node.h"
    assert place("package/README.md") is None
