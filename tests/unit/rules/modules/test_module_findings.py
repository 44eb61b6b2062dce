"""What a function loads and node cannot: each reason with its own cure."""

from dataclasses import replace

import pytest

from lambdapack.model import Finding, Severity
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.world import TODAY, World

HANDLER = "exports.handler = async () => 1;\n"
NAMES = {"LP311", "LP326", "LP350", "LP351", *(f"LP34{digit}" for digit in range(10))}


@pytest.fixture
def world() -> World:
    made = World(handler="index.handler", reads_code=True)
    made.package(
        "", dependencies={"here": "1", "gone": "1"}, devDependencies={"ms": "2"}, peerDependencies={"peer": "1"}
    )
    made.package("node_modules/here")
    made.add("node_modules/here/index.js", "")
    return made


def findings(
    world: World, kind: str = "zip", policy: Policy | None = None, runtime: str = "nodejs22.x"
) -> list[Finding]:
    target = shipped_runtime(parse_target(runtime, "x86_64"))
    report = check_package(Subject(kind, "."), world.facts(), target, policy or Policy(TODAY))
    return [finding for finding in report.findings if finding.rule.code in NAMES]


def only(world: World, code: str, kind: str = "zip") -> Finding:
    (finding,) = (finding for finding in findings(world, kind) if finding.rule.code == code)
    return finding


@pytest.mark.proves("module-missing")
@pytest.mark.parametrize(
    ("source", "reason", "fix"),
    [
        ("require('dayjs');", "not-declared", "npm install --save-prod dayjs"),
        ("require('dayjs/plugin/utc');", "not-declared", "npm install --save-prod dayjs"),
        ("const ms = require('ms');", "dev-only", "npm install --save-prod ms"),
        ("require('peer');", "peer-only", "npm install --save-prod peer"),
        ("require('shared');", "workspace-member", "-w MEMBER"),
        ("require('here/lib/more');", "incomplete", "rm -rf node_modules"),
        ("require('/opt/nodejs/lib/x');", "layer", "--layer ZIP"),
    ],
)
def test_a_missing_module_has_its_reason_and_that_reasons_cure(
    world: World, source: str, reason: str, fix: str
) -> None:
    world.package("packages/shared")
    world.files["packages/shared/package.json"] = b'{"name": "shared"}'
    world.add("index.js", f"'use strict';\n{source}\n{HANDLER}")
    finding = only(world, "LP340")
    assert (finding.path, finding.line, dict(finding.evidence)["reason"]) == ("index.js", 2, reason)
    assert fix in finding.cure
    assert finding.weight is (Severity.WARNING if reason == "layer" else Severity.ERROR)


@pytest.mark.spares("module-missing")
@pytest.mark.parametrize(
    "source",
    [
        "require('here'); require('fs'); require('node:test'); require('@aws-sdk/client-s3'); require('./lib');",
        "if (process.platform === 'win32') require('dayjs');",
        "// require('dayjs')\nconst text = \"require('dayjs')\";",
        "const name = process.env.NAME; require(name);",
    ],
)
def test_what_is_there_or_cannot_run_is_no_missing_module(world: World, source: str) -> None:
    world.add("lib/index.js", "")
    world.add("index.js", f"{source}\n{HANDLER}")
    assert [finding.rule.code for finding in findings(world)] == ["LP311"]  # a note: `gone` is declared alone


@pytest.mark.parametrize(
    ("source", "weight"),
    [
        ("exports.handler = async () => require('dayjs')();", Severity.WARNING),
        ("try { require('dayjs'); } catch {}", Severity.NOTE),
        ("if (process.env.LOCAL) require('dayjs');", Severity.NOTE),
    ],
)
@pytest.mark.proves("optional-module-missing")
def test_what_is_not_surely_loaded_is_at_most_a_warning(world: World, source: str, weight: Severity) -> None:
    world.add("index.js", f"{source}\ntry {{ require('nothing'); }} catch {{}}\n{HANDLER}")
    weights = {finding.weight for finding in findings(world) if "dayjs" in finding.message}
    assert weights == {weight}
    assert "nothing" in only(world, "LP349").message


@pytest.mark.spares("optional-module-missing")
def test_an_optional_module_that_is_there_is_not_named(world: World) -> None:
    world.add("index.js", f"try {{ require('here'); }} catch {{}}\n{HANDLER}")
    assert {finding.rule.code for finding in findings(world)} == {"LP311"}


