import json
import struct
from hashlib import sha256

import pytest

from lambdapack.binary.facts import Elf, Registration, RegistrationKind, Symbol, VersionNeed
from lambdapack.binary.scan import recognise_content
from lambdapack.store.binary_facts import content_from_bytes, content_to_bytes, symbols_from_bytes, symbols_to_bytes
from tests import elf as make

DYLIB = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x100000C, 0, 6, 20, 2000, 0, 0)

FULL = Elf(
    bits=64,
    little_endian=True,
    machine=183,
    os_abi=3,
    abi_version=1,
    type=3,
    interpreter="/lib/ld-linux-aarch64.so.1",
    dynamic=True,
    soname="libx.so.1",
    needed=("libc.so.6", "libm.so.6"),
    rpath=("$ORIGIN", ""),
    runpath=("/opt/lib",),
    flags=frozenset({"now", "pie"}),
    version_needs=(VersionNeed("libc.so.6", "GLIBC_2.34"), VersionNeed("libm.so.6", "GLIBC_2.29", weak=True)),
    version_definitions=("X_1", "X_2"),
    undefined=(Symbol("a"), Symbol("b", "GLIBC_2.34", "libc.so.6", weak=True, at_load=False)),
    defines=(Symbol("\ufffd\x00\U0001f600", default=False),),
    tls_bytes=2**40,
    executable_stack=True,
    relocations=frozenset({"relr", "android"}),
    isa_needed="x86-64-v3",
    missing_bytes=7,
    missing_pages=1,
    damage="invalid ELF header",
    registration=Registration(RegistrationKind.BOTH, (127, 131), -1, 9, uncertain=True),
)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    place = tmp_path_factory.mktemp("content")
    addon = make.link(place, "addon.node", make.NODE_API, "-DLEVEL=9").read_bytes()
    return {
        "addon": addon,
        "library": make.library(place, "libshiny.so.1").read_bytes(),
        "cut": addon[: len(addon) // 2],
        "head": addon[:20],
        "mach-o": DYLIB,
        "page": b"<!doctype html>\n\x1b[31m",
        "empty": b"",
    }


@pytest.mark.parametrize("name", ["addon", "library", "cut", "head", "mach-o", "page", "empty"])
def test_facts_come_back_as_they_went_in(contents: dict[str, bytes], name: str) -> None:
    digest = sha256(contents[name]).hexdigest()
    content = recognise_content(memoryview(contents[name]), digest)
    assert content_from_bytes(digest, content_to_bytes(content)) == content


def test_every_field_comes_back(contents: dict[str, bytes]) -> None:
    content = recognise_content(memoryview(contents["addon"]), "0" * 64)
    whole = type(content)(**{name: getattr(content, name) for name in content.__slots__} | {"elf": FULL})
    found = content_from_bytes("0" * 64, content_to_bytes(whole))
    assert found == whole
    assert found is not None
    assert [type(getattr(found.elf, name)) for name in Elf.__slots__] == [
        type(getattr(FULL, name)) for name in Elf.__slots__
    ]


def test_every_field_of_the_sample_says_something() -> None:
    plain = Elf(bits=32, little_endian=False, machine=0, os_abi=0, abi_version=0, type=0)
    assert [name for name in Elf.__slots__ if getattr(plain, name) == getattr(FULL, name)] == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"size": 1}', b"\xff", b"[" * 100_000])
def test_anything_else_is_no_content(data: bytes) -> None:
    assert content_from_bytes("0" * 64, data) is None


def test_a_field_too_many_is_no_content(contents: dict[str, bytes]) -> None:
    document = json.loads(content_to_bytes(recognise_content(memoryview(contents["addon"]), "0" * 64)))
    document["elf"]["colour"] = "red"
    assert content_from_bytes("0" * 64, json.dumps(document).encode()) is None


def test_symbols_come_back_as_they_went_in() -> None:
    assert symbols_from_bytes(symbols_to_bytes(FULL.undefined)) == FULL.undefined
    assert symbols_from_bytes(b"{") is None
    assert symbols_from_bytes(b"[1]") is None
