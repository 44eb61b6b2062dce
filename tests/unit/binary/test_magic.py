import pytest

from lambdapack.binary.facts import Format
from lambdapack.binary.format import (
    classify_non_native,
    has_native_name,
    is_static_library,
    may_be_native,
    printable_start,
)

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("name", ["a.node", "lib/b.so", "libc.so.6", "libvips.so.8.17.3", ".node", "x/.so"])
def test_names_that_promise_a_native_file(name: str) -> None:
    assert has_native_name(name)


@pytest.mark.parametrize(
    "name", ["node", "a.node.js", "so", "a.so.js", "a.sow", "libc.so.6a", "a.NODE", "a.node/b", "a.dylib", "a.node\n"]
)
def test_names_that_promise_nothing(name: str) -> None:
    assert not has_native_name(name)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"", Format.EMPTY),
        (LFS, Format.LFS_POINTER),
        (b"\x1f\x8b\x08\x00", Format.GZIP),
        (b"PK\x03\x04", Format.ZIP),
        (b"\0asm\x01\0\0\0", Format.WASM),
        (b"<!DOCTYPE html><title>404</title>", Format.HTML),
        (b"\xef\xbb\xbf \n<HTML>", Format.HTML),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied', Format.HTML),
        (b"Not Found", Format.TEXT),
        (b'{"message": "Not Found"}', Format.TEXT),
        (b"/* GNU ld script */ GROUP ( libc.so.6 )", Format.TEXT),
        ("Sch\u00f6nes ".encode() * 70, Format.TEXT),
        (b"MZ only begins like a program", Format.TEXT),
        (bytes(600), Format.UNKNOWN),
        (b"\x89PNG\r\n\x1a\n", Format.UNKNOWN),
        (b"abc\xff", Format.UNKNOWN),
    ],
    ids=lambda value: value.value if isinstance(value, Format) else "",
)
def test_what_stands_in_place_of_a_binary_is_named(content: bytes, form: Format) -> None:
    assert classify_non_native(content[:512], len(content)) is form


def test_text_cut_inside_a_character_is_still_text() -> None:
    content = b"x" * 511 + "\u00f6".encode()
    assert classify_non_native(content[:512], len(content)) is Format.TEXT
    assert classify_non_native(content[:512], 512) is Format.UNKNOWN


def test_static_libraries_are_told_from_debian_packages() -> None:
    assert is_static_library(b"!<arch>\n")
    assert is_static_library(b"!<thin>\n/               ")
    assert not is_static_library(b"!<arch>\ndebian-binary   1410122664")
    assert may_be_native(b"!<arch>\n")


@pytest.mark.parametrize("head", [b"#!/bin/sh", b"'use strict'", b"{}", b"\0asm", b"", b"\x7fEL"])
def test_scripts_and_modules_are_not_worth_opening(head: bytes) -> None:
    assert not may_be_native(head)


def test_the_start_of_a_file_is_shown_on_one_line_without_control_characters() -> None:
    assert printable_start(LFS) == "version https://git-lfs.github.com/spec/v1 oid sha256:4d7a"[:60] + " s"
    assert printable_start(b"\x1f\x8b\x08\x00") == "\\x1f\\x8b\\x08\\x00"
    assert printable_start(b"\x1b[31mred\xff") == "\\x1b[31mred\\xff"
    assert printable_start(b"") == ""
