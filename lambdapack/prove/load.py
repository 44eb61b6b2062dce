"""Opens each addon and imports the handler in the runtime image, from the packed bytes. Reports, never judges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from lambdapack.engine.interface import Command, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.errors.build import INVOKE_FAILED
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Architecture
from lambdapack.prove.invoke import LAMBDA_USER
from lambdapack.rules.function.loading import LoadError
from lambdapack.runtimes.runtime import NodeBehaviour
from lambdapack.tree.entry import Tree

LOAD_WALL_SECONDS = 900.0
"""Seconds for all files together; one takes 0.05 s, and half a second under emulation."""

SINGLE_LOAD_SECONDS = 10
"""Seconds for a single addon or handler: Lambda's own bound of an import (AWS developer guide, "Init phase")."""

EMULATED_LOAD_SECONDS = 120
"""The same where every instruction is emulated."""

MAX_ERROR_LINES = 12
"""Lines of an error's message that a report shows."""

MIN_MASKED_CHARACTERS = 8
"""Characters from which a value is masked: shorter ones are words such as "true", and would hide what node says."""

DRIVER_SCRIPT = """
const { spawnSync } = require('child_process');
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const flags = asked.flags.filter(flag => process.allowedNodeEnvironmentFlags.has(flag));
const { NODE_OPTIONS, ...others } = asked.variables;
const run = (code, words, variables) => {
  const done = spawnSync(process.execPath, [...flags, '-e', code, ...words],
    { cwd: '/var/task', encoding: 'utf8', timeout: asked.seconds * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 24,
      env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const said = ((done.stdout || '') + (done.stderr || '')).trim().split('\\n').slice(-12).join('\\n');
  let told = null;
  try { told = JSON.parse(done.output[3]) } catch {}
  return { exit: done.status, signal: done.signal, told, late: done.error?.code === 'ETIMEDOUT',
    said: done.error ? `${done.error.message}\\n${said}` : said };
};
const quietly = `
  const { writeSync } = require('fs');
  const tell = what => { try { writeSync(3, JSON.stringify(what)) } catch {} };
  const cut = text => String(text ?? '').slice(0, 8000);
  const loaded = () => { tell({ loaded: true }); process.exit(0) };
  const end = error => {
    const thrown = error instanceof Error || typeof error?.message === 'string';
    tell({ name: thrown ? cut(error.name) : 'throw', code: cut(error?.code), stack: cut(error?.stack),
      message: cut(thrown ? error.message : error) });
    process.exit(1);
  };`;
const open = quietly + `
  const load = (...flags) => process.dlopen({ exports: {} }, process.argv[1], ...flags);
  try { load(require('os').constants.dlopen.RTLD_NOW); loaded() } catch (e) {
    if (!String(e && e.message).includes('undefined symbol')) end(e);
  }
  try { load(); tell({ loaded: true, lazily: true }); process.exit(0) } catch (e) { end(e) }`;
const take = quietly + asked.hooks + `
  const [file, name] = process.argv.slice(1);
  const { pathToFileURL } = require('url');
  for (const identifier of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[identifier];
  import(pathToFileURL(file)).then(module => {
    const find = from => name.split('.').reduce((value, key) => value == null ? value : value[key], from);
    const found = find(module) === undefined ? find(module.default) : find(module);
    if (typeof found === 'function') loaded();
    tell({ name: '', code: '', stack: '', message: file + ' exports no function ' + name });
    process.exit(1);
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
    error: LoadError | None  # None when it loaded
    bound: bool = False  # every function that it calls was found, and not only those that are bound when it is opened


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
    with engine.open(spec, observer) as sandbox:
        sandbox.put(code, TASK_ROOT)
        for layer in layers:
            sandbox.put(layer, LAYER_ROOT)
        return _run_driver(sandbox, trial)


def _run_driver(sandbox: Sandbox, trial: LoadRequest) -> tuple[LoadResult, ...]:
    behaviour, seconds = trial.behaviour, SINGLE_LOAD_SECONDS if sandbox.native else EMULATED_LOAD_SECONDS
    request = {
        "addons": trial.addons,
        "handler": trial.handler,
        "flags": behaviour.flags,
        "seconds": seconds,
        "hooks": _hooks_statement() if behaviour.import_searches_node_path else "",
        "variables": dict(trial.variables),  # on stdin: what a container's configuration has, anyone can read later
    }
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
    return tuple(_parse_result(line, seconds, trial.variables) for line in output["stdout"].splitlines())


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


def _parse_result(line: bytes | bytearray, seconds: int, variables: Mapping[str, str]) -> LoadResult:
    reply = json.loads(line)
    told = reply["told"] or {}
    if told.get("loaded"):
        return LoadResult(reply["path"], None, bound=not told.get("lazily"))
    error = _load_error(reply, told, seconds)
    text, stack = mask_values(error.text, variables), mask_values(error.stack, variables)
    return LoadResult(reply["path"], replace(error, text=text, stack=stack))


def _load_error(reply: Mapping[str, Any], told: Mapping[str, str], seconds: int) -> LoadError:
    if reply["late"]:
        return LoadError(f"{seconds} s", late=True)
    if reply["signal"]:
        return LoadError(f"killed by {reply['signal']}\n{reply['said']}".strip(), crashed=True)
    if told:
        text = "\n".join(told["message"].strip().split("\n")[:MAX_ERROR_LINES])
        return LoadError(text or told["name"], told["name"], told["code"], told["stack"])
    said = f"\n{reply['said']}" if reply["said"] else ""
    return LoadError(f"the process ended with exit code {reply['exit']}{said}", exited=True)
