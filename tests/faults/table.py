"""The flows whose every call is answered with every fault, and what has to be true of each row."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config  # noqa: TID251

from lambdapack.aws.calls import Clock
from lambdapack.aws.cloud import BotoCloud
from lambdapack.cli.app import run_command
from lambdapack.deploy.nouns import Alias, LambdaFunction
from lambdapack.pack.digest import code_digest
from tests.cloud.faults import Fault, faulty
from tests.cloud.wire import REGION, session
from tests.cloud.world import World, zipped

READ_SECONDS = 2.0
"""Until a client of the table gives up waiting; the real ones wait longer."""

HASTY = Clock(sleep=lambda _seconds: None)


@dataclass
class Scene:
    """Functions as they are before a flow, and the flow's command."""

    names: tuple[str, ...]
    arguments: tuple[str, ...]
    old: str  # code digest
    new: str
    end: Callable[["Scene", BotoCloud], bool]  # whether the flow's aim is reached
    lives: tuple[str, ...] = ()  # versions that the alias may point at


@dataclass
class Row:
    """One call of one flow, and one fault."""

    flow: str
    operation: str
    kind: str
    code: int = 0
    said: str = ""
    problems: list[str] = field(default_factory=list)
    struck: bool = False


def at(address: str) -> BotoCloud:
    """Return a cloud behind an address, impatient."""

    def make(service: str, config: Config | None = None) -> Any:
        short = Config(connect_timeout=READ_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        merged = config.merge(short) if config else short
        return session().client(service, endpoint_url=address, config=merged)

    return BotoCloud(make, REGION, HASTY)


def command(arguments: Sequence[str], connect: Callable[..., BotoCloud]) -> tuple[int, str, str]:
    """Run the command in this process against a cloud; return code, stdout and stderr."""
    import lambdapack.aws.cloud as room  # noqa: PLC0415

    out, err = io.StringIO(), io.StringIO()
    real = room.connect_cloud
    room.connect_cloud = connect
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_command([*arguments, "-q"])
    finally:
        room.connect_cloud = real
    return code, out.getvalue(), err.getvalue()


def _function(world: World, old: Path, *, versions: int = 1) -> str:
    """Make a function with a variable and an alias at its newest version."""
    name = world.fresh("fault")
    role = world.role
    words = ("--function", name, "--alias", "live", "--env", "KEPT=1")
    for number in range(versions):
        path = old if number == versions - 1 else world.archive(f"before-{number}")
        code, _out, err = command(
            ["deploy", str(path), *words, "--create", "--role", role], lambda *_a, **_k: at(world.endpoint)
        )
        assert code == 0, err
    return name


def _points(version: str) -> Callable[[Scene, BotoCloud], bool]:
    def reached(scene: Scene, cloud: BotoCloud) -> bool:
        aliases = [cloud.alias(name, "live") for name in scene.names]
        return all(alias and (alias.version, alias.weights) == (version, ()) for alias in aliases)

    return reached


def update(world: World) -> Scene:
    old, new = world.archive("old"), world.archive("new")
    name = _function(world, old)
    words = ("deploy", str(new), "--function", name, "--alias", "live", "--timeout", "9", "--env", "STAGE=x")
    return Scene((name,), words, code_digest(old), code_digest(new), _points("2"), ("1", "2"))


def create(world: World) -> Scene:
    new, name = world.archive("new"), world.fresh("fault")
    words = ("deploy", str(new), "--function", name, "--alias", "live", "--create", "--role", world.role)
    return Scene((name,), (*words, "--env", "KEPT=1"), "", code_digest(new), _points("1"), ("1",))


def canary(world: World) -> Scene:
    old, new = world.archive("old"), world.archive("new")
    name = _function(world, old)
    words = ("deploy", str(new), "--function", name, "--alias", "live", "--canary", "10%")

    def reached(scene: Scene, cloud: BotoCloud) -> bool:
        alias = cloud.alias(scene.names[0], "live")
        return bool(alias and (alias.version, alias.weights) == ("1", (("2", 0.1),)))

    return Scene((name,), words, code_digest(old), code_digest(new), reached, ("1",))


def rollback(world: World) -> Scene:
    old = world.archive("old")
    name = _function(world, old, versions=2)
    words = ("rollback", "--function", name, "--alias", "live")
    return Scene((name,), words, code_digest(old), "", _points("1"), ("1", "2"))


def several(world: World) -> Scene:
    old, new = world.archive("old"), world.archive("new")
    names = (_function(world, old), _function(world, old))
    functions = [word for name in names for word in ("--function", name)]
    words = ("deploy", str(new), *functions, "--alias", "live")
    return Scene(names, words, code_digest(old), code_digest(new), _points("2"), ("1", "2"))


def several_back(world: World) -> Scene:
    old = world.archive("old")
    names = (_function(world, old, versions=2), _function(world, old, versions=2))
    functions = [word for name in names for word in ("--function", name)]
    words = ("rollback", *functions, "--alias", "live")
    return Scene(names, words, code_digest(old), "", _points("1"), ("1", "2"))


def publish_layer(world: World) -> Scene:
    name = world.fresh("layer")
    path = world.directory / f"{name}.zip"
    path.write_bytes(zipped({"nodejs/node_modules/x/index.js": name}, below="nodejs/"))

    def reached(scene: Scene, cloud: BotoCloud) -> bool:
        return len(list(cloud.layer_versions(scene.names[0]))) >= 1

    return Scene((name,), ("publish-layer", str(path), "--name", name), "", code_digest(path), reached)


FLOWS: dict[str, Callable[[World], Scene]] = {
    "update": update,
    "create": create,
    "canary": canary,
    "rollback": rollback,
    "several functions": several,
    "rollback of several functions": several_back,
    "publish-layer": publish_layer,
}


def operations_of(world: World, flow: str) -> list[str]:
    """Return the operations of a flow without a fault, each once, in their order."""
    fault = Fault("", "")
    scene = FLOWS[flow](world)
    with faulty(world.endpoint, fault) as address:
        code, _out, err = command(scene.arguments, lambda *_a, **_k: at(address))
    assert code == 0, err
    return [name for name in dict.fromkeys(fault.operations) if name]


def run_row(world: World, row: Row, nth: int = 1) -> Row:
    """Run a flow with a fault, hold what is said against the server, then run it again without."""
    scene = FLOWS[row.flow](world)
    fault = Fault(row.operation, row.kind, nth)
    with faulty(world.endpoint, fault) as address:
        row.code, _out, row.said = command(scene.arguments, lambda *_a, **_k: at(address))
    row.struck = fault.seen >= nth
    server = at(world.endpoint)
    row.problems += judge(row, scene, server)
    for _again in range(2):
        code, _out, err = command(scene.arguments, lambda *_a, **_k: at(world.endpoint))
        if code != 0:
            row.problems.append(f"the same command again ends with {code}: {err[-300:]}")
        elif not scene.end(scene, server):
            row.problems.append("the same command again does not converge")
    row.problems += list(_lost(scene, server))
    return row


def judge(row: Row, scene: Scene, server: BotoCloud) -> Iterator[str]:
    """Yield what is wrong with a code and with each sentence about what stands where."""
    if row.code not in {0, 1, 3, 5, 130, 143}:
        yield f"exit {row.code}: {row.said[-600:]}"
    if row.code == 0 and not scene.end(scene, server):
        yield "exit 0, and the aim is not reached"
    if scene.arguments[0] == "publish-layer":
        count = len(list(server.layer_versions(scene.names[0])))
        if count > 1:
            yield "the layer was published twice"
        if row.code and count and "was published" not in row.said and "no answer came to" not in row.said:
            yield "a layer version was published, and nothing says so"
        return
    for name in scene.names:
        latest, alias = server.function(name), server.alias(name, "live")
        if alias and alias.version not in scene.lives:
            yield f"the alias is at {alias.version}"
        if row.code:
            yield from _judge_sentences(row, scene, name, latest, alias)
        yield from _lost(scene, server)


def _judge_sentences(
    row: Row, scene: Scene, name: str, latest: LambdaFunction | None, alias: Alias | None
) -> Iterator[str]:
    sentences = [line for line in row.said.splitlines() if f"{name}: " in line]
    said = sentences[-1].partition(f"{name}: ")[2] if sentences else ""
    digest, timeout = (latest.code_digest, latest.timeout) if latest else ("", 0)
    pointed = re.search(r"alias live (?:still )?points at version (\d+)", said)
    if pointed and (alias is None or alias.version != pointed[1]):
        yield f"false: {said}"
    truths = {
        r"alias live (?:does not exist|was not created)": alias is None,
        r"\$LATEST has the new code": digest == scene.new,
        r"\$LATEST has the old code": digest == scene.old,
        r"the new settings": timeout == 9,
        r"the old settings": timeout == 3,
        r"the function was created": latest is not None,
        r"the function was not created|the function does not exist": latest is None,
    }
    for pattern, holds in truths.items():
        if re.search(pattern, said) and not holds:
            yield f"false: {said}"
    was = scene.old if row.flow != "create" else None
    now = latest.code_digest if latest else None
    if scene.new and now != was and not re.search(r"\$LATEST has|function was created|not known", said):
        yield f"$LATEST changed, and nothing says so: {row.said[-400:]}"
    if now == was and "$LATEST has the new" in said and "settings" not in said:
        yield f"false: {said}"


def _lost(scene: Scene, server: BotoCloud) -> Iterator[str]:
    for name in scene.names if scene.arguments[0] != "publish-layer" else ():
        latest = server.function(name)
        if latest and latest.environment.get("KEPT") != "1":
            yield f"the variable KEPT of {name} is lost"


def page(rows: Sequence[Row]) -> str:
    """Return the documentation's page of the table: what each write leaves, fault by fault."""
    lines = [
        "# What stands where after a failure",
        "",
        "Each call of each command was answered with each fault, against an AWS emulator, and what the command said",
        "was held against the server. In every row the same command, run again, reached its aim; no variable was lost",
        "and no alias pointed at untested code. Calls that only read change nothing and are left out here.",
        "Made from the table by `pytest --full tests/faults --update-golden`.",
    ]
    for flow in FLOWS:
        lines += ["", f"## {flow}", "", "| Call | Fault | Exit | What stands where |", "|---|---|---|---|"]
        groups: dict[tuple[str, int, str], list[str]] = {}
        for row in rows:
            if row.flow == flow and not row.operation.startswith(("Get", "List")):
                groups.setdefault((row.operation, row.code, _standing(row)), []).append(row.kind)
        lines += [f"| {call} | {', '.join(kinds)} | {code} | {text} |" for (call, code, text), kinds in groups.items()]
    return "\n".join(lines) + "\n"


def _standing(row: Row) -> str:
    if row.code == 0:
        return "done: the call was repeated, or its effect was read"
    stands = re.compile(r"((fault|layer)-\d+: )|(arn:\S+ was published)")
    quoted = [line.partition("| ")[2].strip() for line in row.said.splitlines()]
    lines = [line for line in quoted if stands.match(line)]
    text = "; ".join(re.sub(r"\S*(?:fault|layer)-\d+(?::\d+)?: ?", "", line).strip() for line in lines)
    return (re.sub(r"arn:\S+", "the version", text) or "as before").replace("|", "\\|")


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows for a person who looks for a fault."""
    return json.dumps([vars(row) for row in rows], indent=1)