def test_a_package_that_loads_what_it_does_not_declare_is_named_with_the_way_to_it(world: World) -> None:
    world.add("node_modules/here/index.js", "require('undeclared');")
    world.add("index.js", f"require('here');\n{HANDLER}")
    finding = only(world, "LP340")
    assert (finding.path, finding.package) == ("node_modules/here/index.js", "here")
    evidence = dict(finding.evidence)
    assert evidence["reason"] == "undeclared-by-package"
    assert evidence["loaded_by"] == ["index.js", "node_modules/here/index.js"]


@pytest.mark.parametrize(
    ("source", "weight"),
    [
        ("require('gone');", Severity.ERROR),
        ("const load = () => require('gone');", Severity.WARNING),
        ("", Severity.NOTE),
    ],
)
def test_a_declared_dependency_is_as_bad_as_its_use(world: World, source: str, weight: Severity) -> None:
    world.add("index.js", f"{source}\n{HANDLER}")
    assert [(finding.rule.code, finding.weight) for finding in findings(world)] == [("LP311", weight)]


def test_where_nothing_is_installed_yet_a_package_is_a_warning(world: World) -> None:
    for path in [path for path in world.files if path.startswith("node_modules")]:
        del world.files[path]
    world.add("index.js", f"require('dayjs');\n{HANDLER}")
    assert only(world, "LP340", kind="directory").weight is Severity.WARNING
    assert only(world, "LP340", kind="zip").weight is Severity.ERROR


def test_an_external_of_a_bundle_is_called_that(world: World) -> None:
    world.files.clear()
    helper = "var __commonJS = (cb, mod) => () => (cb[0]((mod = {exports: {}}).exports, mod), mod.exports);\n"
    world.add("index.js", f"{helper}var a = require('@node-rs/argon2');\n{HANDLER}")
    finding = only(world, "LP340")
    assert dict(finding.evidence)["reason"] == "external"


def test_a_reason_in_the_settings_settles_it(world: World) -> None:
    world.add("index.js", f"require('datadog-lambda-js');\n{HANDLER}")
    policy = Policy(TODAY, provided={"datadog-lambda-js": "the Datadog layer"})
    (finding,) = (finding for finding in findings(world, policy=policy) if finding.rule.code == "LP340")
    assert finding.ignored == "the Datadog layer"


def test_layers_that_were_not_read_may_have_it(world: World) -> None:
    world.add("index.js", f"require('datadog-lambda-js');\n{HANDLER}")
    facts = replace(world.facts(), possible_layers=("arn:aws:lambda:eu-west-1:123456789012:layer:dd:1",))
    report = check_package(
        Subject("zip", "."), facts, shipped_runtime(parse_target("nodejs22.x", "x86_64")), Policy(TODAY)
    )
    (finding,) = (finding for finding in report.findings if finding.rule.code == "LP340")
    assert (finding.weight, dict(finding.evidence)["reason"]) == (Severity.WARNING, "layer")


def test_the_cure_speaks_the_language_of_the_trees_manager(world: World) -> None:
    world.add("node_modules/.modules.yaml", "")
    world.add("index.js", f"require('dayjs');\n{HANDLER}")
    assert "`pnpm add dayjs`" in only(world, "LP340").cure


@pytest.mark.proves("aws-sdk-v2")
def test_the_old_sdk_is_gone_since_node_18(world: World) -> None:
    world.add("index.js", f"const AWS = require('aws-sdk');\n{HANDLER}")
    assert only(world, "LP341").weight is Severity.ERROR
    assert "@aws-sdk/client-NAME" in only(world, "LP341").cure


@pytest.mark.spares("aws-sdk-v2")
def test_the_old_sdk_is_in_node_16_and_may_be_installed(world: World) -> None:
    world.add("index.js", f"const s3 = require('aws-sdk/clients/s3');\n{HANDLER}")
    assert "LP341" not in {finding.rule.code for finding in findings(world, runtime="nodejs16.x")}
    world.package("node_modules/aws-sdk")
    world.add("node_modules/aws-sdk/clients/s3.js", "")
    assert "LP341" not in {finding.rule.code for finding in findings(world)}


