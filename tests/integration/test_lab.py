"""The stand-in images hurt where the official ones do, and answer as they do."""

import json
import re
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("lab_engine")]

IMAGES = Path(__file__).resolve().parents[2] / "images"
ARCHITECTURES = ("x86_64", "arm64")
OCI = {"x86_64": "amd64", "arm64": "arm64"}
SECONDS = 60

NODES = (22, pytest.param(20, marks=pytest.mark.full), pytest.param(24, marks=pytest.mark.full))

SCRIPT = "export const handler = async (event) => ({ event, arch: process.arch, flags: process.execArgv });"

POST = (
    "exec 3<>/dev/tcp/127.0.0.1/8080 && "
    "printf 'POST /2015-03-31/functions/function/invocations HTTP/1.1\\r\\nHost: lab\\r\\nConnection: close\\r\\n"
    'Content-Length: %s\\r\\n\\r\\n%s\' ${#1} "$1" >&3 && cat <&3'
)
"""One request by bash alone: the bare image has no curl, and no port is published."""

Invoke = Callable[..., Any]


def image(architecture: str, kind: str = "", node: int = 22) -> str:
    return f"lambdapack-lab/nodejs:{node}-{architecture}{kind}"


def docker(*arguments: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *arguments], input=data, capture_output=True, timeout=SECONDS, check=False)


def run(name: str, program: str, *arguments: str, env: str | None = None) -> subprocess.CompletedProcess[bytes]:
    given = ("--env", env) if env else ()
    return docker("run", "--rm", "--network", "none", *given, "--entrypoint", program, name, *arguments)


def tar(files: dict[str, str]) -> bytes:
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in files.items():
            header = tarfile.TarInfo(path)
            header.size, header.mode = len(text.encode()), 0o644
            archive.addfile(header, BytesIO(text.encode()))
    return stream.getvalue()


def task(files: dict[str, str]) -> dict[str, str]:
    return {f"var/task/{path}": text for path, text in files.items()}


def answer_of(container: str, event: object) -> Any:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        asked = docker("exec", container, "bash", "-c", POST, "post", json.dumps(event))
        if asked.returncode == 0:
            return json.loads(asked.stdout.partition(b"\r\n\r\n")[2])
        time.sleep(0.05)  # refused: the emulator is not up yet
    pytest.fail(f"no answer in {SECONDS} s: {docker('logs', container).stderr.decode()}")


@pytest.fixture
def invoke() -> Iterator[Invoke]:
    """The answer of a handler under /var/task (and /opt) to one event, or its error."""
    containers: list[str] = []

    def run_handler(
        name: str, handler: str, files: dict[str, str], event: object = None, env: tuple[str, ...] = ()
    ) -> Any:
        variables = [part for variable in env for part in ("--env", variable)]
        made = docker("create", "--network", "none", *variables, name, handler)
        assert made.returncode == 0, made.stderr
        containers.append(made.stdout.decode().strip())
        assert docker("cp", "-", f"{containers[-1]}:/", data=tar(files)).returncode == 0
        assert docker("start", containers[-1]).returncode == 0
        return answer_of(containers[-1], event)

    yield run_handler
    if containers:
        docker("rm", "--force", *containers)


