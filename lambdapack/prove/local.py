"""Invokes a handler without a container: the runtime's node, our own runtime client, and the Runtime API beside it."""

import json
from collections.abc import Sequence
from pathlib import Path

from lambdapack.engine.interface import Command, Engine, Limits, SandboxSpec
from lambdapack.engine.local.confinement import find_bubblewrap
from lambdapack.engine.local.engine import LOCAL_REFERENCE
from lambdapack.events import Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Target
from lambdapack.prove.invoke import (
    LAMBDA_USER,
    STARTUP_SECONDS,
    FunctionTrees,
    InvokeRequest,
    InvokeResult,
    ResultListener,
    check_event,
    function_environment,
    read_replies,
)
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.compose import MemoryTree

CLIENT_DIRECTORY = "/var/runtime"

SERVER_FILE = Path(__file__).with_name("serve.mjs")

CLIENT_FILES = (Path(__file__).with_name("client"), Path(__file__).parents[2] / "images" / "lab" / "runtime")
"""The runtime client: in an installed lambdapack, and in the repository, where the lab's images have it too."""

DIFFERENCES = (
    "the function runs on this host, with its libraries and without Lambda's memory limit, so what depends on those is "
    "not proved; `--engine docker` runs it in the runtime image"
)

UNCONFINED_FUNCTION = (
    "bubblewrap is not here, so nothing confines the function: it runs with your rights, as `node` would run it, "
    "though without your environment's variables"
)


def invoke_locally(
    engine: Engine,
    target: Target,
    trees: FunctionTrees,
    call: InvokeRequest,
    observer: Observer,
    listener: ResultListener,
) -> tuple[InvokeResult, ...]:
    """Return the handler's answers, given by the runtime's node on this host. LP120 when an event gets no answer."""
    for event in call.events:
        check_event(event)
    runtime = shipped_runtime(target)
    seconds = call.timeout_seconds * len(call.events) + STARTUP_SECONDS
    spec = SandboxSpec(
        image=LOCAL_REFERENCE.format(node=runtime.node_major),
        architecture=target.architecture,
        label="invoke",
        limits=Limits(wall_seconds=seconds, silence_seconds=seconds),
        network=call.network or call.debugger is not None,
        read_only=True,
        writable=(TASK_ROOT, LAYER_ROOT),
    )
    observer.note(DIFFERENCES)
    if not find_bubblewrap():
        observer.note(UNCONFINED_FUNCTION)
    with engine.open(spec, observer) as sandbox:
        sandbox.put(trees.code, TASK_ROOT)
        for layer in trees.layers:
            sandbox.put(layer, LAYER_ROOT)
        sandbox.put(_client_tree(), CLIENT_DIRECTORY)
        return read_replies(
            sandbox,
            lambda mark: _serve_command(target, call, mark, runtime.behaviour.flags, runtime.behaviour.node_path),
            call,
            observer,
            listener,
        )


def _serve_command(
    target: Target, call: InvokeRequest, mark: str, flags: Sequence[str], node_path: Sequence[str]
) -> Command:
    variables = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{target.runtime}",
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "LAMBDA_RUNTIME_DIR": CLIENT_DIRECTORY,
        "NODE_PATH": ":".join(node_path),
        **function_environment(call, f"127.0.0.1:{call.debugger}"),
    }
    if options := variables.pop("NODE_OPTIONS", ""):
        variables["LAMBDAPACK_NODE_OPTIONS"] = options  # of the function's node, and not of ours
    words = ["/var/lang/bin/node", f"{CLIENT_DIRECTORY}/{SERVER_FILE.name}", call.handler, mark]
    words += [str(call.timeout_seconds), json.dumps(list(flags)), *(str(len(event)) for event in call.events)]
    return Command(words, env=variables, cwd=TASK_ROOT, user=LAMBDA_USER, stdin=b"".join(call.events), title="invoke")


def _client_tree() -> MemoryTree:
    place = next(place for place in CLIENT_FILES if place.is_dir())
    files = {path.name: path.read_bytes() for path in place.glob("*.mjs")}
    return MemoryTree({**files, SERVER_FILE.name: SERVER_FILE.read_bytes()})
