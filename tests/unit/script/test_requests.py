"""What a script loads by whatever argument, whether it bears the failure, and what it names and starts."""

import time

import pytest

from lambdapack.script import syntax
from lambdapack.script.requests import read_literals, read_requests, read_started_programs
from lambdapack.script.specifier import Likelihood


def loads(source: str) -> list[tuple[str, bool, Likelihood]]:
    return [(request.text, request.guarded, request.likely) for request in read_requests(source.encode()).requests]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("const a = require('./a.node'), b = module.require(`b`);", ["'./a.node'", "`b`"]),
        ("import a from 'a'; import 'b'; export * from 'c'; export const d = await import('d');",
         ["'a'", "'b'", "'c'", "'d'"]),
        ("process.dlopen(module, require.resolve('./x.node'));", ["module, require.resolve('./x.node')", "'./x.node'"]),
        ("requireNative(path.join(__dirname, name));", ["path.join(__dirname, name)"]),
        ("// require('a')\nconst text = \"require('b')\"; /require('c')/.test(text); required; const require = 1;", []),
        ("function requireDirectory(m, path) { return m }", []),
        ("if (a { require('still-read') ]", ["'still-read'"]),
    ],
)  # fmt: skip
def test_every_load_is_read_with_its_argument(source: str, texts: list[str]) -> None:
    assert [text for text, _, _ in loads(source)] == texts


@pytest.mark.parametrize(
    ("catch", "goes_on"),
    [
        ("catch {}", True),
        ("catch (e) { debug('no native part: %s', e) }", True),
        ("catch (e) { console.warn(\n'slow', e\n); fallback = require('./js') }", True),
        ("catch (e) { if (e.code !== 'MODULE_NOT_FOUND') report() }", True),
        ("catch (e) { throw e }", False),
        ("catch (e) { lastError = e }", False),
        ("catch (e) { errors.push(e) }", False),
        ("catch (e) { return e }", False),
        ("catch (e) { reject(new Error('gone')) }", False),
        ("catch (e) { process.exit(1) }", False),
        ("finally { close() }", False),
    ],
)
def test_a_load_in_a_try_is_guarded_where_the_script_goes_on(catch: str, goes_on: bool) -> None:
    (first, *_) = loads(f"async function f() {{ try {{ native = require('./a.node') }} {catch} }}")
    assert first == ("'./a.node'", goes_on, Likelihood.PERHAPS)


@pytest.mark.parametrize(
    ("source", "likely"),
    [
        ("if (process.platform === 'win32') require('a')", Likelihood.NEVER),
        ("if ('win32' == os.platform()) require('a')", Likelihood.NEVER),
        ("if (process.platform !== 'linux') { } else { require('a') }", Likelihood.PERHAPS),
        ("if (process.platform === 'linux') { } else { require('a') }", Likelihood.NEVER),
        ("if (process.platform === 'linux') { throw new Error() } else { require('a') }", Likelihood.PERHAPS),
        ("const isWindows = process.platform === 'win32'; isWindows && require('a')", Likelihood.NEVER),
        ("const isWindows = process.platform === 'win32'; x = isWindows ? require('a') : 1", Likelihood.NEVER),
        ("const isWindows = process.platform === 'win32'; x = !(isWindows || isMac) ? 1 : require('a')",
         Likelihood.PERHAPS),
        ("if (typeof fs.statfs !== 'function') require('a')", Likelihood.HARDLY),
        ("if (!('statfs' in fs)) require('a')", Likelihood.HARDLY),
        ("if (process.platform === 'darwin' && deep) { if (typeof fs.cp === 'undefined') require('a') }",
         Likelihood.NEVER),
        ("if (platform === system) require('a')", Likelihood.PERHAPS),
    ],
)  # fmt: skip
def test_a_condition_says_how_likely_a_load_is_on_lambda(source: str, likely: Likelihood) -> None:
    assert [found for text, _, found in loads(source) if text == "'a'"] == [likely]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("try { require('x') } catch (e) { throw new Error(`no native binding: ${e}`) }", True),
        ("require('x'); throw new TypeError('a path is expected')", False),
        ("require('x') // throw new Error('native')", False),
    ],
)
def test_an_error_of_its_own_about_a_native_part_is_seen(source: str, expected: bool) -> None:
    assert read_requests(source.encode()).has_native_error is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 'build/b.node'", True),
        ("x = `${dir}.node`", True),
        ("x = ['.js', '.node']", False),
        ("// 'b.node'", False),
    ],
)
def test_a_string_that_names_a_native_file_is_seen(source: str, expected: bool) -> None:
    assert read_requests(source.encode()).names_native_file is expected


@pytest.mark.parametrize("source", [b"require('a')", b"'" * 200_000 + b"require('a.node')", b"(" * 200_000])
def test_a_script_that_takes_too_long_to_parse_is_left(source: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "MAX_PARSE_SECONDS", -1.0)
    assert syntax.Syntax(source).tree is None
    assert read_requests(source + b";require('b')").is_complete is False
    assert read_literals(source + b"'b'", 10, 200) == ()


def test_strings_are_read_once_without_comments_and_within_bounds() -> None:
    source = b"f('a', \"b\", `c`, 'a'); // 'd'\n g('" + b"x" * 300 + b"', `two\nlines`, '')"
    assert read_literals(source, 10, 200) == ("a", "b", "c")
    assert read_literals(source, 2, 200) == ("a", "b")


def test_the_programs_that_are_started_are_read_through_a_constant() -> None:
    source = b"const tool = path.join(__dirname, 'bin/tool'); cp.spawn(tool, ['-v']); execFileSync('./x.sh'); exec('y')"
    assert read_started_programs(source) == ("tool", "'./x.sh'", "path.join(__dirname, 'bin/tool')")


@pytest.mark.parametrize(
    "source",
    [
        b"try{" * 20_000 + b"require('a')",
        b"if(process.platform==='win32')" * 20_000 + b"require('a')",
        b"a&&" * 50_000 + b"require('a')",
        b"require(" * 9_000,
        b"x=" + b"(" * 50_000 + b"require('a')" + b")" * 50_000,
        b"try{require('a')}catch(e){" * 1_000 + b"e" + b"}" * 1_000,
        b"const a=process.platform==='win32';" * 10_000 + b"a&&require('a');" * 10_000,
        b"throw new Error(" * 20_000 + b"'native'",
        b"'" * 20_000 + b".node'" * 1_000,
        b"spawn(a,spawn(" * 3_000,
    ],
    ids=range(10),
)
def test_hostile_scripts_take_a_bounded_time(source: bytes) -> None:
    start = time.process_time()
    read_requests(source)
    read_literals(source, 2000, 200)
    read_started_programs(source)
    assert time.process_time() - start < 10


def test_constants_that_are_made_of_constants() -> None:
    source = "const isWindows = process.platform === 'win32';\n"
    source += "const isElsewhere = platform !== isWindows || isElsewhere;\n"
    assert loads(f"{source}if (isWindows) require('a'); if (isElsewhere) require('b');") == [
        ("'a'", False, Likelihood.NEVER),
        ("'b'", False, Likelihood.PERHAPS),
    ]
    assert loads("const a = typeof b === 'x' && a; if (a) require('c')") == [("'c'", False, Likelihood.PERHAPS)]
