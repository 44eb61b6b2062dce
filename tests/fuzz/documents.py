"""Texts and archives that are hurt as documents are: tokens doubled, types exchanged, brackets piled up."""

import io
import json
import signal
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from lambdapack.config.sources import load_settings
from lambdapack.credentials import mask_credentials
from lambdapack.engine.interface import CommandResult
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.explain.log import explain_text
from lambdapack.explain.words import ExplainTarget
from lambdapack.managers.npm.failures import NpmRun, explain_npm_failure
from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.registry import read_dependency_source
from lambdapack.model import Architecture
from lambdapack.pack.secrets import find_secrets
from lambdapack.pack.source import IgnoreRules
from lambdapack.packages.manifests import read_manifests
from lambdapack.project.repository import read_repository
from lambdapack.project.template import find_resources
from lambdapack.project.workspaces import is_workspace_member, workspace_globs
from lambdapack.rules.check import check_lockfile
from lambdapack.runtimes.runtime import parse_target
from lambdapack.script.read import read_script
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import EntryKind, Tree
from lambdapack.tree.spool import SpoolTree

GUARD_SECONDS = 20.0
"""CPU after which a document is given up."""

MAX_BYTES = 1 << 20

PATHS = (
    "index.js",
    "a/b/c.test.js",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "x/" * 200 + "y",
    "\u202e\x1b.js",
)

JSON_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"null",
    b"true",
    b"-1e999",
    b'""',
    b'"__proto__"',
    b"\\ud800",
    b"9" * 5000,
    b'{"a":' * 50,
    b"[" * 2000,
    b"\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b'"file:../x"',
    b'"link":true',
    b'"workspaces":["{' + b"*," * 30 + b'}"]',
    b'"**/**/**/**/x"',
    b"https://u:[p@h/",
    b"//",
    b"git+ssh://",
)
TEXT_TOKENS = (
    b"\n",
    b"\r",
    b"=",
    b"[]",
    b"[",
    b"]",
    b"${",
    b"}",
    b"${HOME}",
    b"\\",
    b'"',
    b"'",
    b";",
    b"#",
    b"//",
    b"@",
    b":registry",
    b"_authToken",
    b"http://[::1",
    b"http://u:[p@h",
    b"\x00",
    b"\xff",
    b"\x1b[31m",
    b"*",
    b"**/",
    b"?",
    b"!",
    b"[a-",
    b"[!",
    b"*a" * 20,
    b"cafile=/nowhere",
    b"::error::",
    b"\xe2\x80\xae",
)
CODE_TOKENS = (
    b"(",
    b")",
    b"{",
    b"}",
    b"[",
    b"`",
    b"${",
    b"/*",
    b"*/",
    b"//",
    b"/",
    b"'",
    b'"',
    b"require(",
    b"import ",
    b"export default ",
    b"async ",
    b"=>",
    b"?.",
    b"...",
    b"\\u{110000}",
    b"0x",
    b"\x00",
    b"\xff",
    b"class ",
    b"if(",
    b"function*",
    b"await ",
    b"(" * 200,
    b"[" * 200,
)
LOG_TOKENS = (
    b"\n",
    b"Error: ",
    b"/var/task/",
    b".node",
    b": ",
    b"GLIBC_2..4",
    b"version `",
    b"' not found",
    b"\x1b[",
    b"\r",
    b"npm error code ",
    b"E404",
    b"> x@1 postinstall",
    b"was compiled against a different Node.js version using",
    b"NODE_MODULE_VERSION 999999999999999999999999",
    b"{",
    b'"errorMessage":"',
    b"\\n",
    b"\xff",
    b"9" * 5000,
)


@dataclass(frozen=True, slots=True)
class DocumentFormat:
    """A kind of document, some honest ones, what tears it, and what the product does with one."""

    name: str
    originals: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    read: Callable[[bytes, Path], None]


def _read_project(name: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, scratch: Path) -> None:
        home = scratch / "project"
        home.mkdir(exist_ok=True)
        for path, text in {"package.json": PACKAGE_JSON, "package-lock.json": LOCK, name: data}.items():
            (home / path).write_bytes(text)
        repository = read_repository(home)
        source = read_dependency_source(repository, ".")
        settings = translate_npm_settings(home, {}, scratch)
        for version in ("10.9.9", None):
            check_lockfile(source, parse_target("nodejs22.x", "arm64"), version, settings)
        is_workspace_member(workspace_globs(source.manifest.document), "a" * 60 + "/b")
        tree = MemoryTree({name: (data, 0o644), f"node_modules/x/{name}": (data, 0o644)})
        for manifest in read_manifests(tree).values():
            assert manifest.native_use is not None
        find_secrets(tree)
        assert source.credential_urls is not None

    return read


