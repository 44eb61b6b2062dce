"""Opens each addon and imports the handler in the runtime image, from the packed bytes. Reports, never judges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from lambdapack.engine.interface import Command, Engine, Limits, SandboxSpec
from lambdapack.errors.build import INVOKE_FAILED
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Architecture
from lambdapack.prove.invoke import LAMBDA_USER
from lambdapack.runtimes.runtime import NodeBehaviour
from lambdapack.tree.entry import Tree

LOAD_WALL_SECONDS = 900.0
"""Seconds for all files together; one takes 0.05 s, and half a second under emulation."""

SINGLE_LOAD_SECONDS = 120
"""Seconds for a single addon or handler; Lambda restarts an import after 10 s."""

MIN_MASKED_CHARACTERS = 8
"""Characters from which a value is masked: shorter ones are words such as "true", and would hide what node says."""

DRIVER_SCRIPT = """
const { spawnSync } = require('child_process');
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const flags = asked.flags.filter(flag => process.allowedNodeEnvironmentFlags.has(flag));
const { NODE_OPTIONS, ...others } = asked.variables;
const run = (code, words, variables) => {
  const done = spawnSync(process.execPath, [...flags, '-e', code, ...words],
    { cwd: '/var/task', encoding: 'utf8', timeout: asked.seconds * 1000, maxBuffer: 1 << 24,
      env: { ...process.env, ...variables } });
  const said = (done.stdout + done.stderr).trim().split('\\n').slice(-12).join('\\n');
  return { exit: done.status, signal: done.signal, said: done.error ? `${done.error.message}\\n${said}` : said };
};
const quietly = `const end = error => { console.error(String(error && error.message || error)); process.exit(1) };`;
const open = quietly + `try { process.dlopen({ exports: {} }, process.argv[1]); process.exit(0) } catch (e) { end(e) }`;
const take = quietly + asked.hooks + `
  const [file, name] = process.argv.slice(1);
  const { pathToFileURL } = require('url');
  for (const identifier of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[identifier];
  import(pathToFileURL(file)).then(module => {
    const find = from => name.split('.').reduce((value, key) => value == null ? value : value[key], from);
    const found = find(module) === undefined ? find(module.default) : find(module);
    typeof found === 'function' ? process.exit(0) : end(file + ' exports no function ' + name);
  }, end);`;
for (const path of asked.addons) console.log(JSON.stringify({ path, ...run(open, [path], others) }));
if (asked.handler)
  console.log(JSON.stringify({ path: asked.handler[0], ...run(take, asked.handler, asked.variables) }));
"""
"""Runs in the image and starts a new node for each file, since a loaded addon changes what the next one finds."""

IMPORT_HOOKS = r"""
import { existsSync } from 'node:fs';
const roots = (process.env.NODE_PATH ?? '').split(':').filter(path => path.endsWith('/node_modules'));
const named = name => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/');
const bare = name => !/^(\.{0,2}\/|#|[a-z][a-z+.-]*:)/i.test(name);
export async function resolve(name, context, next) {
  try { return await next(name, context) } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !bare(name)) throw error;
    const found = roots.find(path => existsSync(`${path}/${named(name)}`));
    if (!found) throw error;
    const parentURL = `file://${found.slice(0, -'/node_modules'.length)}/layer.mjs`;
    return next(name, { ...context, parentURL });
  }
}
"""
"""Makes `import` search NODE_PATH, as on Lambda (`import_searches_node_path`) but not in other images."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of loading one file."""

    path: str  # absolute, in the image
    error: str  # the loader's or node's own words, or the signal; "" when it loaded


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The addons and the handler to load."""

    addons: tuple[str, ...]  # absolute paths in the image
    handler: tuple[str, str] | None  # (absolute path of its file, name of its export)
    behaviour: NodeBehaviour  # of the runtime: what node is started with, and where it looks
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # the function's own


def load_in_image(
    engine: Engine,
    image: tuple[str, Architecture],
    code: Tree,
    layers: Sequence[Tree],
    trial: LoadRequest,
    observer: Observer = SILENT,
) -> tuple[LoadResult, ...]:
    """Load every addon, then the handler, and return the results. LP120 when node cannot run the test."""
    spec = SandboxSpec(
        image=image[0],
        architecture=image[1],
        label="load",
        limits=Limits(wall_seconds=LOAD_WALL_SECONDS, silence_seconds=LOAD_WALL_SECONDS),
        network=False,
        read_only=True,
        writable=(TASK_ROOT, LAYER_ROOT),
    )
    behaviour = trial.behaviour
    request = {
        "addons": trial.addons,
        "handler": trial.handler,
        "flags": behaviour.flags,
        "seconds": SINGLE_LOAD_SECONDS,
        "hooks": _hooks_statement() if behaviour.import_searches_node_path else "",
        "variables": dict(trial.variables),  # on stdin: what a container's configuration has, anyone can read later
    }
    with engine.open(spec, observer) as sandbox:
        sandbox.put(code, TASK_ROOT)
        for layer in layers:
            sandbox.put(layer, LAYER_ROOT)
        output: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        command = Command(
            ["/var/lang/bin/node", "-e", DRIVER_SCRIPT],
            env={"NODE_PATH": ":".join(behaviour.node_path), "HOME": "/tmp"},  # noqa: S108  # inside the sandbox
            cwd=TASK_ROOT,
            user=LAMBDA_USER,
            stdin=json.dumps(request).encode(),
        )
        result = sandbox.run(command, lambda source, data: output[source].extend(data))
    if not result.ok:
        raise LambdapackError(
            INVOKE_FAILED, f"node did not run the load test:\n{output['stderr'].decode('utf-8', 'replace')}"
        )
    results = tuple(_parse_result(line) for line in output["stdout"].splitlines())
    return tuple(replace(result, error=mask_values(result.error, trial.variables)) for result in results)


def mask_values(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with the names of variables in place of their values, so that no secret gets into a report."""
    secrets = [(name, value) for name, value in variables.items() if len(value) >= MIN_MASKED_CHARACTERS]
    for name, value in sorted(secrets, key=lambda pair: -len(pair[1])):
        text = text.replace(value, f"${name}")
    return text


def _hooks_statement() -> str:
    """Return the statement that registers IMPORT_HOOKS; node has register() from 18.19 on."""
    source = json.dumps(f"data:text/javascript,{quote(IMPORT_HOOKS)}")
    return f"\n{{ const {{ register }} = require('module'); if (register) register({source}); }}\n"


def _parse_result(line: bytes | bytearray) -> LoadResult:
    reply = json.loads(line)
    if reply["exit"] == 0:
        return LoadResult(reply["path"], "")
    end = f"killed by {reply['signal']}" if reply["signal"] else f"exit code {reply['exit']}"
    return LoadResult(reply["path"], reply["said"] or end if not reply["signal"] else f"{end}\n{reply['said']}".strip())
