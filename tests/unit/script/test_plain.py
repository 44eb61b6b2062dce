"""Plain statements are read without the parser exactly as the parser reads them, or not at all."""

import pytest

from lambdapack.script import names
from lambdapack.script.plain import read_plain_script
from lambdapack.script.specifier import ScriptSpecifiers
from lambdapack.script.specifiers import read_specifiers


def plain(source: str) -> ScriptSpecifiers | None:
    data = source.encode()
    return read_plain_script(data, names.places(data, ()))


@pytest.mark.parametrize(
    "source",
    [
        "'use strict';\nconst a = require('a');\nrequire('./b');\nexports.c = require(\"c\");\n",
        "var a = require('a'),\n    b = require('b'),\n    c = 1;\n",
        "const {\n  one,\n  two: other,\n} = require('a');\n",
        "const a_1 = __importDefault(require('a'));\ntslib_1.__exportStar(require('./b'), exports);\n",
        "import a, { b } from 'a';\nimport 'c';\nexport * from './d';\nexport {\n  e\n} from './e';\nexport let f;",
        "/** @type {import('./a')} */\nmodule.exports = require('./b');\n",
        "/*\n * const a = require('a');\n */\n// require('b')\nconst c = { requireParent: 1 };\nrequire('d');\n",
        "module.exports = {\n  ...{},\n};\nconst a = require('a');\n",
        "class A {\n  export() { return this.import(); }\n}\nvar x = A.y = require('x');\n",
    ],
)
def test_plain_statements_are_read_as_the_parser_reads_them(source: str) -> None:
    assert plain(source) == read_specifiers(source.encode(), module="import " in source)


@pytest.mark.parametrize(
    "source",
    [
        "function f() {\nconst a = require('a');\n}\n",
        "/*\nconst a = require('a');\n*/\n",
        "const text = `\nconst a = require('a');\n`;\n",
        "if (process.env.A) return;\nconst a = require('a');\n",
        "const a = b ?\nrequire('a') : require('c');\n",
        "const r = require;\nconst a = r('a');\n",
        "import { createRequire } from 'module';\nconst a = createRequire(import.meta.url)('a');\n",
        "module.exports = {\n  ...require('a'),\n};\n",
        "const a = require('bindings')('a');\n",
        "const a = require(name);\n",
        "import('a');\n",
        "const path = __dirname + '/a';\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(source: str) -> None:
    assert plain(source) is None


@pytest.mark.parametrize(
    ("source", "certainty"),
    [
        ("(function (f) { if (typeof module === 'object' && module.exports) { f(require('a')); } })(b);", 0),
        ("if (require.main === module) { require('a'); }", 4),
        ("if (module !== require.main) require('a');", 0),
    ],
)
def test_what_every_loaded_commonjs_file_knows_of_itself_decides(source: str, certainty: int) -> None:
    assert [specifier.certainty for specifier in read_specifiers(source.encode()).specifiers] == [certainty]