@pytest.mark.proves("wrong-letter-case")
@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("require('./lib/Utils');", "'./lib/utils'"),
        ("require('./Lib/utils.js');", "'./lib/utils.js'"),
        ("require('Here');", "'here'"),
    ],
)
def test_another_letter_case_is_named_with_the_right_one(world: World, source: str, fix: str) -> None:
    world.add("lib/utils.js", "")
    world.add("index.js", f"{source}\n{HANDLER}")
    assert fix in only(world, "LP342", kind="directory").cure
    assert only(world, "LP342", kind="directory").weight is Severity.ERROR


@pytest.mark.spares("wrong-letter-case")
def test_the_same_letter_case_is_fine(world: World) -> None:
    world.add("lib/Utils.js", "")
    world.add("index.js", f"require('./lib/Utils');\n{HANDLER}")
    assert {finding.rule.code for finding in findings(world)} == {"LP311"}


@pytest.mark.proves("import-without-extension")
@pytest.mark.parametrize(
    ("text", "whole"),
    [("./a", "./a.js"), ("./lib", "./lib/index.js"), (".", "./index.mjs"), ("../task/a", "../task/a.js")],
)
def test_an_import_needs_the_whole_file_name(world: World, text: str, whole: str) -> None:
    world.add("a.js", "export default 1;")
    world.add("lib/index.js", "export default 1;")
    world.add("index.mjs", f"import x from '{text}';\nexport const handler = async () => x;\n")
    finding = only(world, "LP343", kind="directory")
    assert (finding.weight, f"Write '{whole}'" in finding.cure) == (Severity.ERROR, True)


@pytest.mark.proves("refused-manifest")
@pytest.mark.parametrize("text", ["", '{"name": "here", bad', "[]"])
def test_a_package_json_that_node_refuses_is_an_error(world: World, text: str) -> None:
    world.add("node_modules/here/package.json", text)
    world.add("index.js", f"require('here');\n{HANDLER}")
    assert only(world, "LP344").weight is Severity.ERROR


@pytest.mark.spares("refused-manifest")
def test_a_package_json_that_node_never_reads_may_be_broken(world: World) -> None:
    world.add("node_modules/other/package.json", "{")
    world.add("node_modules/here/package.json", "\ufeff{}")
    world.add("index.js", f"require('here');\n{HANDLER}")
    assert "LP344" not in {finding.rule.code for finding in findings(world)}


@pytest.mark.proves("subpath-not-exported")
def test_a_path_that_exports_lacks_is_an_error(world: World) -> None:
    world.package("node_modules/here", exports={".": "./index.js"})
    world.add("node_modules/here/lib/x.js", "")
    world.add("index.js", f"require('here/lib/x');\n{HANDLER}")
    assert "lib/x" in only(world, "LP345").message


@pytest.mark.spares("subpath-not-exported")
def test_a_path_that_a_pattern_of_exports_has_is_fine(world: World) -> None:
    world.package("node_modules/here", exports={"./lib/*": "./lib/*.js"})
    world.add("node_modules/here/lib/x.js", "")
    world.add("index.js", f"require('here/lib/x');\n{HANDLER}")
    assert {finding.rule.code for finding in findings(world)} == {"LP311"}


@pytest.fixture
def esm_world(world: World) -> World:
    world.package("node_modules/here", type="module")
    world.add("node_modules/here/index.js", "export default 1;")
    world.add("index.js", f"require('here');\n{HANDLER}")
    return world


@pytest.mark.proves("requires-es-module")
def test_node_22_starts_without_require_of_es_modules(esm_world: World) -> None:
    assert only(esm_world, "LP346").weight is Severity.ERROR


@pytest.mark.spares("requires-es-module")
def test_node_24_requires_es_modules(esm_world: World) -> None:
    world = esm_world
    assert "LP346" not in {finding.rule.code for finding in findings(world, runtime="nodejs24.x")}


def test_a_file_that_waits_for_its_compiler_is_named(world: World) -> None:
    world.add("lib/db.ts", "")
    world.add("index.js", f"require('./lib/db');\n{HANDLER}")
    assert "lib/db.ts must be compiled first" in only(world, "LP326").message


def test_a_file_that_was_left_out_is_named_with_the_line_that_brings_it_back(world: World) -> None:
    world.add("index.js", f"require('./lib/db');\n{HANDLER}")
    facts = replace(world.facts(), left_out=frozenset({"lib"}))
    report = check_package(
        Subject("zip", "."), facts, shipped_runtime(parse_target("nodejs22.x", "x86_64")), Policy(TODAY)
    )
    (finding,) = (finding for finding in report.findings if finding.rule.code == "LP326")
    assert "!lib/db" in finding.cure


