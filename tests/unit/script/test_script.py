"""What is read of a script; tests/contract/test_script.py holds it against what node does with it."""

import pytest

from lambdapack.script.parse import Script
from lambdapack.script.read import read_script


def read(name: str, text: str) -> Script:
    script = read_script(name, text.encode())
    assert script is not None
    return script


@pytest.mark.parametrize("text", ["export * from './a.mjs';", "export default { handler() {} };", "eval('1')"])
def test_defaults_stars_and_eval_may_export_anything(text: str) -> None:
    assert not read("a.mjs", text).complete


@pytest.mark.parametrize(
    "text",
    [
        "if (typeof require !== 'undefined') require('a');",
        "const load = () => require('a');",
        "try { require('a'); } catch {}",
        "import { createRequire } from 'module'; const require = createRequire(import.meta.url); require('a');",
        "globalThis.require = (name) => name; require('a');",
        "const { __dirname } = paths;\nexport const here = __dirname;",
        "async function f() { await 1; }",
    ],
)
def test_what_may_never_be_looked_up_is_no_trace(text: str) -> None:
    assert read("a.mjs", text).commonjs is None


@pytest.mark.parametrize("data", [b"const = 1", b"interface A { b: string }", b"\xff\xfe\x00", b"<p>no script</p>"])
def test_what_is_no_javascript_gives_no_facts(data: bytes) -> None:
    assert read_script("a.js", data) is None


def test_a_hashbang_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    script = read_script("a.js", b"\xef\xbb\xbf#!/usr/bin/env node\r\n'use strict';\r\nexports.handler = 1;\r\n")
    assert script is not None
    assert script.exports == frozenset({"handler"})
