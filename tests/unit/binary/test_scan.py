import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from lambdapack.binary.facts import Binary, BinaryRole, Format, RegistrationKind, Symbol
from lambdapack.binary.scan import scan_binaries
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.events import Advance
from lambdapack.tree.entry import Entry, EntryKind
from tests import elf as make

DYLIB = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x100000C, 0, 6, 20, 2000, 0, 0)
DLL = b"MZ".ljust(60, b"\0") + struct.pack("<I4sHHIIIHH", 64, b"PE\0\0", 0x8664, 6, 0, 0, 0, 240, 0x2022)


class Files:
    """A tree in memory; counts what is opened."""

    def __init__(self, content: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> None:
        self._content = content
        self.opened: Counter[str] = Counter()
        files = [Entry(path, EntryKind.FILE, 0o644, len(data)) for path, data in content.items()]
        files += [Entry(path, EntryKind.SYMLINK, 0o777, 0, target) for path, target in (links or {}).items()]
        self.entries = {each.path: each for each in sorted(files, key=lambda each: each.path.encode())}

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        self.opened[path] += 1
        with memoryview(self._content[path]) as data:
            yield data


class Recording:
    def __init__(self) -> None:
        self.tasks: list[tuple[str, int | None, str]] = []
        self.done: Counter[str] = Counter()

    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:
        self.tasks.append((label, total, unit))

        def advance(amount: int) -> None:
            self.done[label] += amount

        yield advance

    def line(self, text: str) -> None:
        raise AssertionError(text)

    def note(self, text: str) -> None:
        raise AssertionError(text)


def found(content: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> dict[str, Binary]:
    return {each.path: each for each in scan_binaries(Files(content, links)).binaries}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan")


@pytest.fixture(scope="module")
def addon(place: Path) -> bytes:
    return make.link(place, "addon.node", make.NODE_API, "-DLEVEL=9").read_bytes()


@pytest.fixture(scope="module")
def library(place: Path) -> bytes:
    return make.library(place, "libshiny.so.1").read_bytes()


def test_native_files_are_found_by_their_magic_not_their_name(addon: bytes, library: bytes) -> None:
    binaries = found(
        {
            "bin/tool": addon,
            "data.json": library,
            "mac/thing": DYLIB,
            "win/thing": DLL,
            "nothing.a": b"!<arch>\n/               0           0     0     644     4         `\n",
            "index.js": b"'use strict'; // this one is not native at all\n",
            "Main.class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100),
            "notes.txt": b"MZ is how this text begins, and it is long enough to be looked at closely",
            "some.deb": b"!<arch>\ndebian-binary   1410122664  0     0     100644  4         `\n2.0\n",
        }
    )
    assert {path: each.format for path, each in binaries.items()} == {
        "bin/tool": Format.ELF,
        "data.json": Format.ELF,
        "mac/thing": Format.MACH_O,
        "nothing.a": Format.ARCHIVE,
        "win/thing": Format.PE,
    }


def test_what_macos_keeps_beside_a_file_is_no_native_file(addon: bytes) -> None:
    attributes = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        " + bytes(82)
    assert list(found({"a/addon.node": addon, "a/._addon.node": attributes, "__MACOSX/a/._addon.node": addon})) == [
        "a/addon.node"
    ]


def test_a_binary_carries_its_digest_size_mode_and_machines(addon: bytes) -> None:
    (binary,) = scan_binaries(Files({"a.node": addon})).binaries
    assert binary.sha256 == sha256(addon).hexdigest()
    assert (binary.size, binary.mode, binary.machines) == (len(addon), 0o644, ("x86_64",))
    assert binary.elf is not None
    assert binary.elf.registration.kind is RegistrationKind.NODE_API


@pytest.mark.parametrize(
    ("machine", "name"), [(183, "arm64"), (3, "ia32"), (40, "arm"), (243, "riscv"), (0xFE21, "machine 65057")]
)
def test_elf_machines_bear_the_reports_names(addon: bytes, machine: int, name: str) -> None:
    (binary,) = scan_binaries(Files({"a.node": make.with_machine(addon, machine)})).binaries
    assert binary.machines == (name,)


def test_names_that_promise_a_binary_are_listed_with_what_stands_there() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n"
    binaries = found(
        {
            "a.node": b"",
            "b.so.1": pointer,
            "c.node": b"<!DOCTYPE html>",
            "d.node": b"\0asm\x01\0\0\0",
            "d.wasm": b"\0asm\x01\0\0\0".ljust(64, b"\0"),
            "e.so": b"\x7fELF",
        }
    )
    assert {path: (each.format, each.role) for path, each in binaries.items()} == {
        "a.node": (Format.EMPTY, BinaryRole.ADDON),
        "b.so.1": (Format.LFS_POINTER, BinaryRole.LIBRARY),
        "c.node": (Format.HTML, BinaryRole.ADDON),
        "d.node": (Format.WASM, BinaryRole.ADDON),
        "e.so": (Format.ELF, BinaryRole.LIBRARY),
    }
    assert binaries["b.so.1"].first_bytes.startswith("version https://git-lfs")
    assert binaries["a.node"].first_bytes == ""
    assert binaries["e.so"].elf is None


def test_roles_follow_registration_type_and_name(place: Path, addon: bytes, library: bytes) -> None:
    entry = "void _start(void) { for (;;); }\n"
    fixed = make.program(place, "fixed", entry, "-static", "-no-pie").read_bytes()
    pie = make.program(place, "pie", entry, "-pie", "-fPIE", "-Wl,--dynamic-linker,/lib/ld.so").read_bytes()
    user = make.link(place, "user.so", "void napi_throw(void);\nvoid here(void) { napi_throw(); }\n").read_bytes()
    roles = {
        path: each.role
        for path, each in found(
            {
                "addon": addon,
                "lib": library,
                "lib.node": library,
                "fixed": fixed,
                "pie": pie,
                "user": user,
                "mac.node": DYLIB,
                "mac": DYLIB,
                "win.exe": DLL[:-2] + b"\x22\0",
            }
        ).items()
    }
    assert roles == {
        "addon": BinaryRole.ADDON,
        "fixed": BinaryRole.EXECUTABLE,
        "lib": BinaryRole.LIBRARY,
        "lib.node": BinaryRole.ADDON,
        "mac": BinaryRole.LIBRARY,
        "mac.node": BinaryRole.ADDON,
        "pie": BinaryRole.EXECUTABLE,
        "user": BinaryRole.ADDON,
        "win.exe": BinaryRole.EXECUTABLE,
    }


def test_a_needed_library_tells_what_it_defines_of_the_names_in_question(place: Path) -> None:
    stub = make.library(place / "defines", "libshiny.so.1", "V_1", "V_2")
    user = make.using(place / "defines", "user.node", stub).read_bytes()
    binaries = found(
        {
            "user.node": user,
            "lib/libshiny.so.1": stub.read_bytes(),
            "other/renamed.so": stub.read_bytes(),
            "apart.so": user,
        }
    )
    expected = {Symbol("shiny", "V_2"), Symbol("shiny", "V_1", default=False)}
    for path in ("lib/libshiny.so.1", "other/renamed.so"):
        assert (elf := binaries[path].elf) is not None
        assert set(elf.defines) == expected
    assert (elf := binaries["user.node"].elf) is not None
    assert elf.defines == ()


def test_a_library_reached_through_symlinks_is_a_needed_one(place: Path) -> None:
    named = make.link(
        place / "links", "libdull.so", "int shiny(void) { return 1; }\n"
    )  # no SONAME: needed by file name
    user = make.link(
        place / "links",
        "user.so",
        "int shiny(void);\nint init(void) { return shiny(); }\n",
        "-Wl,--no-as-needed",
        "-L.",
        "-ldull",
    )
    links = {"libdull.so": "libdull.so.1", "libdull.so.1": "deep/libdull.so.1.2"}
    elf = found({"user.node": user.read_bytes(), "deep/libdull.so.1.2": named.read_bytes()}, links)[
        "deep/libdull.so.1.2"
    ].elf
    assert elf is not None
    assert [each.name for each in elf.defines] == ["shiny"]


def test_symlinks_and_directories_are_no_binaries(addon: bytes) -> None:
    tree = Files({"real.node": addon}, {"link.node": "real.node"})
    tree.entries["folder.node"] = Entry("folder.node", EntryKind.DIRECTORY, 0o755, 0)
    assert [each.path for each in scan_binaries(tree).binaries] == ["real.node"]


def test_binaries_come_in_byte_order_of_their_paths(addon: bytes) -> None:
    paths = ["a/b.node", "a.node", "B.node", "\u00e4.node", "a-b.node"]
    binaries = scan_binaries(Files(dict.fromkeys(paths, addon))).binaries
    assert [each.path for each in binaries] == sorted(paths, key=str.encode)


def test_other_files_are_opened_once_and_small_ones_never(addon: bytes) -> None:
    tree = Files({"index.js": b"module.exports = require('./a.node')\n", "tiny.js": b"1", "a.node": addon})
    scan_binaries(tree)
    assert tree.opened == {"index.js": 1, "a.node": 1}


def test_a_file_that_cannot_be_read_ends_the_scan_with_its_own_failure(addon: bytes) -> None:
    class Vanishing(Files):
        @contextmanager
        def view(self, path: str) -> Iterator[memoryview]:
            if path == "gone.node":
                raise LambdapackError(BAD_TARGET, f"{path}: it changed while lambdapack read it")
            with super().view(path) as data:
                yield data

    with pytest.raises(LambdapackError, match="it changed while lambdapack read it"):
        scan_binaries(Vanishing({"a.node": addon, "gone.node": addon + b"!"}))


def test_an_empty_tree_has_no_binaries() -> None:
    assert scan_binaries(Files({})).binaries == ()


def test_the_observer_hears_how_far_it_is(addon: bytes) -> None:
    observer = Recording()
    scan_binaries(Files({"a.node": addon, "b.js": b"//"}), observer)
    assert observer.tasks == [("Reading every native file", len(addon), "B")]
    assert observer.done == {"Reading every native file": len(addon)}
