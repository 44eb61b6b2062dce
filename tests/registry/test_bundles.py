"""Bundles that real bundlers made of one small program: which of its externals are asked for at import."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.script.specifier import ImportCertainty
from lambdapack.script.specifiers import read_specifiers
from tests.contract.real_node import write_tree
from tests.npm_trees import npm, program

pytestmark = pytest.mark.registry

TOOLS = (
    "esbuild@0.25",
    "webpack@5",
    "rollup@4",
    "@rollup/plugin-commonjs@28",
    "@rollup/plugin-node-resolve@16",
    "@vercel/ncc@0.38",
    "rolldown@1",
    "ms@2",
)

EXTERNALS = ("external-a", "external-try", "external-lazy", "external-in-lazy")

SOURCES: dict[str, object] = {
    "package.json": {"name": "bundled", "private": True},
    "src.js": "const ms = require('ms'); const inner = require('./inner');\n"
    "exports.handler = async () => { require('./lazy'); return [ms('1d'), inner] };\n",
    "inner.js": "const a = require('external-a'); try { require('external-try') } catch {}\n"
    "exports.f = () => [a, require('external-lazy')];\n",
    "lazy.js": "module.exports = require('external-in-lazy');\n",
    "make.mjs": """
import { build } from 'esbuild';
import webpack from 'webpack';
import { rollup } from 'rollup';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import ncc from '@vercel/ncc';
import { rolldown } from 'rolldown';
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve as full } from 'node:path';
mkdirSync('out', { recursive: true });
const external = /^external-/;
for (const minify of [false, true]) for (const format of ['cjs', 'esm'])
  await build({ entryPoints: ['src.js'], bundle: true, platform: 'node', format, minify, external: ['external-*'],
    outfile: `out/esbuild-${format}${minify ? '-min' : ''}.js` });
for (const mode of ['development', 'production'])
  await new Promise((done, fail) => webpack({ mode, devtool: false, target: 'node', entry: './src.js',
    output: { path: full('out'), filename: `webpack-${mode}.js`, library: { type: 'commonjs2' } },
    externals: [({ request }, next) => external.test(request) ? next(null, 'commonjs ' + request) : next()] },
    (error, stats) => error || stats.hasErrors() ? fail(error ?? stats.toString()) : done()));
const bundle = await rollup({ input: 'src.js', external, plugins: [resolve(), commonjs({ ignoreTryCatch: true })] });
for (const format of ['cjs', 'es']) await bundle.write({ file: `out/rollup-${format}.js`, format });
for (const minify of [false, true])
  writeFileSync(`out/ncc${minify ? '-min' : ''}.js`, (await ncc(full('src.js'), { minify, quiet: true, cache: false,
    externals: ['external-a', 'external-try', 'external-lazy', 'external-in-lazy'] })).code);
const down = await rolldown({ input: 'src.js', external, platform: 'node' });
for (const format of ['cjs', 'esm']) await down.write({ file: `out/rolldown-${format}.js`, format });
""",
}

BUNDLES = (
    "esbuild-cjs",
    "esbuild-cjs-min",
    "esbuild-esm",
    "esbuild-esm-min",
    "webpack-development",
    "webpack-production",
    "ncc",
    "ncc-min",
    "rolldown-cjs",
    "rolldown-esm",
)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bundles")
    write_tree(root, SOURCES)
    npm(root, "install", *TOOLS)
    done = subprocess.run(
        [program("node"), "make.mjs"], cwd=root, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return root / "out"


def _externals(path: Path) -> Mapping[str, ImportCertainty]:
    script = read_specifiers(path.read_bytes())
    assert not script.incomplete
    return {
        specifier.text: specifier.certainty
        for specifier in script.specifiers
        if specifier.text is not None and specifier.text.startswith("external-")
    }


@pytest.mark.parametrize("name", BUNDLES)
def test_each_external_is_as_sure_as_in_the_source(bundles: Path, name: str) -> None:
    assert _externals(bundles / f"{name}.js") == {
        "external-a": ImportCertainty.AT_IMPORT,
        "external-try": ImportCertainty.IN_TRY,
        "external-lazy": ImportCertainty.IN_FUNCTION,
        "external-in-lazy": ImportCertainty.IN_FUNCTION,
    }


@pytest.mark.parametrize("name", ["rollup-cjs", "rollup-es"])
def test_rollup_loads_at_import_what_it_hoists(bundles: Path, name: str) -> None:
    found = _externals(bundles / f"{name}.js")
    assert set(found) == set(EXTERNALS)
    assert {found["external-a"], found["external-lazy"], found["external-in-lazy"]} == {ImportCertainty.AT_IMPORT}