@pytest.mark.parametrize("kind", ["", "-build"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_label_and_programs_have_the_same_architecture(architecture: str, kind: str) -> None:
    form = "{{.Os}}/{{.Architecture}} {{.Config.User}}"
    inspected = docker("image", "inspect", "--format", form, image(architecture, kind))
    assert inspected.stdout.decode().strip() == f"linux/{OCI[architecture]}"
    asked = run(image(architecture, kind), "node", "-p", "process.arch")
    assert asked.stdout.decode().strip() == {"x86_64": "x64"}.get(architecture, architecture), asked.stderr


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_bare_image_has_no_tools(architecture: str) -> None:
    tools = "tar find gzip git ssh pkg-config ps apt dpkg awk curl openssl python3 gcc make which perl dnf yum"
    found = run(image(architecture), "bash", "-c", f"type -P {tools} node npm ls cat sed grep head")
    there = {path.rpartition("/")[2] for path in found.stdout.decode().split()}
    assert there == {"node", "npm", "ls", "cat", "sed", "grep", "head"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_system_libraries_are_in_lib64(architecture: str) -> None:
    names = "libc.so.6 libstdc++.so.6 libz.so.1 libgcc_s.so.1 libm.so.6 libssl.so.3 libcrypto.so.3"
    script = f"for name in {names}; do test -e /lib64/$name && test -e /usr/lib64/$name || echo $name; done"
    looked = run(image(architecture), "bash", "-c", script)
    assert (looked.returncode, looked.stdout) == (0, b"")


@pytest.mark.parametrize("kind", ["", "-build"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_images_say_amazon_linux_2023(architecture: str, kind: str) -> None:
    """Prisma reads both to choose an engine: ID, and which libssl is in /lib64."""
    script = '. /etc/os-release && echo "$ID $VERSION_ID" && ls /lib64/ | grep libssl.so && cat /etc/system-release'
    told = run(image(architecture, kind), "bash", "-c", script)
    assert told.stdout.decode().splitlines() == [
        "amzn 2023",
        "libssl.so.3",
        "Amazon Linux release 2023 (Amazon Linux)",
    ], told.stderr


def test_the_bare_image_lacks_what_lambda_lacks() -> None:
    looked = run(image("x86_64"), "bash", "-c", "ls /usr/lib64")
    libraries = set(looked.stdout.decode().split())
    assert not libraries & {"libgomp.so.1", "libatomic.so.1", "libcrypt.so.1", "libexpat.so.1"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_entrypoint_wants_a_handler(architecture: str) -> None:
    started = docker("run", "--rm", "--network", "none", image(architecture))
    assert started.returncode == 142
    assert b"entrypoint requires the handler name to be the first argument" in started.stderr


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_python_breaks_under_the_images_environment_and_not_without_it(architecture: str) -> None:
    script = "import hashlib, ssl; print(hashlib.sha256(b'').hexdigest()[:8])"
    broken = run(image(architecture, "-build"), "python3", "-c", script)
    assert broken.returncode == 1
    assert b"/var/lang/lib/libcrypto.so.3: version `OPENSSL_3.4.0' not found" in broken.stderr
    whole = run(image(architecture, "-build"), "python3", "-c", script, env="LD_LIBRARY_PATH=")
    assert whole.stdout == b"e3b0c442\n", whole.stderr


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_build_image_compiles_against_nodes_headers(architecture: str) -> None:
    script = (
        'echo "#include <node_api.h>" > /tmp/a.cc && echo "int main() { return napi_ok; }" >> /tmp/a.cc && '
        "c++ -I/var/lang/include/node /tmp/a.cc -o /tmp/a && /tmp/a && make --version"
    )
    compiled = run(image(architecture, "-build"), "bash", "-c", script)
    assert compiled.stdout.startswith(b"GNU Make"), compiled.stderr


NPM_USER = "1051:1051"
USER_LINE = "lambdapack:x:1051:1051::/tmp:/bin/sh"
"""What a build adds to /etc/passwd for the user of npm and of install scripts."""

Execute = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(params=ARCHITECTURES)
def build_container(request: pytest.FixtureRequest) -> Iterator[Execute]:
    """Runs shell scripts in a container of the build image, as npm's user and without the image's library path."""
    arguments = ("--interactive", "--network", "none", "--cap-drop", "ALL", "--entrypoint", "cat")
    container = docker("run", "--detach", *arguments, image(request.param, "-build")).stdout.decode().strip()

    def execute(script: str, user: str = NPM_USER, libraries: str = "") -> subprocess.CompletedProcess[bytes]:
        env = ("--env", "HOME=/tmp", "--env", f"LD_LIBRARY_PATH={libraries}")
        return docker("exec", "--user", user, "--workdir", "/tmp", *env, container, "sh", "-c", script)

    yield execute
    docker("rm", "--force", container)


def test_git_clones_by_file_and_by_its_own_protocol(build_container: Execute) -> None:
    commit = "git -c user.name=lab -c user.email=lab@example commit --quiet --allow-empty --message first"
    serve = "git daemon --base-path=/tmp --export-all --listen=127.0.0.1"
    script = (
        f"set -e; git init --quiet one; (cd one; {commit}); git clone --quiet file:///tmp/one two; {serve} & "
        "for try in 1 2 3 4 5 6 7 8 9; do git clone --quiet git://127.0.0.1/one three && break || sleep 1; done; "
        "git -C two log --format=%s; git -C three log --format=%s; kill $!"
    )
    cloned = build_container(script)
    assert cloned.stdout == b"first\nfirst\n", cloned.stderr


def test_git_and_ssh_load_their_libraries_and_reach_for_the_network(build_container: Execute) -> None:
    build_container(f"echo {USER_LINE} >> /etc/passwd", user="0")
    assert build_container("ssh -V").stderr.startswith(b"OpenSSH_")
    assert b"Failed to connect" in build_container("git ls-remote https://127.0.0.1/one").stderr
    refused = build_container("git ls-remote ssh://git@127.0.0.1/one").stderr
    assert b"ssh: connect to host 127.0.0.1 port 22: Connection refused" in refused


def test_ssh_needs_a_user_with_a_name_and_the_systems_libcrypto(build_container: Execute) -> None:
    assert b"No user exists for uid 1051" in build_container("ssh -V").stderr
    broken = build_container("ssh -V", libraries="/var/lang/lib:/lib64")
    assert b"/var/lang/lib/libcrypto.so.3: version `OPENSSL_3.4.0' not found (required by ssh)" in broken.stderr


def test_pkg_config_answers(build_container: Execute) -> None:
    build_container("printf 'Name: x\\nDescription: x\\nVersion: 1.2\\nCflags: -I/opt/x\\n' > x.pc")
    asked = build_container("PKG_CONFIG_PATH=/tmp pkg-config --cflags x && pkg-config --modversion libcrypt")
    assert re.fullmatch(rb"-I/opt/x ?\n4\.\d+\.\d+\n", asked.stdout), asked.stderr


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_handler_answers_through_the_emulator(architecture: str, invoke: Invoke) -> None:
    answer = invoke(image(architecture), "index.handler", task({"index.mjs": SCRIPT}), {"ä": 1})
    assert answer["event"] == {"ä": 1}
    assert answer["arch"] == {"x86_64": "x64"}.get(architecture, architecture)
    assert {"--no-experimental-require-module", "--no-experimental-detect-module"} <= set(answer["flags"])


def test_node_options_take_lambdas_refusal_back(invoke: Invoke) -> None:
    answer = invoke(
        image("x86_64"),
        "index.handler",
        task({"index.mjs": SCRIPT}),
        env=("NODE_OPTIONS=--experimental-require-module",),
    )
    assert "--no-experimental-require-module" not in answer["flags"]
    assert "--no-experimental-detect-module" in answer["flags"]


ANSWER = "async () => 'here'"

FOUND = {
    "extensionless": ("app.handler", {"app": f"exports.handler = {ANSWER}"}),
    "js": ("app.handler", {"app.js": f"exports.handler = {ANSWER}"}),
    "js module": (
        "app.handler",
        {"app.js": f"export const handler = {ANSWER}", "package.json": '{"type": "module"}'},
    ),
    "mjs": ("app.handler", {"app.mjs": f"export const handler = {ANSWER}"}),
    "cjs": ("app.handler", {"app.cjs": f"exports.handler = {ANSWER}"}),
    "folder": ("src/api/app.handler", {"src/api/app.mjs": f"export const handler = {ANSWER}"}),
    "nested": ("app.v1.get", {"app.js": f"exports.v1 = {{ get: {ANSWER} }}"}),
    "default of CommonJS": ("app.handler", {"app.cjs": f"module.exports = {{ handler: {ANSWER} }}"}),
}


@pytest.mark.parametrize("case", FOUND)
@pytest.mark.parametrize("node", NODES)
def test_a_handler_is_found_whatever_its_form(node: int, case: str, invoke: Invoke) -> None:
    handler, files = FOUND[case]
    assert invoke(image("x86_64", node=node), handler, task(files)) == "here"


CALLBACKS = {
    "at once": "exports.handler = (event, context, done) => done(null, 'here')",
    "late": "exports.handler = (event, context, done) => { setTimeout(done, 20, null, 'here') }",
    "before the end": "exports.handler = (event, context, done) => { done(null, 'here'); setTimeout(() => {}, 20) }",
    "by context": "exports.handler = (event, context) => { context.succeed('here') }",
}


@pytest.mark.parametrize("case", CALLBACKS)
@pytest.mark.parametrize("node", NODES[:-1])
def test_callbacks_answer_until_node_22(node: int, case: str, invoke: Invoke) -> None:
    assert invoke(image("x86_64", node=node), "app.handler", task({"app.js": CALLBACKS[case]})) == "here"


@pytest.mark.full
def test_node_24_refuses_callbacks(invoke: Invoke) -> None:
    answer = invoke(image("x86_64", node=24), "app.handler", task({"app.js": CALLBACKS["at once"]}))
    assert answer["errorType"] == "Runtime.CallbackHandlerDeprecated"


def test_node_22_takes_a_directorys_index_for_the_handler(invoke: Invoke) -> None:
    assert invoke(image("x86_64"), "app.handler", task({"app/index.js": f"exports.handler = {ANSWER}"})) == "here"


@pytest.mark.full
def test_node_24_stumbles_over_a_directory_beside_the_handler(invoke: Invoke) -> None:
    files = {"app/index.js": "", "app.mjs": f"export const handler = {ANSWER}"}
    answer = invoke(image("x86_64", node=24), "app.handler", task(files))
    assert "Directory import '/var/task/app' is not supported" in answer["errorMessage"]


REFUSED = {
    "no file": ("app.handler", {}, "Runtime.ImportModuleError", "Error: Cannot find module 'app'"),
    "no export": ("app.handler", {"app.js": ""}, "Runtime.HandlerNotFound", "is undefined or not exported"),
    "no function": (
        "app.handler",
        {"app.js": "exports.handler = 1"},
        "Runtime.HandlerNotFound",
        "app.handler is not a function",
    ),
    "syntax": ("app.handler", {"app.js": "export const"}, "Runtime.UserCodeSyntaxError", "SyntaxError"),
    "dots": ("../app.handler", {}, "Runtime.MalformedHandlerName", "is not a valid handler name"),
    "no dot": ("app", {}, "Runtime.MalformedHandlerName", "Bad handler"),
    "dependency": (
        "app.handler",
        {"app.js": "require('left-pad')"},
        "Runtime.ImportModuleError",
        "Error: Cannot find module 'left-pad'\nRequire stack:\n- /var/task/app.js",
    ),
    "dlopen": (
        "app.handler",
        {"app.js": "require('./x.node')", "x.node": ""},
        "Error",
        "/var/task/x.node: file too short",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("node", NODES)
def test_a_broken_function_fails_in_lambdas_words(node: int, case: str, invoke: Invoke) -> None:
    handler, files, kind, message = REFUSED[case]
    answer = invoke(image("x86_64", node=node), handler, task(files))
    assert answer["errorType"] == kind
    assert message in answer["errorMessage"]


@pytest.mark.parametrize("node", NODES[:-1])
def test_a_module_cannot_be_required_until_node_22(node: int, invoke: Invoke) -> None:
    files = {"app.js": "require('./x.mjs')", "x.mjs": "export {}"}
    answer = invoke(image("x86_64", node=node), "app.handler", task(files))
    assert "require() of ES Module /var/task/x.mjs" in answer["errorMessage"]


def test_the_require_stack_ends_at_the_runtime(invoke: Invoke) -> None:
    answer = invoke(image("x86_64"), "app.handler", task({"app.js": "require('left-pad')"}))
    assert answer["errorMessage"].endswith("\n- /var/task/app.js\n- /var/runtime/index.mjs")


@pytest.mark.parametrize("node", NODES)
def test_layers_are_seen_by_require_and_by_import(node: int, invoke: Invoke) -> None:
    layer = {
        "opt/nodejs/node_modules/one/index.js": "module.exports = 1",
        f"opt/nodejs/node{node}/node_modules/two/package.json": '{"exports": {"./deep": "./x.mjs"}}',
        f"opt/nodejs/node{node}/node_modules/two/x.mjs": "export default 2",
    }
    script = (
        "import { createRequire } from 'node:module'; import one from 'one'; import two from 'two/deep';"
        "export const handler = async () => [one, two, createRequire(import.meta.url)('one')]"
    )
    files = {**layer, **task({"index.mjs": script})}
    assert invoke(image("x86_64", node=node), "index.handler", files) == [1, 2, 1]


SDK_VERSION = "3.895.0"
SDK = tuple(json.loads((IMAGES / "lab" / "sdk" / "package.json").read_text("utf-8"))["dependencies"])


def test_the_sdk_has_what_functions_use_most() -> None:
    clients = ("s3", "dynamodb", "ssm", "secrets-manager", "sqs", "sns", "lambda", "sts")
    libraries = ("lib-dynamodb", "lib-storage", "util-dynamodb", "credential-providers", "s3-request-presigner")
    assert {f"@aws-sdk/{name}" for name in (*(f"client-{client}" for client in clients), *libraries)} <= set(SDK)


@pytest.mark.parametrize("node", NODES)
def test_the_runtime_brings_the_sdk(node: int, invoke: Invoke) -> None:
    script = (
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
        "export const handler = async (names) => { for (const name of names) { require(name); await import(name) }"
        " return [require('@aws-sdk/client-s3/package.json').version, require.resolve('@smithy/node-http-handler')] }"
    )
    version, handler = invoke(image("x86_64", node=node), "index.handler", task({"index.mjs": script}), SDK)
    assert version == SDK_VERSION
    assert handler.startswith("/var/runtime/node_modules/@smithy/")


def test_the_functions_own_sdk_comes_before_the_runtimes(invoke: Invoke) -> None:
    own = {"node_modules/@aws-sdk/client-s3/index.js": "module.exports = 'own'"}
    script = "const s3 = require('@aws-sdk/client-s3'); exports.handler = async () => s3"
    assert invoke(image("x86_64"), "index.handler", task({"index.js": script, **own})) == "own"


@pytest.mark.parametrize("statement", ["require('@aws-sdk/client-s3')", "import('@aws-sdk/client-s3')"])
def test_node_alone_does_not_look_for_the_sdk(statement: str) -> None:
    """Only the runtime sets NODE_PATH, and node's `import` never reads it."""
    env = "NODE_PATH=/var/runtime/node_modules" if statement.startswith("import") else None
    asked = run(image("x86_64"), "node", "-e", statement, env=env)
    assert (asked.returncode, b"Cannot find" in asked.stderr) == (1, True), asked.stderr


def test_a_function_error_names_its_type(invoke: Invoke) -> None:
    script = "exports.handler = async () => { throw new TypeError('no') }"
    answer = invoke(image("x86_64"), "index.handler", task({"index.js": script}))
    assert (answer["errorType"], answer["errorMessage"]) == ("TypeError", "no")


def test_a_streaming_handler_answers_in_one_piece(invoke: Invoke) -> None:
    script = (
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {"
        " stream.write('{\"a\":'); stream.write('1}'); stream.end() })"
    )
    assert invoke(image("x86_64"), "index.handler", task({"index.js": script})) == {"a": 1}


DOCKERFILE = IMAGES / "Dockerfile"

MANAGERS = {
    "Amazon Linux 2023": ("microdnf", "microdnf install -y .* gcc-c\\+\\+ make .* python3 cmake\n.*microdnf clean all"),
    "Amazon Linux 2": ("yum amazon-linux-extras", "amazon-linux-extras enable python3.8\n.*python3.8 cmake"),
}


@pytest.fixture
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    """A build image with package managers that only write down how they were called."""
    name = "lambdapack-lab/toolchain-base:test"
    log = 'echo "path=[$LD_LIBRARY_PATH] ${0##*/} $*" >> /log'
    lines = [f"FROM {image('x86_64', '-build')}", "RUN printf '#!/bin/sh\\n%s\\n' '" + log + "' > /usr/bin/logged"]
    lines += [
        f"RUN chmod 755 /usr/bin/logged && cp /usr/bin/logged /usr/bin/{program}" for program in request.param.split()
    ]
    lines += ["RUN ln -s python3.11 /usr/bin/python3.8"]
    built = docker("build", "--tag", name, "-", data="\n".join(lines).encode())
    assert built.returncode == 0, built.stderr
    yield name
    docker("image", "rm", "--force", name, f"{name}-built")


@pytest.mark.parametrize(("base", "calls"), MANAGERS.values(), ids=MANAGERS, indirect=["base"])
def test_the_dockerfile_installs_without_the_images_library_path(base: str, calls: str) -> None:
    arguments = ("--build-arg", f"BASE={base}", "--build-arg", "PACKAGES=cmake", "--tag", f"{base}-built")
    built = docker("build", *arguments, "-", data=DOCKERFILE.read_bytes())
    assert built.returncode == 0, built.stdout.decode() + built.stderr.decode()
    log = docker("run", "--rm", f"{base}-built", "cat", "/log").stdout.decode()
    assert re.search(calls, log), log
    assert all(line.startswith("path=[] ") for line in log.splitlines())