def _read_npmrc(data: bytes, scratch: Path) -> None:
    (scratch / ".npmrc").write_bytes(data)
    try:
        translate_npm_settings(scratch, {"HOME": "/x"}, scratch / "nobody")
    finally:
        (scratch / ".npmrc").unlink()


def _read_ignore(data: bytes, _scratch: Path) -> None:
    rules = IgnoreRules(data.decode("utf-8", "replace").splitlines())
    for path in PATHS:
        rules.reason(path, is_directory=False)


def _read_toml(data: bytes, scratch: Path) -> None:
    home = scratch / "settings"
    home.mkdir(exist_ok=True)
    (home / "lambdapack.toml").write_bytes(data)
    (home / "package.json").write_bytes(PACKAGE_JSON)
    load_settings(home, {}, {}, majors=(20, 22, 24))


def _read_template(name: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, scratch: Path) -> None:
        home = scratch / name.partition(".")[0]
        (home / "src").mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)
        (home / "package.json").write_bytes(PACKAGE_JSON)
        for directory in (home, home / "src"):
            find_resources(directory, [], {"STAGE": "dev"})
        load_settings(home, {}, {}, majors=(20, 22, 24))

    return read


def _read_script(data: bytes, _scratch: Path) -> None:
    read_script("index.js", data)


def _read_log(data: bytes, _scratch: Path) -> None:
    explain_text(io.BytesIO(data), ExplainTarget("nodejs22.x"))
    mask_credentials(data.decode("utf-8", "replace"))


def _read_npm_log(data: bytes, _scratch: Path) -> None:
    transcript = Transcript(SILENT, ("secret",))
    transcript("stdout", data)
    transcript.close()
    for code in (1, 137):
        explain_npm_failure(NpmRun(CommandResult(code), transcript.lines, Architecture.ARM64))


def _read_zip(data: bytes, scratch: Path) -> None:
    place = scratch / "document.zip"
    place.write_bytes(data)
    with ZipTree(place) as tree:
        _view_all(tree)


def _read_tar(data: bytes, scratch: Path) -> None:
    place = scratch / "document.tar"
    place.write_bytes(data)
    with SpoolTree(place, "task") as tree:
        _view_all(tree)


def _view_all(tree: Tree) -> None:
    for path, entry in tree.entries.items():
        if entry.kind is EntryKind.FILE:
            with tree.view(path) as data:
                assert len(data) == entry.size


PACKAGE_JSON = json.dumps(
    {
        "name": "shop",
        "version": "1.0.0",
        "main": "index.js",
        "type": "module",
        "workspaces": ["packages/*"],
        "engines": {"node": ">=22 <23"},
        "scripts": {"install": "node-gyp rebuild", "prepare": "husky"},
        "dependencies": {"sharp": "^0.34.0", "x": "git+https://h/x.git", "l": "file:lib/l"},
        "optionalDependencies": {"@img/sharp-linux-arm64": "0.34.5"},
        "exports": {".": {"import": "./a.mjs", "default": "./a.js"}},
        "binary": {"napi_versions": [3, 6], "module_name": "x", "module_path": "./lib/{node_abi}"},
        "os": ["linux"],
        "cpu": ["arm64"],
    },
    indent=1,
).encode()
LOCK = json.dumps(
    {
        "name": "shop",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {"name": "shop", "dependencies": {"sharp": "^0.34.0"}},
            "node_modules/sharp": {
                "version": "0.34.5",
                "resolved": "https://registry.example/sharp/-/sharp-0.34.5.tgz",
                "integrity": "sha512-AA==",
                "hasInstallScript": True,
                "engines": {"node": "^18.17.0"},
                "optionalDependencies": {"@img/sharp-linux-arm64": "0.34.5"},
            },
            "node_modules/@img/sharp-linux-arm64": {
                "version": "0.34.5",
                "cpu": ["arm64"],
                "os": ["linux"],
                "libc": ["glibc"],
                "optional": True,
            },
            "node_modules/l": {"resolved": "lib/l", "link": True},
            "lib/l": {"version": "1.0.0"},
        },
    },
    indent=1,
).encode()
NPMRC = (
    b"registry=https://registry.example/\n@a:registry=https://u:p@h/\n//registry.example/:_authToken=${TOKEN}\n"
    b'; a comment\nallow-scripts[]=sharp\nproxy=http://u:p@proxy:3128\nstrict-ssl=false\nca="line\\nline"\n'
)
IGNORE = b"*.log\n!keep.log\n/build/\n**/test/**\nfoo[a-z]?.js\n# comment\n\\#x\ndoc/*.txt\n"
TOML = (
    b'runtime = "nodejs22.x"\narch = "arm64"\nmemory = "4g"\ntime-limit = "30m"\nlayers = ["a.zip"]\n'
    b'[ignore]\nLP201 = "a reason"\n[engine.hosts]\narm64 = "ssh://host"\n'
)
SCRIPT = (
    b"const {a, b: [c]} = require('./x'); import y from 'y'; "
    b"export const handler = async (event) => `${event.a?.[0] ?? 1}`;\n"
    b"if (process.platform === 'linux') { module.exports = require(`./bin/${process.arch}`) } /* c */ // d\n"
    b"class A extends B { #p = 1; static { this.x = /re[/]/gi } get [k]() { return super.k } }\n"
    b"exports.handler = x => ({...x});\n"
)
LOG = (
    b"2026-11-01T00:00:00.000Z\tundefined\tERROR\tUncaught Exception\t"
    b'{"errorType":"Error","errorMessage":"/lib64/libc.so.6: version `GLIBC_2.38\' not found '
    b'(required by /var/task/node_modules/x/x.node)"}\n'
    b"Error: The module '/var/task/node_modules/bcrypt/lib/bcrypt.node'\n"
    b"was compiled against a different Node.js version using\n"
    b"NODE_MODULE_VERSION 108. This version of Node.js requires\nNODE_MODULE_VERSION 127.\n"
    b"Error: Cannot find module 'sharp'\n"
)
NPM_LOG = (
    b"> bcrypt@6.0.0 install\n> node-gyp rebuild\ngyp ERR! stack Error: not found: make\nnpm error code 127\n"
    b"npm error path /var/task/node_modules/bcrypt\nnpm error command sh -c node-gyp rebuild\nhttps://u:p@h/x\n"
)


