"""`--load`: the static verdict and the real loader agree, or it is said."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests import elf
from tests.command import EXAMPLES, lambdapack

pytestmark = [pytest.mark.engine, pytest.mark.registry]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("load") / "password"
    shutil.copytree(EXAMPLES / "password", target, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    return target


@pytest.fixture(scope="module")
def archive(project: Path, lab_engine: dict[str, str]) -> Path:
    done = lambdapack("build", project, "--no-prune", env=lab_engine)
    assert done.returncode == 0, done.stderr
    assert "Loading 1 addon and the handler" in done.stderr
    return Path(done.stdout.strip())


def findings(done_stdout: str) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(done_stdout)["findings"]}


def changed(archive: Path, to: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info, data if info.filename == name else old.read(info))
    return to


def judge(target: Path, env: dict[str, str], *more: str) -> tuple[int, dict[str, dict[str, object]]]:
    flags = ("--runtime", "nodejs22.x", "--arch", "x86_64", "--load", "--format", "json")
    done = lambdapack("verify", target, *flags, *more, env=env)
    return done.returncode, findings(done.stdout)


@pytest.mark.spares("verdict-disagrees", "load-failed", "handler-fails")
def test_what_loads_is_called_good(archive: Path, lab_engine: dict[str, str]) -> None:
    assert judge(archive, lab_engine) == (0, {})


def test_a_broken_addon_is_refused_and_the_loader_agrees(
    archive: Path, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    addon = "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node"
    broken = changed(archive, tmp_path / "broken.zip", addon, b"version https://git-lfs.github.com/spec/v1\n")
    code, found = judge(broken, lab_engine)
    assert code == 1
    assert {"truncated", "not-elf"} & found.keys()
    assert "verdict-disagrees" not in found


@pytest.mark.proves("handler-fails")
def test_a_handler_that_throws_or_exports_nothing_is_named(
    archive: Path, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    throws = changed(archive, tmp_path / "throws.zip", "index.js", b"require('not-there')\n")
    code, found = judge(throws, lab_engine)
    assert code == 1
    assert "Cannot find module 'not-there'" in str(found["handler-fails"]["message"])
    silent = changed(archive, tmp_path / "silent.zip", "index.js", b"exports.other = 1\n")
    assert "exports no function handler" in str(judge(silent, lab_engine)[1]["handler-fails"]["message"])


def calling(tmp_path: Path, name: str, binding: str) -> Path:
    """Return a zip with an addon that calls a function."""
    source = elf.NODE_API + f"\nint {name}(void);\nint call(void) {{ return {name}(); }}\n"
    made = elf.link(tmp_path, "addon.node", source, "-DLEVEL=8", f"-Wl,-z,{binding}")
    made.with_name("index.js").write_text("exports.handler = async () => 1\n")
    path = tmp_path / "fn.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in ("index.js", "addon.node"):
            archive.write(tmp_path / file, file)
    return path


@pytest.mark.proves("load-failed")
def test_what_no_table_decides_is_decided_by_the_loader(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    code, found = judge(calling(tmp_path, "base64_stream_decode", "now"), lab_engine)
    assert code == 1
    assert found["undefined-symbol"]["severity"] == "warning"
    assert "undefined symbol: base64_stream_decode" in str(found["load-failed"]["message"])


@pytest.mark.parametrize("binding", ["now", "lazy"])
def test_a_doubt_about_a_symbol_is_gone_when_the_loader_found_it(
    tmp_path: Path, lab_engine: dict[str, str], binding: str
) -> None:
    code, found = judge(calling(tmp_path, "BrotliDecoderVersion", binding), lab_engine)
    assert code == 0
    assert "undefined-symbol" not in found


def test_a_doubt_about_a_symbol_that_is_only_looked_up_later_stays(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    _, found = judge(calling(tmp_path, "base64_stream_decode", "lazy"), lab_engine)
    assert found["undefined-symbol"]["severity"] == "warning"
    assert "load-failed" not in found


def test_what_nothing_defines_is_refused_by_both(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    code, found = judge(calling(tmp_path, "SSL_not_there", "now"), lab_engine)
    assert code == 1
    assert found["undefined-symbol"]["severity"] == "error"
    assert "verdict-disagrees" not in found


@pytest.mark.proves("verdict-disagrees")
def test_a_disagreement_is_reported_as_ours(archive: Path, tmp_path: Path, lab_engine: dict[str, str]) -> None:
    """A measurement that claims another ABI level makes the static half wrong on purpose."""
    runtime = tmp_path / "runtime.json"
    assert lambdapack("runtimes", "measure", "lambdapack-lab/nodejs:22-x86_64", "-o", runtime).returncode == 0
    document = json.loads(runtime.read_text())
    document["libraries"]["libc.so.6"]["versions"] = ["GLIBC_2.0"]
    runtime.write_text(json.dumps(document))
    done = lambdapack("verify", archive, "--runtime-file", runtime, "--load", "--format", "json", env=lab_engine)
    assert done.returncode == 1
    found = findings(done.stdout)["verdict-disagrees"]
    evidence = found["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["static"] == "fails"
    assert evidence["loader"] == "it loaded"
    assert {"image", "sha256", "cause"} <= evidence.keys()


@pytest.mark.proves("commonjs-as-module")
def test_commonjs_in_an_es_module_is_refused_by_the_loader_too(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "fn.zip", "w") as archive:
        index = zipfile.ZipInfo("index.mjs")
        index.external_attr = 0o100644 << 16
        archive.writestr(index, "const fs = require('node:fs');\nexport const handler = async () => fs;\n")
    code, found = judge(tmp_path / "fn.zip", lab_engine)
    assert code == 1
    words = "require is not defined in ES module scope"
    assert words in str(found["commonjs-as-module"]["message"])
    assert words in str(found["handler-fails"]["message"])


def function(root: Path, code: str, **manifest: object) -> Path:
    """Write a function with one small dependency, so that its build starts a container."""
    described = {"name": "fn", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}, **manifest}
    integrity = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
    locked = {"": described, "node_modules/ms": {"version": "2.1.3", "integrity": integrity}}
    lock = {"name": "fn", "version": "1.0.0", "lockfileVersion": 3, "packages": locked}
    root.mkdir()
    for name, text in {
        "package.json": json.dumps(described), "package-lock.json": json.dumps(lock), "index.js": code,
    }.items():  # fmt: skip
        (root / name).write_text(text, encoding="utf-8")
    return root


def build(root: Path, env: dict[str, str], *more: str) -> tuple[int, dict[str, dict[str, object]], str]:
    flags = ("--runtime", "nodejs22.x", "--arch", "x86_64", "--format", "json")
    done = lambdapack("build", root, *flags, *more, env={**env, "LAMBDAPACK_CACHE": str(root.parent / "cache")})
    return done.returncode, findings(done.stdout), done.stderr


GOOD = "exports.handler = async () => require('ms')('1h')\n"


@pytest.mark.spares("not-proved", "import-throws")
def test_a_build_proves_its_result_unasked_and_remembers_it(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    root = function(tmp_path / "fn", GOOD)
    code, found, said = build(root, lab_engine)
    assert (code, found) == (0, {})
    assert "Loading the handler on nodejs22.x/x86_64" in said
    assert "Loading" not in build(root, lab_engine)[2]
    (root / "index.js").write_text(GOOD + "// changed\n", encoding="utf-8")
    assert "Loading the handler" in build(root, lab_engine)[2]
    assert "Loading" not in build(function(tmp_path / "other", GOOD + "//"), lab_engine, "--no-load")[2]


@pytest.mark.proves("import-throws")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "if (!process.env.TABLE) throw new Error('TABLE is not set')\n" + GOOD,
            "Error: TABLE is not set (index.js:1)",
        ),
        ("const { a } = require('ms').b\n" + GOOD, "TypeError: Cannot destructure property 'a'"),
        ("JSON.parse(process.env.CONFIG)\n" + GOOD, 'SyntaxError: "undefined" is not valid JSON'),
        ("const name = ['not', 'there'].join('-'); require(name)\n" + GOOD, "Cannot find module 'not-there'"),
        ("process.exit(0)\n" + GOOD, "the process ended with exit code 0"),
    ],
    ids=["variable", "type-error", "json", "computed", "exit"],
)
def test_what_the_code_throws_at_import_is_a_warning_and_the_archive_is_written(
    tmp_path: Path, lab_engine: dict[str, str], code: str, words: str
) -> None:
    status, found, _ = build(function(tmp_path / "fn", code), lab_engine)
    assert status == 0
    assert found["import-throws"]["severity"] == "warning"
    assert words in str(found["import-throws"]["message"])


def test_the_functions_variables_are_there_and_their_values_in_no_report(
    tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    code = "if (process.env.SECRET_KEY !== 'c4n4ryc4n4ry') throw new Error(process.env.SECRET_KEY)\n" + GOOD
    assert build(function(tmp_path / "fn", code), lab_engine, "--env", "SECRET_KEY=c4n4ryc4n4ry")[:2] == (0, {})
    other = build(function(tmp_path / "gn", code), lab_engine, "--env", "SECRET_KEY=other-c4n4ry")
    assert "import-throws" in other[1]
    assert "other-c4n4ry" not in json.dumps(other)


@pytest.mark.parametrize(
    "code",
    [
        "}\n" + GOOD,
        "import ms from 'ms'\nconst x = require('ms')\nexport const handler = 1\n",
        "require('./gone')\n" + GOOD,
    ],
    ids=["syntax", "module", "missing"],
)
def test_what_node_cannot_load_leaves_no_archive(tmp_path: Path, lab_engine: dict[str, str], code: str) -> None:
    status, found, _ = build(function(tmp_path / "fn", code), lab_engine)
    assert status == 1
    assert any(finding["severity"] == "error" for finding in found.values())
    assert not list(tmp_path.glob("fn/.lambdapack/*.zip"))


@pytest.mark.proves("not-proved")
def test_what_would_be_emulated_or_hangs_is_said_to_be_unproved(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    root = function(tmp_path / "fn", GOOD)
    status, found, _ = build(root, lab_engine, "--arch", "arm64")
    assert (status, list(found)) == (0, ["not-proved"])
    assert "emulated" in str(found["not-proved"]["message"])
    (root / "node_modules/ms").mkdir(parents=True)
    (root / "node_modules/ms/package.json").write_text('{"name": "ms", "version": "2.1.3"}', encoding="utf-8")
    (root / "node_modules/ms/index.js").write_text("module.exports = text => text\n", encoding="utf-8")
    status, found, _ = build(root, lab_engine, "--no-install")
    assert "no container was started" in str(found["not-proved"]["message"])
    code = "await new Promise(resolve => setTimeout(resolve, 60000))\nexport const handler = async () => 1\n"
    status, found, _ = build(function(tmp_path / "slow", code, type="module"), lab_engine)
    assert (status, found["not-proved"]["severity"]) == (0, "note")
    assert "took longer than 10 s" in str(found["not-proved"]["message"])


def test_the_handler_gets_the_functions_variables_and_reports_do_not_show_them(
    tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    (tmp_path / "package.json").write_text('{"name": "fn"}')
    (tmp_path / "index.js").write_text(
        "if (!process.env.KEY) throw new Error('KEY is not set')\n"
        "if (process.env.KEY !== 'right') throw new Error(`refused ${process.env.KEY}`)\n"
        "exports.handler = async () => 1\n"
    )
    code, found = judge(tmp_path, lab_engine)
    assert (code, "KEY is not set" in json.dumps(found["import-throws"])) == (0, True)
    assert judge(tmp_path, lab_engine, "--env", "KEY=right") == (0, {})
    (tmp_path / "variables").write_text("KEY=a-secret-of-somebody\n")
    code, found = judge(tmp_path, lab_engine, "--env-file", str(tmp_path / "variables"))
    assert code == 0
    assert "refused $KEY" in json.dumps(found)
    assert "a-secret-of-somebody" not in json.dumps(found)