GYP_LOADER = "throw new Error('No native build was found for platform=' + process.platform);"


def bundle(call: str) -> str:
    return f"""// node_modules/node-gyp-build/node-gyp-build.js
var require_node_gyp_build = __commonJS({{ "a"(exports, module) {{ module.exports = (dir) => {{ {GYP_LOADER} }} }} }});
// node_modules/bcrypt/bcrypt.js
var require_bcrypt = __commonJS({{ "b"(exports, module) {{ {call} }} }});
{HANDLER}"""


@pytest.mark.proves("addon-bundled")
def test_a_loader_in_a_bundle_that_finds_no_addon_is_an_error(world: World) -> None:
    world.add("index.js", bundle("module.exports = require_node_gyp_build()(__dirname);"))
    (finding,) = (found for found in report_findings(world) if found.rule.code == "LP347")
    assert (finding.package, finding.weight, finding.line) == ("bcrypt", Severity.ERROR, 4)
    assert "--external:bcrypt" in finding.cure


@pytest.mark.spares("addon-bundled")
def test_a_bundled_loader_whose_failure_is_caught_is_none(world: World) -> None:
    world.add("index.js", bundle("try { module.exports = require_node_gyp_build()(__dirname); } catch { }"))
    assert not [found for found in report_findings(world) if found.rule.code == "LP347"]


def report_findings(world: World) -> list[Finding]:
    target = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    return list(check_package(Subject("zip", "."), world.facts(), target, Policy(TODAY)).findings)


@pytest.mark.proves("graph-incomplete")
def test_a_file_that_is_not_understood_whole_is_named(world: World) -> None:
    world.add("index.js", f"require('./big');\n{HANDLER}")
    world.add("big.js", "require('dayjs');" + " " * 9_000_000)
    finding = only(world, "LP348")
    assert (finding.path, finding.weight) == ("big.js", Severity.WARNING)
    world.add("big.js", "require('here');\nconst = ;")
    assert only(world, "LP348").weight is Severity.NOTE


@pytest.mark.spares("graph-incomplete")
def test_a_file_that_is_understood_is_not_named(world: World) -> None:
    world.add("index.js", f"require('here');\n{HANDLER}")
    assert {finding.rule.code for finding in findings(world)} == {"LP311"}


@pytest.mark.parametrize(
    ("variable", "value", "weight"),
    [
        ("NODE_OPTIONS", "--require ./setup.js", Severity.ERROR),
        ("NODE_OPTIONS", "--import dd-trace/initialize.mjs", Severity.ERROR),
        ("NODE_OPTIONS", "--require /opt/nodejs/setup", Severity.WARNING),
        ("DD_LAMBDA_HANDLER", "src/app.handler", Severity.ERROR),
    ],
)
def test_what_a_variable_loads_first_has_to_be_there(world: World, variable: str, value: str, weight: Severity) -> None:
    world.add("index.js", HANDLER)
    facts = world.facts()
    assert facts.modules is not None
    facts.modules.environment = {variable: value}
    report = check_package(
        Subject("zip", "."), facts, shipped_runtime(parse_target("nodejs22.x", "x86_64")), Policy(TODAY)
    )
    (finding,) = (finding for finding in report.findings if finding.rule.code == "LP340")
    assert (finding.weight, dict(finding.evidence)["variable"]) == (weight, variable)


def test_a_wrapped_handler_is_followed(world: World) -> None:
    world.add("index.js", HANDLER)
    world.add("src/app.js", f"require('dayjs');\n{HANDLER}")
    facts = world.facts()
    assert facts.modules is not None
    facts.modules.environment = {"NEW_RELIC_LAMBDA_HANDLER": "src/app.handler"}
    report = check_package(
        Subject("zip", "."), facts, shipped_runtime(parse_target("nodejs22.x", "x86_64")), Policy(TODAY)
    )
    assert [finding.path for finding in report.findings if finding.rule.code == "LP340"] == ["src/app.js"]


