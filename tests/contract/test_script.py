"""What is read of a script, held against what node itself does with it."""

import json
import subprocess
from pathlib import Path

import pytest

from lambdapack.script.parse import Script
from lambdapack.script.read import read_script
from tests.npm_trees import program

PLAIN = {
    "assigned": "exports.handler = () => 1",
    "typescript": "Object.defineProperty(exports, '__esModule', { value: true });\n"
    "exports.b = exports.handler = void 0;\nexports.handler = () => 1;\nexports.b = 2;",
    "literal": "const b = 2; module.exports = { handler() {}, b, 'c-d': 3 };",
    "getter": "Object.defineProperty(exports, 'handler', { enumerable: true, get: () => () => 1 });",
    "both": "exports = module.exports = { handler() {} }; exports.more = 1;",
    "nothing": "const handler = () => 1;",
    "main": "if (require.main === module) { console.log(1); }\nexports['handler'] = () => 1;",
    "esbuild": "var out = {}; var __toCommonJS = (from) => Object.assign({}, from);\n"
    "var wrapped = ((exports, module) => { exports.inner = 1; module.exports = exports; });\n"
    "out.handler = () => 1; module.exports = __toCommonJS(out);\n"
    "// Annotate the CommonJS export names for ESM import in node:\n0 && (module.exports = {\n  handler\n});",
    "empty": "",
}
OPEN = {
    "required": "module.exports = require('./assigned.cjs');",
    "star": "const put = (from, to) => Object.assign(to, from); put(require('./assigned.cjs'), exports);",
    "spread": "module.exports = { ...require('./assigned.cjs') };",
    "computed": "exports['hand' + 'ler'] = () => 1;",
    "this": "this.handler = () => 1;",
    "renamed": "const out = module; out.exports.handler = () => 1;",
    "shorthand": "const all = { exports }; all.exports.handler = () => 1;",
    "variable": "const api = { handler() {} }; module.exports = api;",
}
MODULES = {
    "const": "export const handler = async () => 1, b = 2;",
    "pattern": "const q = { a: 1, b: [2] }; export const { a, b: [c], ...rest } = q;",
    "clause": "const x = 1; export { x as handler, x as 'c d' };",
    "function": "export async function handler() {}\nexport class K {}",
    "namespace": "export * as fs from 'node:fs';",
    "meta": "const here = import.meta.url; export { here };",
    "await": "const r = await 1;\nexport { r };",
    "create": "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);\n"
    "const fs = require('node:fs'); export const handler = () => fs;",
}
DRIVER = """
(async () => {
  for (const file of process.argv.slice(2)) {
    try { const it = await (file.endsWith('.mjs') ? import(file) : require(file));
      console.log(JSON.stringify([file, Object.getOwnPropertyNames(it)])); }
    catch (error) { console.log(JSON.stringify([file, `${error.name}: ${error.message}`])); }
  }
})();
"""


def read(name: str, text: str) -> Script:
    script = read_script(name, text.encode())
    assert script is not None
    return script


def node(directory: Path, files: dict[str, str]) -> dict[str, list[str] | str]:
    """Return what each file exports in the host's node, or what node says of it."""
    for name, text in files.items():
        (directory / name).write_text(text)
    flags = ["--no-experimental-require-module", "--no-experimental-detect-module"]
    driver = directory / "driver.cjs"  # `node -e` would put require and module into the modules' global scope
    driver.write_text(DRIVER)
    command = [program("node"), *flags, str(driver), *(str(directory / name) for name in files)]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=60)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return {Path(file).name: result for file, result in told}


def test_the_exports_that_are_read_are_those_that_node_sees(tmp_path: Path) -> None:
    files = {f"{name}.cjs": text for name, text in PLAIN.items()}
    files |= {f"{name}.mjs": text for name, text in MODULES.items()}
    seen = node(tmp_path, files)
    assert {name: sorted(keys) for name, keys in seen.items()} == {
        name: sorted(read(name, text).exports) for name, text in files.items()
    }
    assert all(read(name, text).complete for name, text in files.items())


def test_what_cannot_be_read_off_is_never_called_complete(tmp_path: Path) -> None:
    files = {f"{name}.cjs": text for name, text in {**OPEN, "assigned": PLAIN["assigned"]}.items()}
    seen = node(tmp_path, files)
    assert all("handler" in names for names in seen.values()), "each of them does export it"
    assert [name for name in OPEN if read(name, OPEN[name]).complete] == []


@pytest.mark.parametrize(
    "text",
    [
        "import fs from 'node:fs';",
        "const a = 1;\nexport const handler = a;",
        "console.log(import.meta.url);",
        "const a = await 1;",
    ],
)
def test_what_only_a_module_may_say_is_refused_by_node_in_the_same_words(tmp_path: Path, text: str) -> None:
    trace = read("a.cjs", text).module
    assert trace is not None
    assert node(tmp_path, {"a.cjs": text}) == {"a.cjs": trace.words}
    assert trace.line == text.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    ["const fs = require('node:fs');", "module.exports = {};", "exports.a = 1;", "const a = { b: [__dirname] };"],
)
def test_what_only_commonjs_has_is_missed_by_node_in_the_same_words(tmp_path: Path, text: str) -> None:
    trace = read("a.mjs", text).commonjs
    assert trace is not None
    assert node(tmp_path, {"a.mjs": text})["a.mjs"] == trace.words
