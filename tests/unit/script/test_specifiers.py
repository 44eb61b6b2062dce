"""What a script asks node for, and how surely: each construct, each way round it, and hostile text."""

import time

import pytest

from lambdapack.script.specifier import Form, ImportCertainty, Platform, ScriptSpecifiers
from lambdapack.script.specifiers import read_specifiers

AT, BRANCH, FUNCTION, TRY, NEVER = ImportCertainty


def _read(source: str, *, module: bool = False, platform: Platform | None = None) -> dict[str | None, ImportCertainty]:
    script = read_specifiers(source.encode(), module=module, platform=platform or Platform())
    return {specifier.text: specifier.certainty for specifier in script.specifiers}


def _forms(source: str, *, module: bool = False) -> dict[str | None, Form]:
    script = read_specifiers(source.encode(), module=module)
    return {specifier.text: specifier.form for specifier in script.specifiers}


def test_every_form() -> None:
    commonjs = """
    require('a'); module.require('b'); require.resolve('c'); import('d'); process.dlopen(module, './e.node');
    require('bindings')('f'); const load = require('node-gyp-build'); load(__dirname + '/g');
    fs.readFileSync(path.join(__dirname, 'h', 'i.txt')); require(`j`); require('./k' + '.js'); eval('require')('l');
    """
    forms = _forms(commonjs)
    assert forms.pop("./g") in {Form.ASSET, Form.PREBUILDS}  # it is both
    assert forms == {
        "a": Form.REQUIRE, "b": Form.REQUIRE, "c": Form.RESOLVE, "d": Form.DYNAMIC_IMPORT, "./e.node": Form.ADDON,
        "bindings": Form.REQUIRE, "f": Form.BINDINGS, "node-gyp-build": Form.REQUIRE,
        "./h/i.txt": Form.ASSET, "j": Form.REQUIRE, "./k.js": Form.REQUIRE, "l": Form.REQUIRE,
    }  # fmt: skip
    module = """
    import a from 'a'; import 'b'; export * from './c.js'; export { x } from './d.js';
    import { createRequire as make } from 'module'; const load = make(import.meta.url); load('e'); load.resolve('f');
    new URL('./g.txt', import.meta.url); import.meta.resolve('h'); make(import.meta.url)('i'); await import('j');
    """
    assert _forms(module, module=True) == {
        "a": Form.IMPORT, "b": Form.IMPORT, "./c.js": Form.EXPORT_FROM, "./d.js": Form.EXPORT_FROM,
        "module": Form.IMPORT, "e": Form.REQUIRE, "f": Form.RESOLVE, "./g.txt": Form.ASSET, "h": Form.RESOLVE,
        "i": Form.REQUIRE, "j": Form.DYNAMIC_IMPORT,
    }  # fmt: skip


def test_a_computed_specifier_keeps_its_expression() -> None:
    (specifier,) = read_specifiers(b"require('./lib/' + name)").specifiers
    assert (specifier.text, specifier.source, specifier.line) == (None, "'./lib/' + name", 1)


@pytest.mark.parametrize(
    "source",
    [
        "require('x')",
        "const { a } = require('x').b(1)",
        "(function () { require('x') })()",
        "!function () { require('x') }()",
        "(() => { require('x') })()",
        "(() => require('x'))()",
        "(function () { require('x') }).call(this)",
        "new (class { static a = require('x') })",
        "function load() { require('x') } load()",
        "const load = () => require('x'); load()",
        "try { require('x') } catch (error) { throw new Error('install x') }",
        "try { require('x') } finally { done() }",
        "(function (factory) { factory(1) })(function () { require('x') })",
        "if (process.platform !== 'win32') require('x')",
        "if (process.platform === 'win32') {} else { require('x') }",
        "const isWindows = process.platform === 'win32'; isWindows ? 1 : require('x')",
        "typeof module !== 'undefined' && require('x')",
        "if (typeof window === 'undefined') { require('x') }",
        "(function (e, t) { 'object' == typeof exports ? module.exports = t(require('x')) : 0 })(this, 1)",
        "(function (require) { require('x') })(require)",
        "const r = require; r('x')",
        "if (a) { throw 1 } require('x')",
    ],
)
def test_what_surely_runs_at_import(source: str) -> None:
    assert _read(source)["x"] is AT


