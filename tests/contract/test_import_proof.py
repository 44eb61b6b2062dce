"""Who calls what while the start files load: what is proved to be missing, against what a real node says."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.model import TASK_ROOT
from lambdapack.packages.graph import Presence
from lambdapack.packages.modules import FunctionModules
from lambdapack.packages.node import lambda_node
from lambdapack.tree.directory import DirectoryTree
from tests.contract.real_node import write_tree

Files = Mapping[str, object]

LAZY = "exports.connect = function () { return require('gone'); };\n"
HANDLER = "exports.handler = async () => 1;\n"
PEER = {"node_modules/dep/package.json": {"name": "dep", "main": "./index.js"}}

ENDING: Mapping[str, Files] = {
    "exported function": {"index.js": f"const db = require('./db'); db.connect(); {HANDLER}", "db.js": LAZY},
    "taken apart": {"index.js": f"const {{ connect: c }} = require('./db'); const d = c(); {HANDLER}", "db.js": LAZY},
    "called where it is required": {"index.js": f"require('./db').connect(); {HANDLER}", "db.js": LAZY},
    "whole export": {
        "index.js": f"const make = require('./make'); make(); {HANDLER}",
        "make.js": "function make() { require('gone') }\nmodule.exports = make;\nmodule.exports.make = make;\n",
    },
    "required and called": {
        "index.js": f"module.exports = require('./common')(exports); {HANDLER}",
        "common.js": "function setup(env) { function f() {} f.humanize = require('gone'); return f; "
        "}\nmodule.exports = setup;\n",
    },
    "class": {
        "index.js": f"const {{ Client }} = require('./client'); const client = new Client(); {HANDLER}",
        "client.js": "class Client { constructor() { this.driver = require('gone'); } "
        "}\nmodule.exports = { Client };\n",
    },
    "field of a class": {
        "index.js": f"const {{ Client }} = require('./client'); const client = new Client(); {HANDLER}",
        "client.js": "exports.Client = class { driver = require('gone'); };\n",
    },
    "parent class": {
        "index.js": f"const Client = require('./client'); new Client(); {HANDLER}",
        "client.js": "const Base = require('./base'); class Client extends Base {}\nmodule.exports = Client;\n",
        "base.js": "class Base { constructor() { require('gone') } }\nmodule.exports = Base;\n",
    },
    "super()": {
        "index.mjs": "import { Client } from './client.mjs'; new Client(); export const handler = async () => 1;\n",
        "client.mjs": "import Base from './base.cjs'; export class Client extends Base { "
        "constructor() { super(1); } }\n",
        "base.cjs": "module.exports = class { constructor() { require('gone') } };\n",
    },
    "class of its own script": {"index.js": f"class A {{ constructor() {{ require('gone') }} }} new A(); {HANDLER}"},
    "static method": {"index.js": f"class A {{ static make() {{ require('gone') }} }} A.make(); {HANDLER}"},
    "exported getter": {
        "index.js": f"const lib = require('./lib'); exports.json = lib.json; {HANDLER}",
        "lib.js": "Object.defineProperty(exports, 'json', { enumerable: true, get: function () { "
        "return require('gone') } });\n",
    },
    "getter of an object": {
        "index.js": f"const {{ json }} = require('./lib'); {HANDLER}",
        "lib.js": "module.exports = { get json() { return require('gone') } };\n",
    },
    "function in a function": {
        "index.js": f"const lib = require('./lib'); lib.start(); {HANDLER}",
        "lib.js": "exports.start = () => { inner() };\nfunction inner() { deepest() }\nconst deepest "
        "= () => require('gone');\n",
    },
    "through a script between": {
        "index.js": f"const lib = require('./lib'); lib.start(); {HANDLER}",
        "lib.js": "const db = require('./db');\nmodule.exports.start = () => db.connect();\n",
        "db.js": LAZY,
    },
    "exported again by TypeScript": {
        "index.js": f"const lib = require('./lib'); (0, lib.connect)(); {HANDLER}",
        "lib.js": "Object.defineProperty(exports, '__esModule', { value: true });\nexports.connect = void 0;\n"
        "var db_1 = require('./db');\n"
        "Object.defineProperty(exports, 'connect', { enumerable: true, get: function () { return db_1.connect; } });\n",
        "db.js": LAZY,
    },
    "everything exported again": {
        "index.js": f"const lib = require('./lib'); lib.connect(); {HANDLER}",
        "lib.js": "var __exportStar = (m, e) => { for (var p in m) e[p] = m[p]; "
        "};\n__exportStar(require('./db'), exports);\n",
        "db.js": LAZY,
    },
    "export * from": {
        "index.mjs": "import { connect } from './lib.mjs'; await connect(); export const handler = async () => 1;\n",
        "lib.mjs": "export * from './db.mjs';\n",
        "db.mjs": "export async function connect() { return (await import('gone')).default; }\n",
    },
    "module.exports = require()": {
        "index.js": f"const lib = require('./lib'); lib.connect(); {HANDLER}",
        "lib.js": "module.exports = require('./db');\n",
        "db.js": LAZY,
    },
    "renamed": {
        "index.mjs": "import make from './lib.mjs'; make(); export const handler = async () => 1;\n",
        "lib.mjs": "export { connect as default } from './db.cjs';\n",
        "db.cjs": LAZY,
    },
    "bundled by esbuild": {
        "index.js": f"const lib = require('dep'); lib.connect(); {HANDLER}",
        **PEER,
        "node_modules/dep/index.js": "var __export = (t, all) => { for (var n in all) Object.defineProperty(t, n, "
        "{ get: all[n], enumerable: true }); };\nvar src_exports = {};\n"
        "__export(src_exports, { connect: () => connect });\nmodule.exports = src_exports;\n"
        "function connect() { return require('gone'); }\n",
    },
    "interop": {
        "index.js": f"const __importDefault = (m) => m && m.__esModule ? m : {{ default: m }};\n"
        f"const make_1 = __importDefault(require('./make')); (0, make_1.default)(); {HANDLER}",
        "make.js": "module.exports = function () { require('gone') };\n",
    },
    "decorator": {
        "index.js": "const __decorate = (d, target) => d.forEach((f) => f(target));\nconst lib_1 = require('./lib');\n"
        f"let A = class A {{}};\n__decorate([(0, lib_1.Injectable)({{ scope: 1 }})], A); {HANDLER}",
        "lib.js": "exports.Injectable = Injectable;\nfunction Injectable() { const x = "
        "require('gone'); return () => x; }\n",
    },
    "awaited function": {
        "index.mjs": "import { connect } from './db.mjs'; const db = await connect(); export const "
        "handler = async () => 1;\n",
        "db.mjs": "export const connect = async () => { const { default: d } = await import('gone'); return d; };\n",
    },
    "all awaited": {
        "index.mjs": "import { a, b } from './db.mjs'; await Promise.all([a(), b()]); export const "
        "handler = async () => 1;\n",
        "db.mjs": "export async function a() { return 1; }\nexport async function b() { return import('gone'); }\n"
        "export const c = 1;\n",
    },
    "awaited and called at once": {
        "index.mjs": "await (async () => { await import('gone'); })(); export const handler = async () => 1;\n"
    },
    "either side": {
        "index.js": f"if (process.env.STAGE === 'dev') require('./a'); else require('./b'); {HANDLER}",
        "a.js": "require('gone');\n",
        "b.js": "module.exports = [1, require('gone')];\n",
    },
    "either value": {
        "index.js": f"const lib = process.env.NODE_ENV === 'production' ? require('dep/a') : "
        f"require('dep/b'); {HANDLER}",
        "node_modules/dep/a.js": "const { x } = require('gone');\n",
        "node_modules/dep/b.js": "const { x } = require('gone');\n",
    },
    "one of three": {
        "index.js": "const s = process.env.STAGE; let m;\nif (s === 'a') m = require('./a');\n"
        f"else if (s === 'b') {{ m = require('./b'); }} else {{ m = require('./c'); }} {HANDLER}",
        "a.js": "require('gone');\n",
        "b.js": "require('gone');\n",
        "c.js": "require('gone');\n",
    },
    "try, and again": {
        "index.js": f"let m; try {{ m = require('gone') }} catch {{ m = require('gone/more') }} {HANDLER}",
    },
    "no environment of its own": {
        "index.js": f"require('dep'); {HANDLER}",
        **PEER,
        "node_modules/dep/index.js": "if (process.env.READABLE_STREAM === 'disable') { module.exports = 1; }\n"
        "else { module.exports = require('gone'); }\n",
    },
    "immediately": {"index.js": f"exports.a = (function () {{ return require('gone') }})(); {HANDLER}"},
    "object of functions": {
        "index.js": f"const db = require('./db'); db.open(); {HANDLER}",
        "db.js": "module.exports = { open() { return require('gone') }, close: () => 1 };\n",
    },
}  # fmt: skip

LASTING: Mapping[str, Files] = {
    "never called": {"index.js": f"const db = require('./db'); {HANDLER}", "db.js": LAZY},
    "called by the handler": {
        "index.js": "const db = require('./db'); exports.handler = () => db.connect();\n",
        "db.js": LAZY,
    },
    "another function": {
        "index.js": f"const db = require('./db'); db.other(); {HANDLER}",
        "db.js": LAZY + "exports.other = () => 1;\n",
    },
    "caught by its caller": {
        "index.js": f"const db = require('./db'); try {{ db.connect() }} catch {{}} {HANDLER}",
        "db.js": LAZY,
    },
    "caught further out": {
        "index.js": f"const lib = require('./lib'); lib.start(); {HANDLER}",
        "lib.js": "const db = require('./db');\nexports.start = () => { try { return db.connect() } "
        "catch { return 0 } };\n",
        "db.js": LAZY,
    },
    "a whole script is tried": {
        "index.js": f"try {{ require('./start') }} catch {{}} {HANDLER}",
        "start.js": "require('./db').connect();\n",
        "db.js": LAZY,
    },
    "after a return": {
        "index.js": f"const db = require('./db'); db.connect(); {HANDLER}",
        "db.js": "exports.connect = (c) => { if (!c) return 1; return require('gone') };\n",
    },
    "a promise that nobody waits for": {
        "index.js": f"const db = require('./db'); db.connect().catch(() => 1); {HANDLER}",
        "db.js": "exports.connect = async () => require('gone');\n",
    },
    "a generator": {
        "index.js": f"const db = require('./db'); db.all(); {HANDLER}",
        "db.js": "exports.all = function* () { yield require('gone') };\n",
    },
    "replaced": {
        "index.js": f"const db = require('./db'); db.connect(); {HANDLER}",
        "db.js": LAZY + "exports.connect = () => 1;\n",
    },
    "a name of two": {
        "index.js": f"const db = require('./db'); db.connect(); {HANDLER}",
        "db.js": "let connect = () => require('gone');\nconnect = () => 1;\nexports.connect = connect;\n",
    },
    "a parameter of that name": {
        "index.js": f"const {{ connect }} = require('./db'); [() => 1].map((connect) => connect()); {HANDLER}",
        "db.js": LAZY,
    },
    "a class without an instance": {
        "index.js": f"const {{ Client }} = require('./client'); class A extends Client {{}} {HANDLER}",
        "client.js": "class Client { constructor() { this.driver = require('gone'); } "
        "}\nmodule.exports = { Client };\n",
    },
    "a constructor that does not ask its parent's": {
        "index.js": f"const {{ Client }} = require('./client'); class A extends Client {{ "
        f"constructor() {{ return {{}} }} }} new A(); {HANDLER}",
        "client.js": "class Client { constructor() { this.driver = require('gone'); } "
        "}\nmodule.exports = { Client };\n",
    },
    "one side alone": {
        "index.js": f"if (process.env.STAGE === 'dev') require('gone'); else require('./b'); {HANDLER}",
        "b.js": "",
    },
    "the other side of another choice": {
        "index.js": "if (process.env.STAGE === 'dev') require('gone');\n"
        f"if (process.env.LOG) {{}} else {{ exports.b = 1 }} {HANDLER}",
    },
    "both sides in a function": {
        "index.js": f"exports.f = () => process.env.A ? require('gone') : require('gone'); {HANDLER}",
    },
    "a getter that nobody reads": {
        "index.js": f"const lib = require('./lib'); exports.text = lib.text; {HANDLER}",
        "lib.js": "Object.defineProperty(exports, 'json', { enumerable: true, get: function () { "
        "return require('gone') } });\n"
        "exports.text = 1;\n",
    },
    "a variable that functions have": {
        "index.js": f"require('dep'); {HANDLER}",
        **PEER,
        "node_modules/dep/index.js": "if (process.env.AWS_LAMBDA_FUNCTION_NAME === 'fn') { module.exports = 1; }\n"
        "else { module.exports = require('gone'); }\n",
    },
    "a require() that puts it off": {
        "index.js": "const own = require; const utils = (name) => { utils[name] = () => own(name) };\n"
        f"require = utils;\nrequire('gone');\nrequire = own; {HANDLER}",
    },
    "a method of an instance": {
        "index.js": f"const {{ A }} = require('./a'); const a = new A(); exports.f = () => a.go(); {HANDLER}",
        "a.js": "exports.A = class { go() { return require('gone') } };\n",
    },
}  # fmt: skip


def _start(files: Files) -> str:
    return next(name for name in files if name.startswith("index."))


def _is_proved(root: Path) -> bool:
    modules = FunctionModules(((TASK_ROOT, DirectoryTree(root)),), "index.handler")
    graph = modules.resolve(lambda_node(22), "x64").graph
    missing = [edge for edge in graph.edges if edge.asking and (edge.specifier.text or "").startswith("gone")]
    assert missing, "the graph does not see the specifier"
    return any(edge.presence is Presence.MISSING for edge in missing)


def _dies(root: Path, files: Files) -> bool:
    """Import the start file as the runtime does."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH: nothing to hold the proof against")
    code = "import(process.argv[1]).then((m) => process.exit(m.handler ? 0 : 3), () => process.exit(1))"
    environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": "fn"}
    command = [node, "-e", code, str(root / _start(files))]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False).returncode == 1


@pytest.mark.parametrize("name", ENDING)
def test_what_ends_the_import_is_proved(tmp_path: Path, name: str) -> None:
    write_tree(tmp_path, dict(ENDING[name]))
    assert _dies(tmp_path, ENDING[name])
    assert _is_proved(tmp_path)


@pytest.mark.parametrize("name", LASTING)
def test_what_does_not_end_it_is_not(tmp_path: Path, name: str) -> None:
    write_tree(tmp_path, dict(LASTING[name]))
    assert not _dies(tmp_path, LASTING[name])
    assert not _is_proved(tmp_path)