def _zip_original() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.js", b"exports.handler = 1;" * 20)
        archive.writestr("node_modules/a/a.node", b"\x7fELF" + bytes(300))
        link = zipfile.ZipInfo("link")
        link.external_attr, link.create_system = 0o120777 << 16, 3
        archive.writestr(link, "index.js")
    return stream.getvalue()


def _tar_original() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, target in (
            ("task", tarfile.DIRTYPE, ""),
            ("task/a.js", tarfile.REGTYPE, ""),
            ("task/" + "n" * 200, tarfile.REGTYPE, ""),
            ("task/h", tarfile.LNKTYPE, "task/a.js"),
            ("task/l", tarfile.SYMTYPE, "a.js"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = 700 if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return stream.getvalue()


BINARY_TOKENS = (
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x03\x04",
    b"\x00" * 512,
    b"../",
    b"/",
    b"ustar\x00",
    b"\xff\xff\xff\xff",
    b"\xff\xff",
    b"00000000000",
    b"77777777777",
    b"GNU.sparse.map=0,1",
    b"20 path=x\n",
    b"\x80" + b"\xff" * 11,
)

SAM_TEMPLATE = b"""\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Cpu: {Type: String, Default: arm64, AllowedValues: [arm64, x86_64]}
Conditions:
  Arm: !Equals [!Ref Cpu, arm64]
Mappings:
  Sizes: {arm64: {memory: 512}}
Globals:
  Function: {Runtime: nodejs22.x, Timeout: 10, Environment: {Variables: {A: !Sub "${AWS::Region}-x"}}}
Resources:
  Api: &api
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: index.handler
      Architectures: [!If [Arm, arm64, x86_64]]
      MemorySize: !FindInMap [Sizes, !Ref Cpu, memory]
      Layers: [!Ref Deps, "arn:aws:lambda:eu-west-1:1:layer:x:1"]
  Other: *api
  Deps:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: ./, CompatibleRuntimes: [nodejs22.x]}
"""
SERVERLESS_TEMPLATE = b"""\
service: shop
provider:
  name: aws
  runtime: ${self:custom.runtime}
  architecture: ${env:CPU, 'arm64'}
  environment: {STAGE: "${opt:stage, 'dev'}"}
custom: {runtime: nodejs22.x, loop: "${self:custom.loop}"}
functions:
  api: {handler: src/index.handler, layers: [{Ref: DepsLambdaLayer}], memorySize: 512}
layers:
  deps: {path: src}
"""
YAML_TOKENS = (
    b"!Ref ",
    b"!Sub ",
    b"!If [",
    b"!FindInMap [",
    b"Fn::Transform: ",
    b"&a ",
    b"*a",
    b"*api",
    b"<<: *api",
    b"? ",
    b"- ",
    b"---\n",
    b"|\n",
    b">-\n",
    b"!!python/object:os.system ",
    b"!!binary ",
    b"${self:custom.loop}",
    b"${file(../x.yml):a}",
    b"${" * 200,
    b"[" * 2000,
    b"{a: " * 500,
    b"&a [*a, *a, *a, *a, *a, *a, *a, *a]\n",
    b"\t",
    b"1e999",
    b"2026-13-45",
    b"0o777",
    b"1:2:3",
    b".inf",
)

FORMATS = (
    DocumentFormat(
        "template.yaml", (SAM_TEMPLATE,), (*YAML_TOKENS, *TEXT_TOKENS[:13]), _read_template("template.yaml")
    ),
    DocumentFormat(
        "serverless.yml", (SERVERLESS_TEMPLATE,), (*YAML_TOKENS, *TEXT_TOKENS[:13]), _read_template("serverless.yml")
    ),
    DocumentFormat("package.json", (PACKAGE_JSON,), JSON_TOKENS, _read_project("package.json")),
    DocumentFormat("package-lock.json", (LOCK,), JSON_TOKENS, _read_project("package-lock.json")),
    DocumentFormat(".npmrc", (NPMRC,), TEXT_TOKENS, _read_npmrc),
    DocumentFormat(".lambdapackignore", (IGNORE,), TEXT_TOKENS, _read_ignore),
    DocumentFormat("lambdapack.toml", (TOML,), (*TEXT_TOKENS, *JSON_TOKENS[:14]), _read_toml),
    DocumentFormat("index.js", (SCRIPT,), CODE_TOKENS, _read_script),
    DocumentFormat("function.log", (LOG,), LOG_TOKENS, _read_log),
    DocumentFormat("npm.log", (NPM_LOG, LOG), (*LOG_TOKENS, *TEXT_TOKENS), _read_npm_log),
    DocumentFormat("function.zip", (_zip_original(),), BINARY_TOKENS, _read_zip),
    DocumentFormat("spool.tar", (_tar_original(),), BINARY_TOKENS, _read_tar),
)


def _exchange_values(random: Random, original: bytes) -> bytes:
    """Return a JSON document with one to four values of other types."""
    document = json.loads(original)
    for _ in range(random.randint(1, 4)):
        places = list(_places(document))
        holder, key = random.choice(places)
        holder[key] = deepcopy(random.choice(VALUES))
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    "",
    "x",
    "../..",
    "/",
    "file:",
    "file:../../etc",
    "npm:x@1",
    "link:",
    "*" * 300,
    "https://u:[p@h/",
    "http://[::1",
    "\ud800",
    "\0",
    "\x1b[2J",
    "9" * 5000,
    ">=1 <2 || ^" * 300,
    "1" * 400 + ".1.1",
    [],
    [[]],
    [None],
    ["!linux"],
    ["\u202e"],
    {},
    {"": ""},
    {"x": None},
    {"node": 22},
    {"../x": "1"},
    {"packages": "x"},
    ["{" * 60],
    ["**/" * 60 + "x"],
    ["*a" * 30],
    ["(" * 50],
)


def mangle(random: Random, document: DocumentFormat) -> bytes:
    """Return one of a format's documents after one to six blows."""
    if document.name.endswith(".json") and random.random() < 0.5:
        return _exchange_values(random, document.originals[0])
    data = bytearray(random.choice(document.originals))
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice((1, 1, 4, 16, 200)))
        match random.randrange(7):
            case 0:
                data[at:to] = random.choice(document.tokens)
            case 1:
                data[at:at] = random.choice(document.tokens)
            case 2:
                del data[at:to]
            case 3:
                data[at:at] = bytes(data[at:to]) * random.choice((1, 2, 30))
            case 4 if at < len(data):
                data[at] = random.randrange(256)
            case 5:
                there = random.randrange(len(data) + 1)
                data[there:there] = data[at:to]
            case 6 if random.random() < 0.02:
                data[at:at] = random.choice(document.tokens) * random.choice((500, 5000))
            case _:
                pass
    return bytes(data[:MAX_BYTES])


class GivenUp(Exception):  # noqa: N818  # the document took too long
    """A document that costs more than GUARD_SECONDS."""


@contextmanager
def guarded(seconds: float = GUARD_SECONDS) -> Iterator[None]:
    """Raise GivenUp when what is inside takes more CPU than that."""

    def give_up(_number: int, _frame: object) -> None:
        raise GivenUp

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def cpu_seconds(document: DocumentFormat, data: bytes, scratch: Path) -> float:
    """Return what reading takes; a failure of ours with a code is an answer, anything else is raised."""
    begun = time.process_time()
    try:
        with guarded():
            document.read(data, scratch)
    except LambdapackError:
        pass
    return time.process_time() - begun