@pytest.mark.parametrize(
    ("source", "certainty"),
    [
        ("if (a) require('x')", BRANCH),
        ("a && require('x')", BRANCH),
        ("a ?? require('x')", BRANCH),
        ("a ||= require('x')", BRANCH),
        ("a?.b(require('x'))", BRANCH),
        ("for (const b of c) require('x')", BRANCH),
        ("switch (a) { case 1: require('x') }", BRANCH),
        ("const { a = require('x') } = b", BRANCH),
        ("(function () { if (a) return; require('x') })()", BRANCH),
        ("if (a) process.exit(1); require('x')", BRANCH),
        ("(async () => { await a; require('x') })()", BRANCH),
        ("import('x')", BRANCH),
        ("function load() { require('x') }", FUNCTION),
        ("exports.a = () => require('x')", FUNCTION),
        ("class A { b = require('x') }", FUNCTION),
        ("const a = { get b() { return require('x') } }", FUNCTION),
        ("function load() { require('x') } exports.f = () => load()", FUNCTION),
        ("function load() { require('x') } load = other; load()", FUNCTION),
        ("try { require('x') } catch {}", TRY),
        ("try { load() } catch {} function load() { require('x') }", FUNCTION),
        ("import('x').catch(() => {})", TRY),
        ("try { require('x') } catch (e) { if (e.code) throw e }", TRY),
        ("if (process.platform === 'win32') require('x')", NEVER),
        ("false && require('x')", NEVER),
        ("if (typeof window !== 'undefined') require('x')", NEVER),
        ("switch (process.platform) { case 'win32': require('x'); break; default: }", NEVER),
        ("const { platform } = process; platform === 'darwin' ? require('x') : 0", NEVER),
    ],
)
def test_what_may_run(source: str, certainty: ImportCertainty) -> None:
    assert _read(source)["x"] is certainty


@pytest.mark.parametrize(
    "source",
    [
        "// require('x')",
        "const a = \"require('x')\"",
        "/require('x')/",
        "(function (require) { require('x') })(mine)",
        "require=(function e(t, n, r) { return n })({ 1: [function (require, module) { require('x') }, {}] })",
        "other.require('x')",
        "requireAll('x')",
    ],
)
def test_what_asks_node_for_nothing(source: str) -> None:
    assert "x" not in _read(source)


def test_conditions_follow_the_environment_when_it_is_known() -> None:
    source = "if (process.env.NODE_ENV === 'production') require('a'); else require('b')"
    assert _read(source) == {"a": BRANCH, "b": BRANCH}
    known = Platform(environment=(("NODE_ENV", "production"),))
    assert _read(source, platform=known) == {"a": AT, "b": NEVER}
    assert _read(source, platform=Platform(environment=())) == {"a": NEVER, "b": AT}


def test_an_es_module_has_no_require() -> None:
    assert _read("typeof require === 'function' && require('x')", module=True) == {"x": NEVER}


def test_text_that_does_not_parse_is_read_and_never_certain() -> None:
    script = read_specifiers(b"const a = require('a');\nlet = = ;\nrequire('b');\n")
    texts = {specifier.text: specifier.certainty for specifier in script.specifiers}
    assert texts["a"] is AT
    assert texts["b"] is not AT
    assert "line 2" in script.incomplete


def test_a_script_that_is_too_big_gives_literals_that_nothing_is_certain_of() -> None:
    script = read_specifiers(b"require('a');" + b"/" * (9 * 1024 * 1024))
    assert [(specifier.text, specifier.certainty) for specifier in script.specifiers] == [("a", FUNCTION)]
    assert "bytes" in script.incomplete


def test_facts_survive_a_cache() -> None:
    script = read_specifiers(b"import 'a'; export const b = () => import(c)")
    assert ScriptSpecifiers.of_document(script.document()) == script


HOSTILE = {
    "brackets": "require('a');" + "(" * 200_000,
    "comment": "require('a');/*" + "x" * 800_000,
    "blocks": "require('a');" + "if(x){" * 30_000 + "require('b');" + "}" * 30_000,
    "functions": "require('a');" + "(function(){" * 10_000 + "require('b');" * 50 + "})()" * 10_000,
    "calls": "require('a');" + "f(require('c')," * 20_000 + ")" * 20_000,
    "templates": "`${" * 50_000 + "require('a')",
    "choices": "x?require('a'):" * 30_000 + "1",
    "directories": "require('a');__dirname" + "+__dirname" * 30_000,
    "names": "require('a');" + "function f(){f();require('b')}f();" * 5_000,
    "options of calls": "require('a');const t=require('typeorm');" + "t.f({type:'x'});" * 20_000,
    "options of one call": "require('a');const t=require('typeorm');t.DataSource({" + "type:'x'," * 20_000 + "})",
    "nested options": "require('a');const t=require('typeorm');t.f(" + "[{type:'x'}," * 10_000 + "]" * 10_000 + ")",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_seconds_at_most(name: str) -> None:
    begin = time.process_time()
    script = read_specifiers(HOSTILE[name].encode())
    assert time.process_time() - begin < 5
    assert "a" in {specifier.text for specifier in script.specifiers} or script.incomplete