def test_conditions_and_node_path_of_the_function_count(world: World) -> None:
    world.package("node_modules/here", exports={"special": "./index.js"})
    world.add("lib/there.js", "")
    world.add("index.js", f"require('here');\nrequire('there');\n{HANDLER}")
    assert {finding.rule.code for finding in findings(world)} >= {"LP340", "LP345"}
    facts = world.facts()
    assert facts.modules is not None
    facts.modules.environment = {"NODE_OPTIONS": "--conditions=special", "NODE_PATH": "/var/task/lib"}
    report = check_package(
        Subject("zip", "."), facts, shipped_runtime(parse_target("nodejs22.x", "x86_64")), Policy(TODAY)
    )
    assert not [finding for finding in report.findings if finding.rule.code in {"LP340", "LP345"}]


ESM_HANDLER = "export const handler = async () => 1;\n"


@pytest.fixture
def modern() -> World:
    made = World(handler="index.handler", reads_code=True)
    made.package("", type="module", dependencies={"here": "1"})
    made.package("node_modules/here")
    return made


@pytest.mark.proves("module-syntax-refused")
def test_a_package_whose_commonjs_files_have_import_statements(world: World) -> None:
    world.add("index.js", f"require('here');\n{HANDLER}")
    world.add("node_modules/here/index.js", "// compiled\nimport fs from 'fs';\nexport const a = fs;\n")
    finding = only(world, "LP350")
    assert (finding.path, finding.severity) == ("node_modules/here/index.js", None)
    assert "line 2" in finding.message


@pytest.mark.proves("module-syntax-refused")
def test_a_file_of_its_own_with_import_statements_and_no_type(world: World) -> None:
    world.add("index.js", f"require('./lib');\n{HANDLER}")
    world.add("lib.js", "export const a = 1;\n")
    assert ".mjs" in only(world, "LP350", kind="directory").fix
    assert only(world, "LP350", kind="directory").severity is None


@pytest.mark.spares("module-syntax-refused")
@pytest.mark.parametrize(
    "source",
    ["exports.a = 'import x from y';\n", "/*\nimport a from 'b';\n*/\n", "exports.load = () => import('fs');\n"],
)
def test_words_of_commonjs_that_look_like_statements(world: World, source: str) -> None:
    world.add("index.js", f"require('here');\n{HANDLER}")
    world.add("node_modules/here/index.js", source)
    assert "LP350" not in {finding.rule.code for finding in findings(world)}


@pytest.mark.proves("export-not-found")
@pytest.mark.parametrize(
    ("statement", "other"),
    [
        ("import { gone } from 'here';", "exports.other = 1;\n"),
        ("import { gone } from 'here';", "const all = require('./all');\nmodule.exports = { ...all, other };\n"),
        ("import all, { other, gone as b } from 'here';", "exports.other = 1;\n"),
        ("export { gone } from './lib.js';", ""),
        ("import lib from './lib.js';", ""),
    ],
)
def test_names_that_the_other_script_does_not_export(modern: World, statement: str, other: str) -> None:
    modern.add("index.js", f"{statement}\n{ESM_HANDLER}")
    modern.add("lib.js", "export const other = 1;\n")
    modern.add("node_modules/here/index.js", other)
    modern.add("node_modules/here/all.js", "exports.gone = 1;\n")
    finding = only(modern, "LP351")
    assert (finding.severity, finding.line) == (None, 1)
    assert "no export named" in finding.message


@pytest.mark.spares("export-not-found")
@pytest.mark.parametrize(
    ("statement", "other"),
    [
        ("import { there } from 'here';", "exports.there = 1;\n"),
        ("import { there } from 'here';", "module.exports = require('./all');\n"),
        ("import { there } from 'here';", "__exportStar(require('./all'), exports);\n"),
        ("import all from 'here';", "module.exports = 1;\n"),
        ("import * as all from 'here';", "module.exports = 1;\n"),
        ("import { there } from './lib.js';", ""),
        ("import { readFileSync } from 'fs';", ""),
    ],
)
def test_names_that_may_be_exported(modern: World, statement: str, other: str) -> None:
    modern.add("index.js", f"{statement}\n{ESM_HANDLER}")
    modern.add("lib.js", "export * from './more.js';\n")
    modern.add("more.js", "const there = 1;\nexport { there };\n")
    modern.add("node_modules/here/index.js", other)
    modern.add("node_modules/here/all.js", "exports.there = 1;\n")
    assert "LP351" not in {finding.rule.code for finding in findings(modern)}
